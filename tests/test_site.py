"""建好的网站 _build/html：链接、资源、语言、练习与解答；以及检查自己能不能失败。"""

import inspect

import pytest

import helpers
from tests import site_checks as checks
from tests.common import ROOT, labels, read_notebook
from tools.refresh import documents_in_toc, notebooks_in_toc

HTML = ROOT / "_build" / "html"


@pytest.fixture(scope="module")
def site():
    """没有网站时算失败而不是跳过：否则这些检查会悄悄地什么也没做。"""
    if not (HTML / "index.html").is_file():
        pytest.fail(f"还没有网站（{HTML}）。请先运行 python3 make.py book。", pytrace=False)
    return checks.Site(HTML)


@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: check.__name__)
def test_site(site, check):
    problems = {name: found for name, page in site.pages.items() if (found := check(site, page))}
    assert problems == {}


def test_every_document_has_a_page(site):
    documents = documents_in_toc()
    assert [name for name in documents if f"{name}.html" not in site.pages] == []
    assert len(documents) >= 10 and len(site.pages) >= len(documents) + 2  # 另有首页与搜索页


def test_no_page_is_left_over(site):
    """_toc.yml 里删去的页面不该还在网站上。"""
    listed = {f"{name}.html" for name in documents_in_toc()}
    assert {name for name in site.pages if name.startswith("chapters/")} - listed == set()


@pytest.mark.parametrize("path", notebooks_in_toc(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_page_shows_the_whole_notebook(site, path):
    """每个标签都成了页面上的锚点，每张存下的图都在页面上，练习一道不少。"""
    notebook, page = read_notebook(path), site.pages[path.relative_to(ROOT).with_suffix(".html").as_posix()]
    assert {label.replace("_", "-").lower() for label in labels(notebook)} - page.ids == set()
    pictures = sum("image/png" in o.get("data", {}) for c in notebook.cells for o in c.get("outputs", []))
    assert len(page.article.select(".cell_output img")) >= pictures
    exercises = {label for label in labels(notebook) if label.startswith("ex-")}
    assert len(page.soup.select("div.exercise")) == len(exercises)


def test_every_public_function_has_an_entry(site):
    ids = set().union(*(page.ids for page in site.pages.values()))
    functions = [name for name in helpers.__all__ if inspect.isfunction(getattr(helpers, name))]
    assert len(functions) > 10 and [name for name in functions if f"helpers.{name}" not in ids] == []


# ---------------------------------------------------------------- 检查能不能失败

GOOD = """<!DOCTYPE html><html lang="zh-CN"><head><link rel="stylesheet" href="_static/a.css?v=1">
<script src="https://example.org/far.js"></script></head><body><article>
<h1 id="top">题目<a href="#top">#</a></h1><p>正文 <a href="#">顶</a> <a href="other.html#%E4%BD%8D">别页</a>
<a href="https://example.org/#x">站外</a> <code>**kwargs</code> <span class="math">\\(a](b\\)</span>
<a href="other.html"><span class="xref">引用</span></a></p><pre>```{note}```</pre><img src="_static/a.png" alt="图">
<div class="exercise admonition" id="ex-a"><p class="admonition-title">练习</p></div>
<div class="solution dropdown admonition" id="sol-a"><p class="admonition-title">解答 <a href="#ex-a">练习</a></p>
<div class="cell_output">1</div></div></article></body></html>"""
OTHER = '<!DOCTYPE html><html lang="zh-CN"><body><article id="位">别页</article></body></html>'
BROKEN = {
    "anchors_are_stable": [
        ('<a href="#top">', '<a class="headerlink" href="#id3">'),
        ('<a href="other.html">', '<a class="reference internal" href="other.html#term-12">'),
        ('<a href="#top">', '<a class="headerlink" href="#%E4%BD%8D">'),
    ],
    "pictures_have_alternatives": [(' alt="图"', ""), (' alt="图"', ' alt=""')],
    "links_are_not_broken": [
        ('href="other.html#%E4%BD%8D"', 'href="gone.html"'),
        ('href="other.html#%E4%BD%8D"', 'href="other.html#gone"'),
        ('href="#top"', 'href="#gone"'),
        ('href="#top"', 'href="../outside.html"'),
    ],
    "resources_exist": [
        ("_static/a.css", "_static/gone.css"),
        ("https://example.org/far.js", "_static/gone.js"),
        ("_static/a.png", "_static/gone.png"),
        ('<img src="_static/a.png" alt="图">', "<img>"),
        ("<head>", '<head><meta http-equiv="Refresh" content="0; url=gone.html">'),
    ],
    "language_is_chinese": [('lang="zh-CN"', 'lang="en"'), (' lang="zh-CN"', "")],
    "exercises_have_folded_solutions": [
        ("solution dropdown", "solution"),
        ('href="#ex-a"', 'href="#ex-b"'),
        ('<div class="solution dropdown', '<div class="note dropdown'),
        ('id="ex-a"', 'id="ex-b"'),
        ('class="cell_output"', 'class="cell"'),
    ],
    "no_raw_markup": [
        ("正文", "```{note}"),
        ("正文", "{glue:text}`loss`"),
        ("正文", "{ref}`sec-a`"),
        ("正文", "**注意：**这里"),
        ("正文", "[链接](a.html)"),
        ("正文", ":::{exercise}"),
    ],
    "no_system_messages": [
        ("正文", '<aside class="system-message">WARNING</aside>'),
        ("正文", '<span class="problematic">x</span>'),
        ("正文", '<code class="xref py py-func">helpers.gone</code>'),
    ],
}


@pytest.fixture
def small_site(tmp_path):
    """写一个两页的小网站。"""

    def write(content):
        (tmp_path / "html" / "_static").mkdir(parents=True)
        (tmp_path / "outside.html").touch()
        for name in ("a.css", "a.png"):
            (tmp_path / "html" / "_static" / name).touch()
        (tmp_path / "html" / "index.html").write_text(content, encoding="utf-8")
        (tmp_path / "html" / "other.html").write_text(OTHER, encoding="utf-8")
        return checks.Site(tmp_path / "html")

    return write


@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: check.__name__)
def test_good_site_passes(small_site, check):
    site = small_site(GOOD)
    assert set(site.pages) == {"index.html", "other.html"}
    assert [check(site, page) for page in site.pages.values()] == [[], []]


def test_every_check_is_shown_to_fail():
    assert set(BROKEN) == {check.__name__ for check in checks.CHECKS}


@pytest.mark.parametrize(
    ("check", "old", "new"), [(check, *change) for check, changes in BROKEN.items() for change in changes]
)
def test_broken_page_is_caught(small_site, check, old, new):
    assert old in GOOD
    site = small_site(GOOD.replace(old, new, 1))
    assert getattr(checks, check)(site, site.pages["index.html"]) != []
