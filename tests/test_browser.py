"""在真实的浏览器里打开每一页：不联网，不出错，不撑破屏幕，人人可读。"""

import gzip
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests import engines
from tests.common import ROOT
from tools.refresh import documents_in_toc

HTML = ROOT / "_build" / "html"
SECTION, NEXT_SECTION = "chapters/softmax/scratch", "chapters/softmax/concise"
PAGES = [*documents_in_toc(), "search"]
MAX_FIRST_VIEW = 300 * 1024  # 字节：第一次打开一页，压缩之后总共传这么多
MAX_SHIFT = 0.01  # 版面移动的累计分数；0.1 以下就算好

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


WATCH_SHIFTS = """
  window.bookShift = 0;
  if (PerformanceObserver.supportedEntryTypes.includes("layout-shift"))
    new PerformanceObserver(list => { for (const entry of list.getEntries()) window.bookShift += entry.value; })
      .observe({ type: "layout-shift", buffered: true });
"""
# 主题还想用图标字体画的记号；没有字体，会成为一个个方框
MISSING_GLYPHS = """() => [...document.querySelectorAll("body *")].flatMap(node =>
  ["::before", "::after"].filter(part => {
    const style = getComputedStyle(node, part);
    return style.fontFamily.includes("Font Awesome") && !["none", "normal", '""'].includes(style.content);
  }).map(part => node.className + part))"""
# 检查之前先换掉检查不到新东西的部分，快一倍：排好的公式对读屏软件隐藏，供读的是旁边的 MathML；
# 代码里同样配色的记号只留一处
STRIP = """() => {
  document.querySelectorAll(".katex").forEach(node => { node.textContent = "x"; });
  const seen = new Set();
  for (const pre of document.querySelectorAll("div.highlight pre")) {
    const place = pre.closest(".cell_input, .cell_output")?.className;
    const isNew = span => seen.size < seen.add(place + span.className).size;
    const spans = [...pre.querySelectorAll("span[class]")].filter(isNew);
    pre.replaceChildren(...spans.flatMap(span => [span, "\\n"]), pre.textContent);
  }
}"""
# 对比度由文字与它下面各层的样子决定。一层层的标签、类名、颜色都相同的文字只留一处：结果一样，快四倍
THIN = """() => {
  const looks = new Map(), seen = new Set(), texts = [];
  const look = node => {
    if (node && !looks.has(node)) {
      const {color, backgroundColor} = getComputedStyle(node);
      looks.set(node, [look(node.parentElement), node.tagName, node.className, color, backgroundColor].join());
    }
    return looks.get(node);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) if (walker.currentNode.data.trim()) texts.push(walker.currentNode);
  for (const text of texts) seen.has(look(text.parentElement)) ? text.data = "" : seen.add(look(text.parentElement));
}"""


@pytest.fixture
def visit(browser):
    """打开一页，返回页面与它发出的请求、控制台里的错误。"""
    contexts = []

    def open_page(name, width=1280, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme="light", **options)
        contexts.append(context)
        page, requests, problems = context.new_page(), [], []
        page.add_init_script(WATCH_SHIFTS)
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


def files(requests):
    """请求了网站里的哪些文件。"""
    return {Path(unquote(urlsplit(url).path)) for url in requests if url.startswith("file:")}


def transferred(requests):
    """压缩之后传多少字节：文字用 gzip，图与字体本身已经压缩过。"""
    contents = ((path.suffix, path.read_bytes()) for path in files(requests))
    return sum(len(data if suffix in (".png", ".webp", ".woff2") else gzip.compress(data)) for suffix, data in contents)


def violations(page, within="html", **options):
    """axe-core 在页面的一部分里的检查结果。preload 会用 XHR 再取一遍样式表，从 file:// 打开时浏览器不许。"""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    options = {"preload": False, "resultTypes": ["violations"], **options}
    found = page.evaluate("args => axe.run(...args)", [within, options])["violations"]
    return [(each["id"], each["nodes"][0]["html"][:120]) for each in found]


@pytest.mark.parametrize("name", PAGES)
def test_page(visit, name):
    """一次打开，查完能查的：打开一页的时间比检查长。版面移动与传的字节，只在 Chromium 里真的量得到，见 engines.py。"""
    page, requests, problems = visit(name)
    first_view = transferred(requests)
    page.mouse.wheel(0, 20000)
    page.wait_for_timeout(300)  # 主题的脚本要把能滚动的代码块设成可聚焦的
    found = {
        "浏览器报错": problems,
        "界面上的英文": page.evaluate(LEFTOVERS),
        "版面移动": [shift for shift in [page.evaluate("bookShift")] if shift > MAX_SHIFT],
        "第一次打开传的字节太多": [size for size in [first_view] if size > MAX_FIRST_VIEW],
        "站外的请求": outside(requests),
    }
    page.set_viewport_size({"width": 390, "height": 844})
    found["手机上的宽度超过 390"] = page.evaluate("[document.documentElement.scrollWidth].filter(width => width > 390)")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.evaluate(STRIP)
    found["无障碍"] = violations(page, rules={"color-contrast": {"enabled": False}})
    page.evaluate(THIN)
    found["浅色模式的对比度"] = violations(page, runOnly=["color-contrast"])
    page.add_style_tag(content="* { transition: none !important }")  # 不等按钮慢慢换颜色
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    found["深色模式的对比度"] = violations(page, runOnly=["color-contrast"])
    assert {title: items for title, items in found.items() if items} == {}


@engines.sees_file_requests
def test_next_section_loads_only_itself(visit):
    """样式、脚本、字体都是共用的：再看一节，只传这一节的网页与图，动手图的脚本，上一节没有用到的大号括号。"""
    first, second = (files(visit(name)[1]) for name in (SECTION, NEXT_SECTION))
    own = re.compile(r".*(\.html|\.webp|/hands/[\w-]+\.js|/KaTeX_Size\d-Regular\.woff2)")
    assert [path for path in second - first if not own.fullmatch(path.as_posix())] == []


@engines.sees_file_requests
def test_figures_load_when_they_come_near(visit):
    page, requests, _ = visit(SECTION, width=390)
    figures = page.locator(".cell_output img").count()
    loaded = len([path for path in files(requests) if path.suffix == ".webp"])
    assert 1 <= loaded < figures
    while page.evaluate("innerHeight + scrollY < document.documentElement.scrollHeight - 1"):
        page.mouse.wheel(0, 500)  # 与读者一样往下滚
        page.wait_for_timeout(30)
    assert page.evaluate("bookShift") <= MAX_SHIFT
    page.evaluate("document.querySelectorAll('.toggle-button').forEach(button => button.click())")
    for image in page.locator(".cell_output img").all():
        image.scroll_into_view_if_needed()
        page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=image.element_handle())
    assert len([path for path in files(requests) if path.suffix == ".webp"]) == figures


@engines.measures_shifts
def test_late_picture_moves_nothing(browser):
    """首页的图来得晚，文字也不跳。"""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.add_init_script(WATCH_SHIFTS)
    late = []
    page.route("**/_images/*.webp", lambda route: late.append(route))
    page.goto((HTML / "chapters" / "index.html").as_uri(), wait_until="domcontentloaded")
    page.wait_for_timeout(300)  # 先画出没有图的页面
    for route in late:
        route.continue_()
    page.wait_for_function("document.querySelector('.excerpt img').naturalWidth > 0")
    page.wait_for_timeout(100)
    assert page.evaluate("bookShift") <= MAX_SHIFT
    page.close()


def test_late_fonts_move_nothing(browser):
    """公式的字体来得晚，符号表里的段落不多折一行，表格的列宽也不变。"""
    page = browser.new_page(viewport={"width": 390, "height": 900})
    page.add_init_script(WATCH_SHIFTS)
    late = []
    page.route("**/*.woff2", lambda route: late.append(route))
    page.goto((HTML / "chapters" / "notation.html").as_uri(), wait_until="domcontentloaded")
    page.wait_for_timeout(300)  # 没有字体时会先画一遍
    for route in late:
        route.continue_()
    page.wait_for_function("document.fonts.check('1em KaTeX_Main') && document.fonts.status === 'loaded'")
    page.wait_for_timeout(100)
    assert page.locator("article h1").is_visible()
    assert page.evaluate("bookShift") <= MAX_SHIFT
    page.close()


@pytest.mark.parametrize(("width", "fewest", "most"), [(1280, 32, 40), (390, 16, 22)])
def test_line_length(visit, width, fewest, most):
    """一行的汉字数。"""
    page, *_ = visit(SECTION, width=width)
    measure = "node => node.clientWidth / parseFloat(getComputedStyle(node).fontSize)"
    assert fewest <= int(page.locator("article section > p").nth(1).evaluate(measure)) <= most


def test_formulas_are_already_typeset(visit):
    page, requests, _ = visit("chapters/linear_regression/basics")
    assert page.locator(".katex").count() > 50
    assert page.locator(".katex-error").count() == 0
    assert [url for url in requests if url.endswith(".js") and re.search("katex|mathjax", url, re.I)] == []


def test_contents_open_on_a_phone(visit):
    page, *_ = visit(SECTION, width=390)
    for button, sidebar in [("primary", "全书目录"), ("secondary", "本页内容")]:
        page.locator(f".bd-header-article .{button}-toggle").click()
        drawer = page.locator(f"dialog#pst-{button}-sidebar-modal[open]")
        drawer.wait_for()
        assert drawer.locator("a").first.is_visible(), sidebar
        page.keyboard.press("Escape")
        drawer.wait_for(state="detached")


def test_contents_collapse_on_a_desk(visit):
    page, *_ = visit(SECTION)
    sidebar = page.locator("#pst-primary-sidebar")
    assert sidebar.is_visible()
    page.locator(".bd-header-article .primary-toggle").click()
    sidebar.wait_for(state="hidden")


def test_icons_are_drawn(visit):
    """图标是样式表里的遮罩；没有对应图形的会成为一个实心的方块。"""
    page, *_ = visit(SECTION)
    mask = "icon => getComputedStyle(icon, '::before').maskImage"
    icons = page.locator(".fa-solid, .fas").all()
    assert icons and [icon.get_attribute("class") for icon in icons if "svg" not in icon.evaluate(mask)] == []
    assert page.evaluate(MISSING_GLYPHS) == []


# ---------------------------------------------------------------- 帮助阅读的部分


@pytest.mark.parametrize(
    ("page_name", "link", "words"),
    [
        ("chapters/linear_regression/basics", 'a[href*="#term-loss-function"]', "loss function"),
        ("chapters/softmax/fashion_mnist", 'a[href*="#cite-xiao2017"]', "Fashion-MNIST"),
        ("chapters/softmax/scratch", 'a.reference[href*="#equation-eq-"]', "log"),
    ],
    ids=["术语", "文献", "公式"],
)
def test_card_shows_on_hover_and_focus(visit, page_name, link, words):
    page, *_ = visit(page_name)
    target, card = page.locator(f"article {link}").first, page.locator("#book-card")
    target.hover()
    card.wait_for(state="visible")
    assert words in card.inner_text()
    page.keyboard.press("Escape")
    card.wait_for(state="hidden")
    page.mouse.move(0, 0)
    page.keyboard.press("Tab")  # 之后的聚焦才算是用键盘
    target.focus()
    card.wait_for(state="visible")
    box = card.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 1280


def test_links_open_what_is_folded(visit):
    """链接指到解答或者解答里的图：打开它，滚到那里；合上再点一次也一样，刷新以后也一样。"""
    page, *_ = visit(SECTION)
    answer = page.locator("div.solution:has(figure[id])").first
    for target in (answer, answer.locator("figure[id]").first):
        label = target.get_attribute("id")
        link = f"<p><a href='#{label}'>看解答</a></p>"
        page.locator("article h1").evaluate("(title, link) => title.insertAdjacentHTML('afterend', link)", link)
        for _ in range(2):
            assert not target.locator("p, img").last.is_visible()
            page.locator(f"article p > a[href='#{label}']").first.click()
            page.wait_for_function("label => !document.getElementById(label).closest('.toggle-hidden')", arg=label)
            assert 0 <= target.bounding_box()["y"] < 900
            answer.locator(".toggle-button").click()
    page.reload()
    page.wait_for_function("label => !document.getElementById(label).closest('.toggle-hidden')", arg=label)


def test_link_to_the_checklist_unfolds_it(visit):
    """打卡清单在首页上折着；从搜索或别处来，就打开。"""
    page, *_ = visit("chapters/index")
    table = page.locator("#sec-index-checklist table")
    assert not table.is_visible()
    page.goto(f"{page.url}#sec-index-checklist")
    table.wait_for(state="visible")


def test_dark_figures_are_not_glaring(visit):
    page, *_ = visit("chapters/linear_regression/basics")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    filters = page.locator(".cell_output img:not(.paper)").evaluate_all(
        "all => all.map(x => getComputedStyle(x).filter)"
    )
    assert filters and all("invert" in each for each in filters)


WIDE_FIGURE = "chapters/linear_regression/basics", "fig-descent-paths"
ENLARGED = "dialog.enlarged[open]"


def figure_button(page, label):
    """图的按钮，滚到眼前。"""
    button = page.locator(f"#{label}").get_by_role("button")
    seen = "button => button.scrollIntoView({ block: 'center' }) || button.querySelector('img').naturalWidth > 0"
    page.wait_for_function(seen, arg=button.element_handle())  # 手机上，上面的小节排好之后位置会变，所以一直滚
    return button


def test_figure_is_enlarged_with_the_keyboard(visit):
    """回车放大，焦点在图上，可以滚动；Esc 关上，焦点与页面都回到原处；放大着也没有无障碍的问题。"""
    page, *_ = visit(WIDE_FIGURE[0])
    button = figure_button(page, WIDE_FIGURE[1])
    button.focus()
    before = page.evaluate("[scrollY, history.length]")
    page.keyboard.press("Enter")
    dialog = page.locator(ENLARGED)
    dialog.wait_for()
    assert "放大" in dialog.get_attribute("aria-label") and page.evaluate("document.activeElement.closest('dialog')")
    assert dialog.locator("img").bounding_box()["width"] > button.locator("img").bounding_box()["width"] + 100
    assert "图 2.5" in dialog.inner_text()
    assert violations(page) == []
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert button.evaluate("button => button === document.activeElement")
    page.wait_for_function("history.state === null")  # 添的那一步撤掉了
    assert page.evaluate("scrollY") == before[0]


def test_figure_is_enlarged_with_a_tap_on_a_phone(visit):
    """宽的图在自己的框里左右滑，字看得清；点开先看全，再点是原来的大小，点的地方还在眼前；按图外、“后退”、“关闭”都关上。"""
    page, *_ = visit(WIDE_FIGURE[0], width=390)
    button = figure_button(page, WIDE_FIGURE[1])
    assert button.locator("img").bounding_box()["width"] > 500 and button.bounding_box()["width"] <= 390
    assert button.evaluate("link => link.scrollWidth > link.clientWidth + 100")
    dialog = page.locator(ENLARGED)
    for close in (dialog.locator("p").click, page.go_back, dialog.get_by_role("button", name="关闭").click):
        button.click()
        dialog.wait_for()
        pan, image = dialog.locator(".pan"), dialog.locator("img")
        page.wait_for_function("document.querySelector('dialog img').naturalWidth > 0")
        assert pan.evaluate("pan => pan.scrollWidth <= pan.clientWidth && pan.scrollHeight <= pan.clientHeight")
        place = image.bounding_box()
        image.click(position={"x": place["width"] * 0.9, "y": place["height"] / 2})
        assert pan.evaluate("pan => pan.scrollLeft > 100 && pan.scrollWidth > pan.clientWidth + 100")
        dialog.get_by_role("button", name="看全").click()
        assert image.bounding_box()["width"] == place["width"]
        close()
        dialog.wait_for(state="detached")
        page.wait_for_function("history.state === null")
    assert page.url.endswith("basics.html")


@engines.reads_clipboard
def test_code_can_be_copied(visit):
    page, *_ = visit(NEXT_SECTION, permissions=["clipboard-read", "clipboard-write"])
    cell = page.locator(".cell_input:visible").first
    cell.hover()
    cell.locator("button.copybtn").click()
    assert cell.locator("button.copybtn").get_attribute("data-tooltip") == "复制成功!"
    assert page.evaluate("navigator.clipboard.readText()").strip() == cell.locator("pre").inner_text().strip()


def test_the_bar_says_what_is_being_read(visit):
    """大标题看不见以后，顶栏写出它；点一下回到开头。"""
    page, *_ = visit(SECTION, width=390)
    title = page.locator(".read-title")
    assert not title.is_visible()
    page.mouse.wheel(0, 1500)
    title.wait_for()
    heading = page.locator("article h1").evaluate("title => title.innerText.replace('#', '')")
    assert title.inner_text() == heading.strip()
    title.click()
    title.wait_for(state="hidden")
    assert page.evaluate("scrollY") == 0


@pytest.mark.parametrize("name", [SECTION, "chapters/glossary"])
def test_contents_mark_where_a_jump_arrived(visit, name):
    """跳到哪一小节，本页内容里就标出哪一条，靠近结尾、到不了顶的也一样；随后往下读也总有一条，而且只有一条。"""
    page, *_ = visit(name)
    page.set_viewport_size({"width": 1280, "height": 1600})  # 末尾几小节都到不了顶
    contents, marked = page.locator(".page-toc a"), page.locator(".page-toc a[aria-current]")
    for link in contents.all():
        link.click()
        page.wait_for_function("link => link.hasAttribute('aria-current')", arg=link.element_handle(), timeout=3000)
        assert marked.count() == 1
    contents.first.click()
    for _ in range(10):
        page.mouse.wheel(0, 700)
        page.wait_for_timeout(60)
        assert marked.count() == 1


@engines.reads_clipboard
def test_a_headings_link_is_copied(visit):
    """点 # 复制链接，说一声；指着公式自己的 #，不出卡片。"""
    page, *_ = visit("chapters/linear_regression/basics", permissions=["clipboard-read", "clipboard-write"])
    for place in ("article h2", "div.math .eqno"):
        link = page.locator(f"{place} a.headerlink").first
        link.locator("xpath=..").hover()  # 指着标题或编号，# 才出现
        link.hover()
        page.wait_for_timeout(400)  # 卡片等 150 毫秒
        assert not page.locator("#book-card").is_visible()
        link.click()
        page.get_by_role("status").get_by_text("已复制").wait_for()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == page.url and "#" in copied


def test_arrow_keys_turn_pages(visit):
    page, *_ = visit(SECTION)
    page.keyboard.press("ArrowRight")
    page.wait_for_url(f"**/{NEXT_SECTION}.html")
    page.keyboard.press("Control+k")
    page.locator("#pst-search-dialog input").fill("梯度")
    page.keyboard.press("ArrowLeft")  # 正在写字
    page.keyboard.press("Escape")
    page.wait_for_timeout(200)
    assert NEXT_SECTION in page.url
    page.locator("article p").first.click()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(f"**/{SECTION}.html")


def test_glossary_can_be_filtered(visit):
    """留下的每一条都有写的字，藏起的都没有；链接指着的总看得见。"""
    page, *_ = visit("chapters/glossary")
    terms, shown = page.locator("dl.glossary > dt"), page.locator("dl.glossary > dt:visible")
    total = terms.count()
    for words, expected in [("SGD", "随机梯度下降"), ("学习率", "学习率"), ("没有这个词", None)]:
        page.get_by_role("searchbox", name="筛选术语").fill(words)
        texts = terms.evaluate_all("all => all.map(dt => dt.textContent + dt.nextElementSibling.textContent)")
        wanted = [text for text in texts if words.lower() in text.lower()]
        assert shown.count() == len(wanted) < total
        assert expected in shown.all_inner_texts() if expected else not wanted
        assert page.locator("dl.glossary:visible").count() == page.locator("section:visible:has(> dl.glossary)").count()
    page.evaluate("location.hash = 'term-loss-function'")
    page.locator("#term-loss-function").wait_for()
    assert shown.count() == total


def test_the_checks_can_fail(browser):
    """检查自己：一页有英文按钮、站外的图、太宽的内容、没有替代文字的图，版面会跳，五项都要发现。"""
    page, requests = browser.new_page(viewport={"width": 390, "height": 900}), []
    page.add_init_script(WATCH_SHIFTS)
    page.goto("about:blank")
    page.on("request", lambda request: requests.append(request.url))
    page.set_content(
        """<html lang="zh"><body><button title="Search this book">找</button><div style="width:900px">宽</div>
        <img src="http://127.0.0.1:65535/a.png"></body></html>"""
    )
    assert page.evaluate(LEFTOVERS) == ["title: Search this book"]
    assert outside(requests)
    assert page.evaluate("document.documentElement.scrollWidth") > 390
    assert "image-alt" in [rule for rule, _ in violations(page)]
    page.close()
