"""帮助阅读：每节的篇幅与时间、很长的输出折起来、图读到附近才加载、给搜索引擎的简介。"""

import math
import re

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx_exercise.nodes import exercise_enumerable_node, solution_node

CHARACTERS_PER_MINUTE = 300  # 技术文字比小说慢；一个公式、一格看得见的代码，另各算一分钟
EXERCISE_MINUTES = {1: 5, 2: 15, 3: 30}  # 做一道题、对一遍答案，按星数；没有星的当两颗
LONG_OUTPUT = 15  # 超过这么多行的输出折起来
SHOWN_LINES = 10
DESCRIPTION_LENGTH = 100  # 搜索引擎的摘要大约显示这么多个汉字
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def is_output(node):
    return isinstance(node, nodes.container) and "cell_output" in node["classes"]


def add_reading_time(doctree):
    """标题下写明这一节有多少字、要读多久、有几道练习、要做多久；返回要读多久，附录是空的。"""
    title = next(doctree.findall(nodes.title), None)
    exercises = list(doctree.findall(exercise_enumerable_node))
    if title is None or not exercises:  # 附录是查的，不是读的
        return ""
    count, minutes = _reading(doctree)
    doing = sum(EXERCISE_MINUTES.get(exercise.astext().splitlines()[0].count("★"), 15) for exercise in exercises)
    words = f"约 {round(count, -2)} 字，读约 {minutes} 分钟；练习 {len(exercises)} 道，做约 {doing} 分钟"
    title.parent.insert(title.parent.index(title) + 1, nodes.paragraph("", words, classes=["reading-time"]))
    return f"约 {minutes} 分钟"


def _reading(doctree):
    """(字数, 分钟)；解答算在做题的时间里，折起来的代码不算。"""
    count = len(CHINESE.findall(" ".join(node.astext() for node in _outside(doctree, nodes.paragraph))))
    code = _outside(doctree, lambda node: "cell_input" in _classes(node), HideCodeCellNode)
    minutes = count / CHARACTERS_PER_MINUTE + len(_outside(doctree, nodes.math_block)) + len(code)
    return count, math.ceil(minutes / 5) * 5


def _classes(node):
    return node.get("classes", []) if isinstance(node, nodes.Element) else []


def _outside(doctree, condition, *hidden):
    """符合条件、又不在解答（与 hidden）里面的节点。"""
    hidden = (solution_node, *hidden)
    return [node for node in doctree.findall(condition) if not any(isinstance(up, hidden) for up in _above(node))]


def _above(node):
    while node := node.parent:
        yield node


def fold_long_outputs(doctree):
    """只留开头几行，其余的点开再看。"""
    for output in doctree.findall(is_output):
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


def name_folded_code(doctree):
    """折起来的代码写明是什么、有几行，读者才好决定要不要展开。"""
    for cell in doctree.findall(lambda node: isinstance(node, nodes.container) and "cell" in node["classes"]):
        drawn = any(cell.findall(nodes.image))
        for node in cell.findall(HideCodeCellNode):
            blocks = [block.astext() for block in node.findall(nodes.literal_block)]
            code = "\n".join(blocks)
            kind = "检查的代码" if code.startswith("def check_") else "画图的代码" if drawn else "代码"
            kind = "准备" if "setup" in cell["classes"] else kind
            if kind == "代码" and (names := re.findall(r"^(?:def|class) (\w+)", code, re.MULTILINE)):
                kind += f" {'、'.join(names)}"
            words = f"{kind}（{len(code.splitlines())} 行）"
            node["prompt_show"], node["prompt_hide"] = words, f"收起{words}"


def load_lazily(doctree):
    """小节里的图，读到附近才加载；开头的（例如首页的）马上就看得见。"""
    for section in doctree.findall(nodes.section):
        if isinstance(section.parent, nodes.section):
            for image in section.findall(nodes.image):
                image["loading"] = "lazy"


def summary(doctree, default):
    """搜索引擎与转发时显示的简介：正文的第一段；没有正文的页面用书名。"""
    paragraphs = doctree.findall(nodes.paragraph) if doctree else []
    first = next((each for each in paragraphs if not each["classes"]), None)
    text = re.sub(r"\s+", " ", first.astext() if first else default).strip()
    if len(text) > DESCRIPTION_LENGTH:
        text = text[:DESCRIPTION_LENGTH] + "…"
    return text
