"""构建时就把公式排好：页面里只有 HTML 与 MathML，读者的浏览器不运行任何脚本。

公式由 KaTeX 排版，在 mini-racer（嵌入 Python 的 V8）里运行，所以不需要 Node.js，构建与阅读都不联网。
"""

import atexit
import warnings
from functools import cache
from pathlib import Path

from docutils import nodes
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # mini-racer 用的 ctypes 写法，Python 3.14 起提醒
    from py_mini_racer import JSEvalException, MiniRacer

KATEX_JS = Path(__file__).parent / "static" / "katex" / "katex.min.js"
logger = logging.getLogger(__name__)


@cache
def _katex():
    """第一次用到时才启动 V8。"""
    context = MiniRacer()
    # 它有自己的线程，不关就要等到解释器退出时才关，Python 3.13 起那时关不上，进程永远不结束。
    # 不挂在 build-finished 上：构建被打断时没有这个事件，测试也会不经构建就用到它。
    atexit.register(context.close)
    context.eval(KATEX_JS.read_text(encoding="utf-8"))
    return context


@cache
def render(latex, display):
    """LaTeX → HTML（连同供读屏软件与复制用的 MathML）；公式有错时抛出 JSEvalException。"""
    options = {"displayMode": display, "throwOnError": True, "strict": "error"}
    return _katex().call("katex.renderToString", latex, options)


def render_node(node, display):
    try:
        return render(node.astext().strip(), display)
    except JSEvalException as error:
        logger.warning("公式有错：%s", str(error).splitlines()[0], location=node)
        return f"<code>{node.astext()}</code>"


def visit_inline(self, node):
    self.body.append(f'<span class="math">{render_node(node, display=False)}</span>')
    raise nodes.SkipNode


def visit_block(self, node):
    self.body.append(self.starttag(node, "div", CLASS="math"))
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "链接到这个公式")
        self.body.append("</span>")
    # 太宽的公式在自己的框里横向滚动；能聚焦，用键盘才滚得动
    html = render_node(node, display=True).replace('class="katex-display"', 'class="katex-display" tabindex="0"', 1)
    self.body.append(html + "</div>\n")
    raise nodes.SkipNode


def all_in(*parts):
    return [node for part in parts for kind in (nodes.math, nodes.math_block) for node in part.findall(kind)]


def has_formulas(doctree):
    return doctree is not None and bool(all_in(doctree))


def early_fonts(doctree):
    """打开时就要用的字体：开头与第一小节里的公式要的。后面的公式排到时再取，早取反而挡住正文。"""
    opening = []
    for part in doctree.next_node(nodes.section) or [] if doctree else []:
        opening.append(part)
        if isinstance(part, nodes.section):
            break
    formulas = all_in(*opening)
    bold = any(r"\mathbf" in formula.astext() for formula in formulas)
    return formulas and ["Main-Regular", "Math-Italic"] + ["Main-Bold"] * bold
