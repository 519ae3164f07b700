/* 在网页里训练：与书里一样的 softmax 回归，7,850 个参数，在 Worker 里练，网页不卡；每隔几步送回权重与精度。 */
(() => {
  "use strict";
  /* 训练的算术。也要在 Worker 里用，所以不靠外面的任何名字。W 按类存，W[784 j + i] 是第 j 类第 i 个像素的权重。 */
  function softmaxRegression() {
    const D = 784, Q = 10; // prettier-ignore

    /* 第 k 幅图的概率写进 p，返回它的交叉熵。 */
    function forward(W, b, { X, y }, k, p) {
      let largest = -Infinity, sum = 0; // prettier-ignore
      for (let j = 0; j < Q; j++) {
        let o = b[j];
        for (let i = 0, w = j * D, x = k * D; i < D; i++) o += W[w + i] * X[x + i];
        p[j] = o;
        if (o > largest) largest = o;
      }
      const correct = p[y[k]] - largest;
      for (let j = 0; j < Q; j++) sum += p[j] = Math.exp(p[j] - largest);
      for (let j = 0; j < Q; j++) p[j] /= sum;
      return Math.log(sum) - correct;
    }

    /* 用编号在 batch 里的几幅走一步，就地改 W 与 b；损失取平均。 */
    function step(W, b, data, batch, lr) {
      const G = new Float32Array(D * Q), g = new Float32Array(Q), p = new Float64Array(Q); // prettier-ignore
      for (const k of batch) {
        forward(W, b, data, k, p);
        p[data.y[k]] -= 1; // 对 logit 的梯度 ŷ − y
        for (let j = 0; j < Q; j++) {
          g[j] += p[j];
          for (let i = 0, w = j * D, x = k * D; i < D; i++) G[w + i] += p[j] * data.X[x + i];
        }
      }
      const rate = lr / batch.length;
      for (let i = 0; i < W.length; i++) W[i] -= rate * G[i];
      for (let j = 0; j < Q; j++) b[j] -= rate * g[j];
    }

    /* 平均损失与精度。 */
    function evaluate(W, b, data) {
      const p = new Float64Array(Q), n = data.y.length; // prettier-ignore
      let loss = 0, correct = 0; // prettier-ignore
      for (let k = 0; k < n; k++) {
        loss += forward(W, b, data, k, p) / n;
        correct += p.indexOf(Math.max(...p)) === data.y[k];
      }
      return { loss, accuracy: correct / n };
    }

    const zeros = () => [new Float32Array(D * Q), new Float32Array(Q)];
    return { zeros, step, evaluate };
  }

  /* Worker 里的一半：收到 { walk, size, lr } 就走几步，送回走到哪里、权重与两份成绩。 */
  function serve({ zeros, step, evaluate }) {
    let data, W, b, order, at, steps, seen; // prettier-ignore
    function reset() {
      [W, b] = zeros();
      order = Array.from(data.train.y, (_, k) => k); // 第一轮照存下的次序，以后每轮打乱
      [at, steps, seen] = [0, 0, 0];
    }
    function shuffle() {
      for (let k = order.length - 1; k > 0; k--) {
        const other = Math.floor(Math.random() * (k + 1));
        [order[k], order[other]] = [order[other], order[k]];
      }
      at = 0;
    }
    self.onmessage = ({ data: asked }) => {
      if (asked.train) data = asked;
      if (asked.train || asked.reset) reset();
      for (let i = 0; i < (asked.walk ?? 0); i++) {
        if (at >= order.length) shuffle();
        const batch = order.slice(at, at + asked.size);
        step(W, b, data.train, batch, asked.lr);
        at += asked.size;
        seen += batch.length;
        steps++;
      }
      const [train, valid] = [data.train, data.valid].map((part) => evaluate(W, b, part));
      self.postMessage({ turn: asked.turn, steps, seen, W, train, valid });
    };
  }

  const maths = softmaxRegression();

  function build(hand) {
    const { el, number } = hands;
    const { names, loss, accuracy, steps: bookSteps, first } = hand.data;
    const TOP = 2.5; // 损失画到这么高，再高的画在上缘
    const FAR = 1000, NEAR = 50; // 最多走这么多步；横轴先画到 50，一轮的 8 步才看得清
    const SIZES = [1, 8, 32, 256, 2000];
    const calm = matchMedia("(prefers-reduced-motion: reduce)");
    let worker, size = 256, lr = 0.1, turn = 0, points = [], W, note = ""; // prettier-ignore
    const now = () => points.at(-1);

    const losses = hand.plot({
      label: "损失随步数的变化",
      x: { range: [0, NEAR], label: "步数" },
      y: { range: [0, TOP], label: "平均损失" },
    });
    const accuracies = hand.plot({
      label: "精度随步数的变化",
      x: { range: [0, NEAR], label: "步数" },
      y: { range: [0, 1], label: "精度" },
    });
    const canvases = names.map((name) =>
      el("canvas", { width: 28, height: 28, role: "img", "aria-label": `${name}的权重：红为正，蓝为负` }),
    );
    const pictures = names.map((name, j) => el("div", {}, canvases[j], name));
    hand.plots.append(el("div", { class: "hands-pictures" }, ...pictures));

    const fetchButton = el("button", { type: "button", onclick: fetchImages }, "取 2,000 幅图像，约 450 KB");
    hand.controls.append(fetchButton);
    hand.slider({
      label: "批量大小",
      min: 0,
      max: SIZES.length - 1,
      step: 1,
      value: SIZES.indexOf(size),
      text: (value) => String(SIZES[value]),
      change: (value) => (size = SIZES[value]),
    });
    hand.slider({
      label: "学习率",
      min: -2,
      max: 1,
      step: 0.1,
      value: -1,
      text: (value) => number(10 ** value, value < -1 ? 3 : 2),
      change: (value) => (lr = 10 ** value),
    });
    const perEpoch = () => Math.ceil(2000 / size);
    hand.button("走一步", () => run(1));
    hand.button("练一轮", () => run(perEpoch()));
    for (const count of [bookSteps, bookSteps * loss.length]) // 书里的一轮、五轮
      hand.button(`走到 ${count} 步`, () => run(count - (now()?.steps ?? 0)));
    hand.button("停", () => turn++);
    hand.button("从头来", () => {
      points = [];
      send({ reset: true });
    });
    const buttons = [...hand.controls.querySelectorAll("button")].slice(1);
    for (const button of buttons) button.disabled = true;

    async function fetchImages() {
      fetchButton.disabled = true;
      note = "正在取图像……";
      hand.redraw();
      try {
        const [train, valid] = await Promise.all(["train", "valid"].map(hands.images));
        const source = `(${serve})((${softmaxRegression})())`;
        worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
        worker.onmessage = ({ data }) => receive(data);
        note = "";
        fetchButton.remove();
        for (const button of buttons) button.disabled = false;
        buttons[0].focus({ preventScroll: true });
        send({ train, valid });
      } catch {
        fetchButton.disabled = false;
        note = "图像没有取来，或者浏览器太旧，解不开；可以再试一次。";
      }
      hand.redraw();
    }

    let left = 0; // 还要走几步
    let chunk = 1; // 一次走几步，再画一遍
    function send(message) {
      left = 0;
      worker.postMessage({ ...message, turn: ++turn });
    }
    function run(count) {
      count = Math.min(count, FAR - (now()?.steps ?? 0)); // 图像刚取来，第一份成绩可能还没有送回
      if (count <= 0) return;
      chunk = Math.ceil(count / (calm.matches ? 10 : 100)); // 不要动画的，只换十次画面
      turn++;
      left = count;
      walk();
    }
    function walk() {
      const by = Math.min(left, chunk);
      left -= by;
      worker.postMessage({ walk: by, size, lr, turn });
    }
    function receive(found) {
      if (found.steps < (now()?.steps ?? 0)) points = [];
      W = found.W;
      points.push(found);
      hand.redraw();
      if (found.turn !== turn || left <= 0) return;
      setTimeout(() => found.turn === turn && walk(), 40 + 800 / (left + 8)); // 只有几步时慢些，看得清
    }

    const book = (values) => values.map((value, i) => [bookSteps * (i + 1), value]);
    const legend = (plot, x, y, words, style) => plot.text(x, y, words, { class: style });

    function draw() {
      const reach = (now()?.steps ?? 0) <= NEAR ? NEAR : FAR;
      const line = (part, key) => points.map((each) => [each.steps, Math.min(each[part][key], TOP)]);
      for (const [plot, key, values] of [
        [losses, "loss", book(loss)],
        [accuracies, "accuracy", book(accuracy)],
      ]) {
        const high = key === "loss", write = (y, words, style) => legend(plot, 0.29 * reach, y, words, style); // prettier-ignore
        plot.zoom([0, reach]);
        const first = values[0][1]; // 书里的第一轮在横轴以外时，画成一条横线
        plot.set("book", [
          ...(reach === FAR ? [plot.path(values, "s0")] : [plot.line(0, first, reach, first, "s0 thin")]),
          ...values.map(([x, y]) => plot.dot(x, y, 3.5, "f0")),
        ]);
        plot.set("lines", [
          plot.path(line("train", key), "s1"),
          plot.path(line("valid", key), "s2 dashed"),
          ...(now() ? [plot.dot(now().steps, Math.min(now().valid[key], TOP), 4, "f2")] : []),
        ]);
        plot.set("words", [
          write(high ? 2.27 : 0.33, reach === FAR ? `灰点：书里，50,000 幅，${high ? "训练" : "验证"}` : `灰线：书里第一轮，走完 ${bookSteps} 步`, "f0"),
          write(high ? 2.07 : 0.25, "蓝线：2,000 幅训练图像", "f1"),
          write(high ? 1.87 : 0.17, "赭虚线：400 幅验证图像", "f2"),
        ]);
      }
      const limit = W ? Math.max(...W.map(Math.abs)) || 1 : 1;
      canvases.forEach((canvas, j) => {
        const values = W ? W.subarray(784 * j, 784 * (j + 1)) : new Float32Array(784);
        hand.paint(canvas, values, limit, "2");
      });
      if (note) return note;
      if (!worker) return "取来图像，就在这里训练：只用 2,000 幅，不是书里的 50,000 幅。";
      const { steps, seen, train, valid } = now() ?? { steps: 0 };
      if (!steps) return "图像取来了。十个类别的权重都是 0，按“练一轮”。";
      if (!Number.isFinite(train.loss)) return `走了 ${steps} 步，损失不再是有限的数：学习率太大，从头来。`;
      const above = points.some(({ train, valid }) => Math.max(train.loss, valid.loss) > TOP);
      const says = ({ loss, accuracy }) => `损失 ${number(loss, 3)}，精度 ${number(accuracy, 3)}`;
      return `走了 ${steps} 步，看过 ${number(seen / 2000, 1)} 轮。2,000 幅训练图像：${says(train)}；400 幅验证图像：${says(valid)}。${above ? "损失高过图的，画在上缘。" : ""}`;
    }

    function reveal() {
      return `照样走 8 步，400 幅验证图像里认对 ${number(100 * first, 1)}%。取来图像，自己练一遍。`;
    }
    return { draw, reveal };
  }

  hands.figure("train-here", { maths, build });
})();
