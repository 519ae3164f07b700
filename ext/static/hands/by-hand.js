/* 手工训练：左边是平面上的点与三类的地盘，右边是损失；下面跟着一个点，看它的 logit、概率、误差与对权重的改动。 */
(() => {
  "use strict";
  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
  const maths = {
    logits: ({ W, b }, x) => b.map((bj, j) => W[0][j] * x[0] + W[1][j] * x[1] + bj),
    softmax(o) {
      const e = o.map((value) => Math.exp(value - Math.max(...o)));
      return e.map((value) => value / e.reduce((a, b) => a + b));
    },
    /* 一个点对 logit 的梯度 ŷ − y。 */
    error: (net, x, c) => maths.softmax(maths.logits(net, x)).map((p, j) => p - (j === c ? 1 : 0)),
    /* 交叉熵，对各点取平均；points 的一项是 [x1, x2, 类别的编号]。 */
    loss: (net, points) => mean(points.map(([x1, x2, c]) => -Math.log(maths.softmax(maths.logits(net, [x1, x2]))[c]))),
    step(net, points, lr) {
      const errors = points.map(([x1, x2, c]) => maths.error(net, [x1, x2], c));
      const slope = (j, k) => mean(points.map((point, i) => (k < 2 ? point[k] : 1) * errors[i][j]));
      const moved = (values, k) => values.map((value, j) => value - lr * slope(j, k));
      return { W: net.W.map(moved), b: moved(net.b, 2) };
    },
    /* 一个点自己出的力：−η x (ŷ − y)ᵀ，2 行，一列一类。 */
    push: (net, [x1, x2, c], lr) =>
      [x1, x2].map((value) => maths.error(net, [x1, x2], c).map((e) => -lr * value * e)),
    zeros: (q) => ({ W: [0, 1].map(() => Array(q).fill(0)), b: Array(q).fill(0) }),
  };
  const around = (x, y, c) => [[0.35, 0.3], [-0.4, 0.25], [-0.2, -0.4], [0.4, -0.35]].map(([u, v]) => [x + u, y + v, c]); // prettier-ignore
  const PRESETS = {
    apart: [...around(0, 1.7, 0), ...around(-1.7, -1, 1), ...around(1.7, -1, 2)],
    middle: [...around(-2, 0, 0), ...around(0, 0, 1), ...around(2, 0, 2)],
    xor: [[1.5, 1.5, 0], [-1.5, -1.5, 0], [1.5, -1.5, 1], [-1.5, 1.5, 1]].flatMap(([x, y, c]) => around(x, y, c).slice(0, 3)), // prettier-ignore
  };
  const SIZE = 3; // 平面画到多远

  function build(hand) {
    const { el, number, clamp } = hands;
    const LR = 0.5;
    let points, net, losses, setChosen, chosen = 4; // prettier-ignore
    const classes = () => Math.max(...points.map((point) => point[2])) + 1;
    function again() {
      net = maths.zeros(classes());
      losses = [maths.loss(net, points)];
    }
    function arrange(key) {
      points = PRESETS[key].map((point) => [...point]);
      setChosen?.(chosen + 1); // 同一个点，换了摆法就可能换了类
      again();
    }
    function walk() {
      net = maths.step(net, points, LR);
      losses.push(maths.loss(net, points));
    }
    /* 最看好哪一类；各类差不多一样多时，谁也不看好（−1）。门槛与正文的 draw 一样。 */
    const best = (point) => {
      const p = maths.softmax(maths.logits(net, point));
      const most = Math.max(...p);
      return most < 1 / p.length + 1e-3 ? -1 : p.indexOf(most);
    };
    const CORNERS = [[-SIZE, -SIZE], [SIZE, -SIZE], [SIZE, SIZE], [-SIZE, SIZE]]; // prettier-ignore
    const steps = () => losses.length - 1;

    const plane = hand.plot({
      label: "平面上的点与各类的地盘",
      x: { range: [-SIZE, SIZE], label: "x₁" },
      y: { range: [-SIZE, SIZE], label: "x₂" },
    });
    const curve = hand.plot({
      label: "损失随步数的变化",
      x: { range: [0, 500], label: "走了几步" },
      y: { range: [0, 1.2], label: "平均损失" },
    });
    arrange("middle");
    const named = (c) => (c < 0 ? "分不出" : `预测第 ${c + 1} 类`);
    const nodes = points.map((_, i) =>
      hand.handle(plane, {
        label: `第 ${i + 1} 个点`,
        at: () => points[i],
        move(x, y) {
          chosen = i;
          setChosen(i + 1);
          [points[i][0], points[i][1]] = [x, y];
          if (steps() === 0) again(); // 还没走，起点的损失跟着点变
        },
        text: () =>
          `第 ${points[i][2] + 1} 类，在 ${number(points[i][0], 1)}、${number(points[i][1], 1)}，${named(best(points[i]))}`,
        step: [0.1, 0.1],
        r: 9,
      }),
    );
    const digits = points.map(() => el("text", { "text-anchor": "middle", dy: 4, class: "hands-digit" }));
    plane.over.append(...digits);

    const table = el("table", { class: "hands-table" });
    hand.plots.append(el("div", { class: "hands-wide" }, table));
    setChosen = hand.slider({
      label: "跟着第几个点",
      min: 1,
      max: points.length,
      step: 1,
      value: chosen + 1,
      text: (value) => `${value}（第 ${points[value - 1][2] + 1} 类）`,
      change: (value) => (chosen = value - 1),
    });
    hand.button("走一步", walk);
    hand.button("走 100 步", () => hand.play(25, () => [1, 2, 3, 4].forEach(walk), 60));
    hand.button("参数归零", again);
    hand.button("分得开", () => arrange("apart"), "摆法：");
    hand.button("一类夹在中间", () => arrange("middle"), "摆法：");
    hand.button("异或", () => arrange("xor"), "摆法：");

    /* 第 j 类的地盘：整个框依次用 o_j ≥ o_k 的直线裁，剩下的凸多边形。 */
    function area(j) {
      let corners = CORNERS;
      for (let k = 0; k < net.b.length; k++) {
        const lead = (point) => {
          const o = maths.logits(net, point);
          return o[j] - o[k];
        };
        corners = corners.flatMap((a, i) => {
          const b = corners[(i + 1) % corners.length];
          const [u, v] = [lead(a), lead(b)];
          const cut = a.map((value, axis) => value + (u / (u - v)) * (b[axis] - value));
          return [...(u >= 0 ? [a] : []), ...(u >= 0 !== v >= 0 ? [cut] : [])];
        });
      }
      return corners;
    }

    function drawTable(point) {
      const o = maths.logits(net, point), error = maths.error(net, point, point[2]); // prettier-ignore
      const rows = [
        ["偏差 b", net.b],
        ["o", o],
        ["ŷ", maths.softmax(o)],
        ["ŷ − y", error],
        ...maths.push(net, point, LR).map((values, k) => [`ΔW 第 ${k + 1} 行`, values]),
        ["Δb", error.map((e) => -LR * e)],
      ];
      const cell = (words, name = "td", scope) => el(name, { scope }, words);
      const heads = ["", ...o.map((_, j) => `第 ${j + 1} 类`)];
      table.replaceChildren(
        el("caption", {}, `第 ${chosen + 1} 个点 (${number(point[0], 2)}, ${number(point[1], 2)})，第 ${point[2] + 1} 类`),
        el("tr", {}, ...heads.map((words, i) => (i ? cell(words, "th", "col") : cell("一列一类", "th", "col")))),
        ...rows.map(([name, values]) =>
          el("tr", {}, cell(name, "th", "row"), ...values.map((value) => cell(number(value, 3)))),
        ),
      );
    }

    function draw() {
      const none = [...CORNERS, ...points].every((point) => best(point) < 0); // 各类一样多，谁也没有地盘
      const areas = none ? [] : net.b.map((_, j) => [j, area(j)]).filter(([, corners]) => corners.length > 2);
      plane.set("areas", areas.map(([j, corners]) =>
        el("polygon", {
          points: corners.map(([x, y]) => `${plane.x(x).toFixed(1)},${plane.y(y).toFixed(1)}`).join(" "),
          class: `f${j + 1} pale`,
          stroke: "currentColor",
        }),
      )); // prettier-ignore
      nodes.forEach((node, i) => {
        const [x, y, c] = points[i];
        const circle = node.lastChild;
        circle.setAttribute("class", `f${c + 1}${i === chosen ? " hands-chosen" : ""}`);
        digits[i].textContent = c + 1;
        digits[i].setAttribute("x", plane.x(clamp(x, -SIZE, SIZE)));
        digits[i].setAttribute("y", plane.y(clamp(y, -SIZE, SIZE)));
      });
      const last = losses.slice(0, 501);
      curve.set("curve", [
        curve.path(last.map((value, i) => [i, value]), "s2"),
        curve.dot(last.length - 1, last.at(-1), 4, "f2"),
        curve.line(0, Math.log(classes()), 500, Math.log(classes()), "s0 thin dashed"),
        curve.text(494, Math.log(classes()), `瞎猜：log ${classes()}`, { "text-anchor": "end", dy: -5, class: "f0" }),
      ]); // prettier-ignore
      drawTable(points[chosen]);
      const right = points.filter((point) => best(point) === point[2]).length;
      if (!steps()) return `还没有走，参数全是 0，各类一样多，分不出；损失是 log ${classes()} = ${number(losses.at(-1), 4)}。`;
      const score = none ? "各类一样多，分不出" : `12 个点分对 ${right} 个`;
      const length = Math.hypot(...net.W.flat());
      return `走了 ${steps()} 步：损失 ${number(maths.loss(net, points), 4)}，${score}；权重的长度 ${number(length, 2)}。`;
    }

    function reveal() {
      arrange("middle");
      let end = net;
      for (let i = 0; i < 100; i++) end = maths.step(end, points, LR);
      const guess = (point) => maths.logits(end, point).indexOf(Math.max(...maths.logits(end, point)));
      const right = points.filter((point) => point[2] === 1 && guess(point) === 1).length;
      hand.play(25, () => [1, 2, 3, 4].forEach(walk), 60);
      return `中间的 4 个点，分对 ${right} 个；三类的偏差是 ${end.b.map((value) => number(value, 2)).join("、")}。`;
    }
    return { draw, reveal };
  }

  hands.figure("by-hand", { maths, build });
})();
