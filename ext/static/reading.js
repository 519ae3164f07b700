/* 读到哪里：顶栏里的标题与进度，本页内容里的这一小节；标题旁的 # 复制链接，← 与 → 翻页。 */
(() => {
  "use strict";
  const LINE = 120; // 像素：标题高过这里，就算读到了这一小节
  const NOTICE = 1600; // 毫秒
  const make = (tag, properties) => Object.assign(document.createElement(tag), properties);

  /* ---- 顶栏：大标题看不见以后写出它，下面一道细线是读了多少 */
  const bar = document.querySelector(".bd-header-article");
  const heading = document.querySelector(".bd-article h1");
  const read = make("div", { className: "read-line" });
  if (bar && heading) {
    const name = document.querySelector(".book-name"); // 首页的大标题是一个问题，写书名
    const words = name ? [name] : [...heading.childNodes].filter((node) => !node.matches?.(".headerlink"));
    const title = make("a", { className: "read-title", href: "#", title: "回到这一页的开头" });
    title.textContent = words.map((node) => node.textContent).join("");
    bar.querySelector(".header-article-items__start").append(title);
    bar.append(read);
    const watcher = new IntersectionObserver(
      ([entry]) => bar.classList.toggle("past-title", !entry.isIntersecting && entry.boundingClientRect.top < LINE),
      { rootMargin: "-56px 0px 0px" }, // 顶栏的高；量它要排版，打开时正忙
    );
    watcher.observe(heading);
  }

  /* ---- 本页内容：最后一个高过 LINE 的小节。手机上还没排版的小节，里面的东西一量就要排版，所以先量最外层的 */
  const links = [...document.querySelectorAll(".page-toc a[href^='#']")];
  const section = (hash) => document.getElementById(decodeURIComponent(hash.slice(1)))?.closest("section, dt");
  const sections = links.map((link) => section(link.hash));
  const above = (node) => node.getBoundingClientRect().top <= LINE;
  const passed = (each) => each && above(each.closest("article > section > section") ?? each) && above(each);
  let planned = false;

  function current(atEnd) {
    const jumped = atEnd ? sections.indexOf(section(location.hash)) : -1; // 靠近结尾的小节，跳过去也到不了 LINE
    if (jumped >= 0 && sections[jumped].getBoundingClientRect().top < innerHeight) return jumped;
    return atEnd ? sections.length - 1 : sections.findLastIndex(passed);
  }

  function update() {
    planned = false;
    const rest = document.documentElement.scrollHeight - innerHeight;
    read.style.transform = `scaleX(${rest > 0 ? Math.min(1, scrollY / rest) : 0})`;
    const here = links[current(rest > 0 && scrollY >= rest - 2)];
    for (const link of links) {
      link.classList.toggle("active", link === here);
      if (link === here) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
      const entry = link.closest(".toc-entry");
      entry.classList.toggle("active", entry.contains(here ?? null));
    }
  }

  function plan() {
    planned ||= Boolean(requestAnimationFrame(update));
  }

  for (const event of ["scroll", "resize", "hashchange", "load"]) addEventListener(event, plan, { passive: true });
  plan();

  /* ---- 下载的菜单：点按钮打开；点别处、按 Esc 或用 Tab 走出去，就关上 */
  const menu = document.querySelector(".dropdown-menu");
  if (menu) {
    const button = menu.previousElementSibling;
    const show = (open) => {
      menu.classList.toggle("show", open);
      button.setAttribute("aria-expanded", open);
    };
    const shown = () => menu.classList.contains("show");
    document.addEventListener("click", ({ target }) => show(button.contains(target) && !shown()));
    menu.parentElement.addEventListener("focusout", ({ relatedTarget: next }) => {
      if (next && !menu.parentElement.contains(next)) show(false);
    });
    menu.parentElement.addEventListener("keydown", ({ key }) => {
      if (key !== "Escape" || !shown()) return;
      show(false);
      button.focus();
    });
  }

  /* ---- 放不下的代码、输出与表格能聚焦，用键盘才滚得动。手机上还没排版的先当作放不下，排好了浏览器会告诉我们 */
  const TABLES = ".pst-scrollable-table-container", BOXES = `pre, .cell_output > .output, ${TABLES}`; // prettier-ignore
  const scrolls = (box) => box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
  const isCut = (box) => box.scrollWidth - box.clientWidth - box.scrollLeft > 4; // 右边还有：表淡出去
  const watcher = new ResizeObserver((entries) => {
    const boxes = entries.map((entry) => entry.target.closest(BOXES)).filter(Boolean);
    const results = boxes.map((box) => [scrolls(box), box.matches(TABLES) && isCut(box)]); // 先都量，再都改
    boxes.forEach((box, i) => {
      box.tabIndex = results[i][0] ? 0 : -1;
      box.classList.toggle("cut-off", results[i][1]);
    });
  });
  for (const each of document.querySelectorAll(`${BOXES}, article table`)) {
    if (each.matches(BOXES)) each.tabIndex = 0;
    if (each.matches(TABLES))
      each.addEventListener("scroll", () => each.classList.toggle("cut-off", isCut(each)), { passive: true });
    watcher.observe(each); // 表格也看着：字体到了，它会变宽，框不变
  }

  /* ---- 标题、公式、题注旁的 #：照常跳到那里，网址也复制下来 */
  const notice = make("div", { id: "book-notice" });
  notice.setAttribute("role", "status");
  document.body.append(notice);
  let timer;
  document.addEventListener("click", async (event) => {
    const link = event.target.closest?.("a.headerlink");
    if (!link) return;
    try {
      await navigator.clipboard.writeText(link.href);
    } catch {
      return; // 浏览器不许复制，就不说复制了
    }
    const place = link.getBoundingClientRect();
    notice.style.left = `${Math.min(place.right + scrollX + 6, innerWidth - 110)}px`;
    notice.style.top = `${place.top + scrollY}px`;
    notice.textContent = "已复制链接";
    clearTimeout(timer);
    timer = setTimeout(() => (notice.textContent = ""), NOTICE);
  });

  /* ---- 翻页；正在写字、选东西、看对话框时不翻 */
  addEventListener("keydown", (event) => {
    const busy = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented;
    if (busy || event.target !== document.body || document.querySelector("dialog[open]")) return;
    const side = { ArrowLeft: "a.left-prev", ArrowRight: "a.right-next" }[event.key];
    if (side) document.querySelector(side)?.click();
  });
})();
