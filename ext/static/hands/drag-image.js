/* 拖动图像：左边拖图像，中间是它与模板逐个像素相乘，右边是十类的分数；最后一幅是全部验证图像平移之后的精度。 */
(() => {
  "use strict";
  const SIDE = 28;
  const maths = {
    /* 十六进制的 16 级灰度 → 784 个 0 到 1 的数。 */
    image: (hex) => Array.from(hex, (letter) => parseInt(letter, 16) / 15),
    flip: (image) => image.map((_, i) => image[i - (i % SIDE) + SIDE - 1 - (i % SIDE)]),
    /* 右移 dx、上移 dy 个像素：移出去的丢掉，空出来的补 0。 */
    shift: (image, dx, dy) =>
      image.map((_, i) => {
        const [x, y] = [(i % SIDE) - dx, Math.floor(i / SIDE) + dy];
        return x < 0 || x >= SIDE || y < 0 || y >= SIDE ? 0 : image[y * SIDE + x];
      }),
    template: (data, j) => data.weights.slice(784 * j, 784 * (j + 1)).map((w) => w / 100),
    /* 图像 ⊙ 模板。 */
    product: (data, image, j) => maths.template(data, j).map((w, i) => w * image[i]),
    logits: (data, image) =>
      data.bias.map((b, j) => maths.product(data, image, j).reduce((sum, value) => sum + value, b)),
    softmax(o) {
      const e = o.map((value) => Math.exp(value - Math.max(...o)));
      return e.map((value) => value / e.reduce((a, b) => a + b));
    },
  };

  function build(hand) {
    const { el, number, clamp } = hands;
    const { data } = hand;
    const { names, curve } = data;
    const REACH = 6; // 最多移几个像素，与量过的曲线一样
    const BRIGHT = Math.max(...data.weights.map(Math.abs)) / 100;
    let shown = 1, template = 1, dx = 0, dy = 0, flipped = false; // prettier-ignore
    const clip = (value) => clamp(Math.round(value), -REACH, REACH);
    const accuracy = () => curve[dx + REACH];
    const moved = (signed, ways) => `向${ways[signed < 0 ? 1 : 0]} ${Math.abs(signed)}`;
    const place = () => `${moved(dx, "右左")}、${moved(dy, "上下")}个像素`.replace(/(\d)个/, "$1 个");

    /* 一个正方形的框，一个像素是 1，上面写着它是什么；返回的函数画一层 28 × 28 的小图。手机上两个也并排，下面看得到分数。 */
    const pair = hand.plots.appendChild(el("div", { class: "hands-pair" }));
    function square(label) {
      const caption = el("p", {}, label);
      const parent = pair.appendChild(el("div", {}, caption));
      const range = [-14, 14];
      const plot = hand.plot({ parent, label, axes: false, width: 300, x: { range }, y: { range } });
      const { left, right, top, bottom } = plot.box;
      const box = { x: left, y: top, width: right - left, height: bottom - top };
      function layer(style) {
        const canvas = el("canvas", { width: SIDE, height: SIDE });
        const node = el("image", { ...box, class: `hands-pixels ${style}` });
        plot.inner.append(node);
        return (...values) => {
          hand.paint(canvas, ...values);
          node.setAttribute("href", canvas.toDataURL());
        };
      }
      plot.over.append(el("rect", { ...box, class: "s0 thin" }));
      return [plot, layer, caption];
    }
    const [picture, pictureLayer] = square("图像，拖动它");
    const showPicture = pictureLayer("");
    const [, productLayer, title] = square("图像与模板的乘积：红为正，蓝为负；淡的是模板");
    const showTemplate = productLayer("faint");
    const showProduct = productLayer("");
    hand.handle(picture, {
      label: "图像",
      at: () => [dx, dy],
      move: (x, y) => ([dx, dy] = [clip(x), clip(y)]),
      text: () => `${place()}`,
      step: [1, 1],
      style: "s2 ring",
      r: 14,
      hit: 120, // 整幅图像都捏得住
    });
    const bars = hand.plot({
      label: "十类的分数",
      axes: false,
      x: { range: [0, 340] },
      y: { range: [10.6, -0.6] },
    });
    const spread = hand.plot({
      label: "平移之后的精度",
      x: { range: [-REACH, REACH], label: "向右平移的像素数" },
      y: { range: [0, 1], label: "全部验证图像的精度" },
    });
    const named = (value) => names[value];
    hand.slider({
      label: "图像",
      min: 0,
      max: 9,
      step: 1,
      value: shown,
      text: named,
      change(value) {
        shown = template = value;
        setTemplate(value);
      },
    });
    const setTemplate = hand.slider({
      label: "模板",
      min: 0,
      max: 9,
      step: 1,
      value: template,
      text: named,
      change: (value) => (template = value),
    });
    hand.options({
      label: "左右翻转",
      values: { false: "原样", true: "翻转" },
      value: flipped,
      change: (key) => (flipped = key === "true"),
    });
    hand.button("移回原处", () => ([dx, dy] = [0, 0]));

    function drawBars(o, p) {
      const [zero, unit] = [175, 12]; // 像素：0 分在哪里，一分多长
      const best = o.indexOf(Math.max(...o));
      const row = (value, j) => {
        const end = clamp(zero + unit * value, 62, 298);
        const strong = j === best ? { "font-weight": 700 } : {};
        const put = (at, words, more) => bars.text(at, j, words, { dy: 4, ...strong, ...more });
        return [
          put(52, names[j], { "text-anchor": "end" }),
          bars.line(zero, j, end, j, j === best ? "s2 hands-thick" : "s1 hands-thick"),
          put(338, number(p[j], 2), { "text-anchor": "end" }),
        ];
      };
      bars.set("bars", [
        bars.line(zero, -0.5, zero, 9.5, "s0 thin"),
        ...o.flatMap(row),
        bars.text(zero, 10.4, "分数（logit），中线是 0", { "text-anchor": "middle", class: "f0" }),
        bars.text(338, 10.4, "概率", { "text-anchor": "end", class: "f0" }),
      ]);
    }

    function draw() {
      const original = maths.image(data.images[shown]);
      const image = maths.shift(flipped ? maths.flip(original) : original, dx, dy);
      const product = maths.product(data, image, template);
      const o = maths.logits(data, image);
      const p = maths.softmax(o);
      showPicture(image);
      showTemplate(maths.template(data, template), BRIGHT, "2");
      showProduct(product, BRIGHT, "2");
      drawBars(o, p);
      const measured = !dy && !flipped;
      const points = hand.locked ? [[0, accuracy()]] : curve.map((value, i) => [i - REACH, value]);
      spread.set("curve", [
        spread.line(-REACH, 0.1, REACH, 0.1, "s0 thin dashed"),
        spread.text(-REACH, 0.03, "随便猜", { dx: 4, class: "f0" }),
        spread.path(points, "s1"),
        ...points.map(([x, y]) => spread.dot(x, y, 3, "f1")),
        ...(measured ? [spread.dot(dx, accuracy(), 7, "f2")] : []),
      ]);
      const best = o.indexOf(Math.max(...o));
      const part = (sign) => number(Math.abs(product.reduce((sum, value) => sum + (value * sign > 0 ? value : 0), 0)), 2);
      title.textContent = `图像 × ${names[template]}的模板：红加分，蓝减分；淡的是模板`;
      return (
        `${names[shown]}${flipped ? "（翻转）" : ""}${place()}。${names[template]}的模板：红加 ${part(1)}，蓝减 ${part(-1)}，` +
        `偏差 ${number(data.bias[template], 2)}，得 ${number(o[template], 2)}。` +
        `模型认成${names[best]}${best === template ? "" : `，得 ${number(o[best], 2)}`}，概率 ${number(p[best], 2)}。` +
        (measured ? `全部验证图像都这样左右平移，精度 ${number(accuracy(), 3)}。` : "精度的曲线只量过左右平移。")
      );
    }

    function reveal() {
      [shown, template, dy, flipped] = [1, 1, 0, false];
      hand.play(5, (i) => (dx = i), 500);
      return `全部右移 4 个像素，精度从 ${number(100 * curve[REACH], 1)}% 落到 ${number(100 * curve[REACH + 4], 1)}%。`;
    }
    return { draw, reveal };
  }

  hands.figure("drag-image", { maths, build });
})();
