/* 打卡：做完一节的预测与自测，目录、首页与这一节的末尾就打上勾；一部都做完了，可以做一张打卡图。
   要做哪些在 checkin-data.js，做过哪些在 progress.js。没有分数，也不算连续几天。 */
(() => {
  "use strict";
  const ROOT = document.currentScript.src.replace(/_static\/.*$/, "");
  const KINDS = ["predicted", "answered"];
  const desk = document.querySelector(".checkin-desk");
  const here = location.href.split(/[?#]/)[0];

  function el(tag, attributes, ...children) {
    const node = Object.assign(document.createElement(tag), attributes);
    node.append(...children);
    return node;
  }
  const button = (text, onclick) => el("button", { type: "button", onclick }, text);
  function day(time) {
    const date = new Date(time);
    return `${date.getFullYear()} 年 ${date.getMonth() + 1} 月 ${date.getDate()} 日`;
  }

  /* 一节做到哪里了：总共几件，还差哪些，哪一天做完的。 */
  function state(section, all) {
    const done = {
      predicted: (name) => all.predicted[`${section.doc}#${name}`],
      answered: (name) => all.answered[`${section.doc}#${name}`]?.right && all.answered[`${section.doc}#${name}`],
    };
    const missing = Object.fromEntries(KINDS.map((kind) => [kind, section[kind].filter((name) => !done[kind](name))]));
    const times = KINDS.flatMap((kind) => section[kind].map((name) => done[kind](name)?.time ?? "")).sort();
    const total = times.length, left = missing.predicted.length + missing.answered.length; // prettier-ignore
    return { total, done: total - left, missing, time: left ? undefined : times.at(-1) };
  }

  /* ------------------------------------------------ 勾：全书目录与首页的目录 */

  function mark(sections, all) {
    document.querySelectorAll(".checkin-mark").forEach((each) => each.remove());
    const byPage = new Map(sections.map((section) => [ROOT + section.url, section]));
    for (const link of document.querySelectorAll(".bd-links a[href], .book-part a[href]")) {
      const section = byPage.get(link.href.split("#")[0]);
      if (!section) continue;
      const { done, total } = state(section, all);
      if (done === total) link.append(el("span", { className: "checkin-mark", role: "img", ariaLabel: "（已打卡）" }, "\u00a0✓"));
      else if (done && link.closest(".book-part"))
        link.append(el("span", { className: "checkin-mark checkin-part" }, `\u00a0${done}/${total}`));
    }
  }

  /* ------------------------------------------------ 一节的末尾 */

  const end = el("aside", { className: "checkin-end", ariaLabel: "这一节的打卡" });

  function finish(section, part, home, all) {
    const { missing, time } = state(section, all);
    /* “自测 2 4 5”：一件一个链接；只有一件时，链接就是“预测”。 */
    const list = (kind, word, anchor) =>
      missing[kind].flatMap((name, i) => {
        const number = section[kind].indexOf(name) + 1, only = section[kind].length === 1; // prettier-ignore
        const ariaLabel = only ? word : `${word}第 ${number} 题`;
        const link = el("a", { href: `#${anchor}-${name}`, ariaLabel }, only ? word : String(number));
        return only ? [link] : [i ? " " : `${word} `, link];
      });
    const left = [list("predicted", "预测", "hands"), list("answered", "自测", "quiz")].filter((each) => each.length);
    const others = part.sections.filter((each) => !state(each, all).time).length;
    const card = el("a", { href: `${ROOT}${home}#sec-index-checkin` }, others ? `这一部还差 ${others} 节` : "去做打卡图");
    if (time) end.replaceChildren(el("strong", {}, "✓ 这一节已打卡"), `，${day(time)}。`, card, "。");
    else end.replaceChildren("打卡还差：", ...left.flatMap((each, i) => (i ? ["；", ...each] : each)));
    if (!end.isConnected) document.querySelector("article.bd-article").after(end);
  }

  /* ------------------------------------------------ 首页：打卡图与记录 */

  const said = el("p", { className: "checkin-said", role: "status" });
  const cards = [];

  /* 存不下：换成了替身（见 templates/layout.html），或者一存就报错。 */
  function refused() {
    try {
      localStorage.setItem("book-test", "1");
      localStorage.removeItem("book-test");
      return !(localStorage instanceof Storage);
    } catch {
      return true;
    }
  }

  function card(part, number, book) {
    const status = el("p", {});
    const wish = el("textarea", { rows: 3, maxLength: 60, value: bookProgress.get().sentences?.[number] ?? "" });
    const make = button("做成图片", () => {
      const days = part.sections.map((section) => state(section, bookProgress.get()).time).sort();
      const src = draw({ book, part, number, date: day(days.at(-1)), sentence: wish.value.trim() });
      const alt = `打卡图：${book}，${part.title}，${day(days.at(-1))}。${wish.value}`;
      const save = el("a", { href: src, download: `打卡 ${part.title}.png` }, "下载");
      picture.replaceChildren(el("img", { src, alt }), el("p", {}, "长按图片，保存到相册；电脑上可以", save, "。"));
    });
    const picture = el("div", { className: "checkin-picture" });
    wish.addEventListener("input", () => {
      bookProgress.update((all) => (all.sentences = { ...all.sentences, [number]: wish.value }));
    });
    const label = el("label", {}, "用自己的一句话，说说学到了什么（最多 60 字）", wish);
    const open = el("ul", {});
    const rest = el("details", { className: "checkin-open" }, el("summary", {}, "还差哪些"), open);
    cards.push((all) => {
      const done = part.sections.filter((section) => state(section, all).time).length;
      const all_done = done === part.sections.length;
      const count = part.sections.length;
      status.textContent = all_done ? `${done} 节都做完了，可以做打卡图。` : `${count} 节里做完了 ${done} 节。`;
      form.hidden = !all_done; // 还做不成的，只有一行
      rest.hidden = all_done;
      open.replaceChildren(...part.sections.filter((section) => !state(section, all).time).map((section) => {
        const { predicted, answered } = state(section, all).missing;
        const words = [predicted.length ? "预测" : "", answered.length ? `自测 ${answered.length} 题` : ""];
        const href = `${ROOT}${section.url}#${predicted.length ? `hands-${predicted[0]}` : `quiz-${answered[0]}`}`;
        return el("li", {}, el("a", { href }, section.title), `：还差${words.filter(Boolean).join("，")}`);
      })); // prettier-ignore
      if (!all_done) picture.replaceChildren();
      if (document.activeElement !== wish) wish.value = all.sentences?.[number] ?? "";
    });
    const form = el("div", { className: "checkin-form" }, label, make, picture);
    const title = el("p", { className: "checkin-title" }, part.title);
    return el("section", { className: "checkin-card", ariaLabel: `${part.title}的打卡图` }, title, status, rest, form);
  }

  /* 导入的并进来：已有的不覆盖，只有原来没答对的换成答对的；返回添了几条。 */
  function merge(all, other) {
    let count = 0;
    for (const kind of [...KINDS, "sentences"]) {
      const mine = (all[kind] ??= {});
      for (const [key, value] of Object.entries(other[kind] ?? {})) {
        const better = kind === "answered" ? !mine[key]?.right && (value?.right || !mine[key]) : !mine[key];
        if (!better || ["__proto__", "constructor"].includes(key)) continue;
        mine[key] = value;
        count += kind !== "sentences";
      }
    }
    return count;
  }

  const isRecord = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

  async function load(file) {
    let other;
    try {
      other = JSON.parse(await file.text());
    } catch {}
    const valid =
      isRecord(other) && other.v === 1 && KINDS.every((kind) => isRecord(other[kind])) &&
      KINDS.every((kind) => Object.values(other[kind]).every(isRecord)) &&
      Object.values(other.sentences ?? {}).every((each) => typeof each === "string"); // prettier-ignore
    if (!valid) return (said.textContent = `${file.name} 不是这本书导出的记录，没有改动。请选“导出记录”存下的文件。`);
    let count = 0;
    bookProgress.update((all) => (count = merge(all, other)));
    said.textContent = count ? `导入了 ${count} 条；已有的都留着。` : "文件里的记录这里都已经有了。";
  }

  function save() {
    const text = JSON.stringify(bookProgress.get(), null, 1);
    const href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    el("a", { href, download: "打卡记录.json" }).click();
    setTimeout(() => URL.revokeObjectURL(href), 1000);
    said.textContent = "导出成“打卡记录.json”。换了浏览器或设备，从那里导入。";
  }

  function clear() {
    const before = bookProgress.get();
    bookProgress.update((all) => {
      for (const kind of [...KINDS, "sentences"]) all[kind] = {};
    });
    const undo = button("撤销", () => {
      bookProgress.update((all) => merge(all, before));
      said.textContent = "记录都回来了。";
    });
    said.replaceChildren("记录清空了。", undo);
  }

  function furnish({ book, parts }) {
    const pick = el("input", { type: "file", accept: ".json,application/json", hidden: true, onchange: () => {
      if (pick.files[0]) load(pick.files[0]);
      pick.value = "";
    } }); // prettier-ignore
    const where = refused()
      ? "这个浏览器不让网页存东西，关上这一页，记录就没有了；别的照常。"
      : "记录只存在这个浏览器里，不会传出去。苹果的 Safari 七天没有打开这本书，就会自己清掉；怕丢，或者要换设备，就导出成一个小文件。";
    desk.replaceChildren(
      el("div", { className: "checkin-cards" }, ...parts.map((part, i) => card(part, i + 1, book))),
      el("details", { className: "checkin-record", open: refused() },
        el("summary", {}, "记录：导出、导入、清空"),
        el("p", {}, where),
        el("div", { className: "checkin-buttons" }, button("导出记录", save), button("导入记录", () => pick.click()), pick, button("清空记录", clear)),
        said,
      ),
    ); // prettier-ignore
  }

  /* ------------------------------------------------ 打卡图：画在画布上，交出一张 PNG */

  const [WIDTH, HEIGHT, EDGE] = [1080, 1440, 96];
  const PAPER = "#fdfcf9", INK = "#24282c", BLUE = "#0b5c7f", OCHRE = "#9c3f14", GREY = "#565e66"; // prettier-ignore

  /* 折成几行，每行不超过 width；英文的词也可以断开。 */
  function lines(pen, text, width) {
    const rows = [""];
    for (const letter of text.replace(/\s+/g, " ")) {
      if (pen.measureText(rows.at(-1) + letter).width > width && !"，。；：？！、）”".includes(letter)) rows.push("");
      rows[rows.length - 1] += letter;
    }
    return rows;
  }

  /* 第一部分是一条穿过散点的直线，第二部分是一排概率。 */
  function ornament(pen, number) {
    if (number === 1) {
      for (let i = 0; i < 40; i++) {
        const x = EDGE + (i / 39) * (WIDTH - 2 * EDGE);
        const y = 350 - 0.16 * (x - EDGE) + 70 * Math.sin(12.9898 * i * i + 4); // 固定的起伏，每次一样
        pen.fillStyle = BLUE;
        pen.beginPath();
        pen.arc(x, y, 8, 0, 2 * Math.PI);
        pen.fill();
      }
      pen.strokeStyle = OCHRE;
      pen.lineWidth = 8;
      pen.beginPath();
      pen.moveTo(EDGE, 350);
      pen.lineTo(WIDTH - EDGE, 350 - 0.16 * (WIDTH - 2 * EDGE));
      pen.stroke();
      return;
    }
    const heights = [20, 36, 24, 60, 230, 44, 110, 18, 30, 22];
    heights.forEach((height, i) => {
      pen.fillStyle = i === 4 ? OCHRE : BLUE;
      pen.fillRect(EDGE + i * 90, 400 - height, 62, height);
    });
  }

  /* 画一遍，返回写到了哪里（像素）。 */
  function paint(pen, height, { book, part, number, date, sentence }) {
    const font = getComputedStyle(document.body).fontFamily;
    let y;
    function write(text, size, color, { weight = 400, gap = 1.5, x = EDGE } = {}) {
      pen.font = `${weight} ${size}px ${font}`;
      pen.fillStyle = color;
      for (const row of lines(pen, text, WIDTH - EDGE - x)) pen.fillText(row, x, (y += size * gap));
    }
    pen.fillStyle = PAPER;
    pen.fillRect(0, 0, WIDTH, height);
    ornament(pen, number);
    y = 430;
    write(part.title, 58, INK, { weight: 700 });
    write(`${date} 打卡`, 36, GREY);
    y += 30;
    for (const { title } of part.sections) write(`✓ ${title}`, 38, BLUE, { gap: 1.45 });
    if (sentence) {
      y += 40;
      const top = y;
      write(sentence, 42, INK, { x: EDGE + 36 });
      pen.fillStyle = OCHRE;
      pen.fillRect(EDGE, top + 22, 8, y - top - 6);
    }
    const end = y;
    y = height - EDGE - 34;
    write(book, 32, GREY, { gap: 1 });
    return end;
  }

  function draw(words) {
    const canvas = el("canvas", { width: WIDTH, height: HEIGHT });
    const pen = canvas.getContext("2d");
    canvas.height = Math.max(HEIGHT, Math.ceil(paint(pen, HEIGHT, words)) + 2 * EDGE); // 话长，图就高一些
    paint(pen, canvas.height, words);
    return canvas.toDataURL("image/png");
  }

  /* ------------------------------------------------ 开始 */

  function start({ home, book, parts }) {
    const sections = parts.flatMap((part) => part.sections);
    const part = parts.find((each) => each.sections.some((section) => ROOT + section.url === here));
    const section = part?.sections.find((each) => ROOT + each.url === here);
    if (desk) furnish({ book, parts });
    const update = () => {
      const all = bookProgress.get();
      mark(sections, all);
      if (section) finish(section, part, home, all);
      cards.forEach((each) => each(all));
    };
    update();
    document.addEventListener("book-progress", update);
  }

  const all = bookProgress.get();
  const begun = KINDS.some((kind) => Object.keys(all[kind]).length);
  if (!begun && !desk && !document.querySelector(".quiz")) return; // 什么也没做过：不加载，也不改动页面
  const src = `${ROOT}_static/checkin-data.js`;
  document.head.append(el("script", { src, onload: () => start(window.bookTasks) }));
})();
