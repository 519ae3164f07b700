/* 折起来的解答与输出：链接指到里面时打开，打印时都打开，答案移到最后；印完恢复原样与配色。 */
(() => {
  "use strict";
  const page = document.documentElement.dataset;
  let theme, opened, last, moved;

  const targetOf = ({ hash }) => document.getElementById(decodeURIComponent(hash.slice(1)));

  /* 手机上还没排版的小节、还没造的动手的图，高矮只是大概的。跳过去之前先把前面的都排好、造好，才到得准：
     有的浏览器（Safari）不会在它们变高变矮时跟着挪。 */
  function layOut(target) {
    for (const part of document.querySelectorAll("article > section > section, .hands-on")) {
      if (!(part.compareDocumentPosition(target) & Node.DOCUMENT_POSITION_FOLLOWING)) break;
      part.style.contentVisibility = "visible";
      part.dispatchEvent(new Event("book-near"));
    }
  }

  /* 从外到里打开，再滚到那里。 */
  function open({ arriving = false } = {}) {
    const target = targetOf(location);
    if (target) layOut(target);
    let closed = false;
    const fold = target?.querySelector(":scope > details"); // 指着一小节，它的内容折着
    for (let node = fold ?? target; node; node = node.parentElement) {
      if (node.matches(".toggle-hidden")) node.querySelector(".toggle-button").click();
      else if (node.matches("details:not([open])")) node.open = true;
      else continue;
      closed = true;
    }
    if (closed || arriving) target?.scrollIntoView();
  }

  /* 手机上，浏览器照像素记下的位置再来时会到别处：上面的小节还没排版，高矮不准。所以记的是第几小节、往下多少。 */
  const PLACE = `book-place ${location.pathname}`;
  const phone = matchMedia("(max-width: 600px)");
  const sections = () => [...document.querySelectorAll("article > section > section")];
  const topOf = (section) => section?.getBoundingClientRect().top ?? -scrollY;

  function remember() {
    const number = sections().findLastIndex((section) => topOf(section) <= 0);
    sessionStorage[PLACE] = JSON.stringify([number, -topOf(sections()[number])]);
  }

  function comeBack([number, below]) {
    history.scrollRestoration = "manual";
    const section = sections()[number];
    if (section) layOut(section.lastElementChild); // 它自己也要排好
    scrollTo({ top: scrollY + topOf(section) + below, behavior: "instant" });
  }

  addEventListener("pagehide", () => {
    try {
      if (phone.matches) remember();
    } catch {} // 浏览器不许存
  });

  addEventListener("DOMContentLoaded", () => {
    // 这时折叠块的脚本已经把它们折起来；刷新的话，浏览器会回到原来读的地方
    const isNew = performance.getEntriesByType("navigation")[0]?.type === "navigate";
    open({ arriving: isNew });
    try {
      if (phone.matches && !isNew) comeBack(JSON.parse(sessionStorage[PLACE]));
    } catch {} // 没有存下
  });
  addEventListener("hashchange", () => open());
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href*="#"]');
    if (!link) return;
    if (link.href === location.href) return open(); // 再点一次同一个链接，没有 hashchange
    const target = link.pathname === location.pathname && targetOf(link);
    if (target) layOut(target);
  });

  /* 纸上点不开，答案挨着题目就看见了：自测与动手试的说明、练习的解答，都印在最后。 */
  function putLast() {
    const end = Object.assign(document.createElement("section"), { className: "printed-answers" });
    end.innerHTML = "<h2>答案</h2>";
    let number = 0; // 自测的第几题
    for (const box of document.querySelectorAll(".quiz-question, .hands-on, .exercise-group")) {
      const parts = [...box.querySelectorAll(".quiz-answers, .hands-verdicts, .hands-why, .solution")];
      const title = box.querySelector(":is(.hands-title, .exercise .admonition-title)");
      const name = document.createElement("h3");
      name.textContent = box.matches(".quiz-question") ? `自测第 ${++number} 题` : title?.textContent;
      if (parts.length) end.append(name);
      for (const part of parts) {
        const place = document.createComment("");
        part.replaceWith(place);
        end.append(part);
        moved.push([part, place]);
      }
    }
    if (moved.length) document.querySelector("article > section")?.append(end);
    return end;
  }

  addEventListener("beforeprint", () => {
    moved = [];
    last = putLast();
    theme = page.theme;
    page.theme = "light";
    opened = document.querySelectorAll("details:not([open])");
    opened.forEach((each) => (each.open = true));
  });
  addEventListener("afterprint", () => {
    page.theme = theme;
    opened.forEach((each) => (each.open = false));
    for (const [part, place] of moved) place.replaceWith(part);
    last.remove();
  });
})();
