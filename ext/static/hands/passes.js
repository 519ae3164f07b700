/* 正反两遍：左边是 ℓ = (wx + b − y)²/2 的计算图，右边是 ℓ 随 w 的曲线与切线。 */
(() => {
  "use strict";
  const maths = {
    forward(w, x, b, y) {
      const wx = w * x, yHat = wx + b, e = yHat - y; // prettier-ignore
      return { wx, yHat, e, loss: (e * e) / 2 };
    },
    /* 损失对各个量的导数，从后往前，每过一个运算乘一次它的导数。 */
    backward(w, x, b, y) {
      const e = maths.forward(w, x, b, y).e;
      const yHat = e, wx = yHat; // prettier-ignore
      return { e, yHat, wx, b: yHat, w: wx * x };
    },
  };
  /* 能少写的小数就少写。 */
  const short = (value) =>
    hands.number(value, [0, 1].find((digits) => Math.abs(value - value.toFixed(digits)) < 1e-9) ?? 2);
  const positive = (value) => (value < 0 ? `(${short(value)})` : short(value)); // 负数放进括号
  const sum = (list) => {
    const total = short(list.reduce((a, b) => a + b, 0));
    if (list.length === 1) return total;
    return `${list.length > 4 ? "… + " : ""}${list.slice(-4).map(positive).join(" + ")} = ${total}`;
  };

  const CENTRE = { "text-anchor": "middle" };

  function build(hand) {
    const { number } = hands;
    const START = { w: 3, x: 2, b: 1, y: 5 };
    let at = { ...START };
    let place = 0; // 走到第几步：1 至 4 正着，5 至 8 倒着
    let grads = []; // 每一遍给 .grad 加上的
    let lost = ""; // 倒着走过，又要再倒着走
    const args = () => [at.w, at.x, at.b, at.y];
    const change = (name, value) => {
      at[name] = value;
      [place, lost] = [0, ""]; // 换了数，要从头算；.grad 里的还在
    };
    const advance = () => {
      place = (place % 8) + 1;
      if (place > 4) lost = "";
      if (place === 8) grads.push(maths.backward(...args()));
    };

    const graph = hand.plot({
      label: "计算图",
      x: { range: [0, 10] },
      y: { range: [0, 10] },
      axes: false,
      height: 348,
    });
    const curve = hand.plot({
      label: "损失随 w 的变化",
      x: { range: [-1, 5], label: "参数 w" },
      y: { range: [0, 12], label: "损失 ℓ" },
      height: 348,
    });
    hand.handle(curve, {
      label: "参数 w",
      axes: "x",
      at: () => [at.w, maths.forward(...args()).loss],
      move: (w) => change("w", Math.round(w * 10) / 10),
      text: () => `w 是 ${number(at.w, 1)}，损失是 ${short(maths.forward(...args()).loss)}`,
      step: [0.1, 0],
    });
    const set = {};
    for (const [name, label, min, max] of [
      ["x", "输入 x", -2, 3],
      ["b", "偏差 b", -2, 3],
      ["y", "标签 y", 0, 6],
    ]) {
      set[name] = hand.slider({
        label,
        min,
        max,
        step: 0.5,
        value: at[name],
        text: (value) => number(value, 1),
        change: (value) => change(name, value),
      });
    }
    hand.button("走一步", advance);
    hand.button("正着走一遍", () => {
      place = 0;
      hand.play(4, advance, 500);
    });
    hand.button("倒着走一遍：backward()", () => {
      lost = place === 8 ? "计算图用过一次就丢了，先正着再算一遍。" : "";
      place %= 8;
      hand.play(8 - place, advance, 500);
    });
    hand.button("清零 .grad", () => {
      grads = [];
      place %= 8;
    });

    const ROWS = [8.7, 6.4, 4.1, 1.8]; // 四个运算的高度
    function drawGraph(values, slopes) {
      const { arrow, text, dot } = Object.fromEntries(
        ["arrow", "text", "dot"].map((name) => [name, graph[name].bind(graph)]),
      );
      const value = (step, name, number) => (place >= step ? `${name} = ${short(number)}` : name);
      const end = { "text-anchor": "end" };
      const middle = { "text-anchor": "middle", "dominant-baseline": "central" };
      const parts = [
        arrow(1.9, ROWS[0], 4.45, ROWS[0], "s0"),
        text(0, ROWS[0] + 0.1, `w = ${short(at.w)}`),
        ...[`x = ${short(at.x)}`, `b = ${short(at.b)}`, `y = ${short(at.y)}`].flatMap((words, i) => [
          arrow(7.8, ROWS[i], 5.55, ROWS[i], "s0"),
          text(8, ROWS[i] + 0.1, words),
        ]),
        ...["×", "+", "−", "e²/2"].flatMap((sign, i) => [
          dot(5, ROWS[i], 17, place === i + 1 || place === 8 - i ? "f2 pale" : "f0 pale"),
          dot(5, ROWS[i], 17, place === i + 1 || place === 8 - i ? "s2" : "s0 thin"),
          text(5, ROWS[i], sign, middle),
          arrow(5, ROWS[i] - 0.55, 5, i < 3 ? ROWS[i + 1] + 0.6 : 0.25, "s0"),
        ]),
        text(4.7, 7.45, value(1, "wx", values.wx), end),
        text(4.7, 5.15, value(2, "ŷ", values.yHat), end),
        text(4.7, 2.85, value(3, "e", values.e), end),
        text(4.7, 0.5, value(4, "ℓ", values.loss), end),
      ];
      const slope = (step, x, y, number) => {
        if (place >= step) parts.push(text(x, y, `梯度 ${short(number)}`, { class: "f2" }));
      };
      slope(5, 5.3, 0.5, 1);
      slope(5, 5.3, 2.85, slopes.e);
      slope(6, 5.3, 5.15, slopes.yHat);
      slope(7, 5.3, 7.45, slopes.wx);
      slope(7, 8, 5.95, slopes.b);
      slope(8, 0, 8.1, slopes.w);
      const kept = (name) => (grads.length ? short(grads.reduce((all, each) => all + each[name], 0)) : "None");
      parts.push(
        text(0, 7.2, `w.grad = ${kept("w")}`, { class: "f4" }),
        text(10, 5.4, `b.grad = ${kept("b")}`, { class: "f4", ...end }),
      );
      graph.set("graph", parts);
    }

    function says(values, slopes) {
      const { wx, yHat, e, loss } = values;
      return [
        "还没有走。",
        `乘法：wx = ${positive(at.w)} × ${positive(at.x)} = ${short(wx)}。`,
        `加法：ŷ = ${short(wx)} + ${positive(at.b)} = ${short(yHat)}。`,
        `减法：e = ${short(yHat)} − ${positive(at.y)} = ${short(e)}。`,
        `平方的一半：ℓ = ${positive(e)}²/2 = ${short(loss)}。正着走完了。`,
        `往回走：e²/2 的导数是 e，e 的梯度是 ${short(slopes.e)}。`,
        `减法的导数是 1，${short(slopes.e)} 原样传给 ŷ。`,
        `加法的导数是 1，${short(slopes.yHat)} 原样传给 wx 与 b。`,
        `乘法对 w 的导数是 x：${positive(slopes.wx)} × ${positive(at.x)} = ${short(slopes.w)}，加进 w.grad。`,
      ][place];
    }

    function draw() {
      const values = maths.forward(...args()), slopes = maths.backward(...args()); // prettier-ignore
      drawGraph(values, slopes);
      const grid = Array.from({ length: 121 }, (_, i) => -1 + i / 20);
      curve.set("curve", [curve.path(grid.map((w) => [w, maths.forward(w, at.x, at.b, at.y).loss]), "s1")]);
      const above = values.loss > 12 ? [curve.text(2, 9.2, `点在图的上面，ℓ = ${short(values.loss)}`, CENTRE)] : [];
      curve.set("above", above);
      const tangent = (w) => values.loss + slopes.w * (w - at.w);
      curve.set(
        "tangent",
        place < 8
          ? []
          : [
              curve.line(at.w - 1.2, tangent(at.w - 1.2), at.w + 1.2, tangent(at.w + 1.2), "s2"),
              curve.text(2, 10.2, `切线的斜率 ${short(slopes.w)}`, { class: "f2", ...CENTRE }),
            ],
      );
      const kept = (name) => sum(grads.map((each) => each[name]));
      const total = grads.length ? `w.grad = ${kept("w")}，b.grad = ${kept("b")}。` : "w.grad 与 b.grad 还是 None。";
      return `${lost}${lost && !place ? "" : says(values, slopes)}${total}`;
    }

    function reveal() {
      at = { ...START };
      for (const name of Object.keys(set)) set[name](at[name]);
      [place, grads, lost] = [0, [], ""];
      hand.play(16, advance, 350);
      const { w, b } = maths.backward(...args());
      return `走完一遍，w.grad 是 ${short(w)}，b.grad 是 ${short(b)}；再走一遍，w.grad = ${sum([w, w])}，b.grad = ${sum([b, b])}。`;
    }
    return { draw, reveal };
  }

  hands.figure("passes", { maths, build });
})();
