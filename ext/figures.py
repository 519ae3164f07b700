"""图：画图的代码折在图的下面，示意图（SVG）写进网页里，首页借用别的页上的图与公式。"""

import re
from html import escape
from pathlib import Path
from xml.etree import ElementTree

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective


def _is(name):
    return lambda node: isinstance(node, nodes.container) and name in node["classes"]


# ---------------------------------------------------------------- 图在前，画它的代码折在下面


def put_figures_first(doctree):
    """读者先看图；想知道怎样画的，再展开下面的代码。"""
    for cell in doctree.findall(_is("cell")):
        code = next((child for child in cell if isinstance(child, HideCodeCellNode)), None)
        drawn = [child for child in cell if _is("cell_output")(child) and any(child.findall(nodes.image))]
        if code and drawn:
            cell.remove(code)
            cell.append(code)
            cell["classes"].append("figure-first")


# ---------------------------------------------------------------- 示意图


class drawing(nodes.General, nodes.Element):
    """写进网页里的 SVG：字能搜到，颜色跟着页面走；里面的文字另作子节点，搜索由此得来。"""


def visit_drawing(self, node):
    self.body.append(node["svg"])
    raise nodes.SkipNode


def inline_drawings(doctree, app):
    """正文里的 .svg 换成它的内容；替代文字写成它的说明。"""
    for image in list(doctree.findall(nodes.image)):
        if image["uri"].endswith(".svg"):
            source = Path(app.srcdir, image["uri"]).read_text(encoding="utf-8")
            description = f"</title>\n<desc>{escape(image['alt'])}</desc>"
            svg = source.replace("<svg ", '<svg role="img" class="drawing" ', 1).replace("</title>", description, 1)
            lines = (re.sub(r"\s+", " ", "".join(element.itertext())).strip() for element in _texts(svg))
            image.replace_self(drawing("", *(nodes.line("", line) for line in lines), svg=svg))


def _texts(svg):
    names = ("title", "desc", "text")
    return (element for element in ElementTree.fromstring(svg).iter() if element.tag.split("}")[-1] in names)


# ---------------------------------------------------------------- 借用


class Excerpt(SphinxDirective):
    """``{excerpt} 标签``：别的页上的一幅图，或者一个公式连同它下面的一格代码；内容是给它的话。"""

    required_arguments = 1
    has_content = True

    def run(self):
        box = nodes.container(classes=["excerpt"], label=self.arguments[0])
        box += self.parse_content_to_nodes()
        return [box]


def fill_excerpts(doctree, docname, app):
    """从存下的文档树里取，所以与那一页上的总是同一幅、同一格。"""
    for box in list(doctree.findall(_is("excerpt"))):
        label = box.attributes.pop("label")
        where, node = _find(label, app.env)
        if isinstance(node, nodes.figure):
            image = next(node.findall(nodes.image)).deepcopy()
            uri = f"{app.builder.get_relative_uri(docname, where)}#{node['ids'][0]}"
            first = next(box.findall(nodes.paragraph))
            first.insert(0, nodes.reference("", "", image, internal=True, refuri=uri))
        else:
            cell = next((each for each in node.findall(_is("cell"), siblings=True, descend=False)), None)
            if cell is None:
                raise ExtensionError(f"{{excerpt}} 借用的公式 {label} 后面没有代码：请换一个下面有一格代码的公式。")
            formula = node.deepcopy()
            formula["ids"], formula["number"], formula["label"] = [], None, None
            box += [formula, cell.deepcopy()]


def _find(label, env):
    """标签所在的页，与那幅图或那个公式。"""
    docname = env.domains["std"].anonlabels.get(label, env.domains["math"].equations.get(label, (None,)))[0]
    ids, nodes_there = {label, f"equation-{label}"}, env.get_doctree(docname).findall() if docname else []
    for node in nodes_there:
        if isinstance(node, nodes.figure | nodes.math_block) and ids.intersection(node["ids"]):
            return docname, node
    raise ExtensionError(f"{{excerpt}} 要借用 {label}，书里没有这个标签的图或公式。")
