"""真实的浏览器里处处成立的定律：印出来什么都不少，照片在深色模式里不变样，搜索里选中哪一条就到哪一条。"""

import io

import numpy as np
import pytest
from PIL import Image

from tests.book import HTML, ORDER, open_book, where

PAPER = {"width": 718, "height": 1000}  # A4 纸去掉默认的边距
UNPRINTED = ".headerlink, .toggle-button, .copybtn, button, script, style, .katex, .onlyprint, summary, .checkin-desk"
# 印在纸上看不见的文字，与一行放不下、被截去的部分；纸上不能滚动，也不能点开
MISSING = """unprinted => {
  const gone = [];
  const walker = document.createTreeWalker(document.querySelector("article"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode, parent = text.parentElement;
    if (!text.data.trim() || parent.closest(unprinted)) continue;
    const range = document.createRange();
    range.selectNode(text);
    const {width, height} = range.getBoundingClientRect();
    const seen = parent.checkVisibility({opacityProperty: true, visibilityProperty: true}) && width * height > 0;
    if (!seen) gone.push(text.data.trim().slice(0, 40));
  }
  for (const node of document.querySelectorAll("article pre, article table, .katex-display, article img"))
    if (node.scrollWidth > node.clientWidth + 1 || node.getBoundingClientRect().right > innerWidth + 1)
      gone.push("右边截去了：" + (node.textContent.trim().split("\\n")[0] || node.alt).slice(0, 60));
  return gone;
}"""
INTERFACE = (
    ".bd-sidebar-primary, .bd-sidebar-secondary, .prev-next-footer, .bd-header-article, .copybtn"
    ", .checkin-desk, .checkin-end"
)
OPAQUE = 0.8  # 不透明的像素占这么多，就是照片；画在透明底上的图会随深色模式反过来
SELECTED = "#pst-search-dialog [role=option][aria-selected=true]"


@pytest.fixture
def visit(browser):
    page = browser.new_page(viewport=PAPER, color_scheme="light")
    yield lambda name: page.goto((HTML / f"{name}.html").as_uri()) and page
    page.close()


def go_dark(page):
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")


@pytest.mark.parametrize("name", ORDER)
def test_everything_is_there_in_print(visit, name):
    """标题、正文、折起来的解答与输出、整行的代码，都印得出来，白底黑字；按钮与侧栏不印。"""
    page = visit(name)
    go_dark(page)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    assert page.evaluate(MISSING, UNPRINTED) == [], f"{where(name)} 印不全（改样式里 @media print 的部分）"
    assert not any(part.is_visible() for part in page.locator(INTERFACE).all())


def photographs(page):
    """这一页的照片是第几幅图：写明是照片的，与不透明的。"""
    for number, image in enumerate(page.article.select("img")):
        if image["src"].endswith(".png"):
            alpha = np.asarray(Image.open(page.path.parent / image["src"]).convert("RGBA"))[..., 3]
            if "photo" in image.get("class", []) or (alpha > 250).mean() > OPAQUE:
                yield number


def portrait(image):
    """这幅图在屏幕上的样子：放到左上角再拍，滚动的位置差半个像素也不变；四周是纸与圆角，会变，不算。"""
    image.evaluate("image => Object.assign(image.style, { position: 'fixed', inset: '0 auto auto 0', zIndex: 9999 })")
    pixels = np.asarray(Image.open(io.BytesIO(image.screenshot())).convert("RGB"), int)
    image.evaluate("image => image.removeAttribute('style')")
    return pixels[8:-8, 8:-8]


def test_photographs_look_the_same_in_the_dark(visit):
    found = {page.name: list(photographs(page)) for page in open_book().chapters}
    assert sum(map(len, found.values())) >= 2
    for name in filter(found.get, found):
        page = visit(name)
        images = [page.locator("article img").nth(number) for number in found[name]]
        for image in images:
            image.evaluate("image => { image.loading = 'eager'; return image.decode(); }")
        light = [portrait(image) for image in images]
        go_dark(page)
        for image, before in zip(images, light):
            place = where(name, image.get_attribute("alt"))
            assert np.array_equal(before, portrait(image)), f"{place}：照片在深色模式里变了样"


@pytest.mark.parametrize("keys", [[], ["ArrowDown"], ["ArrowDown"] * 3, ["ArrowUp"], ["ArrowDown", "ArrowUp"]], ids=len)
def test_enter_opens_what_is_selected(visit, keys):
    """选中第几条，回车就到第几条；到了之后看得见那一处。"""
    page = visit("chapters/glossary")
    page.keyboard.press("Control+k")
    page.keyboard.type("梯度")
    page.locator(SELECTED).wait_for()
    for key in keys:
        page.keyboard.press(key)
    wanted = page.locator(SELECTED).evaluate("option => option.href")
    page.keyboard.press("Enter")
    page.wait_for_url(wanted, timeout=10_000)
    place = page.locator(f"[id='{wanted.split('#')[1]}']")
    assert place.bounding_box()["y"] < PAPER["height"]
