"""样式：主题与各扩展的十来个样式表合成一个 site.css，并去掉全书没有一页用得到的规则（主题自带整套 Bootstrap）。"""

import posixpath
import re
from functools import cache
from itertools import groupby, pairwise
from pathlib import Path

import tinycss2
from sphinx.errors import ExtensionError

BUNDLE = "site.css"
OURS = Path(__file__).parent / "static"
THEME_CSS = ["basic.css", "styles/pydata-sphinx-theme.css"]  # 主题的模板另外写出的两个
# 窄于 1100 像素，侧栏就收进菜单，把地方留给正文；主题写的界线有这几种（脚本里的一处见 pages.SCRIPTS）
NARROW = {"(max-width:959.98px)": "(max-width:1099.98px)"}
NARROW |= {f"(min-width:{width}px)": "(min-width:1100px)" for width in (960, 992)}


def names_in(pages, scripts):
    """页面上的类名与 id，以及脚本里一切可能是类名的词（脚本会在运行时加上它们）。"""
    attributes = (match for page in pages for match in re.findall(r'(?:class|id)="([^"]*)"', page))
    return set(" ".join(attributes).split()).union(*(re.findall(r"[\w-]+", script) for script in scripts))


def used_selectors(prelude, used):
    """按顶层的逗号分开，类名与 id 都出现过的才留；:not(…)、[属性] 里的不看，宁可多留。"""
    for is_comma, tokens in groupby(prelude, lambda token: token == ","):
        tokens = list(tokens)
        names = [
            token.value
            for before, token in pairwise([None, *tokens])
            if token.type == "hash" or (token.type == "ident" and before == ".")
        ]
        if not is_comma and used.issuperset(names):
            yield tinycss2.serialize(tokens).strip()


@cache  # 同一个进程里再构建（测试）时不必再读
def parse(css):
    return tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)


def check(name, css):
    """多一个或少一个括号，浏览器不声不响地丢掉后面整段；我们自己写的，在这里就报错。"""
    for rule in parse(css):
        if rule.type == "error" or any(token.type == "error" for token in rule.prelude):
            raise ExtensionError(f"ext/static/{name} 第 {rule.source_line} 行附近的括号不配对，这里起的样式不会生效。")


def prune(rules, used):
    """去掉用不到的规则与图标字体，返回其余的 CSS 文字。"""
    kept = []
    for rule in rules:
        if rule.type == "qualified-rule":
            if head := ",".join(used_selectors(rule.prelude, used)):
                text = tinycss2.serialize([token for token in rule.content if token.type != "comment"])
                kept.append(f"{head}{{{' '.join(text.split())}}}")
        elif rule.type == "at-rule" and rule.lower_at_keyword in ("media", "supports", "layer") and rule.content:
            inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            if text := prune(inner, used):
                kept.append(f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{text}}}")
        elif rule.type == "at-rule" and rule.lower_at_keyword != "charset":
            if "Font Awesome" not in (text := rule.serialize()):
                kept.append(text)
    return "\n".join(kept)


def drop_unused_variables(css, others):
    """主题定义了几百个变量，多半没有一处用到；others 是页面与脚本里提到的。去掉一个，又可能有别的没有用了。"""
    value = r"(?:[^;{}()]|\((?:[^()]|\([^()]*\))*\))*"
    used = others.union(re.findall(r"var\(\s*(--[\w-]+)", css))
    kept = re.sub(rf"(?<=[{{;\s])(--[\w-]+)\s*:{value};?", lambda match: match[0] * (match[1] in used), css)
    return css if kept == css else drop_unused_variables(kept, others)


def relative_urls(css, name):
    """样式表 name 挪到了 _static/ 里，里面的相对地址要跟着改。"""

    def moved(match):
        return f"url({match[1]}{posixpath.normpath(posixpath.join(posixpath.dirname(name), match[2]))}{match[1]})"

    return re.sub(r"url\((['\"]?)(?!data:|[a-z]+:|/|#)([^'\")]+)\1\)", moved, css)


def bundle(static, sheets, pages):
    """按优先级合成一个样式表；static 是网站的 _static/，sheets 是 {文件名: 优先级}，pages 是各页的 HTML。"""
    written = {name for page in pages for name in re.findall(r'src="[./]*_static/([^"?]+\.js)', page)}
    scripts = sorted({static / name for name in written}.union((static / "search").glob("*.js")))  # 后者用到时才加载
    scripts = [script.read_text(encoding="utf-8") for script in scripts]
    used = names_in(pages, scripts)
    names = THEME_CSS + [name.removeprefix("_static/") for name in sorted(sheets, key=sheets.get)]
    for name in filter(lambda name: (OURS / name).exists(), names):
        check(name, (OURS / name).read_text(encoding="utf-8"))
    texts = [relative_urls((static / name).read_text(encoding="utf-8"), name) for name in names]
    texts = [re.sub("|".join(map(re.escape, NARROW)), lambda match: NARROW[match[0]], text) for text in texts]
    css = "\n".join(prune(parse(text), used) for text in texts)
    return drop_unused_variables(css, {name for text in (*pages, *scripts) for name in re.findall(r"--[\w-]+", text)})
