"""让页面轻、显示快的 Sphinx 扩展。

样式：主题与各扩展的十来个样式表合成一个 site.css，并去掉全书没有一页用得到的规则（主题自带整套 Bootstrap）。
脚本：不用的不加载，其余都推迟到正文显示之后。图：第一幅之外，读到附近才加载。
"""

import hashlib
import re
from html import escape
from pathlib import Path, PurePosixPath

import tinycss2
from docutils import nodes

BUNDLE = "site.css"
THEME_CSS = ["_static/basic.css", "_static/styles/pydata-sphinx-theme.css"]  # 主题的模板另外写出的两个
WIDE = 560  # 像素；这么宽的图缩到手机上，字就看不清了
DESCRIPTION_LENGTH = 100  # 搜索引擎的摘要大约显示这么多个汉字

# thebe 会从境外取代码；图标脚本有 1.5 MB，图标改由 icons.css 画；其余几个是检索、标签页与快捷键用的，书里没有
_UNUSED_SCRIPTS = re.compile(
    r"<script[^>]*(?:fontawesome|sphinx-thebe|doctools|sphinx_highlight|translations|design-tabs)\.js[^>]*></script>\s*"
    r"|<script>const THEBE_JS_URL.*?</script>\s*"
    r"|<script>DOCUMENTATION_OPTIONS\.[^<]*</script>\s*",
    re.DOTALL,
)
# 写成属性，浏览器在图到来之前就知道长宽比，窄屏上缩小时也不跳
_IMAGE_SIZE = re.compile(r'(<img [^>]*)style="width: (\d+)px; height: (\d+)px;"')
_BLOCKING_SCRIPT = re.compile(r"<script (?![^>]*defer)(?=[^>]*src=)")


# ---------------------------------------------------------------- 样式


def names_in(pages, scripts):
    """页面上的类名与 id，以及脚本里一切可能是类名的词（脚本会在运行时加上它们）。"""
    attributes = (match for page in pages for match in re.findall(r'(?:class|id)="([^"]*)"', page))
    return set(" ".join(attributes).split()).union(*(re.findall(r"[\w-]+", script) for script in scripts))


def is_used(selector, used):
    """选择器里的类名与 id 都出现过才留；:not(…)、[属性] 里的不看，宁可多留。"""
    needed, previous = [], None
    for token in selector:
        if token.type == "hash":
            needed.append(token.value)
        elif token.type == "ident" and previous == ".":
            needed.append(token.value)
        previous = token.value if token.type == "literal" else None
    return all(name in used for name in needed)


def split_selectors(prelude):
    """按顶层的逗号把一串选择器分开。"""
    selectors = [[]]
    for token in prelude:
        if token.type == "literal" and token.value == ",":
            selectors.append([])
        else:
            selectors[-1].append(token)
    return selectors


def prune(rules, used):
    """去掉用不到的规则，返回其余的 CSS 文字。"""
    kept = []
    for rule in rules:
        if rule.type == "qualified-rule":
            selectors = [each for each in split_selectors(rule.prelude) if is_used(each, used)]
            if selectors:
                head = ",".join(tinycss2.serialize(each).strip() for each in selectors)
                kept.append(f"{head}{{{_declarations(rule.content)}}}")
        elif rule.type == "at-rule" and rule.lower_at_keyword in ("media", "supports", "layer") and rule.content:
            inner = prune(tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True), used)
            if inner:
                kept.append(f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{inner}}}")
        elif rule.type == "at-rule" and rule.lower_at_keyword != "charset" and not _is_icon_font(rule):
            kept.append(rule.serialize())
    return "\n".join(kept)


def _is_icon_font(rule):
    return rule.lower_at_keyword == "font-face" and "Font Awesome" in tinycss2.serialize(rule.content)


def _declarations(content):
    """一条规则的声明，去掉注释与多余的空白。"""
    text = tinycss2.serialize([token for token in content if token.type != "comment"])
    return re.sub(r"\s+", " ", text).strip()


def absolute_urls(css, source):
    """样式表挪了位置，里面的相对地址要跟着改成相对 _static/ 的。"""
    folder = PurePosixPath(source).parent

    def moved(match):
        url = match[2]
        if re.match(r"data:|[a-z]+:|/|#", url):
            return match[0]
        parts = []
        for part in (folder / url).parts:
            parts = parts[:-1] if part == ".." else [*parts, part]
        return f"url({match[1]}{PurePosixPath(*parts).relative_to('_static')}{match[1]})"

    return re.sub(r"url\((['\"]?)([^'\")]+)\1\)", moved, css)


def remember_stylesheets(app, pagename, templatename, context, doctree):
    """记下各页要的样式表；页面里只写合成的那一个（见 templates/layout.html）。"""
    for sheet in context["css_files"]:
        app.book_stylesheets[str(sheet.filename)] = sheet.priority


def bundle(html_dir, sheets, pages):
    """按次序合成一个样式表，返回写进网址的版本号。"""
    names = {name for page in pages for name in re.findall(r'src="[./]*(_static/[^"?]+\.js)', page)}
    scripts = [html_dir / name for name in sorted(names)] + sorted((html_dir / "_static" / "search").glob("*.js"))
    used = names_in(pages, [script.read_text(encoding="utf-8") for script in scripts])
    parts = []
    for name in sheets:
        css = absolute_urls((html_dir / name).read_text(encoding="utf-8"), name)
        parts.append(prune(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True), used))
    text = "\n".join(parts)
    (html_dir / "_static" / BUNDLE).write_text(text, encoding="utf-8")
    return hashlib.sha256(text.encode()).hexdigest()[:8]


# ---------------------------------------------------------------- 页面


def load_lazily(app, doctree, docname):
    """第一幅图之外，读到附近才加载。"""
    for image in list(doctree.findall(nodes.image))[1:]:
        image["loading"] = "lazy"


def describe(app, pagename, templatename, context, doctree):
    """搜索引擎与转发时显示的简介：取正文的第一段。"""
    paragraphs = doctree.findall(nodes.paragraph) if doctree else []
    first = next((each for each in paragraphs if not each["classes"]), None)
    text = re.sub(r"\s+", " ", first.astext() if first else app.config.html_title or app.config.project).strip()
    if len(text) > DESCRIPTION_LENGTH:
        text = text[:DESCRIPTION_LENGTH] + "…"
    context["metatags"] = context.get("metatags", "") + f'<meta name="description" content="{escape(text)}" />'


def _sized(image):
    wide = 'class="wide" ' if int(image[2]) >= WIDE and "class=" not in image[1] else ""
    return f'{image[1]}{wide}width="{image[2]}" height="{image[3]}"'


def notice_formulas(app, pagename, templatename, context, doctree):
    """有公式的页面早些取公式的字体，见 templates/layout.html。"""
    kinds = (nodes.math, nodes.math_block)
    context["has_math"] = doctree is not None and any(isinstance(node, kinds) for node in doctree.findall())


def lighten(html):
    """去掉用不到的脚本，推迟其余的，写明图的宽高；重复执行也无妨。"""
    html = _UNUSED_SCRIPTS.sub("", html)
    html = _BLOCKING_SCRIPT.sub("<script defer ", html)
    return _IMAGE_SIZE.sub(_sized, html)


def lighten_pages(app, exception):
    if exception or not app.changed_pages:
        return
    html_dir = Path(app.outdir)
    old = {path: path.read_text(encoding="utf-8") for path in html_dir.rglob("*.html")}
    new = {path: lighten(html) for path, html in old.items()}
    extra = sorted(app.book_stylesheets, key=app.book_stylesheets.get)
    version = bundle(html_dir, [*THEME_CSS, *extra], new.values())
    for path, html in new.items():
        html = re.sub(rf"{BUNDLE}(\?v=\w*)?\"", f'{BUNDLE}?v={version}"', html)
        if html != old[path]:
            path.write_text(html, encoding="utf-8")


def setup(app):
    app.book_stylesheets = {}
    app.connect("doctree-resolved", load_lazily)
    app.connect("html-page-context", remember_stylesheets, priority=900)
    app.connect("html-page-context", describe)
    app.connect("html-page-context", notice_formulas)
    app.connect("build-finished", lighten_pages, priority=900)  # 在其余扩展改过页面之后
    return {"parallel_read_safe": True, "parallel_write_safe": False}
