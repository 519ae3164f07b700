"""book.epub：EPUB 3，一节一个 XHTML；公式取 KaTeX 写好的 MathML。

不用 Sphinx 的 epub：那要另构建一遍，写出的还有几十处不合规范；这里由建好的网页做，与网站是同一本书。
"""

import io
import uuid
from datetime import UTC, datetime
from html import escape
from itertools import groupby
from pathlib import Path
from urllib.parse import quote

from PIL import Image

from . import archive, pages

CSS = Path(__file__).with_name("epub.css")
XHTML = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="zh-CN" xml:lang="zh-CN">
<head><title>{title}</title><link rel="stylesheet" href="book.css"/></head>
<body>{body}</body>
</html>
"""
URL_CHARACTERS = "%/:?#[]@!$&'()*+,;=~"
# SVG 里分大小写的名字；读 HTML 时都成了小写
SVG_NAMES = {
    name.lower(): name
    for name in """viewBox preserveAspectRatio markerWidth markerHeight markerUnits refX refY gradientUnits
    gradientTransform patternUnits patternTransform clipPathUnits textLength lengthAdjust startOffset pathLength
    linearGradient radialGradient clipPath textPath foreignObject""".split()
}
KINDS = {
    ".xhtml": "application/xhtml+xml",
    ".css": "text/css",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".svg": "image/svg+xml",
}
CONTAINER = """<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="book/book.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""
OPF = """<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" xml:lang="zh-CN" unique-identifier="id">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">urn:uuid:{id}</dc:identifier>
<dc:title>{title}</dc:title>
<dc:creator>{author}</dc:creator>
<dc:language>zh-CN</dc:language>
<dc:rights>{rights}</dc:rights>
<meta property="dcterms:modified">{modified}</meta>
<meta property="schema:accessMode">textual</meta>
<meta property="schema:accessMode">visual</meta>
<meta property="schema:accessModeSufficient">textual</meta>
<meta property="schema:accessibilityFeature">alternativeText</meta>
<meta property="schema:accessibilityFeature">MathML</meta>
<meta property="schema:accessibilityFeature">tableOfContents</meta>
<meta property="schema:accessibilityHazard">none</meta>
</metadata>
<manifest>
{manifest}
</manifest>
<spine>
{spine}
</spine>
</package>
"""


def write(book, path, when):
    """when 是写进文件里的时间（秒）。"""
    homes = pages.homes(book.sections)
    images, chapters = {}, {}
    for section in book.sections:
        _adapt(section, homes, images)
        chapters[f"{section.slug}.xhtml"] = XHTML.format(title=escape(section.title), body=section.body.decode())
    cover = f'<section class="cover"><h1>{escape(book.title)}</h1><p>{escape(book.author)}</p></section>'
    chapters = {
        "cover.xhtml": XHTML.format(title=escape(book.title), body=cover),
        "nav.xhtml": XHTML.format(title="目录", body=_contents(book)),
    } | chapters
    files = chapters | {"book.css": CSS.read_text(encoding="utf-8")} | images
    entries = {
        "META-INF/container.xml": CONTAINER,
        "book/book.opf": _package(book, list(chapters), list(files), when),
        **{f"book/{name}": content for name, content in files.items()},
    }
    # 规范要求：类型在最前，不压缩
    archive.write_zip(path, {"mimetype": "application/epub+zip"} | entries, stored=["mimetype"])


def _adapt(section, homes, images):
    """链接指到各个文件，图收进书里，公式只留 MathML。"""
    for formula in section.body.select(".katex"):
        formula.replace_with(formula.math.extract())
    for node in section.body.select("svg, svg *"):
        node.name = SVG_NAMES.get(node.name, node.name)
        node.attrs = {SVG_NAMES.get(name, name): value for name, value in node.attrs.items()}
        if node.name == "svg":
            node["xmlns"] = "http://www.w3.org/2000/svg"
    for image in section.body.select("img[src]"):
        name, content = _portable(Path(image["src"]))
        images[name], image["src"] = content, name
        del image["width"], image["height"]
    for link in section.body.select('a[href^="#"]'):
        anchor = link["href"][1:]
        link["href"] = f"{homes[anchor].slug}.xhtml#{anchor}"
    # 浏览器容得下、规范不许的写法
    for paragraph in section.body.select("summary p, p:has(ul, ol, dl, div, table, pre)"):
        paragraph.unwrap()
    for link in section.body.select("a[href]"):
        link["href"] = quote(link["href"], safe=URL_CHARACTERS)


def _portable(path):
    """图的名字与内容；WebP 有的阅读器还不认识，换成 PNG。"""
    if path.suffix != ".webp":
        return path.name, path.read_bytes()
    content = io.BytesIO()
    Image.open(path).save(content, "PNG")
    return f"{path.stem}.png", content.getvalue()


def _contents(book):
    lines = ""
    for part, sections in groupby(book.sections, key=lambda section: section.part):
        entries = "".join(f'<li><a href="{each.slug}.xhtml">{escape(each.title)}</a></li>' for each in sections)
        lines += f"<li><span>{escape(part)}</span><ol>{entries}</ol></li>" if part else entries
    return f'<nav epub:type="toc" id="toc"><h1>目录</h1><ol>{lines}</ol></nav>'


def _package(book, chapters, files, when):
    ids = {name: f"f{number}" for number, name in enumerate(files)}
    properties = {f"{section.slug}.xhtml": _properties(section.body) for section in book.sections}
    properties["nav.xhtml"] = ' properties="nav"'
    manifest = []
    for name, key in ids.items():
        kind = KINDS[Path(name).suffix]
        more = properties.get(name, "")
        manifest.append(f'<item id="{key}" href="{escape(name)}" media-type="{kind}"{more}/>')
    return OPF.format(
        id=uuid.uuid5(uuid.NAMESPACE_URL, book.title),  # 不随版本变：阅读器知道是同一本书
        title=escape(book.title),
        author=escape(book.author),
        rights=escape(book.rights),
        modified=datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        manifest="\n".join(manifest),
        spine="\n".join(f'<itemref idref="{ids[name]}"/>' for name in chapters),
    )


def _properties(body):
    """规范要求写明，这个文件里有没有公式与矢量图。"""
    found = [name for tag, name in {"math": "mathml", "svg": "svg"}.items() if body.find(tag)]
    return f' properties="{" ".join(found)}"' if found else ""
