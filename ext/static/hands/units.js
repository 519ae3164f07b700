/* 换个单位：特征的数乘几，权重就除以几。左边是碗（等高线）与走的路，右边是两个方向每步乘的数 |1 − ηλ|。 */
(() => {
  "use strict";
  const maths = {
    /* 两个特征的数各乘 s 以后，碗的二次型 [[a, c], [c, d]]；H 是换单位之前的。 */
    bowl: (H, [s, t]) => [
      [s * s * H[0][0], s * t * H[0][1]],
      [s * t * H[1][0], t * t * H[1][1]],
    ],
    /* 两个特征方向的弯曲程度 λ，先平后陡。 */
    curvatures([[a, c], [, d]]) {
      const middle = (a + d) / 2, half = Math.hypot((a - d) / 2, c); // prettier-ignore
      return [middle - half, middle + half];
    },
    loss: ([[a, c], [, d]], [u, v]) => (a * u * u + 2 * c * u * v + d * v * v) / 2,
    step: ([[a, c], [, d]], lr, [u, v]) => [u - lr * (a * u + c * v), v - lr * (c * u + d * v)],
    /* 两个方向的收缩一样快的学习率，再大再小都更慢。 */
    fastest: (bowl) => 2 / maths.curvatures(bowl).reduce((flat, steep) => flat + steep),
    /* 从 start 走到离碗底只剩 part，要几步。 */
    steps(bowl, lr, start, part = 0.01) {
      const goal = part * Math.hypot(...start);
      let count = 0;
      for (let now = start; Math.hypot(...now) > goal && count < 1e4; count++) now = maths.step(bowl, lr, now);
      return count;
    },
  };

  function build(hand) {
    const { number } = hands;
    const { H } = hand.data;
    const START = [6, 3]; // 标准化的单位下，离碗底多远；不在碗的长轴或短轴上，两个方向都要走
    let times = [1, 1], lr = 1, begin = [...START], path; // prettier-ignore
    const bowl = () => maths.bowl(H, times);
    const first = () => begin.map((each, i) => each / times[i]); // 同一组参数，用新的单位写
    const again = () => (path = [first()]);
    const walk = () => {
      if (Math.hypot(...path.at(-1)) < 1e3) path.push(maths.step(bowl(), lr, path.at(-1)));
    };
    const fastest = () => {
      lr = maths.fastest(bowl());
      again();
    };

    const map = hand.plot({
      label: "损失的等高线与走的路",
      x: { range: [-7, 7], label: "房龄的权重，离碗底多远" },
      y: { range: [-7, 7], label: "站距的权重，离碗底多远" },
      height: 348, // 框是正方形，圆就是圆
    });
    const factor = hand.plot({
      label: "每步乘的数的大小",
      x: { range: [-2, 0.6], label: "学习率 η", names: { "-2": "0.01", "-1": "0.1", 0: "1" } },
      y: { range: [0, 1.5], label: "每步乘的数的大小 |1 − ηλ|" },
      height: 348,
    });
    const slowest = () => Math.max(...maths.curvatures(bowl()).map((lambda) => Math.abs(1 - lr * lambda)));
    hand.handle(map, {
      label: "起点",
      at: first,
      move: (u, v) => {
        begin = [u * times[0], v * times[1]];
        again();
      },
      text: () => `起点离碗底 ${first().map((each) => number(each, 1)).join("，")}`, // prettier-ignore
      step: [0.5, 0.5],
    });
    hand.handle(factor, {
      label: "学习率",
      axes: "x",
      at: () => [Math.log10(lr), Math.min(slowest(), 1.5)],
      move: (x) => {
        lr = 10 ** x;
        again();
      },
      text: () => `η 是 ${number(lr, 3)}，慢的方向每步乘 ${number(slowest(), 2)}`,
      step: [0.02, 0],
      style: "f3",
    });
    const set = ["房龄", "站距"].map((name, i) =>
      hand.slider({
        label: `${name}的数乘`,
        min: 1,
        max: 4,
        step: 0.5,
        value: 1,
        text: (value) => number(value, 1),
        change: (value) => {
          times[i] = value;
          again();
        },
      }),
    );
    hand.button("取最快的学习率", fastest, "两个方向的 |1 − ηλ| 一样大时，走得最快：");
    hand.button("走一步", walk);
    hand.button("走 40 步", () => hand.play(40, walk, 80));
    hand.button("回到起点", again);
    again();

    function draw() {
      const now = bowl(), [flat, steep] = maths.curvatures(now); // prettier-ignore
      // 两个特征都不乘时，用最快的学习率走的路，留着比较
      const circle = maths.bowl(H, [1, 1]), best = maths.fastest(circle), round = [begin]; // prettier-ignore
      for (let i = maths.steps(circle, best, begin); i > 0; i--) round.push(maths.step(circle, best, round.at(-1)));
      map.set("bowl", map.contours((u, v) => maths.loss(now, [u, v]), [2, 8, 18, 32, 50], "s1 thin", 56));
      map.set("path", [
        ...(times.every((each) => each === 1) ? [] : [
          map.path(round, "s3 thin dashed"),
          ...round.map(([u, v]) => map.dot(u, v, 2.5, "f3")),
          map.text(begin[0], begin[1], `圆的碗（原来的单位）：${round.length - 1} 步`, { class: "f3", dx: -8, dy: 4, "text-anchor": "end" }),
        ]),
        map.path(path, "s2 thin"),
        ...path.map(([u, v]) => map.dot(u, v, 2.5, "f2")),
        map.text(0, 0, "★", { class: "f3", "text-anchor": "middle", "dominant-baseline": "central" }),
      ]);
      const grid = Array.from({ length: 131 }, (_, i) => -2 + i / 50);
      const curve = (lambda) => grid.map((x) => [x, Math.abs(1 - lambda * 10 ** x)]);
      const low = (lambda) => -Math.log10(lambda);
      factor.set("curves", [
        factor.line(-2, 1, 0.6, 1, "s0 thin"),
        factor.text(-1.95, 1.04, "这条线以上：发散", { class: "f0" }),
        factor.path(curve(flat), "s1"),
        factor.path(curve(steep), "s2 dashed"),
        factor.text(low(flat), 0.05, "平的方向", { class: "f1", dx: 8 }),
        factor.text(low(steep), 0.05, "陡的方向", { class: "f2", dx: -8, "text-anchor": "end" }),
        factor.line(Math.log10(lr), 0, Math.log10(lr), slowest(), "s3 thin"),
      ]);
      const left = (100 * Math.hypot(...path.at(-1))) / Math.hypot(...path[0]);
      const walked = left > 1000 ? "已经冲出图外" : `走了 ${path.length - 1} 步，离碗底还剩 ${number(left, left < 10 ? 1 : 0)}%`;
      const sizes = [flat, steep].map((lambda) => number(1 - lr * lambda, 2));
      const directions = `平的方向 λ = ${number(flat, 2)}，陡的方向 λ = ${number(steep, 2)}；η = ${number(lr, 3)}`;
      return `${directions}，每步乘 1 − ηλ，是 ${sizes.join(" 与 ")}${slowest() > 1.5 ? "，绿点在图的上面" : ""}。${walked}。`;
    }

    function reveal() {
      const round = maths.bowl(H, [1, 1]);
      const before = maths.steps(round, maths.fastest(round), START);
      [times, begin] = [[1, 4], [...START]];
      set.forEach((show, i) => show(times[i]));
      fastest();
      const after = maths.steps(bowl(), lr, path[0]);
      hand.play(after, walk, 80);
      return `圆的碗，${before} 步；站距的数乘 4，碗成了谷，最快也要 ${after} 步。`;
    }
    return { draw, reveal };
  }

  hands.figure("units", { maths, build });
})();
