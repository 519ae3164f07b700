/* 读者做过什么：预测（hands/common.js）与自测，只存在这个浏览器里。浏览器不许存，就只记到关上这一页，别的照常。

   bookProgress.get() → { v: 1, predicted: { "文档#图": { choice, time } }, answered: {…} }，拿到的是一份副本；
   bookProgress.update((all) => { all.predicted[key] = …; }) 改一处并存下；
   改过之后（别的标签页里改的也算），document 上有一个 "book-progress" 事件，detail 是改过的全部。 */
window.bookProgress = (() => {
  "use strict";
  const KEY = "book-progress";
  const EMPTY = '{"v":1,"predicted":{},"answered":{}}';
  let unsaved; // 浏览器不许存时，存在这里

  function read(text) {
    try {
      return { ...JSON.parse(EMPTY), ...JSON.parse(text) }; // 认不得的项也留着
    } catch {
      return JSON.parse(EMPTY); // 存下的坏了，当作没有
    }
  }

  function get() {
    try {
      return read(unsaved ?? localStorage.getItem(KEY) ?? EMPTY);
    } catch {
      return read(EMPTY);
    }
  }

  function update(change) {
    const all = get();
    change(all);
    const text = JSON.stringify(all);
    try {
      localStorage.setItem(KEY, text);
      unsaved = undefined;
    } catch {
      unsaved = text;
    }
    tell();
  }

  function tell() {
    document.dispatchEvent(new CustomEvent("book-progress", { detail: get() }));
  }

  addEventListener("storage", (event) => {
    if (event.key === KEY || event.key === null) tell();
  });
  return { get, update };
})();
