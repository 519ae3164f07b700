/* 拖直线，看碗：左边是数据与直线，右边是平均损失的等高线，点就是直线。 */
(() => {
  "use strict";
  const DELTA = 200; // Huber 损失由平方转成直线的地方；绝对值损失也乘上它，三种的步子才好比
  /* 每种损失：误差 e → 损失，与它对 e 的导数。 */
  const LOSSES = {
    平方: [(e) => (e * e) / 2, (e) => e],
    绝对值: [(e) => DELTA * Math.abs(e), (e) => DELTA * Math.sign(e)],
    Huber: [
      (e) => (Math.abs(e) <= DELTA ? (e * e) / 2 : DELTA * (Math.abs(e) - DELTA / 2)),
      (e) => hands.clamp(e, -DELTA, DELTA),
    ],
  };
  const all = (data) => data.x.map((_, i) => i);

  const maths = {
    loss(kind, data, w, b) {
      const [loss] = LOSSES[kind];
      return data.x.reduce((sum, x, i) => sum + loss(w * x + b - data.y[i]), 0) / data.x.length;
    },
    /* 一批样本各自的梯度 [[对 w, 对 b], …]。 */
    each(kind, data, w, b, batch = all(data)) {
      const slope = LOSSES[kind][1];
      return batch.map((i) => slope(w * data.x[i] + b - data.y[i])).map((g, k) => [g * data.x[batch[k]], g]);
    },
    step(kind, data, w, b, lr, batch = all(data)) {
      for (const [gw, gb] of maths.each(kind, data, w, b, batch)) {
        w -= (lr * gw) / batch.length;
        b -= (lr * gb) / batch.length;
      }
      return [w, b];
    },
    /* 最好的直线：加权的最小二乘，权重是导数除以误差，反复几十次；平方损失一次就到。 */
    best(kind, data) {
      let w = 0, b = 0; // prettier-ignore
      for (let round = 0; round < (kind === "平方" ? 1 : 200); round++) {
        let s = 0, sx = 0, sy = 0, sxx = 0, sxy = 0; // prettier-ignore
        data.x.forEach((x, i) => {
          const e = w * x + b - data.y[i];
          const weight = kind === "平方" ? 1 : Math.abs(LOSSES[kind][1](e)) / Math.max(Math.abs(e), 1e-3);
          s += weight;
          sx += weight * x;
          sy += weight * data.y[i];
          sxx += weight * x * x;
          sxy += weight * x * data.y[i];
        });
        w = (s * sxy - sx * sy) / (s * sxx - sx * sx);
        b = (sy - w * sx) / s;
      }
      return [w, b];
    },
  };

  function build(hand) {
    const RIGHT = 2.2; // 直线右边的手柄在这个距离上
    const FAR = 1e6; // 发散到这么远就不再走
    const { number } = hands;
    const original = hand.data;
    let data, kind, w, b, lr, size, batch, path, levels, best; // prettier-ignore

    function start() {
      data = { x: [...original.x], y: [...original.y] };
      [w, b] = [0, 600];
      newBowl();
    }
    /* 数据或损失变了，碗就变了。 */
    function newBowl() {
      batch = [];
      path = [[w, b]];
      best = maths.best(kind, data);
      const bottom = maths.loss(kind, data, ...best);
      const top = maths.loss(kind, data, 0, 600) - maths.loss(kind, data, ...maths.best(kind, data));
      levels = [0.03, 0.1, 0.22, 0.5, 1, 2, 4].map((part) => bottom + part * Math.max(top, 5000));
      bowl.set("levels", bowl.contours((w, b) => maths.loss(kind, data, w, b), levels, "s1 thin", 64));
    }
    function moveLine(newW, newB) {
      w = hands.clamp(newW, ...bowl.xRange);
      b = hands.clamp(newB, ...bowl.yRange);
      batch = [];
      path = [[w, b]];
    }
    function walk() {
      if (Math.hypot(w, b) > FAR) return;
      batch = all(data);
      for (let i = data.x.length - 1; i > 0; i--) {
        const j = Math.floor(Math.random() * (i + 1));
        [batch[i], batch[j]] = [batch[j], batch[i]];
      }
      batch = batch.slice(0, size);
      [w, b] = maths.step(kind, data, w, b, lr, batch);
      path.push([w, b]);
    }

    const line = hand.plot({
      label: "数据与直线",
      x: { range: [0, 2.4], label: "距离（Mpc）" },
      y: { range: [-600, 1600], label: "速度（km/s）" },
      height: 348,
    });
    const bowl = hand.plot({
      label: "平均损失的等高线",
      x: { range: [-200, 1000], label: "权重 w" },
      y: { range: [-400, 800], label: "偏差 b" },
      height: 348, // 两根轴一样长，也一样密：负梯度的箭头才与等高线垂直
    });
    const lineText = () => `w 是 ${number(w)}，b 是 ${number(b)}`;
    hand.handle(line, {
      label: "直线的左端",
      axes: "y",
      at: () => [0, b],
      move: (_, y) => moveLine((w * RIGHT + b - y) / RIGHT, y),
      text: lineText,
      step: [0, 20],
    });
    hand.handle(line, {
      label: "直线的右端",
      axes: "y",
      at: () => [RIGHT, w * RIGHT + b],
      move: (_, y) => moveLine((y - b) / RIGHT, b),
      text: lineText,
      step: [0, 20],
    });
    const stars = original.x.map((_, i) =>
      hand.handle(line, {
        label: `第 ${i + 1} 个星云`,
        at: () => [data.x[i], data.y[i]],
        move: (x, y) => {
          [data.x[i], data.y[i]] = [x, y];
          newBowl();
        },
        text: () => `距离 ${number(data.x[i], 2)}，速度 ${number(data.y[i])}`,
        step: [0.05, 20],
        r: 5,
      }),
    );
    hand.handle(bowl, {
      label: "碗里的点",
      at: () => [w, b],
      move: moveLine,
      text: lineText,
      step: [20, 20],
    });

    hand.button("回到开头", start);
    hand.more("让它自己走、换一种损失（要用到下面的梯度下降，学过再来）");
    hand.options({
      label: "损失",
      values: { 平方: "平方", 绝对值: "绝对值", Huber: "Huber（两者的折中）" },
      value: (kind = "平方"),
      change: (key) => {
        kind = key;
        newBowl();
      },
    });
    hand.options({
      label: "每步看",
      values: { 1: "1 个", 4: "4 个", 24: "全部" },
      value: (size = 24),
      change: (key) => (size = Number(key)),
    });
    hand.options({
      label: "学习率 η",
      values: { 0.05: "0.05", 0.3: "0.3", 0.9: "0.9", 1.1: "1.1" },
      value: (lr = 0.3),
      change: (key) => (lr = Number(key)),
    });
    hand.button("走一步", walk);
    hand.button("走 20 步", () => hand.play(20, walk, 80));
    start();

    function draw() {
      const errors = data.x.map((x, i) => w * x + b - data.y[i]);
      const used = new Set(batch.length ? batch : all(data));
      const square = (i) => {
        const side = Math.abs(line.y(errors[i]) - line.y(0));
        const left = line.x(data.x[i]) - (data.x[i] > 1.2 ? side : 0);
        const top = line.y(Math.max(data.y[i], data.y[i] + errors[i]));
        return hands.el("rect", { x: left, y: top, width: side, height: side, class: "f2 pale" });
      };
      const bar = (i) => line.line(data.x[i], data.y[i], data.x[i], data.y[i] + errors[i], "s2 thin");
      const index = all(data);
      line.set("errors", kind === "平方" ? [...used].map(square) : [...used].map(bar));
      const few = used.size < index.length; // 这一步用到的几个涂成赭的，别的淡下去
      stars.forEach((node, i) => node.lastChild.setAttribute("class", !few ? "f1" : used.has(i) ? "f2" : "f1 faint"));
      line.set("line", [line.line(0, b, 2.4, 2.4 * w + b, "s2")]);
      const [wStar, bStar] = best;
      bowl.set("path", [bowl.path(path, "s2 thin"), bowl.text(wStar, bStar, "★", { class: "f3", ...CENTRE })]);
      // 用到的各个样本想去哪里（灰），平均起来去哪里（赭）
      const [from, to] = path.length > 1 ? path.slice(-2) : [[w, b], maths.step(kind, data, w, b, lr)];
      const each = batch.length && batch.length < 24 ? maths.each(kind, data, ...from, batch) : [];
      bowl.set("arrows", [
        ...each.map(([gw, gb]) => bowl.arrow(...from, from[0] - lr * gw, from[1] - lr * gb, "s0 thin")),
        bowl.arrow(...from, ...to, "s2"),
      ]);
      const loss = maths.loss(kind, data, w, b);
      const steps = path.length > 1 ? `走了 ${path.length - 1} 步。` : "";
      const inside = hands.clamp(w, ...bowl.xRange) === w && hands.clamp(b, ...bowl.yRange) === b;
      const far = Math.hypot(w, b) > 1e4 ? "越走越远了：学习率太大。" : inside ? "" : "点走到图外去了。";
      return `${lineText()}；平均损失 ${number(loss)}，碗底 ${number(maths.loss(kind, data, ...best))}。${steps}${far}`;
    }

    function reveal() {
      hand.play(20, (i) => moveLine(((i + 1) * 400) / 20, 600), 50);
      return "左端不动，右端抬高，点水平地往右走：w 从 0 到 400，b 一直是 600。";
    }
    return { draw, reveal };
  }
  const CENTRE = { "text-anchor": "middle", "dominant-baseline": "central" };

  hands.figure("line-bowl", { maths, build });
})();
