/* 混淆矩阵：拖动方框，或者用方向键，看每一格背后的图像；图像第一次要看时才取。 */
(() => {
  "use strict";
  const maths = {
    /* 真实是第 c 类、认错了的，最多认成哪一类，几幅。 */
    worst(counts, c) {
      const others = counts[c].map((count, j) => (j === c ? -1 : count));
      const most = Math.max(...others);
      return [others.indexOf(most), most];
    },
  };
  const ASKED = 6; // 问的是衬衫

  function build(hand) {
    const { el } = hands;
    const { counts, places, names } = hand.data;
    let row = ASKED, column = ASKED, picked, shown; // prettier-ignore

    const matrix = hand.plot({
      label: "混淆矩阵，行是真实类别，列是预测",
      axes: false,
      width: 340,
      height: 340,
      x: { range: [-2.1, 9.6] },
      y: { range: [-9.6, 2.1] },
    });
    const side = matrix.x(1) - matrix.x(0);
    const text = (x, y, words, more = {}) => matrix.text(x, y, words, { "text-anchor": "middle", dy: 4, ...more });
    const upright = (j) => ({ transform: `rotate(-45 ${matrix.x(j)} ${matrix.y(0.75)})`, "text-anchor": "start" });
    matrix.set("names", [
      ...names.map((name, i) => text(-0.65, -i, name, { "text-anchor": "end" })),
      ...names.map((name, j) => text(j, 0.75, name, upright(j))),
      text(-2, 1.4, "预测 →", { "text-anchor": "start", class: "f0" }),
      text(-2, 0.7, "真实 ↓", { "text-anchor": "start", class: "f0" }),
    ]);
    hand.handle(matrix, {
      label: "选中的一格",
      at: () => [column, -row],
      move(x, y) {
        [column, row] = [x, -y].map((value) => Math.round(hands.clamp(value, 0, 9)));
        look();
      },
      text: () => `真实${names[row]}，预测${names[column]}，${counts[row][column]} 幅`,
      step: [1, 1],
      style: "s2 ring",
      r: 12,
    });
    const strip = el("div", { class: "hands-pictures hands-strip", role: "group", "aria-label": "这一格的图像" });
    const note = (words) => strip.replaceChildren(el("p", {}, words));
    note("选一格，看背后的图像。");
    hand.plots.append(strip);
    hand.button("看这一格的图像", look);
    hand.button("下一个错得多的格", () => {
      const cells = places.filter((place, k) => places.indexOf(place) === k && place % 11); // 11 的倍数在对角线上
      const count = (place) => counts[Math.floor(place / 10)][place % 10];
      cells.sort((a, b) => count(b) - count(a));
      const next = cells[(cells.indexOf(10 * row + column) + 1) % cells.length];
      [row, column] = [Math.floor(next / 10), next % 10];
      look();
    });

    async function look() {
      try {
        picked ??= await hands.images("confusion");
      } catch {
        note("图像没有取来，或者浏览器太旧，解不开。");
      }
      hand.redraw();
    }

    function showImages() {
      const place = 10 * row + column;
      const theme = document.documentElement.dataset.theme;
      if (!picked || shown === place + theme) return;
      shown = place + theme;
      const mine = places.map((each, k) => (each === place ? k : -1)).filter((k) => k >= 0);
      const words = `真实${names[row]}，认成${names[column]}`;
      strip.replaceChildren(
        ...mine.map((k, i) => {
          const canvas = el("canvas", { width: 28, height: 28, role: "img", "aria-label": `第 ${i + 1} 幅：${words}` });
          hand.paint(canvas, picked.X.subarray(784 * k, 784 * (k + 1)));
          return el("div", {}, canvas);
        }),
      );
    }

    function draw() {
      const cells = counts.flatMap((line, i) =>
        line.flatMap((count, j) => {
          const hidden = hand.locked && i !== j; // 认错的，猜了才揭开
          const depth = hidden ? 0 : Math.sqrt(count / 1000);
          const box = { x: matrix.x(j) - side / 2, y: matrix.y(-i) - side / 2, width: side, height: side };
          return [
            el("rect", { ...box, class: i === j ? "f3" : "f2", "fill-opacity": (0.75 * depth).toFixed(2) }),
            text(j, -i, hidden ? (i === ASKED ? "?" : "") : String(count), { class: "hands-count" }),
          ];
        }),
      );
      matrix.set("cells", cells);
      showImages();
      if (hand.locked) return "认错的各有几幅，先盖着。";
      const count = counts[row][column];
      const what = row === column ? "认对的" : `认成${names[column]}的`;
      const here = places.filter((place) => place === 10 * row + column).length;
      const some = picked && count ? (count > here ? `，下面是其中 ${here} 幅` : "，都在下面") : "";
      return `真实是${names[row]}，${what}：${count} 幅${some}。`;
    }

    function reveal() {
      [column] = maths.worst(counts, ASKED);
      row = ASKED;
      const [most, count] = maths.worst(counts, ASKED);
      return `${counts[ASKED].reduce((a, b) => a + b)} 幅衬衫，认对 ${counts[ASKED][ASKED]} 幅，最多的错是${names[most]}，${count} 幅。`;
    }
    return { draw, reveal };
  }

  hands.figure("confusion", { maths, build });
})();
