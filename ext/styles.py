"""样式：主题与各扩展的十来个样式表合成一个 site.css，并去掉全书没有一页用得到的规则（主题自带整套 Bootstrap）。"""

import re
from pathlib import PurePosixPath

import tinycss2

BUNDLE = "site.css"
THEME_CSS = ["_static/basic.css", "_static/styles/pydata-sphinx-theme.css"]  # 主题的模板另外写出的两个
LATER_SCRIPTS = ["_static/search"]  # 页面上没有写、脚本后来才加载的


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


def prune(css, used):
    """去掉用不到的规则，返回其余的 CSS 文字。"""
    kept = []
    for rule in tinycss2.parse_rule_list(css, skip_comments=True, skip_whitespace=True):
        if rule.type == "qualified-rule":
            selectors = [each for each in split_selectors(rule.prelude) if is_used(each, used)]
            if selectors:
                head = ",".join(tinycss2.serialize(each).strip() for each in selectors)
                kept.append(f"{head}{{{_declarations(rule.content)}}}")
        elif rule.type == "at-rule" and rule.lower_at_keyword in ("media", "supports", "layer") and rule.content:
            if inner := prune(rule.content, used):
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


def bundle(site, sheets, pages):
    """按优先级合成一个样式表；sheets 是 {文件名: 优先级}，pages 是各页的 HTML。"""
    written = {name for page in pages for name in re.findall(r'src="[./]*(_static/[^"?]+\.js)', page)}
    scripts = [site / name for name in sorted(written)]
    scripts += sorted(path for folder in LATER_SCRIPTS for path in (site / folder).glob("*.js"))
    used = names_in(pages, [script.read_text(encoding="utf-8") for script in scripts])
    parts = []
    for name in [*THEME_CSS, *sorted(sheets, key=sheets.get)]:
        parts.append(prune(absolute_urls((site / name).read_text(encoding="utf-8"), name), used))
    return "\n".join(parts)
