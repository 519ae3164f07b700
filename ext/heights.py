"""手机上还没排版的小节先留多高（见 book.css）：照字、代码与图估计，滚动条与读到哪里才大致准。"""

import math
import re

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx_exercise.nodes import solution_node

# 像素，照 390 像素宽的手机量的：一行几字，行高，上下的空
TEXT = {
    nodes.paragraph: (22, 31, 16),
    nodes.caption: (22, 28, 10),
    nodes.title: (16, 36, 40),
    nodes.literal_block: (44, 20, 34),
}
OTHERS = {solution_node: 40, HideCodeCellNode: 40, nodes.math_block: 70, nodes.row: 80}


def estimate(node):
    if type(node) in OTHERS:
        return OTHERS[type(node)]
    if type(node) in TEXT:
        letters, line, gap = TEXT[type(node)]
        lines = re.sub("<.*?>", "", node.astext()).split("\n")
        return gap + line * sum(math.ceil(len(each) / letters) or 1 for each in lines)
    if isinstance(node, nodes.image):
        width, height = float(node.get("width", 1)), float(node.get("height", 0))
        return height / width * min(width, 576 if width >= 700 or "wide" in node["classes"] else 357)
    if "hands" in getattr(node, "attributes", {}):
        return 1400  # hands.css 里的 --narrow
    height, is_folded = 0, False
    for child in node.children:
        if isinstance(child, nodes.raw) and "details" in child.astext():
            is_folded = "<details" in child.astext()
            height += 40 * is_folded
        elif not is_folded:
            height += estimate(child)
    return height


def style(doctree):
    """各小节的估计，写成一张样式表。"""
    sections = [node for node in doctree.findall(nodes.section) if isinstance(node.parent.parent, nodes.document)]
    rules = [f"#{node['ids'][0]}{{contain-intrinsic-size:auto {estimate(node):.0f}px}}" for node in sections]
    return f"<style>@media (max-width:600px){{{''.join(rules)}}}</style>" if rules else ""
