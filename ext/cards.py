"""卡片：指着术语、文献与公式的编号时看到的内容，写进 cards-data.js，第一次指到时才加载（见 static/cards.js）。"""

import re
from html import escape

from docutils import nodes

from . import formulas, pages

# 术语末尾的“见某一节”：卡片里点不动，要去的话点那个术语就行
SEE_ALSO = re.compile(r"[^。；<>]*(?:<a\b[^>]*>.*?</a>[^。；<>]*)+。(?=</p>)", re.DOTALL)
# 卡片里的链接是相对原来那一页的，只留文字；供读屏软件的公式那一页上有
NOT_SHOWN = re.compile(r'</?a\b[^>]*>|<span class="katex-mathml">.*?</span>', re.DOTALL)


def page_cards(doctree, docname, app):
    """一页里的卡片，{锚点: HTML}。"""

    def html(*parts):
        return "".join(app.builder.render_partial(part.deepcopy())["fragment"] for part in parts)

    cards = {}
    for item in doctree.findall(nodes.definition_list_item):
        for term in item.findall(nodes.term):
            if term["ids"]:
                meaning = SEE_ALSO.sub("", html(*item[-1].children))
                cards[term["ids"][0]] = html(nodes.strong("", "", *term.children)) + " " + meaning
    for citation in doctree.findall(nodes.citation):
        cards[citation["ids"][0]] = html(*citation.children[1:])
    numbers = {}  # 合成一页的网站里，公式记在它原来那一页名下，所以各页的都要
    for kinds in app.env.toc_fignumbers.values():
        numbers |= kinds.get("displaymath", {})
    for formula in doctree.findall(nodes.math_block):
        if formula["number"]:
            anchor = formula["ids"][0]
            number = ".".join(map(str, numbers[anchor]))
            source = f'<p class="card-source">式 ({number})，{escape(app.env.titles[docname].astext())}</p>'
            cards[anchor] = formulas.render_node(formula, display=True) + source
    return {anchor: NOT_SHOWN.sub("", card).strip() for anchor, card in cards.items()}


def write(site, cards):
    pages.write_script(site, "cards-data.js", "bookCards", cards)
