/* 概率三角：三类的概率是三角形里的一点，离哪个角近，哪一类的概率就大；两支箭头是两种损失的负梯度。 */
(() => {
  "use strict";
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  const maths = {
    entropy: (y, p) => sum(y.map((yj, j) => (yj === 0 ? 0 : -yj * Math.log(p[j])))),
    square: (y, p) => sum(y.map((yj, j) => (p[j] - yj) ** 2)) / 2,
    /* 对 logit 的梯度；logit 是 softmax 之前的。 */
    entropySlope: (y, p) => p.map((pj, j) => pj - y[j]),
    squareSlope(y, p) {
      const e = p.map((pj, j) => pj - y[j]);
      const mean = sum(e.map((ej, j) => ej * p[j]));
      return p.map((pj, j) => pj * (e[j] - mean));
    },
    /* logit 走一步 −η 乘梯度之后的概率：各乘 e 的改动次方，再除以总和。 */
    step(kind, y, p, lr) {
      const raw = maths[`${kind}Slope`](y, p).map((slope, j) => p[j] * Math.exp(-lr * slope));
      return raw.map((value) => value / sum(raw));
    },
  };
  const length = (v) => Math.hypot(...v);

  function build(hand) {
    const { number, el } = hands;
    const LOWEST = 0.001; // 拖的时候，概率不小于这个数：0 的对数是负无穷
    const TALL = Math.sqrt(3) / 2;
    const CORNERS = [[0, 0], [1, 0], [0.5, TALL]]; // prettier-ignore
    const KINDS = { entropy: "交叉熵", square: "平方损失" };
    const LEVELS = { entropy: [0.1, 0.3, 0.6, 1, 1.5, 2.3, 3.5], square: [0.02, 0.06, 0.12, 0.2, 0.35, 0.55, 0.8] };
    const LR = 1;
    let y, p, kind = "entropy", walks; // prettier-ignore

    /* 三个数 ↔ 平面上的点；拖到三角形外面的，拉回边上。 */
    const place = (v) => [0, 1].map((axis) => sum(v.map((vj, j) => vj * CORNERS[j][axis])));
    function mix(px, py, lowest) {
      const third = py / TALL;
      const second = px - third / 2;
      const raw = [1 - second - third, second, third].map((value) => Math.max(value, lowest));
      return raw.map((value) => value / sum(raw));
    }
    const list = (v) => v.map((value) => number(value, 2)).join("、");
    /* 两种损失的路都从预测出发。 */
    function start(newP) {
      [p, walks] = [newP, { entropy: [newP], square: [newP] }];
    }
    function set(newP, newY) {
      y = newY;
      start(newP);
      levels();
    }
    function walk() {
      for (const key of Object.keys(walks)) walks[key].push(maths.step(key, y, walks[key].at(-1), LR));
    }

    const map = hand.plot({
      label: "概率三角",
      axes: false,
      x: { range: [-0.12, 1.12] },
      y: { range: [-0.12, 0.967] }, // 与横轴一样密
    });
    const bars = hand.plot({
      label: "走一步，三个 logit 的改动",
      x: { range: [0.4, 3.6], label: "类别", names: { 1: "第 1 类", 2: "第 2 类", 3: "第 3 类" } },
      y: { range: [-1, 1], label: "走一步，logit 的改动（负梯度）" },
    });
    const outline = { points: CORNERS.map(([x, y]) => `${map.x(x)},${map.y(y)}`).join(" ") };
    map.svg.prepend(el("clipPath", { id: "triangle-inside" }, el("polygon", outline)));
    map.layer("levels").setAttribute("clip-path", "url(#triangle-inside)");
    map.set("outline", [
      el("polygon", { ...outline, class: "s0" }),
      map.text(-0.02, -0.11, "第 1 类", { "text-anchor": "middle", dx: 12 }),
      map.text(1.02, -0.11, "第 2 类", { "text-anchor": "middle", dx: -12 }),
      map.text(0.5, TALL + 0.05, "第 3 类", { "text-anchor": "middle" }),
      map.text(-0.1, 0.92, "蓝：交叉熵", { class: "f1" }),
      map.text(-0.1, 0.85, "赭：平方损失", { class: "f2" }),
    ]);
    function levels() {
      const loss = (px, py) => maths[kind](y, mix(px, py, 1e-4));
      map.set("levels", map.contours(loss, LEVELS[kind], `${kind === "entropy" ? "s1" : "s2"} thin`, 60));
    }
    hand.handle(map, {
      label: "标签 y",
      at: () => place(y),
      move: (px, py) => set(p, mix(px, py, 0)),
      text: () => `标签是 ${list(y)}`,
      step: [0.02, 0.02],
      style: "s3 ring",
      r: 9,
    });
    hand.handle(map, {
      label: "预测的概率",
      at: () => place(p),
      move: (px, py) => start(mix(px, py, LOWEST)),
      text: () => `概率是 ${list(p)}`,
      step: [0.02, 0.02],
    });
    hand.options({
      label: "等高线",
      values: KINDS,
      value: kind,
      change: (key) => {
        kind = key;
        levels();
      },
    });
    hand.button("各走一步", walk, "从赭点出发，学习率 1：");
    hand.button("各走 20 步", () => hand.play(20, walk, 100), "从赭点出发，学习率 1：");
    hand.button("回到赭点", () => start(p), "从赭点出发，学习率 1：");
    const START = [[0.4, 0.3, 0.3], [1, 0, 0]]; // prettier-ignore
    hand.button("概率 0.45、0.55、0", () => set([0.45, 0.55, 0], START[1]), "试试：");
    hand.button("标签 2/3、0、1/3", () => set(START[0], [2 / 3, 0, 1 / 3]), "试试：");
    hand.button("回到开头：概率 0.40、0.30、0.30", () => set(...START), "试试：");
    set(...START);

    function draw() {
      const slopes = { entropy: maths.entropySlope(y, p), square: maths.squareSlope(y, p) };
      const from = place(p);
      const arrow = (slope, style) => {
        const [dx, dy] = place(slope);
        return map.arrow(...from, from[0] - dx, from[1] - dy, style);
      };
      map.set("arrows", [arrow(slopes.entropy, "s1 thick"), arrow(slopes.square, "s2 thick")]);
      map.set("walks", [["entropy", "1"], ["square", "2"]].flatMap(([key, color]) => [
        map.path(walks[key].map(place), `s${color} thin`),
        ...walks[key].slice(1).map((at) => map.dot(...place(at), 4, `f${color}`)),
      ])); // prettier-ignore
      bars.set("bars", [
        bars.line(0.4, 0, 3.6, 0, "s0 thin"),
        ...slopes.entropy.map((value, i) => bars.bar(i + 0.83, -value, 0.3, "f1")),
        ...slopes.square.map((value, i) => bars.bar(i + 1.17, -value, 0.3, "f2")),
        bars.text(2.2, 0.87, "左条：交叉熵", { class: "f1" }),
        bars.text(2.2, 0.73, "右条：平方损失", { class: "f2" }),
      ]);
      const says = (key) => `${KINDS[key]} ${number(maths[key](y, p), 4)}，箭头长 ${number(length(slopes[key]), 2)}`;
      const best = (v) => v.indexOf(Math.max(...v));
      const hit = Math.max(...y) < 1 ? "" : best(p) === best(y) ? "，对" : "，错"; // 软标签没有对错
      const lost = p.findIndex((pj, j) => pj === 0 && y[j] > 0);
      const why = lost < 0 ? "" : `标签给第 ${lost + 1} 类 ${number(y[lost], 2)}，预测却给了 0，交叉熵就是无穷大；箭头还是标签减概率，可是 0 对应的 logit 是 −∞，加多少也还是 0。`;
      const count = walks.entropy.length - 1;
      const to = (key) => `${KINDS[key]}走到 ${list(walks[key].at(-1))}`;
      const walked = count ? `各走 ${count} 步，${to("entropy")}；${to("square")}。` : "";
      return `概率 ${list(p)}：预测第 ${best(p) + 1} 类${hit}。${says("entropy")}；${says("square")}。${why}${walked}`;
    }

    function reveal() {
      const [begin, label] = START, end = [0.01, 0.98, 0.01]; // prettier-ignore
      set(begin, label);
      const way = (t) => begin.map((value, j) => value + (end[j] - value) * t);
      hand.play(25, (i) => start(way((i + 1) / 25)), 60);
      const long = (slope, t) => number(length(maths[slope](label, way(t))), 2);
      const peak = Math.max(...Array.from({ length: 101 }, (_, i) => length(maths.squareSlope(label, way(i / 100)))));
      const square = `从 ${long("squareSlope", 0)} 先到 ${number(peak, 2)}，再缩到 ${long("squareSlope", 1)}`;
      return `箭头的长：交叉熵从 ${long("entropySlope", 0)} 变到 ${long("entropySlope", 1)}，平方损失${square}。`;
    }
    return { draw, reveal };
  }

  hands.figure("triangle", { maths, build });
})();
