"""改写好的网页：主题写死的英文，缺的地标，用不到的脚本，图的宽高；每页读一次、写一次，同时合成样式表与脚本。

主题升级以后，要换的话可能变了样；全书没有一处对得上的，构建就失败，免得悄悄地少换一处。
"""

import hashlib
import json
import re
from html import unescape
from pathlib import Path

from sphinx.errors import ExtensionError

from . import pictures, styles

BREAK = re.compile(r"(?<=\w[._(])(?=[^\W\d_])|(?<=\(\)\.)")
NARROW_LINE = 28  # 手机上一行代码至少放得下这么多个字，哪怕都是汉字


def break_names(cell):
    """表格里长的名字，在点、下划线、括号后面折。"""
    return re.sub(r'(?<=<span class="pre">)[^<]+', lambda code: BREAK.sub("<wbr />", code[0]), cell[0])


def mark_long_lines(code):
    """手机上放不下的一行包进 span，记下缩进：括号后面可以折，折下来的一截缩进得更深（样式见 code.css）。"""

    def mark(line):
        text = unescape(re.sub("<.*?>", "", line[0]))
        if len(text) <= NARROW_LINE:
            return line[0]
        indent, breakable = len(text) - len(text.lstrip(" ")), re.sub(r"(?<=[(\[])", "<wbr />", line[0])
        return f'<span class="line" style="--indent:{indent}">{breakable}</span>'

    return re.sub(r".+\n", mark, code[0])


# 主题写的（正则表达式）→ 换成，依次
CHANGES = {
    # 读屏软件与无障碍检查要的：侧栏是一个地标；文献条目不用已经废弃的角色
    '(?<=class="bd-sidebar-primary bd-sidebar")': ' role="navigation" aria-label="全书目录"',
    ' role="doc-biblioentry"': "",
    ' role="list"(?= class="citation-list")': "",
    # 没有脚本就不知道系统是深是浅：照浅色显示，不然各处的颜色都没有
    ' data-theme="auto"': ' data-theme="light"',
    # 写死的英文与标点
    '="Main"': '="主要"',
    '="Page"': '="本页"',
    '="Toggle primary sidebar"': '="收起或展开目录"',
    '="Toggle secondary sidebar"': '="收起或展开本页内容"',
    '="下载此页面"': '="下载本页"',
    '<span class="colon">:': '<span class="colon">：',
    r'(<summary) aria-label="Toggle hidden content"': r'\1',  # 看得见的“展开代码”就够了
    # 读到哪一节由 static/reading.js 标出：主题的办法在跳转之后、标题之间会空着
    ' id="pst-page-toc-nav"': "",
    # 照 HTML 的规矩：摘要里不能有段落，网址里不能有尖括号（有一个 DOI 里有）
    r'<p class="((?:collapsed|expanded) admonition-title)">(.*?)</p>': r'<span class="\1">\2</span>',
    r'(href="https://doi\.org/[^"]*?)&lt;': r"\1%3C",
    r'(href="https://doi\.org/[^"]*?)&gt;': r"\1%3E",
    # 用不到的脚本：检索与快捷键、译文、标签页用的，书里没有；thebe 会从境外取代码；
    # Bootstrap 只管一个下载菜单（见 static/reading.js）与按钮上的提示（用浏览器自己的 title），却有 24 KB
    'data-bs-title=': "title=",
    r'<script [^>]*/(?:doctools|sphinx_highlight)\.js[^>]*></script>\s*': "",
    r'<script [^>]*/bootstrap\.js[^>]*></script>\s*': "",
    r'<script [^>]*/translations\.js[^>]*></script>\s*': "",
    r'<script [^>]*/design-tabs\.js[^>]*></script>\s*': "",
    r'<script [^>]*/sphinx-thebe\.js[^>]*></script>\s*': "",
    r'<script>const THEBE_JS_URL[^<]*</script>\s*': "",
    r'<script>DOCUMENTATION_OPTIONS\.[^<]*</script>\s*': "",
    # 其余的脚本推迟到正文显示之后
    r'<script (?![^>]*defer)(?=[^>]*src=)': "<script defer ",
    r'(?s)(?<=<pre><span></span>).*?(?=</pre>)': mark_long_lines,
    r'(?s)<td[ >].*?</td>': break_names,
    # 图的宽高写成属性，浏览器在图到来之前就知道长宽比，窄屏上缩小时也不跳
    r'(<img [^>]*)style="width: (\d+)px; height: (\d+)px;"': r'\1width="\2" height="\3"',
}  # fmt: skip
SCRIPT_BUNDLE = "site.js"
SCRIPTS = {
    "togglebutton.js": {"Toggle hidden content": "展开或收起"},  # 折叠块的脚本里写死的英文
    "documentation_options.js": {"^const": "var"},  # 合成一个以后，别的脚本也看得见
    # 找能滚动的框，一次量完全页，手机上要半秒；换成 static/reading.js 里的
    "scripts/pydata-sphinx-theme.js": {r'"complete"===document\.readyState\?\w+\(\):window\..{,22}"load",\w+\)': "0"},
    "scripts/sphinx-book-theme.js": {re.escape("(min-width: 992px)"): "(min-width: 1100px)"},  # 见 styles.NARROW
}


def change(texts, changes, strict):
    """逐步改 {文件: 文字}；strict：有一步在所有文件里都没有对上的，报错。"""
    for old, new in changes.items():
        results = {path: re.subn(old, new, text) for path, text in texts.items()}
        if strict and not any(count for _, count in results.values()):
            raise ExtensionError(f"全书没有一处是 {old!r}：主题变了。请核对生成的网页，改正 ext/pages.py 里的这一条。")
        texts = {path: text for path, (text, _) in results.items()}
    return texts


def finish(site, paths, sheets, strict=True):
    """site 是网站的文件夹，paths 是写好的各页，sheets 是它们要的样式表。"""
    pages = change({path: path.read_text(encoding="utf-8") for path in paths}, CHANGES, strict)
    pages = pictures.compress(site, pages)
    static = Path(site) / "_static"
    for name, changes in SCRIPTS.items():
        (script,) = change({name: (static / name).read_text(encoding="utf-8")}, changes, strict).values()
        (static / name).write_text(script, encoding="utf-8")
    bundles = {styles.BUNDLE: styles.bundle(static, sheets, pages.values())}
    bundles[SCRIPT_BUNDLE], pages = bundle_scripts(static, pages)
    for name, text in bundles.items():
        (static / name).write_text(text, encoding="utf-8")
        version = hashlib.sha256(text.encode()).hexdigest()[:8]
        pages = {path: html.replace(f'{name}"', f'{name}?v={version}"') for path, html in pages.items()}
    for path, html in pages.items():
        path.write_text(html, encoding="utf-8")


def bundle_scripts(static, pages):
    """每一页都有的脚本照次序合成一个，少等十几个来回；一个出错，后面的照常。返回它与改过的各页。"""
    tag = re.compile(r'<script [^>]*src="([^"]*)_static/([^"?]+)[^"]*"></script>\s*')
    found = [[name for _, name in tag.findall(html)] for html in pages.values()]
    shared = [name for name in found[0] if all(name in names for names in found)]
    texts = [(static / name).read_text(encoding="utf-8") for name in shared]

    def replace(match):
        root, name = match.groups()
        if name not in shared:
            return match[0]
        return f'<script defer src="{root}_static/{SCRIPT_BUNDLE}"></script>\n' if name == shared[0] else ""

    parts = [f"try {{\n{text}\n}} catch (error) {{ setTimeout(() => {{ throw error; }}); }}\n" for text in texts]
    return "".join(parts), {path: tag.sub(replace, html) for path, html in pages.items()}


def write_script(site, name, variable, value):
    """写成设置全局变量的脚本，用到时才加载；不用 fetch，直接打开文件（file://）也能用。"""
    path = Path(site) / "_static" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    path.write_text(f"window.{variable} = {text};\n", encoding="utf-8")
