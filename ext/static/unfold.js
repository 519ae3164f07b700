/* 折起来的解答与输出：链接指到里面时打开，打印时都打开；印完恢复原样与配色。 */
(() => {
  "use strict";
  const page = document.documentElement.dataset;
  let theme, opened;

  /* 从外到里打开，再滚到那里。 */
  function open() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    let closed = false;
    const fold = target?.querySelector(":scope > details"); // 指着一小节，它的内容折着
    for (let node = fold ?? target; node; node = node.parentElement) {
      if (node.matches(".toggle-hidden")) node.querySelector(".toggle-button").click();
      else if (node.matches("details:not([open])")) node.open = true;
      else continue;
      closed = true;
    }
    if (closed) target.scrollIntoView();
  }

  addEventListener("DOMContentLoaded", open); // 这时折叠块的脚本已经把它们折起来
  addEventListener("hashchange", open);
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href*="#"]');
    if (link?.href === location.href) open(); // 再点一次同一个链接，没有 hashchange
  });

  addEventListener("beforeprint", () => {
    theme = page.theme;
    page.theme = "light";
    opened = document.querySelectorAll("details:not([open])");
    opened.forEach((each) => (each.open = true));
  });
  addEventListener("afterprint", () => {
    page.theme = theme;
    opened.forEach((each) => (each.open = false));
  });
})();
