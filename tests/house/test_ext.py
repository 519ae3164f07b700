"""我们自己的 Sphinx 扩展：用一本小书真正构建（见 small_book.py），再单独检查几个函数。"""

import json
import re
import threading

import pytest
from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.errors import ExtensionError

from ext import formulas, pages, styles, typography
from tests.common import raises_chinese
from tests.house import small_book

pytestmark = small_book.IGNORE_OLD_STYLE


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """建好的小书。"""
    return small_book.build(small_book.write_book(tmp_path_factory.mktemp("小书")))


@pytest.fixture
def book(tmp_path):
    """还没有构建的小书。"""
    (tmp_path / "书").mkdir()
    return small_book.write_book(tmp_path / "书")


def page(site, name):
    return BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "html.parser")


def data(site, name):
    """脚本里的数据：window.… = {…};"""
    text = (site / "_static" / name).read_text(encoding="utf-8")
    return json.loads(text.partition(" = ")[2].removesuffix(";\n"))


def files(site):
    return {path.relative_to(site).as_posix(): path.read_bytes() for path in site.rglob("*") if path.is_file()}


def differences(one, other):
    return {name for name, _ in files(one).items() ^ files(other).items()}


# ---------------------------------------------------------------- 建好的小书


def test_entries_are_complete(site):
    """每个小节、练习、函数一条，各有自己的文字与代码；引用、编号都已经填进去。"""
    entries = {entry["url"].partition("#")[2]: entry for entry in data(site, "search/index.js")["entries"]}
    text = {label: entry["text"] for label, entry in entries.items()}
    assert text["sec-index"] == "第一段，只有一句。见甲。"
    assert text["sec-two"] == "(1.1) 与练习 1.1，见损失。"
    assert text["sec-one-loss"] == "… 其中 x，是输入。"
    assert text["sec-two-empty"] == "里层"
    assert text["small_code.scale"].startswith("scale(x, k=2) 放大。参数：x (float)：原来的数。")
    assert text["sec-glossary"] == text["sec-references"] == ""
    assert entries["ex-one"] | {"weight": 0} == {
        "url": "one.html#ex-one",
        "title": "练习 1.1",
        "parents": "甲",
        "text": "算一算 1 + 1。",
        "code": "plt.show()",
        "names": [],
        "weight": 0,
    }
    assert entries["sec-two-inner"]["parents"] == "乙 › 空的一节"
    assert entries["sec-one"]["names"] == ["回归", "linear regression"]
    assert entries["sec-one-loss"]["names"] == ["怎样衡量好坏"]


HANDS_ON = """```{hands-on} one-ball 一个球
:figure: fig-ball
问题？

- [x] 对

  好。

- [ ] 错

  坏。

因为。
```
"""
# 写错的一处 → 报错里要有的词
WRONG_HANDS_ON = {
    ("- [x]", "- [ ]"): "恰有一个是",
    ("- [x] 对", "对"): "恰有一个是",
    ("  坏。\n", ""): "“错”的下面没有",
    ("因为。", ""): "后面要有",
    ("问题？\n", ""): "前面要有问题",
    (" 一个球", ""): "名字 标题",
    (":figure: fig-ball\n", ""): ":figure:",
    ("one-ball", "two-balls"): "没有 two-balls.js",
    (":figure:", ":data: nothing\n:figure:"): "存下 nothing",
    (":figure:", ":guess: 0 1 0.1\n:figure:"): "数据里有 answer",
}


def test_what_is_wrong_stops_the_build(book):
    """动手的图写错了，公式写错了，构建失败，说出每一处错在哪里。"""
    texts = [HANDS_ON.replace(old, new, 1) for old, new in WRONG_HANDS_ON]
    (book / "two.md").write_text(small_book.SOURCES["two.md"] + "\n".join(texts), encoding="utf-8")
    edit("index.md", "只有一句", r"只有 $\undefined{x}$")(book)
    with raises_chinese(RuntimeError, r"index\.md[^\n]*公式有错[^\n]*undefined") as error:
        small_book.build(book)
    messages = re.findall("动手的图 .*", str(error.value))
    assert len(messages) == len(WRONG_HANDS_ON)
    assert [words for message, words in zip(messages, WRONG_HANDS_ON.values()) if words not in message] == []


def test_page_is_ready_to_read(site):
    assert "原来的数。" in page(site, "api").text  # 说明里汉字之间的换行不是空格
    one = page(site, "one")
    ids = [node["id"] for node in one.find_all(id=True)]
    assert len(ids) == len(set(ids)) and {"sec-one", "ex-one", "sol-one", "equation-eq-line"} <= set(ids)
    assert one.select_one("details.more-output summary").text == "其余 10 行输出"
    shown = "".join(pre.text.rstrip("\n") + "\n" for pre in one.select(".cell_output pre"))
    assert shown.strip() == small_book.LONG
    first, second = one.select(".cell_output img")  # 都在小节里
    assert (first["width"], first["height"]) == ("600", "40")
    assert (first.get("loading"), second["loading"]) == ("lazy", "lazy")
    assert one.select_one("#pst-primary-sidebar")["role"] == "navigation"
    titles = {button["title"] for button in one.select(".article-header-buttons [title]")}
    assert {"打印成 PDF", "下载源文件", "浅色", "跟随系统"} <= titles
    assert [script["src"] for script in one.select("script[src]") if not script.has_attr("defer")] == []


def test_site_carries_only_what_is_read(site):
    names = set(files(site))
    assert "_static/katex/katex.min.css" in names and "_static/katex/katex.min.js" not in names
    assert {name for name in names if name.endswith("searchindex.js") or "README" in name} == set()
    used = "".join(path.read_text(encoding="utf-8") for path in site.glob("*.html"))
    assert [word for word in ("thebe.js", "unpkg", "doctools", "Toggle primary") if word in used] == []


# ---------------------------------------------------------------- 从头构建、接着构建，逐字节相同


def edit(name, old, new):
    def change(book):
        text = (book / name).read_text(encoding="utf-8")
        assert old in text
        (book / name).write_text(text.replace(old, new), encoding="utf-8")

    return change


def rename_and_renumber(book):
    edit("one.ipynb", "# 甲", "# 甲乙")(book)
    edit("one.ipynb", "$$y = 2 x$$ (eq-line)", "$$y = 1$$ (eq-new)\\n\\n$$y = 2 x$$ (eq-line)")(book)


def remove_page(book):
    edit("_toc.yml", ", {file: two}", "")(book)
    edit("glossary.md", "sec-two", "sec-one")(book)


CHANGES = {
    "标题与编号": rename_and_renumber,
    "术语": edit("glossary.md", "linear regression", "regression"),
    "文献": edit("references.bib", "Theoria", "Theory"),
    "函数说明": edit("small_code.py", "放大", "放大或缩小"),
    "问法": edit("search/questions.yml", "好坏", "优劣"),
    "少一页": remove_page,
}


def test_changes_are_built_as_if_from_scratch(book, tmp_path):
    """改一处，接着构建，别的页面上的标题、编号、链接也跟着变；与把同样的源文件从头构建比。"""
    site = small_book.build(book)
    for name, change in CHANGES.items():
        before = files(site)
        change(book)
        small_book.build(book)
        assert files(site) != before, name
    assert [path for path in files(site) if "two" in path] == []
    assert differences(site, small_book.build(book, into=tmp_path / "从头")) == set()
    times = {path: path.stat().st_mtime_ns for path in site.glob("*.html")}
    small_book.build(book)
    assert {path: path.stat().st_mtime_ns for path in site.glob("*.html")} == times  # 没有改，一页也不写


def test_site_is_mended_after_an_interruption(book):
    """写到一半停下，或者别的格式先读了改动，网站都会补齐。"""
    site = small_book.build(book)
    whole = files(site)
    (site / "one.html").unlink()
    small_book.build(book)
    assert files(site) == whole
    edit("two.md", "函数。", "函数，不难。")(book)
    small_book.build(book, builder="latex")
    small_book.build(book)
    assert "函数，不难。" in page(site, "two").text


def test_other_formats_build(book):
    """没有警告，没有异常（LaTeX 在上一个测试里）；按文件夹分页的网站，链接与搜索也都对。"""
    small_book.build(book, builder="singlehtml")
    site = small_book.build(book, builder="dirhtml")
    for entry in data(site, "search/index.js")["entries"]:
        path, _, label = entry["url"].partition("#")
        assert f'id="{label}"' in (site / path).read_text(encoding="utf-8")


# ---------------------------------------------------------------- 出错的时候


def test_changed_theme_is_reported(book, monkeypatch):
    monkeypatch.setitem(pages.CHANGES, 'class="gone"', "")
    with raises_chinese(ExtensionError, "gone", "主题", "pages.py"):
        small_book.build(book)


def test_bad_term_is_reported(book):
    edit("glossary.md", "classification。", "linear regression。")(book)
    with raises_chinese(ExtensionError, "分类", "英文", "linear-regression"):
        small_book.build(book)


@pytest.mark.parametrize(("label", "said"), [("fig-none", "没有这个标签"), ("eq-two", "没有代码")])
def test_bad_excerpt_is_reported(book, label, said):
    edit("two.md", "`f(x)`，", "$$\nx = 1\n$$ (eq-two)\n\n`f(x)`，")(book)
    edit("index.md", "第一段，", f"```{{excerpt}} {label}\n一幅图。\n```\n\n第一段，")(book)
    with raises_chinese(ExtensionError, label, said):
        small_book.build(book)


def test_bad_questions_are_reported(book):
    edit("search/questions.yml", "sec-one-loss", "sec-nowhere")(book)
    with raises_chinese(ExtensionError, "sec-nowhere", "questions.yml"):
        small_book.build(book)


# ---------------------------------------------------------------- 样式


@pytest.mark.parametrize(
    ("css", "kept"),
    [
        (".a{x:1}.gone{x:2}", ".a{x:1}"),
        (".a .gone,#b > p{x:1}", "#b > p{x:1}"),
        ("p{x:1}", "p{x:1}"),
        ("@media print{.a{x:1}.gone{x:2}}", "@media print{.a{x:1}}"),
        ("@media print{.gone{x:2}}", ""),
        (".a:not(.gone){x:1}", ".a:not(.gone){x:1}"),
        ('@font-face{font-family:"Font Awesome 6"}', ""),
        ('@font-face{font-family:"KaTeX_Main"}', '@font-face{font-family:"KaTeX_Main"}'),
        ('@charset "utf-8";.a{x:1}', ".a{x:1}"),
        (".a{x:1 /* 说明 */}", ".a{x:1}"),
    ],
)
def test_unused_rules_are_dropped(css, kept):
    assert styles.prune(styles.parse(css), {"a", "b"}).replace("\n", "") == kept


def test_unused_variables_are_dropped():
    """没有人用的变量，与只有它用的变量；样式与脚本里提到的留下。"""
    kept = '.a{--used:url("data:a;(b)");--script:1;color:var(--used)}'
    css = kept.replace("color", "--gone:var(--only-there);--only-there:2;color")
    assert styles.drop_unused_variables(css, {"--script"}) == kept


def test_names_come_from_attributes_and_scripts():
    names = styles.names_in(['<p class="a b-c" id="d">word</p>'], ['node.classList.add("is-open")'])
    assert {"a", "b-c", "d", "is-open"} <= names and "word" not in names


@pytest.mark.parametrize(
    ("url", "moved"),
    [
        ("fonts/a.woff2", "katex/fonts/a.woff2"),
        ('"../x.svg"', '"x.svg"'),
        ("data:image/svg+xml,a", "data:image/svg+xml,a"),
        ("https://example.org/a", "https://example.org/a"),
    ],
)
def test_urls_follow_the_stylesheet(url, moved):
    assert styles.relative_urls(f"src:url({url})", "katex/katex.min.css") == f"src:url({moved})"


# ---------------------------------------------------------------- 断行与公式


def lines_set(*children):
    paragraph = nodes.paragraph("", "", *children)
    typography.set_lines(nodes.container("", paragraph))
    return paragraph


def test_cells_show_one_blank_line_in_color():
    code = "def f():\n    pass\n\n\nf()"
    block = nodes.literal_block(code, code)
    typography.close_up_code(nodes.container("", nodes.container("", block, classes=["cell_input"])))
    assert block.astext() == block.rawsource == "def f():\n    pass\n\nf()"  # 两处不同，Sphinx 就不上颜色


def test_columns_of_numbers_are_aligned():
    rows = [["写法", "毫秒", "倍数", "说明"], ["本书", "139（132–248）", "1.00", "2 个"], ["逐幅", "2,157", "—", "快"]]
    head, *body = [nodes.row("", *(nodes.entry("", nodes.paragraph("", word)) for word in row)) for row in rows]
    typography.align_numbers(nodes.table("", nodes.tgroup("", nodes.thead("", head), nodes.tbody("", *body))))
    assert [[entry["classes"] for entry in row] for row in (head, *body)] == [[[], ["number"], ["number"], []]] * 3


@pytest.mark.parametrize("node", [nodes.math, nodes.literal])
def test_punctuation_stays_with_the_formula(node):
    paragraph = lines_set(nodes.Text("设 "), node("", "x"), nodes.Text("，其中"))
    assert [child.astext() for child in paragraph] == ["设 ", "x，", "其中"]
    assert paragraph[1]["classes"] == ["nobreak"]
    assert len(lines_set(node("", "x"), nodes.Text(" 是"))) == 2  # 后面不是标点，不动
    chain = lines_set(*[node("", "x"), nodes.Text("，")] * 2)
    assert isinstance(chain[1], typography.wbr)  # 一串里两个之间可以换行：Firefox 不认别的


def test_only_short_code_is_kept_together():
    short, long = nodes.literal("", "(n, d)"), nodes.literal("", "x" * (typography.SHORT_CODE + 1))
    lines_set(short, nodes.Text(" 与 "), long)
    assert (short["classes"], long["classes"]) == (["short"], [])


def test_formulas_are_typeset_and_v8_is_closed(monkeypatch):
    """连同 MathML。V8 的线程不在退出时关，Python 3.13 起就要一直等下去。"""
    at_exit, before = [], set(threading.enumerate())
    monkeypatch.setattr(formulas.atexit, "register", at_exit.append)
    for function in (formulas._katex, formulas.render):
        function.cache_clear()
    html = formulas.render(r"\hat{y} = \mathbf{w}^\top \mathbf{x}", True)
    assert "katex-display" in html and "<math" in html
    started = set(threading.enumerate()) - before
    for close in at_exit:
        close()
    for thread in started:
        thread.join(10)
    left = [thread for thread in started if thread.is_alive()]
    formulas._katex.cache_clear()
    assert started and not left


@pytest.mark.parametrize("css", ["a {} } @media print { b {} }", "a {} ) b {}"])
def test_unbalanced_styles_are_refused(css):
    """浏览器会丢掉后面的整段，页面上只是样子不对。"""
    with raises_chinese(ExtensionError, "book.css 第 1 行", "括号"):
        styles.check("book.css", css)
    styles.check("book.css", "a { b: url(x) } @media print { b {} }")
