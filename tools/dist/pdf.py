"""book.pdf：各页连成一个网页，由 Chromium 印两遍：第一遍得知每一节在第几页，第二遍填进目录。

不用 LaTeX：公式、代码与图都与网站用同一份排版，也不必另装几个 GB；Chromium 印的有书签、结构标签与嵌入的字体。
"""

import re
import tempfile
from collections import namedtuple
from datetime import UTC, datetime
from html import escape
from itertools import groupby
from pathlib import Path

import pikepdf
from bs4 import BeautifulSoup
from playwright.sync_api import sync_playwright

from tools.browser import CHROMIUM_OPTIONS, found

from . import fonts, pages, tags

CSS = Path(__file__).with_name("print.css")
Entry = namedtuple("Entry", "kind anchor title inner")
PAGE = re.compile("⟦(.*?)⟧")
PASSES = 4  # 通常两遍：第二遍填上页码，正文不动
TIMEOUT = 600_000  # 毫秒；慢的机器上印几百页要几分钟


def write(book, site, path, when):
    """when 是写进文件里的时间（秒）。"""
    text, numbers = document(book, site), {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        text = text.replace("</style>", f"{fonts.faces(text, Path(folder))}</style>", 1)
        html, printed = Path(folder) / "book.html", Path(folder) / "book.pdf"
        browser = playwright.chromium.launch(executable_path=found()["chromium"], **CHROMIUM_OPTIONS)
        for _ in range(PASSES):
            known = numbers
            filled = PAGE.sub(lambda match: str(known.get(match[1], "000")), text)  # noqa: B023 当场就用
            _print(browser, filled, html, printed)
            numbers = page_numbers(printed)
            if numbers == known:
                break
        else:
            raise RuntimeError("填上页码之后，正文总会移到别的页上：在 print.css 里给页码留出固定的宽度。")
        browser.close()
        _describe(printed, path, book, when)


# ---------------------------------------------------------------- 网页


def document(book, site):
    """整本书的 HTML。"""
    chapters = []
    contents = _contents(outline(book))
    for number, (part, sections) in enumerate(groupby(book.sections, key=lambda section: section.part)):
        if part:
            chapters.append(f'<h1 class="part" id="part-{number}">{escape(part)}</h1>')
        chapters += [_chapter(section, bool(part)) for section in sections]
    return f"""<!DOCTYPE html>
<html lang="zh-CN" data-theme="light" data-mode="light">
<head>
<meta charset="utf-8">
<title>{escape(book.title)}</title>
<meta name="author" content="{escape(book.author)}">
<link rel="stylesheet" href="{(site / "_static" / "site.css").as_uri()}">
<style>{CSS.read_text(encoding="utf-8")}{_running_heads(book)}</style>
</head>
<body>
<div class="bd-main"><main class="bd-content"><div class="bd-article-container"><article class="bd-article">
<div class="cover"><p class="title">{escape(book.title)}</p><p>{escape(book.author)}</p>
<p class="rights">{escape(book.rights)}</p></div>
<section id="contents"><h1>目录</h1>{contents}</section>
{"".join(chapters)}
</article></div></main></div>
</body>
</html>"""


def _running_heads(book):
    """每一节一种页，页眉左边是书名，右边是节名；CSS 的 string-set 浏览器还没有。"""
    rules = []
    for section in book.sections:
        title = section.title.replace("\\", "\\\\").replace('"', '\\"')
        rules.append(f'@page {section.slug} {{ @top-right {{ content: "{title}" }} }}')
        rules.append(f"#{section.slug} {{ page: {section.slug} }}")
    title = book.title.replace('"', '\\"')
    return "\n".join([f'@page {{ @top-left {{ content: "{title}" }} }}', *rules])


def outline(book):
    """目录与书签：各部分、各节与其中的小节。"""
    entries = []
    for number, (part, sections) in enumerate(groupby(book.sections, key=lambda section: section.part)):
        chapters = [_chapter_entry(section) for section in sections]
        entries += [Entry("part", f"part-{number}", part, chapters)] if part else chapters
    return entries


def _chapter_entry(section):
    inner = section.body.select(":scope > section[id]:has(> :is(h2, h3))")
    titles = {each["id"]: pages.text(each.find(pages.HEADING)) for each in inner}
    # 每一节都有学习目标与小结，不用查
    wanted = {anchor: title for anchor, title in titles.items() if not title.endswith(("学习目标", "小结"))}
    entries = [Entry("inner", anchor, title, []) for anchor, title in wanted.items()]
    return Entry("chapter", section.slug, section.title, entries)


def _contents(entries):
    lines = [
        f'<li class="{kind}"><a href="#{escape(anchor)}">{escape(title)}<i></i><b>{_page(anchor)}</b></a>'
        f"{_contents(inner) if inner else ''}</li>"
        for kind, anchor, title, inner in entries
    ]
    return f"<ul>{''.join(lines)}</ul>"


def _page(anchor):
    """填上页码的地方。"""
    return f"⟦{anchor}⟧"


def _chapter(section, in_part):
    """在某一部分里的节，标题都降一级，书签里就在那一部分的下面。"""
    for heading in section.body.find_all(pages.HEADING):
        heading["class"] = [*heading.get("class", []), f"was-{heading.name}"]
        heading.name = f"h{int(heading.name[1]) + in_part}"
    for details in section.body.select("details"):
        details["open"] = ""
    for figure in section.body.select("figure"):
        figure["role"] = "group"  # 结构标签里，有替代文字的那幅才是图
    for image in section.body.select("img[src]"):
        image["src"] = Path(image["src"]).as_uri()
    for link in section.body.select("a.page-link"):
        link.insert_after(BeautifulSoup(f"（第 <b>{_page(link['href'][1:])}</b> 页）", "html.parser"))
    return str(section.body)


# ---------------------------------------------------------------- 印


def _print(browser, text, html, path):
    html.write_text(text, encoding="utf-8")
    page = browser.new_page()
    page.set_default_timeout(TIMEOUT)
    page.goto(html.as_uri(), wait_until="load")
    page.evaluate("document.fonts.ready")
    page.pdf(path=path, prefer_css_page_size=True, print_background=True, tagged=True)
    page.close()


def page_numbers(path):
    """锚点 → 第几页；Chromium 为文件里链接到的每个锚点都记下一个。"""
    with pikepdf.open(path) as pdf:
        order = {page.objgen: number for number, page in enumerate(pdf.pages, start=1)}
        return {name: order[place[0].objgen] for name, place in _places(pdf).items()}


def _places(pdf):
    """锚点 → 它在文件里的位置。"""
    return {name.lstrip("/"): place for name, place in pdf.Root.Dests.items()}


def _outline_items(entries, places):
    for _, anchor, title, inner in entries:
        item = pikepdf.OutlineItem(title, places[anchor])
        item.is_closed = True
        item.children.extend(_outline_items(inner, places))
        yield item


def _link_words(book):
    """链接指向的地址 → 它的文字；只有图的，是图的替代文字。"""
    words, waiting = {}, outline(book)
    while waiting:
        entry = waiting.pop()
        words[f"#{entry.anchor}"] = entry.title
        waiting += entry.inner
    for link in (link for section in book.sections for link in section.body.select("a[href]")):
        words.setdefault(link["href"], pages.text(link) or (link.img or {}).get("alt"))
    return words


def _describe(printed, path, book, when):
    """写明书名、作者、语言；时间固定，同一个版本做出的文件就相同。"""
    time = datetime.fromtimestamp(when, UTC)
    with pikepdf.open(printed) as pdf:
        pdf.Root.Lang = pikepdf.String("zh-CN")
        pdf.Root.ViewerPreferences = pikepdf.Dictionary(DisplayDocTitle=True)
        with pdf.open_outline() as target:  # 不用 Chromium 的：标题在一页的开头时，它把文字写两遍
            target.root.extend([pikepdf.OutlineItem("目录", 1), *_outline_items(outline(book), _places(pdf))])
        tags.mend(pdf, _link_words(book))
        pdf.Root.PageMode = pikepdf.Name.UseOutlines
        for key in ("/CreationDate", "/ModDate"):
            pdf.docinfo[key] = pikepdf.String(time.strftime("D:%Y%m%d%H%M%SZ"))
        with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=True) as metadata:
            metadata["dc:title"], metadata["dc:creator"] = book.title, [book.author]
            metadata["dc:language"], metadata["dc:rights"] = ["zh-CN"], book.rights
            metadata["xmp:CreateDate"] = metadata["xmp:ModifyDate"] = time.isoformat()
            metadata["pdfuaid:part"] = "1"
        pdf.save(path, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
