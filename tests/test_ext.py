"""我们自己的 Sphinx 扩展里能单独检查的部分：样式表的合并与删减、锚点的名字、卡片、公式。"""

import os
from types import SimpleNamespace

import pytest
import tinycss2
from docutils import nodes

from ext import changed_pages, chinese_site, katex_prerender, light_pages, reading_aids, stable_ids


def pruned(css, *used):
    rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    return light_pages.prune(rules, set(used)).replace("\n", "")


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
    assert pruned(css, "a", "b") == kept


def test_names_come_from_attributes_and_scripts():
    names = light_pages.names_in(['<p class="a b-c" id="d">word</p>'], ['node.classList.add("is-open")'])
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
    assert light_pages.absolute_urls(f"src:url({url})", "_static/katex/katex.min.css") == f"src:url({moved})"


def test_pages_are_lightened_once():
    html = (
        '<script src="a.js"></script><script src="_static/doctools.js"></script>'
        '<img alt="图" src="a.png" style="width: 10px; height: 5px;" />'
    )
    lighter = light_pages.lighten(html)
    assert '<script defer src="a.js">' in lighter and "doctools" not in lighter
    assert 'width="10" height="5"' in lighter
    assert light_pages.lighten(lighter) == lighter


@pytest.mark.parametrize(
    ("definition", "name"),
    [
        ("linear regression。假设……", "linear-regression"),
        ("log-sum-exp trick。先减", "log-sum-exp-trick"),
        ("in-place（就地），不另外", "in-place"),
    ],
)
def test_terms_are_named_in_english(definition, name):
    assert stable_ids.english_name(nodes.paragraph("", definition)) == name


def test_labels_come_before_serial_numbers():
    section = nodes.section(ids=["id3", "loss", "sec-loss"])
    document = nodes.container("", section)
    stable_ids.prefer_labels(None, document)
    assert section["ids"] == ["sec-loss", "loss"]


def test_cards_hold_terms_entries_and_formulas():
    html = """<dl class="simple glossary"><dt id="term-a">甲<a class="headerlink" href="#term-a">#</a></dt>
    <dd><p>a。见<a href="x.html">某处</a>。</p></dd></dl>
    <div id="cite-b"><span class="label">[1]</span>某书</div><div class="math" id="equation-eq-c">公式</div>"""
    cards = {key: reading_aids.without_links(card) for key, card in reading_aids.page_cards(html)}
    assert cards == {
        "term-a": "<strong>甲</strong> <p>a。见某处。</p>",
        "cite-b": "某书",
        "equation-eq-c": "公式",
    }


def test_long_outputs_are_folded():
    text = "\n".join(str(i) for i in range(reading_aids.LONG_OUTPUT + 1))
    short, long = (nodes.literal_block(each, each, language="none") for each in ("1\n2", text))
    output = nodes.container("", short, long, classes=["cell_output"])
    reading_aids.fold_long_outputs(None, nodes.container("", output), "")
    assert [type(node).__name__ for node in output] == ["literal_block"] * 2 + ["raw", "literal_block", "raw"]
    assert f"其余 {reading_aids.LONG_OUTPUT + 1 - reading_aids.SHOWN_LINES} 行" in output[2].astext()
    assert f"{output[1].astext()}\n{output[3].astext()}" == text


def test_reading_time_counts_chinese_and_exercises():
    title = nodes.title("", "题")
    exercise = reading_aids.exercise_enumerable_node()
    section = nodes.section("", title, nodes.paragraph("", "字" * 901), exercise)
    reading_aids.add_reading_time(None, nodes.container("", section), "")
    assert section[1].astext() == "约 900 字，阅读约 4 分钟；练习 1 道"


def test_formulas_are_typeset_with_mathml():
    html = katex_prerender.render(r"\hat{y} = \mathbf{w}^\top \mathbf{x}", True)
    assert "katex-display" in html and "<math" in html
    with pytest.raises(Exception, match="KaTeX"):
        katex_prerender.render(r"\undefined{x}", False)


# ---------------------------------------------------------------- 断行


def lines_set(*children):
    paragraph = nodes.paragraph("", "", *children)
    chinese_site.set_lines(None, nodes.container("", paragraph), "")
    return paragraph


@pytest.mark.parametrize(
    ("text", "joined"),
    [("取平均，\n再更新", "取平均，再更新"), ("用 torch\n来算", "用 torch\n来算"), ("a\nb", "a\nb")],
)
def test_soft_breaks_between_chinese_are_no_spaces(text, joined):
    assert lines_set(nodes.Text(text)).astext() == joined


def test_code_blocks_keep_their_lines():
    block = nodes.literal_block("甲\n乙", "甲\n乙")
    chinese_site.set_lines(None, nodes.container("", block), "")
    assert block.astext() == "甲\n乙"


@pytest.mark.parametrize("node", [nodes.math, nodes.literal])
def test_punctuation_stays_with_the_formula(node):
    paragraph = lines_set(nodes.Text("设 "), node("", "x"), nodes.Text("，其中"))
    assert [child.astext() for child in paragraph] == ["设 ", "x，", "其中"]
    assert paragraph[1]["classes"] == ["nobreak"]
    assert len(lines_set(node("", "x"), nodes.Text(" 是"))) == 2  # 后面不是标点，不动


def test_only_short_code_is_kept_together():
    short, long = nodes.literal("", "(n, d)"), nodes.literal("", "x" * (chinese_site.SHORT_CODE + 1))
    lines_set(short, nodes.Text(" 与 "), long)
    assert (short["classes"], long["classes"]) == (["short"], [])


def test_wide_figures_may_scroll_on_a_phone():
    sized = '<img alt="图" src="a.png" style="width: {}px; height: 5px;" />'
    wide, narrow = (light_pages.lighten(sized.format(width)) for width in (light_pages.WIDE, light_pages.WIDE - 1))
    assert 'class="wide"' in wide and "class" not in narrow


# ---------------------------------------------------------------- 重写哪些页面


@pytest.mark.parametrize(
    ("newer", "expected"),
    [(None, set()), ("chapters/_static/book.css", {"index"}), ("ext/search/words.yml", {"index", "one"})],
)
def test_changed_styles_and_extensions_rewrite_pages(tmp_path, monkeypatch, newer, expected):
    """源文件之外的变了也要重写；什么也没变就一页也不写。"""
    files = [tmp_path / name for name in ("chapters/_static/book.css", "ext/search/words.yml", "out/index.html")]
    for time, file in enumerate(files, start=1000):
        file.parent.mkdir(parents=True)
        file.touch()
        os.utime(file, (time, time))
    if newer:
        os.utime(tmp_path / newer, (2000, 2000))
    monkeypatch.setattr(changed_pages, "EXT", tmp_path / "ext")
    config = SimpleNamespace(root_doc="index", html_static_path=["chapters/_static"])
    builder = SimpleNamespace(get_target_uri=lambda name: f"{name}.html")
    app = SimpleNamespace(outdir=tmp_path / "out", srcdir=tmp_path, config=config, builder=builder)
    env = SimpleNamespace(found_docs={"index", "one"})
    assert set(changed_pages.outdated(app, env, set(), set(), set())) == expected
