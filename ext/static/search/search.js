/* 搜索的界面：主题的对话框（Ctrl+K、/、放大镜）与搜索页共用。第一次用到时才加载索引。 */
(() => {
  "use strict";
  const ROOT = document.documentElement.dataset.content_root || "./";
  const FILES = ["minisearch.js", "index.js", "engine.js"];
  const LIMIT = 10;
  let ready;

  const loadScript = (name) =>
    new Promise((resolve, reject) => {
      const script = Object.assign(document.createElement("script"), { src: `${ROOT}_static/search/${name}` });
      script.onload = resolve;
      script.onerror = () => reject(new Error(name));
      document.head.append(script);
    });

  /* 按次序加载；失败了下次再试。 */
  const load = () =>
    (ready ??= FILES.reduce((done, name) => done.then(() => loadScript(name)), Promise.resolve()).catch((error) => {
      ready = undefined;
      throw error;
    }));

  function element(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  const highlighted = (parts) => parts.map(([text, hit]) => (hit ? element("mark", {}, text) : text));

  function resultItem(result, id) {
    const { highlight, excerpt } = window.bookSearch;
    return element(
      "a",
      { id, role: "option", "aria-selected": "false", href: ROOT + result.url, tabindex: "-1" },
      element("span", { class: "book-search-title" }, ...highlighted(highlight(result.title, result.hits))),
      element("span", { class: "book-search-path" }, result.parents || "整页"),
      element("span", { class: "book-search-text" }, ...highlighted(excerpt(result, result.hits)))
    );
  }

  /* 找到了多少；没有的就说没有。 */
  function report(query, count) {
    if (!count) return `书里没有找到“${query}”。本书只讲线性回归与 softmax 分类，也可以换个说法试试。`;
    const missing = window.bookSearch.unknown(query).map((word) => `“${word}”`);
    const found = count < LIMIT ? `找到 ${count} 处` : `最相关的 ${LIMIT} 处`;
    return missing.length ? `${found}；书里没有提到${missing.join("、")}` : found;
  }

  /* 给一个搜索框配上结果列表。 */
  function attach(form, number) {
    const input = form.querySelector("input[type=search]");
    const listId = `book-search-${number}`;
    const status = element("p", { class: "book-search-status", role: "status", "aria-live": "polite" });
    const list = element("div", { class: "book-search-list", id: listId, role: "listbox", "aria-label": "搜索结果" });
    const keys = element("p", { class: "book-search-keys", "aria-hidden": "true" }, "↑ ↓ 选择，Enter 打开，Esc 关闭");
    const panel = element("div", { class: "book-search", hidden: "" }, status, list, keys);
    form.after(panel);
    const combobox = { role: "combobox", "aria-controls": listId, "aria-autocomplete": "list", enterkeyhint: "go" };
    for (const [name, value] of Object.entries(combobox)) input.setAttribute(name, value);
    input.setAttribute("aria-expanded", "false");
    let selected = -1;
    let shown = "";

    function select(index) {
      const items = [...list.children];
      selected = items.length ? (index + items.length) % items.length : -1;
      items.forEach((item, i) => item.setAttribute("aria-selected", String(i === selected)));
      if (selected < 0) return input.removeAttribute("aria-activedescendant");
      input.setAttribute("aria-activedescendant", items[selected].id);
      items[selected].scrollIntoView({ block: "nearest" });
    }

    function show(query) {
      shown = query;
      const results = query ? window.bookSearch.find(query, LIMIT) : [];
      list.replaceChildren(...results.map((result, i) => resultItem(result, `${listId}-${i}`)));
      status.textContent = query && report(query, results.length);
      list.hidden = keys.hidden = !results.length;
      panel.hidden = !query;
      input.setAttribute("aria-expanded", String(results.length > 0));
      select(0);
    }

    function fail() {
      panel.hidden = false;
      status.textContent = "搜索没有加载成功，请刷新页面再试。";
    }

    const update = () => load().then(() => show(input.value.trim()), fail);

    function onKey(event) {
      if (event.isComposing) return; // 输入法正在选字
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        select(selected + (event.key === "ArrowDown" ? 1 : -1));
      }
    }

    /* 回车：到选中的一条；打字后结果还没有出来时先等一等。 */
    function onSubmit(event) {
      event.preventDefault();
      load().then(() => {
        if (shown !== input.value.trim()) show(input.value.trim());
        list.children[selected]?.click();
      }, fail);
    }

    /* 点了本页的小节，对话框要关上。 */
    list.addEventListener("click", () => form.closest("dialog")?.close());
    input.addEventListener("focus", () => load().catch(() => {}));
    input.addEventListener("input", (event) => event.isComposing || update());
    input.addEventListener("compositionend", update);
    input.addEventListener("keydown", onKey);
    form.addEventListener("submit", onSubmit);
    return { input, update };
  }

  const fields = [...document.querySelectorAll("form.bd-search")].map(attach);
  const dialog = document.querySelector("#pst-search-dialog");
  const onPage = fields.find(({ input }) => !input.closest("dialog"));

  /* 不在输入框里时，按 / 打开搜索，与 Ctrl+K 一样。 */
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    event.preventDefault();
    if (!onPage) dialog?.showModal();
    (onPage?.input ?? dialog?.querySelector("input"))?.focus();
  });

  const query = new URLSearchParams(location.search).get("q");
  if (onPage && query) {
    onPage.input.value = query;
    onPage.update();
  }
})();
