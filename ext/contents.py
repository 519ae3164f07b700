"""首页的目录：分几部、各有哪几节取自 _toc.yml，每一节的一句话取自它自己的开头，所以加一节不用改首页。"""

import re

from docutils import nodes

SENTENCE = re.compile(r"[^。？！]+[。？！]")
MINUTES = '<span class="minutes" data-section="%s"></span>'  # 写完各页才知道要读几分钟


def fill(doctree, docname, app):
    """往类名是 book-parts 的框里填目录，一框一部，余下的都在最后一框；附录（没有编号的部分）不列。"""
    boxes = list(doctree.findall(lambda node: isinstance(node, nodes.container) and "book-parts" in node["classes"]))
    parts = [part for part in app.env.external_site_map.root.subtrees if part.numbered] if boxes else []
    for i, box in enumerate(boxes, start=1):
        mine = parts[i - 1 : i] if i < len(boxes) else parts[i - 1 :]
        box += [_part(part, docname, app) for part in mine]


def _part(part, docname, app):
    sections = [str(item) for item in part.items]
    number = app.env.toc_secnumbers[sections[0]][""][0]  # 各部的编号接着数
    entries = nodes.enumerated_list("", enumtype="arabic", prefix="", suffix=".", start=number)
    for section in sections:
        question = nodes.strong("", opening(app.env.get_doctree(section)))
        title = nodes.inline("", app.env.titles[section].astext(), classes=["title"])
        uri = app.builder.get_relative_uri(docname, section)
        link = nodes.reference("", "", question, title, internal=True, refuri=uri)
        entries += nodes.list_item("", nodes.paragraph("", "", link, nodes.raw("", MINUTES % section, format="html")))
    heading = nodes.paragraph("", "", nodes.strong("", part.caption))
    return nodes.container("", heading, entries, classes=["book-part"])


def next_opening(docname, app):
    """下一页回答什么；最后一页没有。"""
    following = app.builder.relations.get(docname, (None, None, None))[2] if app.builder.format == "html" else None
    return opening(app.env.get_doctree(following)) if following else ""


def opening(doctree):
    """开头一段里的第一个问题；没有问题，就是第一句话。"""
    first = next(doctree.findall(nodes.paragraph), nodes.paragraph()).astext()
    sentences = SENTENCE.findall(first) or [first]
    return next((sentence for sentence in sentences if sentence.endswith("？")), sentences[0]).strip()


def write_minutes(page, times):
    """各页都写完以后，填上首页的目录里各节要读几分钟。"""
    html = page.read_text(encoding="utf-8")
    for section, words in times.items():
        html = html.replace(MINUTES % section, f'<span class="minutes">{words}</span>')
    page.write_text(html, encoding="utf-8")
