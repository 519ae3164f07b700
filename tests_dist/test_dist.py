"""压缩包、PDF、EPUB 与卡片：读者打开它们会遇到的毛病。"""

import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from types import SimpleNamespace

import pikepdf
import pytest
from bs4 import BeautifulSoup
from page import SafetyLimits, validate_pdf

from tools import ROOT
from tools.dist import anki, archive, pages
from tools.dist.pdf import page_numbers

SITE = ROOT / "_build" / "html"


def test_checksums(dist):
    lines = (dist / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    sums = dict(reversed(line.split("  ")) for line in lines)
    assert set(sums) == {"book.zip", "book.pdf", "book.epub", "glossary.apkg", "CONTENTS.txt"}
    assert {name: hashlib.sha256((dist / name).read_bytes()).hexdigest() for name in sums} == sums


# ---------------------------------------------------------------- 压缩包


def test_zip_opens_by_a_double_click_without_the_network(dist, chromium, tmp_path):
    """解压到有空格与中文的文件夹里，断了网：公式、图、搜索、深色都在。"""
    folder = tmp_path / "下载 书"
    with zipfile.ZipFile(dist / "book.zip") as book:
        book.extractall(folder)
    (index,) = folder.glob("*/index.html")
    context = chromium.new_context(offline=True, color_scheme="dark")
    tab = context.new_page()
    asked, problems = [], []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("requestfailed", lambda request: problems.append(request.url))
    tab.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: problems.append(str(error)))
    tab.goto(index.as_uri())
    tab.wait_for_url("**/chapters/index.html")
    tab.goto((index.parent / "chapters" / "softmax" / "concepts.html").as_uri())
    tab.wait_for_function("document.fonts.check('1em KaTeX_Main')")
    shown = "[...document.querySelectorAll('article img')].map(each => (each.loading = 'eager', each.decode()))"
    tab.evaluate(f"Promise.all({shown})")
    assert tab.evaluate("document.documentElement.dataset.theme") == "dark"
    tab.goto((index.parent / "search.html").as_uri() + "?q=学习率")
    tab.wait_for_selector("a[href*='#']:has-text('学习率')")
    assert problems == [] and [url for url in asked if not url.startswith(("file:", "data:"))] == []
    context.close()


def test_zip_is_reproducible(tmp_path):
    """内容相同，文件就逐字节相同，不管什么时候、按什么次序写下。"""
    book = SimpleNamespace(title="书", rights="")
    for name, order in {"a": ["一.html", "二.html"], "b": ["二.html", "一.html"]}.items():
        (tmp_path / name).mkdir()
        for file in order:
            (tmp_path / name / file).write_text(file, encoding="utf-8")
        archive.write(book, tmp_path / name, tmp_path / f"{name}.zip")
    shutil.copystat(ROOT / "make.py", tmp_path / "b" / "一.html")
    archive.write(book, tmp_path / "b", tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


# ---------------------------------------------------------------- PDF 与 EPUB 共用的书


def test_folds_are_named_once():
    """网页上折起的一格备着两句话，只显示一句；书里是摊开的，不说“收起”。"""
    summaries = [each.get_text() for section in pages.read(SITE).sections for each in section.body.select("summary")]
    assert any("画图的代码" in words for words in summaries) and not any("收起" in words for words in summaries)


# ---------------------------------------------------------------- EPUB


@pytest.mark.skipif(shutil.which("java") is None, reason="epubcheck 是 Java 程序；CI 里有 Java（见 .ci/run）")
def test_epub_keeps_to_the_standard(dist):
    command = [sys.executable, "-m", "epubcheck", str(dist / "book.epub")]
    result = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=600)
    assert result.returncode == 0 and "ERROR" not in result.stdout, result.stdout + result.stderr


# ---------------------------------------------------------------- PDF


@pytest.fixture(scope="module")
def pdf(dist):
    with pikepdf.open(dist / "book.pdf") as pdf:
        yield pdf


def test_pdf_names_itself_and_speaks_chinese(pdf):
    assert pdf.Root.Lang == "zh-CN" and pdf.Root.MarkInfo.Marked and pdf.Root.ViewerPreferences.DisplayDocTitle
    with pdf.open_metadata() as metadata:
        assert metadata["dc:title"] == str(pdf.docinfo.Title) == "动手学深度学习打卡笔记"


def test_pdf_outline_follows_the_book(pdf):
    """书签：目录、前言、各部分与其中的各节、解答。"""
    with pdf.open_outline() as outline:
        top = [each.title for each in outline.root]
        inside = {each.title: [child.title for child in each.children] for each in outline.root}
    parts = {}
    for name, part in pages.order():
        if part:
            html = BeautifulSoup((SITE / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
            html.select_one("article h1 .headerlink").decompose()
            parts.setdefault(part, []).append(pages.text(html.select_one("article h1")))
    assert top[0] == "目录" and top[-1] == pages.ANSWERS and set(parts) <= set(top)
    assert {part: inside[part] for part in parts} == parts


def test_pdf_embeds_every_font_under_its_name(pdf):
    """没有名字的（Type 3），别的软件认不出、改不了，放大了也不好看。"""
    loose = set()
    for page in pdf.pages:
        for font in page.resources.get("/Font", {}).values():
            font = font.DescendantFonts[0] if font.Subtype == "/Type0" else font
            program = {"/FontFile", "/FontFile2", "/FontFile3"} & set(font.get("/FontDescriptor", {}))
            if font.Subtype == "/Type3" or not program:
                loose.add(str(font.get("/BaseFont")))
    assert loose == set()


def test_pdf_can_be_read_aloud(dist):
    """PDF/UA：标签、语言、各幅图的替代文字、各个链接的文字。"""
    report = validate_pdf(dist / "book.pdf", profile="ua1", limits=SafetyLimits.unlimited())
    assert [failure.message for failure in report.failures] == []


def test_pdf_links_land(dist, pdf):
    places = page_numbers(dist / "book.pdf")
    links = [link for page in pdf.pages for link in page.get("/Annots", []) if "/Dest" in link or "/A" in link]
    inner = [str(link.Dest).lstrip("/") for link in links if "/Dest" in link]
    assert len(inner) > 500 and set(inner) <= set(places)
    assert [str(link.A.URI) for link in links if "/A" in link and not str(link.A.URI).startswith("http")] == []


# ---------------------------------------------------------------- 卡片


def notes(path, folder):
    """{编号: 各栏}"""
    with zipfile.ZipFile(path) as package:
        package.extract("collection.anki2", folder)
    database = sqlite3.connect(folder / "collection.anki2")
    found = {guid: fields.split("\x1f") for guid, fields in database.execute("select guid, flds from notes")}
    models = set(json.loads(database.execute("select models from col").fetchone()[0]))
    database.close()
    return found, models


def glossary(meaning):
    html = f"""<section><dl class="glossary"><dt id="glossary--term-regression">回归</dt>
<dd><p>regression。{meaning}</p></dd></dl></section>"""
    body = BeautifulSoup(html, "html.parser").section
    empty = BeautifulSoup("<section></section>", "html.parser").section
    sections = [pages.Section("glossary", "", "术语表", body), pages.Section("answers", "", "解答", empty)]
    return pages.Book("书", "作者", "", sections)


def test_importing_the_cards_again_updates_them(tmp_path):
    """释义改了、书重做了，卡片的编号还是原来的。"""
    for name, meaning in [("1", "预测数值。"), ("2", "预测一个数值。")]:
        anki.write(glossary(meaning), tmp_path / f"{name}.apkg", int(name))
    (old, models), (new, new_models) = (notes(tmp_path / f"{name}.apkg", tmp_path) for name in "12")
    assert old.keys() == new.keys() and models == new_models and len(old) == 1
    assert list(new.values()) == [["回归", "regression", "预测一个数值。"]]


def test_every_term_has_a_card(dist, tmp_path):
    html = BeautifulSoup((SITE / "chapters" / "glossary.html").read_text(encoding="utf-8"), "html.parser")
    found, _ = notes(dist / "glossary.apkg", tmp_path)
    cards = {fields[0]: fields for fields in found.values() if len(fields) == 3}
    assert len(cards) == len(html.select("dl.glossary dt")) and all(map(all, cards.values()))
