"""普通版的笔记本（_build/notebooks）：只有标准 Markdown，说的与页面一字不差，链接都到得了；以及写它们的扩展。"""

import json
import re
from functools import cache
from types import SimpleNamespace
from urllib.parse import unquote

import nbformat
import pytest
from bs4 import BeautifulSoup, NavigableString, Tag
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from sphinx.testing.util import SphinxTestApp

from ext.plain_notebooks import ANSWER_BELOW, FOLDED, NEEDS
from tests.book import HTML, open_book
from tests.common import ROOT, one_blank_line
from tools.refresh import notebooks_in_toc

PLAIN = ROOT / "_build" / "notebooks"
LESSONS = [path.relative_to(ROOT).with_suffix("").as_posix() for path in notebooks_in_toc()]
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table").use(dollarmath_plugin)  # 不认识 MyST
MYST = re.compile(
    r"""\{[\w:+-]+\}`            # 角色
    | ^\s*\([\w-]+\)=            # 标签
    | ^\s*(`{3,}|:{3,})\s*\{     # 指令
    | ^\s*:{3,} | ^\s*:[\w-]+:   # 冒号围栏，指令的选项
    | ^\s*% | ^\+\+\+            # 注释，分格
    | \$\$\s*\([\w-]+\)          # 带标签的公式
    | [\])`]\{[.\#]              # 属性
    | \{\{                       # 替换""",
    re.VERBOSE | re.MULTILINE,
)
CODE = re.compile(r"(?ms)^(`{3,})(?!\s*\{).*?^\1|(?<![`}])`[^`{]*`")  # 代码里写什么都行


@cache
def plain(lesson):
    return nbformat.read(PLAIN / f"{lesson.removeprefix('chapters/')}.ipynb", as_version=4)


def page(lesson):
    return open_book().pages[lesson].soup.main


def cells(lesson, kind):
    return [cell for cell in plain(lesson).cells if cell.cell_type == kind]


# ---------------------------------------------------------------- 与页面一字不差

BLOCKS = {"h1", "h2", "h3", "h4", "p", "li", "td", "th", "dt"}
ONLY_THERE = {"headerlink", "section-number", "reading-time", "contents"}  # 只有页面上有


def formula(node):
    """它的 TeX，有编号的连同编号。"""
    typeset, number = node.select_one(".katex"), node.select_one(".eqno")
    tex = (typeset or node).get_text() + (number.contents[0] if number else "")
    return "$" + re.sub(r"\\tag\{(.*)\}", r"(\1)", tex) + "$"


def blocks(node, answers=False):
    """各段文字，依次；单看解答时，不算它的标题。"""
    texts = []

    def read(node, own):
        for child in node.children:
            if type(child) is NavigableString:
                own.append(child)
            if not isinstance(child, Tag) or child.name in ("script", "summary"):
                continue
            classes, outer = set(child.get("class", ())), set(node.get("class", ()))
            if classes & ONLY_THERE or ("admonition-title" in classes and outer & {"hint", answers and "solution"}):
                continue
            if "math" in classes:
                if child.name == "div":  # 行间公式自成一段
                    texts.append([formula(child)])
                else:
                    own.append(formula(child))
            elif "cell_output" in classes:
                for caption in child.select("figcaption"):
                    read(caption, own)
            elif child.name in BLOCKS:
                texts.append([])
                read(child, texts[-1])
            else:
                read(child, own)

    read(node, [])
    return [text for each in texts if (text := "".join("".join(each).split()))]


def markdown_blocks(*cells):
    return blocks(BeautifulSoup("".join(MARKDOWN.render(cell.source) for cell in cells), "html.parser"))


def plain_blocks(lesson):
    only_here = {each for text in (NEEDS, ANSWER_BELOW) for each in markdown_blocks(SimpleNamespace(source=text))}
    found = markdown_blocks(*(cell for cell in cells(lesson, "markdown") if cell.id != "references"))
    return ["学完这一节，你能：" if text == "学习目标" else text for text in found if text not in only_here]


@pytest.mark.parametrize("lesson", LESSONS)
def test_says_what_the_page_says(lesson):
    """正文、公式与编号、题注、练习、引用、由代码得出的数，一字不差，次序也相同。"""
    expected = blocks(page(lesson).article)
    assert len(expected) > 10 and plain_blocks(lesson) == expected


@pytest.mark.parametrize("lesson", LESSONS)
def test_runs_what_the_page_shows(lesson):
    """代码与页面上的相同，只少了为网站写的；图紧挨着它的题注。"""
    shown = [each.get_text() for each in page(lesson).select(".cell_input pre")]
    shown = [re.sub(r"(?m)^(from myst_nb import .*|glue\(.*\))\n", "", code).strip() for code in shown]
    codes = cells(lesson, "code")
    assert [one_blank_line(cell.source) for cell in codes] == shown
    assert [cell.execution_count for cell in codes] == list(range(1, len(codes) + 1))
    after = zip(plain(lesson).cells, plain(lesson).cells[1:])
    drawn = [
        text for cell, text in after if any("image/png" in each.get("data", {}) for each in cell.get("outputs", []))
    ]
    captions = [each.get_text() for each in page(lesson).select("figure:has(img) .caption-number")]
    assert [re.search(r"\*\*(.+?)\*\*", text.source)[1] for text in drawn] == [each.strip() for each in captions]


@pytest.mark.parametrize("lesson", LESSONS)
def test_references_are_those_of_the_book(lesson):
    entries = {
        each.select_one(".label").get_text(): "".join(each.p.get_text().split())
        for each in page("chapters/references").select(".citation")
    }
    cited = {
        number for each in page(lesson).select(".bibtex-citation") for number in re.findall(r"\d+", each.get_text())
    }
    listed = [cell for cell in cells(lesson, "markdown") if cell.id == "references"]
    items = markdown_blocks(*listed)[1:]
    assert items == [f"[{number}]{entries[f'[{number}]']}" for number in sorted(cited, key=int)]


# ---------------------------------------------------------------- 到处能用


@pytest.mark.parametrize("lesson", LESSONS)
def test_no_machinery_is_left(lesson):
    notebook = plain(lesson)
    nbformat.validate(notebook)
    text = "\n\n".join(CODE.sub("", cell.source) for cell in cells(lesson, "markdown"))
    assert [found[0] for found in MYST.finditer(text)] == []
    written = re.sub(r'"image/png": "[^"]*"', "", json.dumps(notebook))
    for word in ("myst", "glue", "remove-", "hide-", "scrapbook"):
        assert word not in written, word
    assert notebook.metadata.kernelspec.name == "python3"
    assert NEEDS in notebook.cells[0].source and notebook.cells[0].source.startswith("# ")


@pytest.mark.parametrize("lesson", LESSONS)
def test_links_arrive(lesson):
    """同一本里的锚点，别的笔记本与其中的一格，都在；别的链接是网址。"""
    text = "".join(MARKDOWN.render(cell.source) for cell in cells(lesson, "markdown"))
    soup, here = BeautifulSoup(text, "html.parser"), (PLAIN / lesson.removeprefix("chapters/")).parent
    anchors = {each["id"] for each in soup.select("a[id]")}
    for link in soup.select("a[href]"):
        path, _, fragment = unquote(link["href"]).partition("#")
        if path.startswith("https://"):
            continue
        target = (here / path).resolve()
        if path:
            there = plain(f"chapters/{target.relative_to(PLAIN).with_suffix('').as_posix()}")
            assert fragment.removeprefix("cell-id=") in [cell.id for cell in there.cells], link
        else:
            assert fragment in anchors, link


@pytest.mark.parametrize("lesson", LESSONS)
def test_exactly_the_answers_are_folded(lesson):
    """照 JupyterLab 的规则算出折起来的代码，恰好是页面上解答里的那些。"""
    folded, level = [], None
    for cell in plain(lesson).cells:
        levels = (
            [len(marks) for marks in re.findall(r"(?m)^(#+) ", cell.source)] if cell.cell_type == "markdown" else []
        )
        if level and levels and min(levels) <= level:
            level = None
        if level:
            folded.append(cell)
        if cell.metadata.get(next(iter(FOLDED))):
            level = min(levels)
    answers = [pre.get_text().strip() for pre in page(lesson).select(".solution .cell_input pre")]
    assert [one_blank_line(cell.source) for cell in folded if cell.cell_type == "code"] == answers
    prose = markdown_blocks(*(cell for cell in folded if cell.cell_type == "markdown"))
    assert prose == [text for each in page(lesson).select(".solution") for text in blocks(each, answers=True)]


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_download_is_the_plain_notebook(lesson):
    target = (HTML / lesson).parent / page(lesson).select_one("a.btn-download-source-button")["href"]
    assert target.read_bytes() == (PLAIN / f"{lesson.removeprefix('chapters/')}.ipynb").read_bytes()


def test_every_lesson_is_there_and_nothing_else():
    found = {path.relative_to(PLAIN).with_suffix("").as_posix() for path in PLAIN.rglob("*.ipynb")}
    assert found == {lesson.removeprefix("chapters/") for lesson in LESSONS} and len(found) >= 10


# ---------------------------------------------------------------- 书里还没有用到的写法，与不许有的写法

CONF = """
from ext import plain_notebooks
extensions = ["myst_nb", "sphinx_exercise", "sphinxcontrib.bibtex"]
bibtex_bibfiles = []
nb_execution_mode = "off"
myst_enable_extensions = ["amsmath", "attrs_inline", "colon_fence", "deflist", "dollarmath"]
numfig, language, root_doc, html_baseurl = True, "zh_CN", "chapters/index", "https://book.example/zh"
def setup(app):
    app.add_config_value("book_repository", "", "env")
    app.connect("build-finished", lambda app, exception: plain_notebooks.write(app))
"""
INDEX = "# 书\n\n```{glossary}\n词\n  释义。\n```\n\n```{toctree}\na\nmore/b\n```"
WRITTEN = {
    "(sec-a)=\n# 甲": "# 甲",
    "{term}`词`，{term}`那个 <词>`": "[词](https://book.example/zh/chapters/index.html#term-0)，"
    "[那个](https://book.example/zh/chapters/index.html#term-0)",
    "[](sec-b)，[自己写 {kbd}`a`](#sec-b)，[站外](https://example.org/)": "[乙](more/b.ipynb#cell-id=b)，"
    "[自己写 <kbd>a</kbd>](more/b.ipynb#cell-id=b)，[站外](https://example.org/)",
    "[红字]{.red}，`代码`{.short}": "红字，`代码`",
    "- 一项\n\n  $$\n  x\n  $$ (eq-x)\n\n  ```{note}\n  话。\n  ```\n- 又一项": "- 一项\n\n"
    '  <a id="eq-x"></a>\n\n  $$\n  x\n  \\tag{1}\n  $$\n\n  > **备注**\n  >\n  > 话。\n\n- 又一项',
    "| 甲 | 乙 |\n|---|---|\n| {eq}`eq-x` | {eq}`eq-x` |": "| 甲 | 乙 |\n|---|---|\n| [(1)](#eq-x) | [(1)](#eq-x) |",
    "甲\n\n% 注释\n乙": "甲\n\n乙",
    "````{admonition} 题\n```python\n{term}`不动`\n```\n````": "> **题**\n>\n> ```python\n> {term}`不动`\n> ```",
    "```{hint}\n想。\n```": "<details>\n<summary>提示</summary>\n\n想。\n\n</details>",
    "```{admonition} 题\n$$\nx\n$$\n```": "**题**\n\n$$\nx\n$$",
    ":::{figure} net.svg\n:name: fig-net\n:alt: 网\n题注 {eq}`eq-x`。\n:::": "![网](net.svg)\n\n"
    "**图 1** 题注 [(1)](#eq-x)。",
    "(here)=\n一段，{ref}`见此处 <here>`": '<a id="here"></a>\n\n一段，[见此处](#here)',
}
EXERCISE = "```{{exercise}}\n:label: ex-{0}\n题。\n```\n\n```{{solution-start}} ex-{0}\n:label: sol-{0}\n```\n\n答。"
REFUSED = {
    "{sub}`x`": "不知道 {sub}",
    "{glue:text}`gone`": "不知道 {glue:text}",
    "```{list-table}\n* - a\n```": "不知道指令 list-table",
    "词\n: 释义": "标准 Markdown 里没有",
    "\\begin{align}\nx\n\\end{align}": "标准 Markdown 里没有",
    "- 甲 {kbd}`a`\n  乙": "分成了几行",
    "> $$\n> x\n> $$ (eq-quoted)": "不能写在引文里",
    EXERCISE.format("a") + "\n\n```{solution-end}\n```\n\n被盖住的正文": "解答之后",
    EXERCISE.format("b") + "\n\n```{solution-end}\n```\n\n#### 太低的标题": "解答之后",
}


@pytest.fixture(scope="module")
def small_book(tmp_path_factory):
    """两本笔记本的小书 → {名字: 笔记本} 与警告。"""
    folder = tmp_path_factory.mktemp("book")
    (folder / "conf.py").write_text(CONF, encoding="utf-8")
    (folder / "chapters" / "more").mkdir(parents=True)
    (folder / "chapters" / "index.md").write_text(INDEX, encoding="utf-8")
    (folder / "chapters" / "net.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>", encoding="utf-8")
    new, cells = nbformat.v4, [nbformat.v4.new_markdown_cell(source) for source in [*WRITTEN, *REFUSED]]
    cells.append(new.new_code_cell("1", metadata={"tags": ["hide-input"]}))
    nbformat.write(new.new_notebook(cells=cells), folder / "chapters" / "a.ipynb")
    cells = [new.new_markdown_cell("(sec-b)=\n# 乙", id="b")]
    nbformat.write(new.new_notebook(cells=cells), folder / "chapters" / "more" / "b.ipynb")
    app = SphinxTestApp(srcdir=folder)
    app.build()
    warnings = app.warning.getvalue()
    app.cleanup()
    written = folder / "_build" / "notebooks"
    names = {path.relative_to(written).as_posix() for path in written.rglob("*") if path.is_file()}
    assert names == {"a.ipynb", "net.svg", "more/b.ipynb"}
    return nbformat.read(written / "a.ipynb", as_version=4), warnings


@pytest.mark.parametrize("source", WRITTEN, ids=range(len(WRITTEN)))
def test_myst_becomes_markdown(small_book, source):
    cell = small_book[0].cells[list(WRITTEN).index(source)]
    assert cell.source == WRITTEN[source]


def test_what_is_folded_on_the_page_is_hidden(small_book):
    assert small_book[0].cells[-1].metadata == {"jupyter": {"source_hidden": True}}


@pytest.mark.parametrize("source", REFUSED, ids=range(len(REFUSED)))
def test_unknown_syntax_is_a_warning(small_book, source):
    """漏译不会悄悄过去：警告使构建失败。"""
    warnings = [line for line in small_book[1].splitlines() if "笔记本的普通版" in line]
    assert any(REFUSED[source] in line for line in warnings)
    assert len(warnings) == len(REFUSED) + 2  # 定义列表有三种记号；不该警告的没有警告
