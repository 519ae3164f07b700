"""在真实的浏览器里打开每一页：不联网，不出错，不撑破屏幕，人人可读。"""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.common import ROOT
from tests.notebook_checks import documents_in_toc

HTML = ROOT / "_build" / "html"
CODE_PAGE = "chapters/softmax/concise"  # 代码的配色在这一页查
PAGES = [*documents_in_toc(), "search", "genindex"]

# 界面上的英文：属性与正文之外的文字里，连着三个以上的字母而没有一个汉字
LEFTOVERS = """() => {
  const english = text => /[A-Za-z]{3}/.test(text) && !/[\\u4e00-\\u9fff]/.test(text);
  const found = [];
  for (const node of document.querySelectorAll("body *")) {
    for (const name of ["title", "aria-label", "placeholder", "data-bs-title"]) {
      const text = node.getAttribute(name);
      if (text && english(text) && !node.closest("article p, article li, article dd")) found.push(`${name}: ${text}`);
    }
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const outside = "article, script, style, kbd, .bd-sidebar-secondary, .onlyprint";
    const skipped = walker.currentNode.parentElement.closest(outside);
    if (english(text) && !skipped) found.push(text);
  }
  return found;
}"""
ALLOWED = re.compile(r"\.(ipynb|pdf|md)")  # 下载菜单里的文件后缀


@pytest.fixture
def visit(browser):
    """打开一页，返回页面与它发出的请求、控制台里的错误。"""
    contexts = []

    def open_page(name, width=1280):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme="light")
        contexts.append(context)
        page, requests, problems = context.new_page(), [], []
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: problems.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto((HTML / f"{name}.html").as_uri(), wait_until="load")
        return page, requests, problems

    yield open_page
    for context in contexts:
        context.close()


def outside(requests):
    return [url for url in requests if not url.startswith(("file:", "data:", "blob:"))]


def violations(page, code=False, **options):
    """axe-core 的检查结果。

    不查 .katex 里面：它的 HTML 对读屏软件隐藏，供读的是旁边的 MathML。
    代码的配色全书只有一套，code 为真的那一页查过就够；逐个记号算对比度，一页要好几秒。
    """
    page.wait_for_timeout(300)  # 主题的脚本要把能滚动的代码块设成可聚焦的
    context = {"exclude": [[".katex"]] + ([] if code else [["div.highlight pre"]])}
    # preload 会用 XHR 再取一遍样式表，从 file:// 打开时浏览器不许
    found = Axe().run(page, context=context, options={"preload": False, **options}).response["violations"]
    return [(each["id"], each["nodes"][0]["html"][:120]) for each in found]


@pytest.mark.parametrize("name", PAGES)
def test_page(visit, name):
    """一次打开，查完能查的：打开一页的时间比检查长。"""
    page, requests, problems = visit(name)
    page.mouse.wheel(0, 20000)
    found = {
        "浏览器报错": problems,
        "界面上的英文": [text for text in page.evaluate(LEFTOVERS) if not ALLOWED.fullmatch(text)],
        "无障碍": violations(page, code=name == CODE_PAGE),
        "站外的请求": outside(requests),
    }
    # 深色模式只换颜色，所以只查对比度
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    found["深色模式的对比度"] = violations(page, code=name == CODE_PAGE, runOnly=["color-contrast"])
    page.set_viewport_size({"width": 390, "height": 844})
    found["手机上的宽度超过 390"] = page.evaluate("[document.documentElement.scrollWidth].filter(width => width > 390)")
    assert {title: items for title, items in found.items() if items} == {}


def test_formulas_are_already_typeset(visit):
    page, requests, _ = visit("chapters/linear_regression/basics")
    assert page.locator(".katex").count() > 50
    assert page.locator(".katex-error").count() == 0
    assert [url for url in requests if url.endswith(".js") and re.search("katex|mathjax", url, re.I)] == []


def test_icons_are_drawn(visit):
    """图标来自字体：每个都有自己的字形，字体确实载入了。"""
    page, *_ = visit("chapters/index")
    content = "icon => getComputedStyle(icon, '::before').content"
    icons = page.locator(".fa-solid, .fas").all()
    assert icons and all(icon.evaluate(content) not in ("none", "normal", '""') for icon in icons)
    page.wait_for_timeout(300)
    assert page.evaluate("""document.fonts.check('900 16px "Font Awesome 6 Free"', '\\uf002')""")


def test_the_checks_can_fail(browser):
    """检查自己：一页有英文按钮、站外的图、太宽的内容、没有替代文字的图，四项都要发现。"""
    page, requests = browser.new_page(viewport={"width": 390, "height": 900}), []
    page.on("request", lambda request: requests.append(request.url))
    page.set_content(
        """<html lang="zh"><body><button title="Search this book">找</button><div style="width:900px">宽</div>
        <img src="http://127.0.0.1:9/a.png"></body></html>"""
    )
    assert page.evaluate(LEFTOVERS) == ["title: Search this book"]
    assert outside(requests)
    assert page.evaluate("document.documentElement.scrollWidth") > 390
    assert "image-alt" in [rule for rule, _ in violations(page)]
    page.close()
