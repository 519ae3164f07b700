/* 点图放大：看清成排的小图。缩到一屏比页面上还小的（手机上并排几格的），先照原大，滚动着看。没有这个脚本时，图仍是通往原图的链接。 */
(() => {
  "use strict";
  let dialog, opener, whole; // whole：缩到一屏，看得全；还没有定，就看缩了小不小

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
    dialog.innerHTML = `<div class="pan" tabindex="0" role="group" aria-label="图，可以滚动"></div><p></p>
      <div class="tools"><button type="button" class="zoom"></button><button type="button">关闭</button></div>`;
    dialog.addEventListener("click", (event) => {
      if (event.target.matches(".zoomable img, .zoom")) zoom(event);
      else dialog.close();
    });
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
    whole = undefined;
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

  /* 一屏里尽量大，但不超过它的像素；比页面上写的还小，就可以再放大到那么大，在框里滚动。 */
  function fit() {
    const image = dialog.querySelector("img");
    if (!dialog.open || !image?.naturalWidth) return;
    const { clientWidth, clientHeight } = dialog.querySelector(".pan");
    const { naturalWidth, naturalHeight } = image;
    const scale = Math.min((clientWidth - 16) / naturalWidth, (clientHeight - 16) / naturalHeight, 1);
    const full = Number(image.getAttribute("width"));
    whole ??= naturalWidth * scale >= opener.querySelector("img").width - 1;
    dialog.classList.toggle("zoomable", naturalWidth * scale < full);
    dialog.querySelector(".zoom").textContent = whole ? "原大" : "看全";
    image.style.width = `${whole ? naturalWidth * scale : Math.max(naturalWidth * scale, full)}px`;
    image.style.height = "auto";
  }

  /* 点的地方放大以后仍在眼前 */
  function zoom({ target, offsetX, offsetY }) {
    const image = dialog.querySelector("img");
    const [across, down] = target === image ? [offsetX / image.width, offsetY / image.height] : [0.5, 0.5];
    whole = !whole;
    fit();
    const pan = dialog.querySelector(".pan");
    pan.scrollTo(image.width * across - pan.clientWidth / 2, image.height * down - pan.clientHeight / 2);
  }
})();
