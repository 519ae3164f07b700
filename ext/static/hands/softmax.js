/* 温度与平移：左边拖三个 logit，右边是概率；再看不减最大值时，什么时候溢出。 */
(() => {
  "use strict";
  const single = Math.fround; // 单精度，与 torch 默认的 float32 一样
  const maths = {
    /* (o + shift) / T 的 softmax，先减去最大值。 */
    softmax(o, T, shift) {
      const z = o.map((value) => (value + shift) / T);
      const e = z.map((value) => Math.exp(value - Math.max(...z)));
      return e.map((value) => value / e.reduce((a, b) => a + b));
    },
    /* 照定义直接算，每一步都舍入到单精度：各个指数与概率。 */
    direct(o, T, shift) {
      const e = o.map((value) => single(Math.exp(single(single(value + shift) / T))));
      const sum = e.reduce((a, b) => single(a + b));
      return { exps: e, probs: e.map((value) => single(value / sum)) };
    },
  };

  function build(hand) {
    const { number } = hands;
    const names = { 1: "猫", 2: "鸡", 3: "狗" };
    let o = [...hand.data.o], T = 1, shift = 0; // prettier-ignore

    /* 很大、很小的数写成科学记数法。 */
    function brief(value) {
      if (!Number.isFinite(value)) return "inf";
      if (value === 0 || (value >= 0.01 && value < 1e4)) return number(value, 2);
      const power = Math.floor(Math.log10(value));
      const raised = String(power).replace(/./g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
      return `${number(value / 10 ** power, 1)}×10${raised}`;
    }

    const list = (values, write) => values.map((value) => write(value)).join("、");

    const logits = hand.plot({
      label: "三个 logit",
      x: { range: [0.4, 3.6], label: "类别", names },
      y: { range: [-5, 5], label: "logit（平移以前）" },
    });
    const probs = hand.plot({
      label: "三个概率",
      x: { range: [0.4, 3.6], label: "类别", names },
      y: { range: [0, 1], label: "概率" },
    });
    for (const i of [0, 1, 2]) {
      hand.handle(logits, {
        label: `${names[i + 1]}的 logit`,
        axes: "y",
        at: () => [i + 1, o[i]],
        move: (_, y) => (o[i] = Math.round(y * 10) / 10),
        text: () => `${number(o[i], 1)}，概率 ${number(maths.softmax(o, T, shift)[i], 3)}`,
        step: [0, 0.1],
      });
    }
    const setT = hand.slider({
      label: "温度 T",
      min: -1,
      max: 2,
      step: 0.05,
      value: 0,
      text: (value) => number(10 ** value, value < 0 ? 2 : 1),
      change: (value) => (T = 10 ** value),
    });
    const setShift = hand.slider({
      label: "都加上 a",
      min: -120,
      max: 120,
      step: 1,
      value: 0,
      text: (value) => number(value),
      change: (value) => (shift = value),
    });
    hand.button("回到开头", () => {
      [o, T, shift] = [[...hand.data.o], 1, 0];
      setT(0);
      setShift(0);
    });

    function draw() {
      const right = maths.softmax(o, T, shift);
      const { exps, probs: direct } = maths.direct(o, T, shift);
      logits.set("bars", [
        logits.line(0.4, 0, 3.6, 0, "s0 thin"),
        ...o.map((value, i) => logits.line(i + 1, 0, i + 1, value, "s2")),
        logits.text(0.5, 4.4, shift ? `都加 ${number(shift)}，是 ${list(o.map((value) => value + shift), number)}` : ""),
      ]);
      probs.set("bars", [
        ...right.map((p, i) => probs.bar(i + 1, p, 0.5, "f1")),
        ...right.map((p, i) => probs.text(i + 1, Math.min(p + 0.03, 0.94), number(p, 3), MIDDLE)),
      ]);
      const lost = direct.some((p, i) => !(Math.abs(p - right[i]) < 1e-3)); // nan 也算
      const largest = number(Math.max(...o.map((value) => (value + shift) / T)));
      const why = direct.every(Number.isFinite)
        ? `太小或太大的数存不准，再除以总和，得 ${list(direct, (p) => number(p, 3))}，不对`
        : exps.includes(Infinity)
          ? `e 的 ${largest} 次方太大，存不下，成了 inf，inf 除以 inf 得 nan`
          : "全是 0，0 除以 0 得 nan";
      return (
        `${shift ? "单精度直接取指数" : "取指数"}：${list(exps, brief)}；` +
        (lost ? `${why}。先减去最大值再算，得 ` : "再除以总和，得 ") +
        `${list(right, (p) => number(p, 3))}。`
      );
    }

    function reveal() {
      [o, shift] = [[...hand.data.o], 0];
      setShift(0);
      const end = Math.log10(0.5);
      hand.play(20, (i) => {
        T = 10 ** ((end * (i + 1)) / 20);
        setT((end * (i + 1)) / 20);
      });
      const percent = (t) => `${number(100 * maths.softmax(hand.data.o, t, 0)[1], 1)}%`;
      return `除以 0.5，差距加倍，概率之比平方：鸡从 ${percent(1)} 升到 ${percent(0.5)}。`;
    }
    return { draw, reveal };
  }
  const MIDDLE = { "text-anchor": "middle" };

  hands.figure("softmax", { maths, build });
})();
