"""普通版的笔记本（_build/notebooks）：只有标准 Markdown，说的与页面一字不差，链接都到得了；以及写它们的扩展。"""

import json
import re
import shutil
from collections import Counter
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote

import nbformat
import pytest
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from sphinx.testing.util import SphinxTestApp

from ext.plain_notebooks import ANSWER_BELOW, FOLDED, NEEDS
from tests.common import ROOT
from tools.refresh import notebooks_in_toc

HTML, PLAIN = ROOT / "_build" / "html", ROOT / "_build" / "notebooks"
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


@cache
def page(lesson):
    return BeautifulSoup((HTML / f"{lesson}.html").read_text(encoding="utf-8"), "html.parser").select_one("article")


def cells(lesson, kind):
    return [cell for cell in plain(lesson).cells if cell.cell_type == kind]


# ---------------------------------------------------------------- 与页面一字不差


def blocks(html, *dropped):
    """各段文字，依次；公式是它的 TeX，有编号的连同编号。"""
    soup = BeautifulSoup(str(html), "html.parser")
    for tag in [tag for selector in dropped for tag in soup.select(selector)]:
        tag.decompose()
    for math in soup.select(".math"):
        tex = math.annotation.get_text() if math.annotation else math.get_text()
        number = math.select_one(".eqno").contents[0] if math.select_one(".eqno") else ""
        math.string = "$" + re.sub(r"\\tag\{(.*)\}", r"(\1)", tex) + number + "$"
    kinds = ["h1", "h2", "h3", "h4", "p", "li", "td", "th", "dt"]
    for block in soup.find_all(kinds):
        own = (string for string in block.strings if string.find_parent(kinds) is block)
        if text := "".join("".join(own).split()):
            yield text


def page_blocks(html, *dropped):
    soup = BeautifulSoup(str(html), "html.parser")
    for output in soup.select(".cell_output"):
        output.replace_with(*output.select("figcaption"))
    return list(blocks(soup, ".headerlink", ".section-number", ".reading-time", ".contents", "script", *dropped))


def plain_blocks(lesson):
    markdown = [cell for cell in cells(lesson, "markdown") if cell.id != "references"]
    found = [text for cell in markdown for text in blocks(MARKDOWN.render(cell.source))]
    only_here = set(blocks(MARKDOWN.render(f"{NEEDS}\n\n{ANSWER_BELOW}")))
    return [text for text in found if text not in only_here]


@pytest.mark.parametrize("lesson", LESSONS)
def test_says_what_the_page_says(lesson):
    """正文、公式与编号、题注、练习、引用、由代码得出的数，一字不差，次序也相同。"""
    expected = page_blocks(page(lesson))
    assert len(expected) > 20 and plain_blocks(lesson) == expected


@pytest.mark.parametrize("lesson", LESSONS)
def test_runs_what_the_page_shows(lesson):
    """代码与页面上的相同，只少了为网站写的；图紧挨着它的题注。"""
    shown = [each.get_text() for each in page(lesson).select(".cell_input pre")]
    shown = [re.sub(r"(?m)^(from myst_nb import .*|glue\(.*\))\n", "", code).strip() for code in shown]
    codes = cells(lesson, "code")
    assert [cell.source for cell in codes] == shown
    assert [cell.execution_count for cell in codes] == list(range(1, len(codes) + 1))
    after = zip(plain(lesson).cells, plain(lesson).cells[1:])
    drawn = [
        text for cell, text in after if any("image/png" in each.get("data", {}) for each in cell.get("outputs", []))
    ]
    captions = [each.get_text() for each in page(lesson).select("figcaption .caption-number")]
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
    items = [text for cell in listed for text in blocks(MARKDOWN.render(cell.source))][1:]
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
            ids = [cell.id for cell in nbformat.read(target, as_version=4).cells]
            assert fragment.removeprefix("cell-id=") in ids, link
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
    assert [cell.source for cell in folded if cell.cell_type == "code"] == answers
    prose = [text for cell in folded if cell.cell_type == "markdown" for text in blocks(MARKDOWN.render(cell.source))]
    solutions = [page_blocks(each, ".solution > .admonition-title") for each in page(lesson).select(".solution")]
    assert prose == [text for each in solutions for text in each]


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_download_is_the_plain_notebook(lesson):
    soup = BeautifulSoup((HTML / f"{lesson}.html").read_text(encoding="utf-8"), "html.parser")
    target = (HTML / lesson).parent / soup.select_one("a.btn-download-source-button")["href"]
    assert target.read_bytes() == (PLAIN / f"{lesson.removeprefix('chapters/')}.ipynb").read_bytes()


def test_every_lesson_is_there_and_nothing_else():
    found = {path.relative_to(PLAIN).with_suffix("").as_posix() for path in PLAIN.rglob("*.ipynb")}
    assert found == {lesson.removeprefix("chapters/") for lesson in LESSONS} and len(found) >= 10
