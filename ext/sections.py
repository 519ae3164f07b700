"""一节的骨架：学习目标成为一个不编号的框，导入的模块折起来，练习与它的检查、提示、解答成为一组。"""

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx_exercise.nodes import exercise_enumerable_node, solution_node

from .reading import is_output

GOALS = "学习目标"
BOX_TITLE = "学完这一节，你能："


def is_cell(node):
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code"


def box_goals(doctree):
    """学习目标：从小节变成框，于是不编号、不进目录；标签仍指得到它。框之后的照旧。"""
    for section in list(doctree.findall(nodes.section)):
        title, *content = section.children
        if title.astext() != GOALS or not isinstance(title, nodes.title):
            continue
        goals = [node for node in content if isinstance(node, nodes.bullet_list)]
        rest = [node for node in content if node not in goals]
        box = nodes.container("", nodes.rubric("", BOX_TITLE), *goals, classes=["goals"])
        box["ids"], box["names"] = section["ids"], section["names"]
        here = section.parent.index(section)
        section.parent[here : here + 1] = [box, *rest]


def fold_imports(doctree):
    """一页的第一格，只导入而不显示结果的，是准备。"""
    cell = next(doctree.findall(is_cell), None)
    if cell and len(cell) == 1 and cell.astext().startswith(("import ", "from ")):
        cell["classes"].append("setup")
        cell.setdefault("hide_mode", "input")  # 由 myst-nb 折起；写的字见 reading.name_folded_code
        cell["prompt_show"] = cell["prompt_hide"] = ""


def merge_folded_code(doctree):
    """挨着的几格折起来、没有输出的代码并成一条。"""
    for cell in list(doctree.findall(is_cell)):
        before = cell.parent[cell.parent.index(cell) - 1] if cell.parent.index(cell) else None
        if is_cell(before) and is_folded(before) and is_folded(cell):
            before[0] += cell[0].children
            cell.parent.remove(cell)


def is_folded(cell):
    return len(cell) == 1 and isinstance(cell[0], HideCodeCellNode) and not any(cell.findall(is_output))


def group_exercises(doctree):
    """练习、跟在后面的代码与解答放进一个框，读者看得出哪一格属于哪一题。"""
    for exercise in list(doctree.findall(exercise_enumerable_node)):
        parent, start = exercise.parent, exercise.parent.index(exercise)
        for end, node in enumerate(parent.children[start + 1 :], start + 2):
            if isinstance(node, exercise_enumerable_node):
                break
            if isinstance(node, solution_node):
                parent[start:end] = [nodes.container("", *parent[start:end], classes=["exercise-group"])]
                break


def fold_hints(doctree):
    """提示先折着：读者先自己想一想。"""
    for hint in doctree.findall(nodes.hint):
        hint["classes"].append("dropdown")


def lift_lists(doctree):
    """函数说明里，Sphinx 把列表放进了段落，HTML 不许：拿出来。"""
    for field in doctree.findall(nodes.field_body):
        for paragraph in list(field.children):
            if (
                isinstance(paragraph, nodes.paragraph)
                and paragraph.first_child_matching_class(nodes.bullet_list) is not None
            ):
                paragraph.replace_self(paragraph.children)


def drop_empty_titles(doctree):
    """页边的注没有标题时，sphinx-book-theme 的 margin 指令留下一个空的。"""
    for note in doctree.findall(nodes.sidebar):
        if note.children and isinstance(note[0], nodes.title) and not note[0].astext().strip():
            del note[0]
