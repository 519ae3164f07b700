/* 指着术语、文献或公式的编号（或用 Tab 键走到它）时，旁边显示它的内容；Esc 收起。手机上没有“指着”，先点一下看，再点一下才去。 */
(() => {
  "use strict";
  const DATA = `${document.documentElement.dataset.content_root}_static/cards-data.js`;
  const LINKS = '.bd-article a:not(.headerlink):is([href*="#term-"], [href*="#cite-"], [href*="#equation-"])';
  const DELAY = 150; // 毫秒：鼠标只是路过时不打扰
  const GAP = 6; // 像素：卡片与链接的距离
  const card = Object.assign(document.createElement("div"), { id: "book-card", hidden: true });
  card.setAttribute("role", "tooltip");
  const AGAIN = "<p><small>再点一下，去那里</small></p>";
  let loading, timer, current;

  const load = () =>
    (loading ??= new Promise((resolve, reject) => {
      const script = Object.assign(document.createElement("script"), { src: DATA, onload: resolve, onerror: reject });
      document.head.append(script);
    }));

  /* 放在链接下面；下面放不下就放上面，左右不出屏幕。 */
  function place(link) {
    const target = link.getClientRects()[0];
    const { offsetWidth: width, offsetHeight: height } = card;
    const below = target.bottom + GAP + height <= innerHeight;
    const left = Math.max(GAP, Math.min(target.left, document.documentElement.clientWidth - width - GAP));
    card.style.left = `${left + scrollX}px`;
    card.style.top = `${(below ? target.bottom + GAP : target.top - GAP - height) + scrollY}px`;
  }

  async function show(link, hint) {
    await load();
    const html = window.bookCards[decodeURIComponent(link.hash.slice(1))];
    if (!html || link !== current) return;
    card.innerHTML = html + hint; // 内容是建站时从本书的页面里取的
    card.hidden = false;
    link.setAttribute("aria-describedby", card.id);
    place(link);
  }

  function hide() {
    clearTimeout(timer);
    current?.removeAttribute("aria-describedby");
    current = undefined;
    card.hidden = true;
  }

  function plan(link, delay, hint = "") {
    hide();
    current = link;
    timer = setTimeout(() => show(link, hint).catch(hide), delay);
  }

  document.body.append(card);
  for (const link of document.querySelectorAll(LINKS)) {
    link.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && plan(link, DELAY));
    link.addEventListener("focus", () => link.matches(":focus-visible") && plan(link, 0));
    link.addEventListener("blur", hide);
    link.addEventListener("pointerleave", ({ pointerType }) => {
      if (pointerType !== "mouse") return;
      timer = setTimeout(() => card.matches(":hover") || hide(), DELAY); // 来得及把鼠标移到卡片上
    });
    link.addEventListener("click", (event) => {
      if (event.pointerType !== "touch" || link === current) return;
      event.preventDefault();
      plan(link, 0, AGAIN);
    });
  }
  card.addEventListener("pointerleave", ({ pointerType }) => pointerType === "mouse" && hide());
  document.addEventListener("pointerdown", ({ target }) => card.contains(target) || current?.contains(target) || hide());
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
})();
