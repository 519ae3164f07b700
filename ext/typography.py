"""排版：汉字之间的换行不成为空格，标点不到行首，函数说明里用中文的冒号；代码里只空一行，成列的数靠右。"""

import re

from docutils import nodes
from sphinx import addnodes

CLOSING = re.compile("[，。、；：？！）”》」…]+")
CJK = "[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef“”‘’—…]"
SOFT_BREAK = re.compile(rf"(?<={CJK})\n(?={CJK})")
DASH = re.compile(r"^(\)?) -- ")
NUMBER = re.compile(r"[−+-]?[\d,]+(\.\d+)?%?(（[^）]*\d[^）]*）)?|—")  # 后面可以带一个范围
SHORT_CODE = 16  # 这么短的行内代码不折行，手机上也放得下


def set_lines(doctree):
    """断行：两个汉字之间的换行不成为空格；短的行内代码不拆开；公式、代码与后面的标点不分开。"""
    for text in list(doctree.findall(nodes.Text)):
        if "\n" in text and not isinstance(text.parent, nodes.FixedTextElement):
            text.parent.replace(text, nodes.Text(SOFT_BREAK.sub("", text)))
    for code in doctree.findall(nodes.literal):
        if len(code.astext()) <= SHORT_CODE:
            code["classes"].append("short")
    for node in list(doctree.findall(lambda node: isinstance(node, nodes.math | nodes.literal))):
        after = node.next_node(descend=False, siblings=True)
        if isinstance(after, nodes.Text) and (mark := CLOSING.match(after)):
            _tie(node, after, mark.end())


def _tie(node, after, length):
    """把节点与后面的几个标点包在一起：浏览器会在公式之后换行，标点就到了行首。

    后面紧跟着又一个这样的，Firefox 就整串不换行，手机上伸到屏幕外面；隔一个 <wbr>，才换得了。
    """
    parent, here = node.parent, node.parent.index(node)
    tied = nodes.inline("", "", node, nodes.Text(after[:length]), classes=["nobreak"])
    parent[here : here + 2] = [tied, nodes.Text(after[length:]) if after[length:] else wbr()]


class wbr(nodes.Inline, nodes.Element):
    """可以换行的地方；没有文字，摘要与索引里就看不见它。"""


def visit_wbr(translator, _):
    translator.body.append("<wbr>")
    raise nodes.SkipNode


def use_chinese_colons(doctree):
    """函数说明里，参数与解释之间的连接号换成冒号。"""
    for content in doctree.findall(addnodes.desc_content):
        for text in list(content.findall(nodes.Text)):
            if DASH.match(text):
                text.parent.replace(text, nodes.Text(DASH.sub(r"\1：", text)))


def close_up_code(doctree):
    """函数之间空两行是文件里的规矩；网页上一格只有几行，空一行就够，也少滚一截。"""
    for cell in doctree.findall(lambda node: isinstance(node, nodes.container) and "cell_input" in node["classes"]):
        for block in cell.findall(nodes.literal_block):
            block.rawsource = re.sub(r"\n{3,}", "\n\n", block.astext())  # 两处不同，Sphinx 就不上颜色
            block.children = []
            block += nodes.Text(block.rawsource)


def align_numbers(doctree):
    """整列都是数的，连同表头靠右。"""
    for table in doctree.findall(nodes.tgroup):
        rows = [row.children for row in table.findall(nodes.row)]
        body = [row.children for part in table.findall(nodes.tbody) for row in part]
        if len({len(row) for row in rows}) != 1:  # 有合并的格
            continue
        for column in range(len(rows[0])):
            words = [re.sub(r"\\boxed\{(.*?)\}", r"\1", row[column].astext().strip()) for row in body]
            if any(re.search(r"\d", each) for each in words) and all(NUMBER.fullmatch(each) for each in words):
                for row in rows:
                    row[column]["classes"].append("number")
                for text in [text for row in rows for text in row[column].findall(nodes.Text) if "（" in text]:
                    number, rest = text.split("（", 1)  # 窄的列里，数一行，括号一行
                    text.parent.replace(text, [nodes.Text(number), nodes.inline("", f"（{rest}", classes=["nobreak"])])
