/* 打印：换成浅色，折起来的输出与解答都展开；印完恢复配色。 */
(() => {
  "use strict";
  const page = document.documentElement.dataset;
  let theme;
  addEventListener("beforeprint", () => {
    theme = page.theme;
    page.theme = "light";
    document.querySelectorAll("details").forEach((each) => (each.open = true));
  });
  addEventListener("afterprint", () => (page.theme = theme));
})();
