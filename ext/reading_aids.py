"""帮助阅读的 Sphinx 扩展：每节的篇幅与时间、很长的输出折起来、指着术语、文献与公式的编号就能看到内容的卡片。"""

import json
import math
import re
from pathlib import Path

from bs4 import BeautifulSoup, SoupStrainer
from docutils import nodes
from sphinx_exercise.nodes import exercise_enumerable_node

CHARACTERS_PER_MINUTE = 300  # 技术文字比小说慢
LONG_OUTPUT = 15  # 超过这么多行的输出折起来
SHOWN_LINES = 10
CHINESE = re.compile(r"[\u4e00-\u9fff]")
CARD_ID = re.compile(r"(cite|equation)-")


# ---------------------------------------------------------------- 篇幅


def add_reading_time(app, doctree, docname):
    """标题下写明这一节有多少字、要读多久、有几道练习。"""
    title = next(doctree.findall(nodes.title), None)
    exercises = len(list(doctree.findall(exercise_enumerable_node)))
    if title is None or not exercises:  # 附录是查的，不是读的
        return
    text = " ".join(node.astext() for node in doctree.findall(nodes.paragraph))
    count = len(CHINESE.findall(text))
    minutes = math.ceil(count / CHARACTERS_PER_MINUTE)
    words = f"约 {round(count, -2)} 字，阅读约 {minutes} 分钟；练习 {exercises} 道"
    title.parent.insert(title.parent.index(title) + 1, nodes.paragraph("", words, classes=["reading-time"]))


# ---------------------------------------------------------------- 长的输出


def fold_long_outputs(app, doctree, docname):
    """只留开头几行，其余的点开再看。"""
    for output in doctree.findall(lambda node: isinstance(node, nodes.container) and "cell_output" in node["classes"]):
        for block in list(output.findall(nodes.literal_block)):
            lines = block.astext().splitlines()
            if len(lines) > LONG_OUTPUT:
                _fold(block, lines)


def _fold(block, lines):
    def part(text):
        return nodes.literal_block(text, text, **{key: block[key] for key in ("language", "classes")})

    summary = f"<summary>其余 {len(lines) - SHOWN_LINES} 行输出</summary>"
    here = block.parent.index(block)
    block.parent[here : here + 1] = [
        part("\n".join(lines[:SHOWN_LINES])),
        nodes.raw("", f'<details class="more-output">{summary}', format="html"),
        part("\n".join(lines[SHOWN_LINES:])),
        nodes.raw("", "</details>", format="html"),
    ]


# ---------------------------------------------------------------- 卡片


def page_cards(html):
    """一页里的术语、文献、公式：{锚点: HTML}。"""
    for term in _pick(html, "dl", class_=re.compile("glossary")).select("dt[id]"):
        yield term["id"], f"<strong>{term.decode_contents()}</strong> {term.find_next_sibling('dd').decode_contents()}"
    for node in _pick(html, id=CARD_ID).find_all(id=CARD_ID):
        yield node["id"], node.decode_contents()


def _pick(html, *args, **wanted):
    """只解析要的那些元素，快得多。"""
    soup = BeautifulSoup(html, "html.parser", parse_only=SoupStrainer(*args, **wanted))
    for extra in soup.select(".headerlink, .eqno, .backrefs, .label, .katex-mathml"):
        extra.decompose()
    return soup


def without_links(html):
    """卡片里的链接是相对原来那一页的，只留文字。"""
    return re.sub(r"</?a\b[^>]*>", "", html).strip()


def write_cards(app, exception):
    """写成设置全局变量的脚本，第一次指到时才加载；不用 fetch，直接打开文件也能用。"""
    if exception or app.builder.format != "html" or not app.changed_pages:
        return
    html_dir = Path(app.outdir)
    names = (app.builder.get_target_uri(name) for name in sorted(app.env.found_docs))
    pages = ((html_dir / name).read_text(encoding="utf-8") for name in names)
    cards = {key: without_links(card) for page in pages for key, card in page_cards(page)}
    script = f"window.bookCards = {json.dumps(cards, ensure_ascii=False, separators=(',', ':'))};\n"
    (html_dir / "_static" / "cards-data.js").write_text(script, encoding="utf-8")


def setup(app):
    app.connect("doctree-resolved", add_reading_time)
    app.connect("doctree-resolved", fold_long_outputs)
    app.connect("build-finished", write_cards)
    app.add_js_file("cards.js", defer="defer")
    app.add_js_file("print.js", defer="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
