/* 逐元素还是整块：A 与 B 先撑成一样的形状，再一格一格地相减。 */
(() => {
  "use strict";
  const size = (shape) => shape.reduce((all, each) => all * each, 1);
  const written = (shape) => (shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`);
  /* 前面补 1，补到 length 维。 */
  const padded = (shape, length) => [...Array(length - shape.length).fill(1), ...shape];

  const maths = {
    /* 撑成的形状；对不上时，是哪一维（从 0 数起），两边各多大。 */
    broadcast(a, b) {
      const length = Math.max(a.length, b.length);
      const [first, second] = [padded(a, length), padded(b, length)];
      for (let dim = length - 1; dim >= 0; dim--) {
        const pair = [first[dim], second[dim]];
        if (pair[0] !== pair[1] && !pair.includes(1)) return { dim, pair };
      }
      return { shape: first.map((each, dim) => (each === 1 ? second[dim] : each)) };
    },
    /* 撑成 shape 以后，各格的数来自原来的第几个数。 */
    sources(from, shape) {
      const own = padded(from, shape.length);
      return Array.from({ length: size(shape) }, (_, k) => {
        let index = 0, stride = 1; // prettier-ignore
        for (let dim = shape.length - 1; dim >= 0; dim--) {
          if (own[dim] > 1) index += (k % shape[dim]) * stride;
          stride *= own[dim];
          k = Math.floor(k / shape[dim]);
        }
        return index;
      });
    },
    subtract(a, shapeA, b, shapeB) {
      const { shape } = maths.broadcast(shapeA, shapeB);
      const [first, second] = [maths.sources(shapeA, shape), maths.sources(shapeB, shape)];
      return first.map((from, k) => a[from] - b[second[k]]);
    },
  };

  function build(hand) {
    const { number, clamp } = hands;
    const CELL = 30, LEFT = { A: 4, B: 184, out: 94 }, TOP = { A: 232, B: 232, out: 98 }; // prettier-ignore
    const parse = (key) => (key.match(/\d/g) ?? []).map(Number);
    const fill = (shape) => Array.from({ length: size(shape) }, (_, i) => i + 1); // 1、2、3……
    let keys = { A: "(3, 1)", B: "(3,)" };
    let [row, column] = [0, 0];
    const shapes = () => [parse(keys.A), parse(keys.B)];
    const extent = (shape) => padded(shape, 2); // 画成几行几列
    const result = () => (hand.locked ? undefined : maths.broadcast(...shapes()).shape); // 没猜之前不撑

    const plot = hand.plot({
      label: "A、B 与 A − B 的格子",
      x: { range: [0, 324] },
      y: { range: [0, 284] },
      axes: false,
    });
    const handle = hand.handle(plot, {
      label: "A − B 里的一格",
      at: () => [LEFT.out + (column + 0.5) * CELL, TOP.out - (row + 0.5) * CELL],
      move(x, y) {
        const shape = result();
        if (!shape) return;
        const [rows, columns] = extent(shape);
        row = clamp(Math.floor((TOP.out - y) / CELL), 0, rows - 1);
        column = clamp(Math.floor((x - LEFT.out) / CELL), 0, columns - 1);
      },
      text: () => (result() ? `第 ${row} 行第 ${column} 列，${equation()}` : "没有结果"),
      step: [CELL, CELL],
      style: "ring",
      r: 12,
    });
    const pick = (name) => (key) => {
      keys[name] = key;
      [row, column] = [0, 0];
    };
    const SHAPES = { A: ["(3,)", "(3, 1)", "(3, 4)"], B: ["()", "(3,)", "(4,)", "(3, 1)", "(1, 4)", "(3, 4)"] };
    for (const [name, shapes] of Object.entries(SHAPES)) {
      const values = Object.fromEntries(shapes.map((shape) => [shape, shape]));
      hand.options({ label: `${name} 的形状`, values, value: keys[name], change: pick(name) });
    }

    /* 选中的一格：A[…] − B[…] = …。 */
    function equation() {
      const [a, b] = shapes(), shape = result(); // prettier-ignore
      const k = row * shape.at(-1) + column;
      const named = (name, from) => {
        const index = maths.sources(from, shape)[k];
        const places = from.map((_, dim) => Math.floor(index / size(from.slice(dim + 1))) % from[dim]);
        return [places.length ? `${name}[${places.join(", ")}]` : name, fill(from)[index]];
      };
      const [[nameA, x], [nameB, y]] = [named("A", a), named("B", b)];
      return `${nameA} − ${nameB} = ${x} − ${y} = ${number(x - y)}`;
    }

    /* 一张表：values 是各格的数，real(k) 说第 k 格是原有的还是重复的。 */
    function grid(name, shape, values, style, title, real = () => true) {
      const [, columns] = extent(shape), [left, top] = [LEFT[name], TOP[name]]; // prettier-ignore
      const middle = { "text-anchor": "middle", "dominant-baseline": "central" };
      return [
        plot.text(left, top + 26, title[0]),
        plot.text(left, top + 8, title[1], { class: "f0" }),
        ...values.flatMap((value, k) => {
          const [i, j] = [Math.floor(k / columns), k % columns];
          const [x, y] = [left + j * CELL, top - i * CELL];
          const box = { x: plot.x(x) + 1, y: plot.y(y) + 1, width: CELL - 2, height: CELL - 2, rx: 3 };
          const now = result() && i === row && j === column && name !== "out";
          const border = `${now ? "s3 thick" : "s0 thin"}${real(k) ? "" : " dashed"}`;
          return [
            ...(real(k) ? [hands.el("rect", { ...box, class: `${style} pale` })] : []),
            hands.el("rect", { ...box, class: border }),
            plot.text(x + CELL / 2, y - CELL / 2, number(value), real(k) ? middle : { ...middle, class: "f0" }),
          ];
        }),
      ];
    }

    function draw() {
      const [a, b] = shapes(), shape = result(); // prettier-ignore
      const one = (name, from, style) => {
        const values = fill(from), title = `${name} 的形状 ${written(from)}`; // prettier-ignore
        if (!shape) return grid(name, from, values, style, [title, ""]);
        const source = maths.sources(from, shape);
        const real = (k) => source.indexOf(source[k]) === k;
        const second = written(from) === written(shape) ? "不用撑" : `撑成 ${written(shape)}`;
        const stretched = source.map((index) => values[index]);
        return grid(name, shape, stretched, style, [title, second], real);
      };
      plot.set("inputs", [...one("A", a, "f1"), ...one("B", b, "f2")]);
      handle.setAttribute("visibility", shape ? "visible" : "hidden");
      if (hand.locked) {
        plot.set("out", [plot.text(LEFT.out, TOP.out + 8, "A − B：？")]);
        return "A 是三个预测，B 是三个标签，一个不差。";
      }
      if (!shape) {
        const { dim, pair } = maths.broadcast(a, b);
        plot.set("out", [plot.text(LEFT.out, TOP.out + 8, "A − B：报错")]);
        return `报错：第 ${dim} 维（从 0 数起）一个是 ${pair[0]}，一个是 ${pair[1]}，不相等，也都不是 1。`;
      }
      const values = maths.subtract(fill(a), a, fill(b), b);
      const accident = keys.A === "(3, 1)" && keys.B === "(3,)";
      const wanted = (k) => !accident || k % 4 === 0; // 对角线
      const note = accident ? "想要的只有对角线（实线）" : `${values.length} 个数`;
      plot.set("out", grid("out", shape, values, "f3", [`A − B 的形状 ${written(shape)}`, note], wanted));
      const mean = values.reduce((all, each) => all + each * each, 0) / values.length;
      const should = accident ? "，本该是 0" : "";
      return `绿圈是 ${equation()}，拖它看别的格。一共 ${values.length} 个差，平方的平均是 ${number(mean, 4)}${should}。`;
    }

    function reveal() {
      const values = maths.subtract([1, 2, 3], [3, 1], [1, 2, 3], [3]);
      const sum = values.reduce((all, each) => all + each * each, 0);
      const mean = `${sum}/${values.length} = ${number(sum / values.length, 4)}`;
      return `不报错：${values.length} 个差，每个预测减每个标签，平方的平均是 ${mean}。`;
    }
    return { draw, reveal };
  }

  hands.figure("broadcast", { maths, build });
})();
