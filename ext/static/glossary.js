/* 术语表的筛选：只留下中文、英文或解释里有这几个字的；Esc 清空。 */
(() => {
  "use strict";
  const input = document.querySelector(".glossary-filter input");
  const status = document.querySelector(".glossary-filter [role=status]");
  const terms = [...document.querySelectorAll("dl.glossary > dt")];
  const definition = (term) => term.nextElementSibling;
  const text = new Map(terms.map((term) => [term, `${term.textContent}${definition(term).textContent}`.toLowerCase()]));
  const themes = [...document.querySelectorAll("section:has(> dl.glossary)")];

  function filter() {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const kept = terms.filter((term) => {
      const keep = words.every((word) => text.get(term).includes(word));
      term.hidden = definition(term).hidden = !keep;
      return keep;
    });
    for (const theme of themes) theme.hidden = !theme.querySelector("dl.glossary > dt:not([hidden])");
    status.textContent = words.length ? (kept.length ? `${kept.length} 个` : "没有，换个说法试试") : "";
  }

  input.addEventListener("input", filter);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") filter((input.value = ""));
  });
  addEventListener("hashchange", () => filter((input.value = ""))); // 链接指着的术语不能藏着
  filter(); // 退回这一页时，浏览器会留着写过的字
})();
