"""在真实的浏览器里打开每一页：不联网，不出错，不撑破屏幕，人人可读。"""

import gzip
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests import engines
from tests.book import HTML, ORDER, where

SECTION, NEXT_SECTION = "chapters/softmax/scratch", "chapters/softmax/concise"
PAGES = [*ORDER, "search"]
MAX_FIRST_VIEW = 300 * 1024  # 字节：第一次打开一页，压缩之后总共传这么多
# 手机上 Lighthouse 的 95 分（五次的中位数）在这两个数以内：排版的对象曾有两万四，文件三十一个，是 65 分
MAX_LAID_OUT = 4000
MAX_FILES = 18
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


FORMULA_SCRIPT = re.compile(r"(katex|mathjax)[^/]*\.js", re.IGNORECASE)  # 公式在构建时就排好了
WATCH_SHIFTS = """
  window.bookShift = 0;
  if (PerformanceObserver.supportedEntryTypes.includes("layout-shift"))
    new PerformanceObserver(list => { for (const entry of list.getEntries()) window.bookShift += entry.value; })
      .observe({ type: "layout-shift", buffered: true });
"""
# 图标是样式表里的遮罩：没有对应图形的会成为一个实心的方块；主题还想用图标字体画的，没有字体，会成为方框
BAD_ICONS = """() => [...document.querySelectorAll("body *:not(.katex *, pre *)")].flatMap(node =>
  ["::before", "::after"].filter(part => {
    const {fontFamily, content} = getComputedStyle(node, part);
    return fontFamily.includes("Font Awesome") && !["none", "normal", '""'].includes(content);
  }).map(part => node.className + part)).concat([...document.querySelectorAll(".fa-solid, .fas")]
    .filter(icon => !getComputedStyle(icon, "::before").maskImage.includes("svg")).map(icon => icon.className))"""
# 正文一行的汉字数
LINE = """() => [...document.querySelectorAll("article section > p:not(.reading-time)")].slice(0, 1)
  .map(node => Math.floor(node.clientWidth / parseFloat(getComputedStyle(node).fontSize)))"""
SETTLED = "() => new Promise(done => requestIdleCallback(() => requestAnimationFrame(() => requestIdleCallback(done))))"
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
# 对比度由文字与它下面各层的样子决定。一层层的标签、类名、颜色都相同的文字，全书只查一处，空了的标签拿掉：快得多
LOOKS = set()
THIN = """known => {
  const looks = new Map(), seen = new Set(known), texts = [];
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
  for (const node of [...document.querySelectorAll("article *:not(.hands-on *)")].reverse())
    if (!node.firstElementChild && !node.textContent.trim() && !node.matches("img, svg, canvas, input")) node.remove();
  return [...seen].slice(known.length);
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


# axe 总要走遍整页：只看一部分时，先拿掉别的部分
ALONE = """selector => {
  for (const node of document.querySelectorAll("article *"))
    if (!node.closest(selector) && !node.querySelector(selector)) node.remove();
}"""


def violations(page, within="html", **options):
    """axe-core 在页面的一部分里的检查结果；查完，页面不再完整。

    preload 会用 XHR 再取一遍样式表，从 file:// 打开时浏览器不许。
    """
    page.evaluate(ALONE, within)
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    options = {"preload": False, "resultTypes": ["violations"], **options}
    found = page.evaluate("args => axe.run(...args)", [within, options])["violations"]
    return [(each["id"], each["nodes"][0]["html"][:120]) for each in found]


# 深色模式里的图：只有照片不反，也不垫底
IN_THE_DARK = """all => all.map(image => [image.matches(".photo"), getComputedStyle(image)])
  .map(([isPhoto, {filter, backgroundColor}]) => [filter.includes("invert") !== isPhoto, backgroundColor])"""
A4 = {"width": 718, "height": 1000}  # 去掉默认的边距
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
INTERFACE = (
    ".bd-sidebar-primary, .bd-sidebar-secondary, .prev-next-footer, .bd-header-article, .copybtn"
    ", .checkin-desk, .checkin-end, .hands-stage, .hands-lock, .hands-choice input, .figure-first > details"
    ", .quiz-question details, .hands-on details, .exercise-group .solution"  # 答案印在最后，不挨着题目
)
VISIBLE = """selector => [...document.querySelectorAll(selector)].filter(node =>
  node.checkVisibility({visibilityProperty: true}) && node.getBoundingClientRect().width).map(node => node.className)"""


def go(page, scheme):
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function("scheme => document.documentElement.dataset.theme === scheme", arg=scheme)


def printed(page):
    """在深色模式里打印：标题、正文、折起来的解答与输出、整行的代码，都印得出来，白底黑字；按钮与侧栏不印。"""
    page.set_viewport_size(A4)
    theme = "document.documentElement.dataset.theme"
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    found = {
        "印不全（改样式里 @media print 的部分）": page.evaluate(MISSING, UNPRINTED),
        "印出了界面": page.evaluate(VISIBLE, INTERFACE),
        "印成了深色": [theme for theme in [page.evaluate(theme)] if theme != "light"],
    }
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    return found | {"印完不是原来的配色": [theme for theme in [page.evaluate(theme)] if theme != "dark"]}


@pytest.mark.parametrize("name", PAGES)
def test_page(visit, name):
    """一次打开，查完能查的：打开一页的时间比检查长。版面移动与传的字节，只在 Chromium 里真的量得到，见 engines.py。"""
    page, requests, problems = visit(name)
    first_view = [*requests]
    page.mouse.wheel(0, 20000)
    page.evaluate(SETTLED)
    found = {
        "浏览器报错": problems,
        "界面上的英文": page.evaluate(LEFTOVERS),
        "画不出的图标": page.evaluate(BAD_ICONS),
        "第一次打开传的字节太多": [size for size in [transferred(first_view)] if size > MAX_FIRST_VIEW],
        "一行太长或太短": [length for length in page.evaluate(LINE) if not 32 <= length <= 40],
        "版面移动": [shift for shift in [page.evaluate("bookShift")] if shift > MAX_SHIFT],
    }
    page.set_viewport_size({"width": 390, "height": 844})
    found["手机上的宽度超过 390"] = page.evaluate("[document.documentElement.scrollWidth].filter(width => width > 390)")
    found["手机上一行太长或太短"] = [length for length in page.evaluate(LINE) if not 16 <= length <= 22]
    go(page, "dark")
    found |= printed(page) if name in ORDER else {}
    page.set_viewport_size({"width": 1280, "height": 900})
    page.add_style_tag(content="* { transition: none !important }")  # 不等按钮慢慢换颜色
    figures = page.locator(".cell_output img").evaluate_all(IN_THE_DARK)
    found["深色模式里刺眼的图，或者反了的照片"] = [each for each in figures if each != [True, "rgba(0, 0, 0, 0)"]]
    page.evaluate(STRIP)
    found["无障碍"] = violations(page, rules={"color-contrast": {"enabled": False}})
    LOOKS.update(page.evaluate(THIN, [*LOOKS]))
    found["深色模式的对比度"] = violations(page, runOnly=["color-contrast"])
    go(page, "light")
    found["浅色模式的对比度"] = violations(page, runOnly=["color-contrast"])
    found["站外的请求，或者排公式的脚本"] = [*outside(requests), *filter(FORMULA_SCRIPT.search, requests)]
    assert {title: items for title, items in found.items() if items} == {}, where(name)


# 没排版与排好的整页高
HEIGHTS = """() => { const sections = [...document.querySelectorAll("article > section > section")];
const height = () => document.documentElement.scrollHeight, before = height();
sections.forEach(each => (each.style.contentVisibility = "visible"));
return [before, height()]; }"""


@engines.counts_layout
@pytest.mark.parametrize("name", PAGES)
def test_first_view_on_a_phone_is_light(visit, name):
    """打开一页只排看得到的小节，取的文件不多；再长、公式再多的一节也一样。这些数不随机器的快慢变。"""
    page, requests, _ = visit(name, width=390)
    client = page.context.new_cdp_session(page)
    client.send("Performance.enable")
    page.evaluate(SETTLED)  # 载入之后还有动作的脚本
    counts = {each["name"]: each["value"] for each in client.send("Performance.getMetrics")["metrics"]}
    assert counts["LayoutObjects"] <= MAX_LAID_OUT, "有脚本量了还没排版的小节里的东西，或者开头太长"
    assert len(files(requests)) <= MAX_FILES
    before, after = page.evaluate(HEIGHTS)
    assert 0.7 < before / after < 1.4, "没排版的小节留的高（ext/heights.py）与排好的差得太多"


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
    assert loaded < figures
    while page.evaluate("innerHeight + scrollY < document.documentElement.scrollHeight - 1"):
        page.mouse.wheel(0, 500)  # 与读者一样往下滚
        page.wait_for_timeout(30)
    assert page.evaluate("bookShift") <= MAX_SHIFT
    page.evaluate("document.querySelectorAll('.toggle-button').forEach(button => button.click())")
    for image in page.locator(".cell_output img").all():
        image.scroll_into_view_if_needed()
        page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=image.element_handle())
    assert len([path for path in files(requests) if path.suffix == ".webp"]) == figures


LATE = {
    "首页的图": ("index", 1280, "_images/*.webp", "document.querySelector('.excerpt img').naturalWidth > 0"),
    "公式的字体": (
        "notation",
        390,
        "*.woff2",
        "document.fonts.status === 'loaded'",
    ),
}


@engines.measures_shifts
@pytest.mark.parametrize("kind", LATE)
def test_what_comes_late_moves_nothing(browser, kind):
    """首页的图来得晚，文字不跳；公式的字体来得晚，符号表里的段落不多折一行，表格的列宽也不变。"""
    name, width, pattern, has_come = LATE[kind]
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.add_init_script(WATCH_SHIFTS)
    late = []
    page.route(f"**/{pattern}", lambda route: late.append(route))
    page.goto((HTML / "chapters" / f"{name}.html").as_uri(), wait_until="domcontentloaded")
    page.wait_for_timeout(300)  # 先画出没有它的页面
    assert late
    for route in late:
        route.continue_()
    page.wait_for_function(has_come)
    page.evaluate(SETTLED)
    assert page.evaluate("bookShift") <= MAX_SHIFT
    page.close()


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


def test_a_tap_shows_the_card_before_it_leads_away(visit):
    page, *_ = visit("chapters/linear_regression/basics", width=390, has_touch=True)
    link, card, here = page.locator('article a[href*="#term-"]').first, page.locator("#book-card"), page.url
    link.tap()
    card.wait_for(state="visible")
    box = card.bounding_box()
    assert page.url == here and box["x"] >= 0 and box["x"] + box["width"] <= 390
    page.locator("article h1").tap()
    card.wait_for(state="hidden")
    link.tap()
    card.wait_for(state="visible")
    link.tap()
    page.wait_for_url("**/glossary.html#term-*")


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


# 附近的小节都排好，连着二十帧不再动，是在哪里
RESTING = """link => new Promise(done => {
  let rest = 0, y;
  const look = () => {
    const now = document.querySelector(link).getBoundingClientRect().y;
    rest = now === y ? rest + 1 : 0;
    y = now;
    rest < 20 ? requestAnimationFrame(look) : requestIdleCallback(() => done(y));
  };
  look();
})"""


@pytest.mark.parametrize("name", [SECTION, "chapters/linear_regression/basics"])
def test_jumps_arrive_on_a_phone(visit, name):
    """手机上点本页内容、从别处来、刷新，都到得准：前面有没排版过的小节、没造好的动手的图，也一样。"""
    page, *_ = visit(name, width=390)
    url = page.url
    for label in page.locator(".page-toc a").evaluate_all("all => all.map(link => link.hash)")[2::4]:
        for arrived in (True, False):
            page.goto("about:blank")
            page.goto(url + label * arrived)
            if not arrived:
                page.locator(f".page-toc a[href='{label}']").evaluate("link => link.click()")
            assert 60 <= page.evaluate(RESTING, label) <= 84, f"{name}{label}"
        page.mouse.wheel(0, 300)
        before = page.evaluate(RESTING, label)
        page.reload()
        assert abs(page.evaluate(RESTING, label) - before) <= 40, f"{name}{label}：刷新以后到了别处"


def test_the_download_menu(visit):
    """按钮打开菜单；点别处、按 Esc 关上，Esc 之后焦点回到按钮。"""
    page, *_ = visit(SECTION, width=390)
    button, menu = page.get_by_role("button", name="下载本页"), page.locator(".dropdown-menu")
    for close in (lambda: page.mouse.click(20, 800), lambda: page.keyboard.press("Escape"), button.click):
        button.click()
        assert menu.is_visible() and button.get_attribute("aria-expanded") == "true"
        place = menu.bounding_box()
        assert place["x"] >= 0 and place["x"] + place["width"] <= 390
        close()
        page.mouse.move(20, 800)  # 指着按钮，菜单也出来
        assert not menu.is_visible() and button.get_attribute("aria-expanded") == "false"
    button.click()
    page.keyboard.press("Tab")
    assert menu.locator("a").first.evaluate("link => link === document.activeElement")
    page.keyboard.press("Escape")
    assert button.evaluate("button => button === document.activeElement")


def test_link_to_the_checklist_unfolds_it(visit):
    """打卡清单在首页上折着；从搜索或别处来，就打开。"""
    page, *_ = visit("chapters/index")
    table = page.locator("#sec-index-checklist table")
    assert not table.is_visible()
    page.goto(f"{page.url}#sec-index-checklist")
    table.wait_for(state="visible")


WIDE_FIGURE = "chapters/linear_regression/basics", "fig-descent-paths"
ENLARGED = "dialog.enlarged[open]"


def figure_button(page, label):
    """图的按钮，滚到眼前。"""
    button = page.locator(f"#{label}").get_by_role("button")
    seen = "button => button.scrollIntoView({ block: 'center' }) || button.querySelector('img').naturalWidth > 0"
    page.wait_for_function(seen, arg=button.element_handle())  # 手机上，上面的小节排好之后位置会变，所以一直滚
    return button


def test_figure_is_enlarged_with_the_keyboard(visit):
    """回车放大，焦点在图上，可以滚动；Esc 关上，焦点与页面都回到原处；放大着没有无障碍的问题。"""
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
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert button.evaluate("button => button === document.activeElement")
    page.wait_for_function("history.state === null")  # 添的那一步撤掉了
    assert page.evaluate("scrollY") == before[0]
    page.keyboard.press("Enter")
    dialog.wait_for()
    assert violations(page, ENLARGED) == []


def test_figure_is_enlarged_with_a_tap_on_a_phone(visit):
    """宽的图在自己的框里左右滑，字看得清；点开不变小，可以看全，再点是原来的大小，点的地方还在眼前；按图外、“后退”、“关闭”都关上。"""
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
        assert image.bounding_box()["width"] > 500, "打开时不比页面上小"
        dialog.get_by_role("button", name="看全").click()
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


def test_the_bar_on_a_phone(visit):
    """大标题看不见以后，顶栏写出它，点一下回到开头；两边的目录都打得开，关得上。"""
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
    for button, sidebar in [("primary", "全书目录"), ("secondary", "本页内容")]:
        page.locator(f".bd-header-article .{button}-toggle").click()
        drawer = page.locator(f"dialog#pst-{button}-sidebar-modal[open]")
        drawer.wait_for()
        assert drawer.locator("a").first.is_visible(), sidebar
        page.keyboard.press("Escape")
        drawer.wait_for(state="detached")


@pytest.mark.parametrize("name", [SECTION, "chapters/glossary"])
def test_contents_mark_where_a_jump_arrived(visit, name):
    """跳到哪一小节，本页内容里就标出哪一条，靠近结尾、到不了顶的也一样；随后往下读也总有一条，而且只有一条。

    全书目录收得起来。
    """
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
    sidebar = page.locator("#pst-primary-sidebar")
    assert sidebar.is_visible()
    page.locator(".bd-header-article .primary-toggle").click()
    sidebar.wait_for(state="hidden")


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


SELECTED = "#pst-search-dialog [role=option][aria-selected=true]"


def test_enter_opens_what_is_selected(visit):
    """选中第几条，回车就到第几条；到了之后看得见那一处，在那一页上又可以再找。"""
    page, *_ = visit("chapters/glossary")
    for keys in ([], ["ArrowDown"] * 3, ["ArrowUp"]):
        page.keyboard.press("Control+k")
        page.keyboard.type("梯度")
        page.locator(SELECTED).wait_for()
        for key in keys:
            page.keyboard.press(key)
        wanted = page.locator(SELECTED).evaluate("option => option.href")
        page.keyboard.press("Enter")
        page.wait_for_url(wanted, timeout=10_000)
        place = page.locator(f"[id='{wanted.split('#')[1]}']")
        assert place.bounding_box()["y"] < 900, keys
