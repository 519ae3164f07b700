/* 一个球：左边是抛物线 L = λw²/2 上的球，右边是每步乘的数 1 − ηλ。 */
(() => {
  "use strict";
  const NOISE = 0.3; // 有噪声时，梯度的误差的标准差
  const maths = {
    loss: (lambda, w) => (lambda * w * w) / 2,
    step: (lambda, lr, w, noise = 0) => w - lr * (lambda * w + noise),
    path(lambda, lr, w, count) {
      const places = [w];
      for (let i = 0; i < count; i++) places.push((w = maths.step(lambda, lr, w)));
      return places;
    },
  };
  /* 标准正态的随机数（Box–Muller）。 */
  const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());

  function build(hand) {
    const { number } = hands;
    const EDGE = 2.2, START = 1; // prettier-ignore
    let lambda = 1, lr = 0.3, noisy = false, path = [START]; // prettier-ignore
    const w = () => path.at(-1);
    const out = () => Math.abs(w()) > EDGE;
    const walk = () => {
      if (Math.abs(w()) < 1e3) path.push(maths.step(lambda, lr, w(), noisy ? NOISE * normal() : 0));
    };
    const again = () => (path = [path[0]]);

    const valley = hand.plot({
      label: "抛物线上的球",
      x: { range: [-EDGE, EDGE], label: "参数 w" },
      y: { range: [0, 3], label: "损失" },
    });
    const factor = hand.plot({
      label: "每步乘的数",
      x: { range: [0, 3], label: "学习率 η" },
      y: { range: [-2, 1.2], label: "每步乘的数" },
    });
    hand.handle(valley, {
      label: "球",
      axes: "x",
      at: () => [w(), maths.loss(lambda, w())],
      move: (x) => (path = [x]),
      text: () => `w 是 ${number(w(), 2)}`,
      step: [0.1, 0],
    });
    hand.handle(factor, {
      label: "学习率",
      axes: "x",
      at: () => [lr, hands.clamp(1 - lr * lambda, ...factor.yRange)],
      move: (x) => {
        lr = Math.round(x * 100) / 100;
        again();
      },
      text: () => `η 是 ${number(lr, 2)}，每步乘 ${number(1 - lr * lambda, 2)}`,
      step: [0.05, 0],
      style: "f1",
    });
    hand.slider({
      label: "λ（损失是 λw²/2）",
      min: 0.5,
      max: 2,
      step: 0.1,
      value: 1,
      text: (value) => number(value, 1),
      change: (value) => {
        lambda = value;
        again();
      },
    });
    hand.options({
      label: "小批量的噪声",
      values: { false: "没有：看全部样本", true: "有：每步只看几个" },
      value: noisy,
      change: (key) => (noisy = key === "true"),
    });
    hand.button("走一步", walk);
    hand.button("走 12 步", () => hand.play(12, walk, 250));
    hand.button("回到开头", () => (path = [START]));

    const says = (a) =>
      a > 0.9995 ? "一动不动" : a > 0.005 ? "从一侧慢慢下来" : a > -0.005 ? "一步到底" : a > -0.995 ? "两侧来回，越来越低"
      : a > -1.005 ? "两侧来回，不高不低" : "越冲越高"; // prettier-ignore

    function draw() {
      const grid = Array.from({ length: 89 }, (_, i) => -EDGE + (i * 2 * EDGE) / 88);
      const on = (place) => [place, maths.loss(lambda, place)];
      const steps = path.slice(-13);
      valley.set("curve", [valley.path(grid.map(on), "s0")]);
      valley.set("path", [
        valley.path(steps.map(on), "s2 thin"),
        ...steps.map((place) => valley.dot(...on(place), 4, "f2")),
      ]);
      const a = 1 - lr * lambda;
      factor.set("band", [
        hands.el("rect", {
          x: factor.x(0),
          y: factor.y(1),
          width: factor.x(3) - factor.x(0),
          height: factor.y(-1) - factor.y(1),
          class: "f3 pale",
        }),
        factor.line(0, 0, 3, 0, "s0 thin"),
        factor.line(0, 1, 3, 1 - 3 * lambda, "s1"),
        ...[1, 2].flatMap((k) => [
          factor.line(k / lambda, -2, k / lambda, 1 - k, "s0 thin dashed"),
          factor.text(k / lambda, -1.85, lambda === 1 ? `η = ${k}` : `${k}/λ`, { dx: 4, class: "f0" }),
        ]),
      ]);
      const recent = `${path.length > 7 ? "…、" : ""}${path.slice(-7).map((value) => number(value, 3)).join("、")}`; // prettier-ignore
      const place = out() ? "球已经冲出图外" : `走了 ${path.length - 1} 步，w 依次是 ${recent}`;
      const noise = a > -0.995 ? "梯度有误差，到了谷底也停不住，在附近晃" : "两侧来回，误差还一步步攒起来";
      const way = noisy && lr > 0 && a > -1.005 ? noise : says(a);
      const product = lambda === 1 ? `1 − ${number(lr, 2)}` : `1 − ηλ = 1 − ${number(lr, 2)} × ${number(lambda, 1)}`;
      return `每步乘 ${product} = ${number(a, 2)}：${way}。${place}。`;
    }

    function reveal() {
      [lambda, lr, noisy, path] = [1, 1.5, false, [START]];
      hand.play(6, walk, 400);
      const places = maths.path(1, 1.5, START, 4).map((value) => number(value, 3));
      return `每步乘 1 − 1.5 = −0.5，依次在 ${places.join("、")}：换一侧，也近一半。`;
    }
    return { draw, reveal };
  }

  hands.figure("one-ball", { maths, build });
})();
