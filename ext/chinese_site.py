"""让网站像中文书的 Sphinx 扩展：补上遗漏的译文，换掉写死的英文，断行照顾汉字与标点，给读屏软件补上地标。"""

import gettext
import re
from pathlib import Path

from docutils import nodes
from sphinx.locale import translators

CLOSING = re.compile("[，。、；：？！）”》」…]+")
CJK = "[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef“”‘’—…]"
SOFT_BREAK = re.compile(rf"(?<={CJK})\n(?={CJK})")
SHORT_CODE = 16  # 这么短的行内代码不折行，手机上也放得下

WORDS = {
    "Main": "主要",
    "Page": "本页",
    "Color mode": "配色",
    "Light": "浅色",
    "Dark": "深色",
    "System Settings": "跟随系统",
    "Toggle primary sidebar": "收起或展开目录",
    "Toggle secondary sidebar": "收起或展开本页内容",
    "Toggle hidden content": "展开或收起",
    "Download this page": "下载本页",
    "Download source file": "下载源文件",
    "Print to PDF": "打印成 PDF",
    "Link to this heading": "链接到这个标题",
    "Link to this image": "链接到这幅图",
    "Link to this table": "链接到这张表",
    "Link to this code": "链接到这段代码",
    "Link to this definition": "链接到这个定义",
    "Link to this term": "链接到这个术语",
    "Link to this equation": "链接到这个公式",
    "Link to this toctree": "链接到这个目录",
    "Skip to main content": "跳到正文",
    "Back to top": "回到顶部",
    "Expand": "展开",
    "Copyright": "版权所有",
    "© Copyright %(copyright)s.": "© %(copyright)s 干就完了-xihe",
}

# 读屏软件与无障碍检查要的：侧栏是一个地标；文献条目不用已经废弃的角色
_MENDED = {
    'class="bd-sidebar-primary bd-sidebar">': (
        'class="bd-sidebar-primary bd-sidebar" role="navigation" aria-label="全书目录">'
    ),
    ' role="doc-biblioentry"': "",
    ' role="list" class="citation-list"': ' class="citation-list"',
    # 函数说明里参数与解释之间的连接号
    "</em>) -- ": "</em>)：",
    "</strong> -- ": "</strong>：",
    '<span class="colon">:</span>': '<span class="colon">：</span>',
    # 折叠的代码：看得见的“展开代码”就是名字，不要再写一个英文的
    '<summary aria-label="Toggle hidden content">': "<summary>",
    # 下载菜单里只写了后缀
    '<span class="btn__text-container">.ipynb</span>': '<span class="btn__text-container">笔记本（.ipynb）</span>',
    '<span class="btn__text-container">.md</span>': '<span class="btn__text-container">源文件（.md）</span>',
    '<span class="btn__text-container">.pdf</span>': '<span class="btn__text-container">打印或存成 PDF</span>',
}


def add_translations(app):
    """补上遗漏的译文；gettext 没有公开的接口可以往已载入的译文里加词。"""
    for translator in translators.values():
        if isinstance(translator, gettext.GNUTranslations):
            translator._catalog.update(WORDS)


def set_lines(app, doctree, docname):
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
    """把节点与后面的几个标点包在一起：浏览器会在公式之后换行，标点就到了行首。"""
    parent, here = node.parent, node.parent.index(node)
    tied = nodes.inline("", "", node, nodes.Text(after[:length]), classes=["nobreak"])
    parent[here : here + 2] = [tied, nodes.Text(after[length:])]


def _rewrite(path, change):
    """改写一个文件；没有变化就不写，免得没有动过的页面也换了时间。"""
    text = path.read_text(encoding="utf-8")
    if (changed := change(text)) != text:
        path.write_text(changed, encoding="utf-8")


def _mend(text):
    for word in ("Toggle primary sidebar", "Toggle secondary sidebar", "Main", "Page"):
        text = text.replace(f'="{word}"', f'="{WORDS[word]}"')
    for old, new in _MENDED.items():
        text = text.replace(old, new)
    return text


def mend_pages(app, exception):
    """换掉写死的英文；重复执行也无妨。"""
    if exception or app.builder.format != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        _rewrite(page, _mend)
    # 折叠块的脚本里写死了英文，不经过译文
    word = "Toggle hidden content"
    _rewrite(Path(app.outdir) / "_static" / "togglebutton.js", lambda text: text.replace(word, WORDS[word]))


def setup(app):
    app.connect("builder-inited", add_translations)
    app.connect("doctree-resolved", set_lines)
    app.connect("build-finished", mend_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
