/* 动手的图公用的部分：先猜，锁定，再动手，把猜的与发生的并排。怎样加一幅图，见 CONTRIBUTING.md。

   hands.figure("名字", { maths, build(hand) { …; return { draw, reveal }; } })
     maths   纯函数，测试拿它与 torch 比；build 造一次图与控件，改的都是自己的变量；
     draw()  照现在的变量画一遍，每次改动之后自动调用，返回的一句话显示在图下，也念出来；
     reveal(choice)  锁定之后演示问的那件事，返回“实际发生的”一句话。 */
window.hands = (() => {
  "use strict";
  const SHAPES = /^(svg|g|path|line|rect|circle|text|polygon|polyline|clipPath|image)$/;
  const figures = {};
  const live = []; // 这一页上的各幅图
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  /* 造一个元素：el("circle", { r: 3, class: "f1" }, 子元素或文字…)；名字以 on 开头的是事件。 */
  function el(name, attributes = {}, ...children) {
    const node = SHAPES.test(name)
      ? document.createElementNS("http://www.w3.org/2000/svg", name)
      : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else if (value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
    }
    node.append(...children);
    return node;
  }

  /* 数 → 文字：几位小数，真正的减号。 */
  function number(value, digits = 0) {
    if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "∞" : "−∞";
    const text = value.toFixed(digits);
    return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
  }

  const groups = {};
  /* 取一组图像，读者要了才取；脚本由 ext/images.py 写。得 { X: 像素, 一幅 784 个，0 到 1, y: 类别的编号 }。 */
  const images = (name) => (groups[name] ??= fetchImages(name));
  async function fetchImages(name) {
    await new Promise((resolve, reject) => {
      const src = `${document.documentElement.dataset.content_root}_static/hands-${name}.js`;
      document.head.append(el("script", { src, onload: resolve, onerror: reject }));
    });
    const { pixels, labels } = window[`bookImages_${name}`];
    const packed = Uint8Array.from(atob(pixels), (letter) => letter.charCodeAt());
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
    const levels = new Uint8Array(2 * bytes.length); // 0 到 15；存的是与上一行的差
    for (let i = 0; i < levels.length; i++) {
      const step = i % 2 ? bytes[i >> 1] & 15 : bytes[i >> 1] >> 4;
      levels[i] = i % 784 < 28 ? step : (step + levels[i - 28]) & 15;
    }
    return { X: Float32Array.from(levels, (level) => level / 15), y: Uint8Array.from(labels, Number) };
  }

  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

  /* 刻度：五个上下，间隔是 1、2、5 乘 10 的整数次方。 */
  function ticks([low, high]) {
    const rough = (high - low) / 5;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].find((each) => each * power >= rough) * power;
    const values = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) values.push(i * step);
    return [values, Math.max(0, -Math.floor(Math.log10(step) + 1e-9))];
  }

  /* 一个坐标系；x.names 是 {坐标: 文字}，写在刻度的位置上。宽 340 像素上下，手机上一个占一行，桌面上两个并排，字都一样大。
     layer(名字) 是裁在框里的一层，先要的在下面；set(名字, [元素…]) 换掉一层的内容。 */
  class Plot {
    constructor(parent, { x, y, label, width = 340, height = 300, axes = true }) {
      const left = axes ? 46 : 8, right = 12, top = axes ? 26 : 8, bottom = axes ? 40 : 8; // prettier-ignore
      const id = `clip-${++Plot.count}`;
      Object.assign(this, { xRange: x.range, yRange: y.range, names: { x, y }, layers: {}, held: [] });
      this.box = { left, top, right: width - right, bottom: height - bottom };
      this.svg = el("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": label });
      const frame = { x: left, y: top, width: width - left - right, height: height - top - bottom };
      this.inner = el("g", { "clip-path": `url(#${id})` });
      this.over = el("g"); // 手柄
      this.svg.append(el("clipPath", { id }, el("rect", frame)));
      if (axes) this.svg.append((this.frame = this.axes(x, y)));
      this.svg.append(this.inner, this.over);
      parent.append(this.svg);
    }
    static count = 0;
    x(value) {
      const [low, high] = this.xRange, { left, right } = this.box; // prettier-ignore
      return left + ((value - low) / (high - low)) * (right - left);
    }
    y(value) {
      const [low, high] = this.yRange, { top, bottom } = this.box; // prettier-ignore
      return bottom - ((value - low) / (high - low)) * (bottom - top);
    }
    /* 屏幕上的一点 → 坐标。 */
    at(event) {
      const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.svg.getScreenCTM().inverse());
      const { left, right, top, bottom } = this.box;
      const part = (range, share) => range[0] + share * (range[1] - range[0]);
      return [
        part(this.xRange, (x - left) / (right - left)),
        part(this.yRange, (bottom - y) / (bottom - top)),
      ];
    }
    axes(x, y) {
      const { left, top, right, bottom } = this.box;
      const group = el("g", { class: "axes" });
      const [xs, xDigits] = ticks(x.range), [ys, yDigits] = ticks(y.range); // prettier-ignore
      for (const value of x.names ? Object.keys(x.names).map(Number) : xs) {
        const at = this.x(value);
        group.append(
          el("line", { x1: at, x2: at, y1: top, y2: bottom }),
          el("text", { x: at, y: bottom + 16, "text-anchor": "middle" }, x.names?.[value] ?? number(value, xDigits)),
        );
      }
      for (const value of ys) {
        const at = this.y(value);
        group.append(
          el("line", { x1: left, x2: right, y1: at, y2: at }),
          el("text", { x: left - 6, y: at + 4, "text-anchor": "end" }, number(value, yDigits)),
        );
      }
      group.append(
        el("text", { x: right, y: bottom + 33, "text-anchor": "end", class: "name" }, x.label),
        el("text", { x: 4, y: 14, class: "name" }, y.label),
      );
      return group;
    }
    /* 换横轴的范围；各层由 draw 重画。 */
    zoom(range) {
      if (range[1] === this.xRange[1]) return;
      const axes = this.axes({ ...this.names.x, range: (this.xRange = range) }, this.names.y);
      this.frame.replaceWith(axes);
      this.frame = axes;
    }
    layer(name) {
      if (!this.layers[name]) this.inner.append((this.layers[name] = el("g")));
      return this.layers[name];
    }
    set(name, elements) {
      this.layer(name).replaceChildren(...elements);
    }
    line(x1, y1, x2, y2, style) {
      return el("line", { x1: this.x(x1), y1: this.y(y1), x2: this.x(x2), y2: this.y(y2), class: style });
    }
    /* 竖条：从 0 到 height，中间在 x，宽 width（都用坐标）。 */
    bar(x, height, width, style) {
      const [top, bottom] = [this.y(Math.max(height, 0)), this.y(Math.min(height, 0))];
      const left = this.x(x - width / 2);
      return el("rect", { x: left, y: top, width: this.x(x + width / 2) - left, height: bottom - top, class: style });
    }
    dot(x, y, r, style) {
      return el("circle", { cx: this.x(x), cy: this.y(y), r, class: style });
    }
    text(x, y, words, attributes = {}) {
      return el("text", { x: this.x(x), y: this.y(y), ...attributes }, words);
    }
    /* 一串点连成的折线。 */
    path(points, style) {
      const text = points.map(([x, y]) => `${this.x(x).toFixed(1)},${this.y(y).toFixed(1)}`);
      return el("polyline", { points: text.join(" "), class: style });
    }
    /* 从一点指到另一点的箭头；太短就不画头。 */
    arrow(x1, y1, x2, y2, style) {
      const [a, b, c, d] = [this.x(x1), this.y(y1), this.x(x2), this.y(y2)];
      const length = Math.hypot(c - a, d - b);
      const [u, v] = [(c - a) / (length || 1), (d - b) / (length || 1)];
      const side = (sign) => `L${c} ${d}L${c - 8 * u - sign * 4 * v} ${d - 8 * v + sign * 4 * u}`;
      return el("path", { d: `M${a} ${b}${length > 4 ? side(1) + side(-1) : `L${c} ${d}`}`, class: style });
    }
    /* f(x, y) 的等高线，一个高度一条：在 n × n 的格子里逐格连线（marching squares）。 */
    contours(f, levels, style, n = 50) {
      const [x0, x1] = this.xRange, [y0, y1] = this.yRange; // prettier-ignore
      const xs = Array.from({ length: n + 1 }, (_, i) => x0 + ((x1 - x0) * i) / n);
      const ys = Array.from({ length: n + 1 }, (_, i) => y0 + ((y1 - y0) * i) / n);
      const z = ys.map((y) => xs.map((x) => f(x, y)));
      const cross = (xa, ya, za, xb, yb, zb, level) => {
        const t = (level - za) / (zb - za);
        return [this.x(xa + t * (xb - xa)).toFixed(1), this.y(ya + t * (yb - ya)).toFixed(1)];
      };
      return levels.map((level) => {
        let d = "";
        for (let j = 0; j < n; j++) {
          for (let i = 0; i < n; i++) {
            const corners = [
              [xs[i], ys[j], z[j][i]],
              [xs[i + 1], ys[j], z[j][i + 1]],
              [xs[i + 1], ys[j + 1], z[j + 1][i + 1]],
              [xs[i], ys[j + 1], z[j + 1][i]],
            ];
            const points = corners
              .map((a, k) => [a, corners[(k + 1) % 4]])
              .filter(([a, b]) => a[2] < level !== b[2] < level)
              .map(([a, b]) => cross(...a, ...b, level));
            for (let k = 0; k + 1 < points.length; k += 2) d += `M${points[k]}L${points[k + 1]}`;
          }
        }
        return el("path", { d, class: style });
      });
    }
  }

  class Hand {
    constructor(root, data) {
      Object.assign(this, { root, data, locked: true, still: true, delay: 0, handles: [], rows: {} });
      this.plots = el("div", { class: "hands-plots" });
      this.controls = el("fieldset", { class: "hands-controls", disabled: true, "aria-label": "动手的地方" });
      this.words = el("p", { class: "hands-words" });
      this.spoken = el("p", { class: "hands-spoken", "aria-live": "polite" });
      this.stage = el("div", { class: "hands-stage hands-locked" }, this.plots, this.words, this.controls, this.spoken);
      this.panel = this.controls; // 控件加在哪里
    }

    plot({ parent = this.plots, ...options }) {
      return new Plot(parent, options);
    }

    /* 可拖的点。at() 是它现在的 [x, y]，move(x, y) 是要它去的地方（已经限在坐标系里），text() 是念出来的值；
       axes 是 "x"、"y" 或 "xy"；step 是按一下方向键走多远，Shift 或 PageUp、PageDown 走十倍；hit 是多近算捏住它。 */
    handle(plot, { label, at, move, text, step, axes = "xy", style = "f2", r = 8, hit = 22 }) {
      const flat = axes === "y" ? 1 : 0; // aria-valuenow 说的是哪一个坐标
      const ranges = [plot.xRange, plot.yRange];
      let grip; // 手指捏住的地方离点多远：捏偏了，点也不跳过来
      const go = (x, y) => {
        const now = at();
        const to = [x, y].map((value, i) => (axes.includes("xy"[i]) ? clamp(value, ...ranges[i]) : now[i]));
        this.stop();
        move(...to);
        this.redraw();
      };
      const node = el(
        "g",
        {
          class: "hands-handle",
          role: "slider",
          "aria-label": label,
          "aria-valuemin": ranges[flat][0],
          "aria-valuemax": ranges[flat][1],
          "aria-orientation": flat ? "vertical" : "horizontal",
          "aria-roledescription": axes === "xy" ? "可以上下左右移动的点" : undefined,
          onpointerdown: (event) => {
            if (this.locked) return;
            const gaps = plot.held.map((each) => each.gap(event)); // 挤在一起的，捏住最近的那一个
            plot.held[gaps.indexOf(Math.min(...gaps))].take(event);
            event.preventDefault();
          },
          onpointermove: (event) =>
            node.hasPointerCapture(event.pointerId) && go(...plot.at(event).map((value, i) => value + grip[i])),
          onkeydown: (event) => {
            const keys = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
            Object.assign(keys, { PageUp: flat ? [0, 10] : [10, 0], PageDown: flat ? [0, -10] : [-10, 0] });
            let by = keys[event.key];
            if (!by || this.locked) return;
            if (axes === "x") by = [by[0] + by[1], 0]; // 只有一个方向时，四个键都管用
            if (axes === "y") by = [0, by[0] + by[1]];
            const times = event.shiftKey ? 10 : 1;
            const [x, y] = at();
            go(x + by[0] * times * step[0], y + by[1] * times * step[1]);
            event.preventDefault();
          },
        },
        el("circle", { r: hit, class: "hands-hit" }),
        el("circle", { r, class: style }),
      );
      // 手指是来拖它的，不是来滚页面的；touch-action 在 SVG 里面不管用
      node.addEventListener("touchstart", (event) => this.locked || event.preventDefault(), { passive: false });
      plot.over.append(node);
      const shown = () => ranges.map((range, i) => clamp(at()[i], ...range));
      plot.held.push({
        gap(event) {
          const [[x, y], [u, v]] = [shown(), plot.at(event)];
          return Math.hypot(plot.x(x) - plot.x(u), plot.y(y) - plot.y(v));
        },
        take(event) {
          node.setPointerCapture(event.pointerId);
          node.focus({ preventScroll: true });
          const finger = plot.at(event);
          grip = shown().map((value, i) => value - finger[i]);
        },
      });
      this.handles.push(() => {
        const [x, y] = at(), [u, v] = shown(); // prettier-ignore
        node.setAttribute("transform", `translate(${plot.x(u)} ${plot.y(v)})`); // 到了图外，就停在框的边上，还拖得回来
        node.setAttribute("aria-valuenow", Number((flat ? y : x).toPrecision(4)));
        node.setAttribute("aria-valuetext", text());
        node.setAttribute("tabindex", this.locked ? -1 : 0);
        node.setAttribute("aria-disabled", this.locked);
      });
      return node;
    }

    /* 滑块；text(value) 是显示也念出来的值。 */
    slider({ label, min, max, step, value, text = String, change }) {
      const shown = el("output", {}, text(value));
      const input = el("input", { type: "range", min, max, step, value, "aria-valuetext": text(value) });
      const show = () => {
        const words = text(Number(input.value));
        shown.textContent = words;
        input.setAttribute("aria-valuetext", words);
      };
      input.addEventListener("input", () => {
        this.stop();
        change(Number(input.value));
        show();
        this.redraw();
      });
      this.panel.append(el("label", { class: "hands-slider" }, el("span", {}, label), input, shown));
      return (next) => {
        input.value = next; // 从别处改它：调用返回的函数
        show();
      };
    }

    /* 几个里选一个。 */
    options({ label, values, value, change }) {
      const group = el("div", { class: "hands-options", role: "radiogroup", "aria-label": label }, label);
      const name = `option-${++Plot.count}`;
      for (const [key, words] of Object.entries(values)) {
        const pick = () => {
          this.stop();
          change(key);
          this.redraw();
        };
        const input = el("input", { type: "radio", name, value: key, checked: key === String(value), onchange: pick });
        group.append(el("label", {}, input, words));
      }
      this.panel.append(group);
    }

    /* 从这里起，控件折在 words 下面：要用到后面才讲的话。 */
    more(words) {
      this.panel = el("div", { class: "hands-panel" });
      this.rows = {};
      this.controls.append(el("details", { class: "hands-more" }, el("summary", {}, words), this.panel));
    }

    /* 按钮都在控件的最后；row 是它们那一行开头的话，不写就是没有话的一行。正走着时按，先把剩下的走完。 */
    button(label, action, row = "") {
      const press = () => {
        this.finish();
        action();
        this.redraw();
      };
      this.rows[row] ??= this.panel.appendChild(el("div", { class: "hands-buttons" }, row));
      this.rows[row].append(el("button", { type: "button", onclick: press }, label));
    }

    /* 一步一步地动 count 步，每步 wait 毫秒；读者不要动画时，或者只是恢复上次的样子，一下子走完。 */
    play(count, step, wait = 40) {
      this.stop();
      this.performed = true;
      let i = 0;
      this.finish = () => {
        this.stop();
        while (i < count) step(i++);
      };
      if (calm.matches || this.still) {
        this.finish();
        return this.redraw();
      }
      const next = () => {
        step(i++);
        this.timer = i < count ? setTimeout(next, wait) : undefined;
        this.redraw();
      };
      this.timer = setTimeout(next, Math.max(wait, this.delay));
    }

    stop() {
      clearTimeout(this.timer);
      this.finish = () => {};
    }

    finish() {}

    redraw() {
      const words = (this.draw() ?? "").replace(/(\p{Script=Han})(?=[A-Za-z])/gu, "$1 "); // 认成 T 恤
      this.handles.forEach((update) => update());
      this.words.textContent = words;
      // 多折一行就记住，下面的控件不跟着一上一下
      this.words.style.minHeight = `${Math.max(parseFloat(this.words.style.minHeight) || 0, this.words.offsetHeight)}px`;
      clearTimeout(this.quiet);
      // 停下来半秒再念，拖着的时候不念个没完
      if (!this.locked) this.quiet = setTimeout(() => (this.spoken.textContent = words), 500);
    }

    /* 28 × 28 个数 → 一张小图：正的一种颜色，负的一种，绝对值到 limit 就不再加深；0 是透明的。 */
    paint(canvas, values, limit = 1, plus = "0", minus = "1") {
      const context = canvas.getContext("2d");
      const picture = context.createImageData(28, 28);
      const colors = [plus, minus].map((name) => [1, 3, 5].map((k) => parseInt(this.color(name).slice(k, k + 2), 16)));
      for (let i = 0; i < 784; i++) {
        const alpha = 255 * Math.min(1, Math.abs(values[i]) / limit);
        picture.data.set([...colors[values[i] < 0 ? 1 : 0], alpha], 4 * i);
      }
      context.putImageData(picture, 0, 0);
    }

    color(name) {
      return getComputedStyle(this.root).getPropertyValue(`--hands-${name}`).trim();
    }

    unlock() {
      this.locked = false;
      this.controls.disabled = false;
      this.stage.classList.remove("hands-locked");
    }
  }

  /* 预测 → 锁定 → 对照。 */
  function ask(hand, { key, right }, reveal) {
    const { root } = hand;
    const form = root.querySelector("fieldset");
    const inputs = [...form.querySelectorAll("input")];
    const isNumber = inputs[0].type === "number";
    const guess = () => {
      if (!isNumber) return inputs.find((input) => input.checked)?.value;
      const { rangeUnderflow, rangeOverflow } = inputs[0].validity; // 不是整步的也收
      return inputs[0].value === "" || rangeUnderflow || rangeOverflow ? undefined : Number(inputs[0].value);
    };
    const lock = el("button", { type: "button", class: "hands-lock", disabled: true }, "就猜这个，锁定");
    const compare = el("div", { class: "hands-compare", role: "group", "aria-label": "对照", tabindex: -1 });
    const ready = () => (lock.disabled = guess() === undefined);
    const letterOf = (choice) => {
      if (!isNumber) return choice;
      const [low, high] = hand.data.answer;
      return choice < low ? "A" : choice > high ? "C" : "B";
    };

    /* 一种猜法的说明；不是读者猜的，就不以“差不多：”开头。 */
    function remark(letter, mine = true) {
      const said = root.querySelector(`#${root.id}-${letter}`).cloneNode(true);
      const start = said.querySelector("p").firstChild;
      if (isNumber && !mine) start.data = start.data.replace(/^\s*差不多：/, "");
      said.removeAttribute("id");
      said.classList.add(letter === right ? "hands-right" : "hands-wrong");
      return said;
    }
    function settle(choice) {
      form.disabled = true;
      lock.remove();
      hand.unlock();
      const letter = letterOf(choice);
      const option = (value) => inputs.find((input) => input.value === value)?.parentElement;
      const mine = el("p", {}, isNumber ? `${String(choice).replace("-", "−")}${inputs[0].dataset.unit}` : "");
      if (!isNumber) for (const node of [...option(choice).childNodes].slice(1)) mine.append(node.cloneNode(true));
      option(right)?.classList.add("hands-answer");
      const answer = letter === right ? [] : [remark(right, false)]; // 猜错的，也读得到为什么那样才对
      const happened = el("div", {}, el("strong", {}, "实际发生的"), el("p", {}, perform(choice)));
      if (hand.performed) happened.append(el("button", { type: "button", onclick: () => perform(choice) }, "再演一遍"));
      compare.replaceChildren(el("div", {}, el("strong", {}, "你猜的"), mine), happened, remark(letter), ...answer);
      compare.hidden = false;
    }
    /* 演示：先让图进到屏幕里，再动。 */
    function perform(choice) {
      hand.delay = 800;
      const words = reveal(choice);
      hand.delay = 0;
      hand.redraw();
      const behavior = calm.matches ? "instant" : "smooth";
      if (!hand.still) requestAnimationFrame(() => hand.plots.scrollIntoView({ block: "nearest", behavior }));
      return words;
    }

    lock.addEventListener("click", () => {
      const choice = guess();
      const time = new Date().toISOString();
      bookProgress.update((all) => (all.predicted[key] = { choice, time }));
      hand.still = false;
      settle(choice);
      compare.focus({ preventScroll: true });
    });
    form.addEventListener("input", ready);
    form.append(lock);
    hand.stage.before(compare); // 在选项与图之间：手机上一屏看得到猜的、实际的与图
    compare.hidden = true;
    const before = bookProgress.get().predicted[key]?.choice; // 上次猜过，就不再问
    if (before !== undefined) {
      if (isNumber) inputs[0].value = before;
      for (const input of inputs) if (!isNumber) input.checked = input.value === before;
      if (guess() !== undefined) settle(guess());
    }
    hand.still = false;
    ready();
  }

  function figure(name, spec) {
    figures[name] = spec;
    const root = document.getElementById(`hands-${name}`);
    const known = JSON.parse(root.querySelector("script").textContent);
    const hand = new Hand(root, known.data);
    root.hand = hand; // 供测试用
    root.addEventListener("book-near", () => build(hand, spec, known), { once: true });
    near.observe(root);
  }

  /* 快看到了才造，位置已经留好（见 hands.css）：造一幅要排版几次，手机上零点几秒。 */
  const near = new IntersectionObserver(
    (entries) => {
      for (const { target } of entries.filter((entry) => entry.isIntersecting)) {
        near.unobserve(target);
        target.dispatchEvent(new Event("book-near"));
      }
    },
    { rootMargin: "1000px 0px" },
  );

  function build(hand, spec, known) {
    hand.root.classList.add("hands-live");
    hand.root.querySelector(".hands-still").before(hand.stage);
    const { draw, reveal } = spec.build(hand);
    hand.draw = draw;
    hand.redraw();
    ask(hand, known, reveal);
    live.push(hand);
  }

  // 换了深浅，画布（canvas）上的颜色要重画；SVG 的颜色跟着样式表
  new MutationObserver(() => live.forEach((hand) => hand.redraw())).observe(document.documentElement, {
    attributeFilter: ["data-theme"],
  });
  return { figure, figures, el, number, clamp, images };
})();
