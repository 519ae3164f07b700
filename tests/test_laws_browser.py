"""真实的浏览器里处处成立的定律：印出来什么都不少，垫纸的图在深色模式里只暗一点，搜索里选中哪一条就到哪一条。"""

import io

import numpy as np
import pytest
from PIL import Image

from tests.book import HTML, ORDER, open_book, where

PAPER = {"width": 718, "height": 1000}  # A4 纸去掉默认的边距
# 动手的图只印问题、选项、说明与静止的图，控件不印；画图的代码不印；示意图的说明是念的
UNPRINTED = (
    ".headerlink, .toggle-button, .copybtn, button, script, style, .katex, .onlyprint, summary, .checkin-desk"
    ", .hands-stage, .hands-compare, svg title, svg desc, .figure-first > details"
)
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
# 垫的纸不算；裁剪着的小节里，图放不到左上角
PLAIN = "img.paper { padding: 0 !important; background: #fdf7ea } * { content-visibility: visible !important }"
INTERFACE = (
    ".bd-sidebar-primary, .bd-sidebar-secondary, .prev-next-footer, .bd-header-article, .copybtn"
    ", .checkin-desk, .checkin-end, .hands-stage, .hands-lock, .hands-choice input, .figure-first > details"
)
SELECTED = "#pst-search-dialog [role=option][aria-selected=true]"


@pytest.fixture
def visit(browser):
    page = browser.new_page(viewport=PAPER, color_scheme="light")
    yield lambda name: page.goto((HTML / f"{name}.html").as_uri()) and page
    page.close()


def go(page, scheme):
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function("scheme => document.documentElement.dataset.theme === scheme", arg=scheme)


@pytest.mark.parametrize("name", ORDER)
def test_everything_is_there_in_print(visit, name):
    """标题、正文、折起来的解答与输出、整行的代码，都印得出来，白底黑字；按钮与侧栏不印。"""
    page = visit(name)
    go(page, "dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    assert page.evaluate(MISSING, UNPRINTED) == [], f"{where(name)} 印不全（改样式里 @media print 的部分）"
    assert not any(part.is_visible() for part in page.locator(INTERFACE).all())


def on_paper(page):
    """这一页里垫纸的图是第几幅。"""
    return [number for number, image in enumerate(page.article.select("img")) if "paper" in image.get("class", [])]


def portrait(image):
    """这幅图在屏幕上的样子：照像素的大小放到左上角再拍，缩放与滚动的位置差半个像素也不变；四周是圆角，不算。"""
    image.evaluate("""image => Object.assign(image.style, { position: "fixed", inset: "0 auto auto 0", zIndex: 9999,
      width: `${image.naturalWidth / 2}px`, maxWidth: "none" })""")
    pixels = np.asarray(Image.open(io.BytesIO(image.screenshot())).convert("RGB"), int)
    image.evaluate("image => image.removeAttribute('style')")
    return pixels[8:-8, 8:-8]


def test_figures_on_paper_are_only_dimmed_in_the_dark(visit):
    """各种颜色一样地暗：深浅的次序与彼此的比例不变。哪些图要垫纸，见 test_laws_figures.py。"""
    found = {page.name: on_paper(page) for page in open_book().chapters}
    assert sum(map(len, found.values())) >= 2
    for name in filter(found.get, found):
        page = visit(name)
        go(page, "light")  # 上一页看过深色的
        page.add_style_tag(content=PLAIN)
        images = [page.locator("article img").nth(number) for number in found[name]]
        for image in images:
            image.evaluate("image => { image.loading = 'eager'; return image.decode(); }")
        light = [portrait(image) for image in images]
        go(page, "dark")
        for image, before in zip(images, light):
            after = portrait(image)
            dimmed = after.max() / before.max()
            place = where(name, image.get_attribute("alt"))
            assert 0.7 < dimmed < 1 and np.abs(after - before * dimmed).max() < 16, f"{place}：在深色模式里变了样"


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
