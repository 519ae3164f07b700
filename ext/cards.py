"""卡片：指着术语、文献与公式的编号时看到的内容，{锚点: HTML}。

写进 _static/cards-data.js，第一次指到时才加载（见 static/cards.js）。
"""

import re

from docutils import nodes

from . import formulas

# 卡片里的链接是相对原来那一页的，只留文字；供读屏软件的公式那一页上有
_NOT_SHOWN = re.compile(r'</?a\b[^>]*>|<span class="katex-mathml">.*?</span>', re.DOTALL)


def page_cards(doctree, to_html):
    """一页里的卡片；to_html 把节点写成 HTML。"""
    cards = {}
    for item in doctree.findall(nodes.definition_list_item):
        for term in item.findall(nodes.term):
            if term["ids"]:
                text = "".join(map(to_html, item[-1].children))
                cards[term["ids"][0]] = f"{to_html(nodes.strong('', '', *term.children))} {text}"
    for citation in doctree.findall(nodes.citation):
        cards[citation["ids"][0]] = "".join(map(to_html, citation.children[1:]))
    for formula in doctree.findall(nodes.math_block):
        if formula["number"]:
            cards[formula["ids"][0]] = formulas.render_node(formula, display=True)
    return {anchor: _NOT_SHOWN.sub("", html).strip() for anchor, html in cards.items()}
