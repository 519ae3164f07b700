/* 点图放大：手机上看清宽的图，桌面上看清成排的小图。没有这个脚本时，图仍是通往原图的链接。 */
(() => {
  "use strict";
  let dialog, opener;

  addEventListener("DOMContentLoaded", () => {
    for (const link of document.querySelectorAll("article a.image-reference")) {
      link.setAttribute("role", "button");
      link.setAttribute("aria-haspopup", "dialog");
      link.setAttribute("aria-label", `放大：${link.querySelector("img").alt}`);
      link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return; // 在新的标签页里打开原图
        event.preventDefault();
        show(link);
      });
      link.addEventListener("keydown", (event) => {
        if (event.key !== " ") return;
        event.preventDefault();
        show(link);
      });
    }
  });

  function build() {
    dialog = document.createElement("dialog");
    dialog.className = "enlarged";
    dialog.setAttribute("aria-label", "放大的图");
    dialog.innerHTML = '<div class="pan" tabindex="0" role="group" aria-label="图，可以滚动"></div><p></p>';
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "关闭";
    dialog.append(button);
    dialog.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      if (history.state?.enlarged) history.back(); // 不是按“后退”关上的，把打开时添的那一步撤掉
      opener.focus({ preventScroll: true });
    });
    addEventListener("popstate", () => dialog.close());
    addEventListener("resize", fit);
    document.body.append(dialog);
  }

  function show(link) {
    if (!dialog) build();
    opener = link;
    const image = link.querySelector("img").cloneNode();
    image.loading = "eager";
    image.addEventListener("load", fit);
    dialog.querySelector(".pan").replaceChildren(image);
    const caption = link.closest("figure")?.querySelector("figcaption");
    const words = [...(caption?.querySelectorAll(".caption-number, .caption-text") ?? [])];
    dialog.querySelector("p").textContent = words.map((each) => each.textContent).join("");
    history.pushState({ enlarged: true }, "");
    dialog.showModal();
    fit();
    dialog.querySelector(".pan").focus();
  }

  /* 放得下时尽量大，但不超过它的像素；放不下时照原来的大小，在框里滚动。 */
  function fit() {
    const image = dialog.querySelector("img");
    if (!dialog.open || !image?.naturalWidth) return;
    const { clientWidth, clientHeight } = dialog.querySelector(".pan");
    const { naturalWidth, naturalHeight } = image;
    const scale = Math.min((clientWidth - 16) / naturalWidth, (clientHeight - 16) / naturalHeight, 1);
    image.style.width = `${Math.max(naturalWidth * scale, Number(image.getAttribute("width")))}px`;
    image.style.height = "auto";
  }
})();
