"""本书的站内搜索：每一小节一条，写成 _static/search/index.js，由浏览器里的 MiniSearch 检索。

索引从建好的页面里取，所以 glue 填进正文的数、练习、helpers 的说明都在里面；另加术语与 questions.yml 里的问法。
它是一个设置全局变量的脚本，不用 fetch，所以直接打开文件（file://）也能搜。Sphinx 自己的索引与检索脚本不再生成。
"""

import json
import re
from pathlib import Path

import yaml
from bs4 import BeautifulSoup

HERE = Path(__file__).parent / "search"
LABEL = re.compile(r"(sec|ex|err|eq|fig|sol)-")
HEADINGS = ["h1", "h2", "h3", "h4"]
# 这些小节只是重复别处的内容，排在讲解之后
MINOR_TITLES = ("学习目标", "小结", "练习", "打卡清单", "符号表", "术语表", "参考文献")
# 公式只留下读得出来的部分，用在摘要里
GREEK = {"eta": "η", "sigma": "σ", "epsilon": "ε", "mu": "μ", "alpha": "α", "lambda": "λ", "top": "ᵀ", "times": "×"}


# ---------------------------------------------------------------- 从页面到文字


def plain_tex(latex):
    r"""把简单的行内公式写成普通文字：``\mathbf{X}^\top`` → ``Xᵀ``；太复杂的去掉。"""
    text = re.sub(r"\\hat\{(?:\\mathbf\{)?y\}*", "ŷ", latex).replace("^2", "²")
    text = re.sub(r"\\([a-zA-Z]+)", lambda m: GREEK.get(m[1], " "), text)
    text = re.sub(r"\s+", " ", re.sub(r"[{}\\^_$]", "", text)).strip()
    return text if len(text) <= 24 else ""


def simplify(article):
    """去掉不该检索的部分：链接记号、行间公式、输出、编号；行内公式换成文字。"""
    for tag in article.select(".headerlink, .cell_output, .section-number, .reading-time, script, style, summary"):
        tag.decompose()
    for block in article.select("div.math"):
        block.replace_with("…")
    for math in article.select("span.math"):
        latex = math.find("annotation")
        math.replace_with(plain_tex(latex.get_text()) if latex else "")


def squeeze(text):
    """连着的空白并成一个空格；全角标点的前后不留。"""
    return re.sub(r"(?<=[，。、；：？！）]) | (?=[，。、；：？！（）])", "", re.sub(r"\s+", " ", text)).strip()


def take_code(part):
    """取走代码单元格，返回里面的代码。"""
    cells = [cell.extract() for cell in part.select("div.highlight")]
    return squeeze("\n".join(cell.get_text() for cell in cells))


def anchor(section):
    """小节的 ASCII 标签；没有写标签时用 Sphinx 给的 id。"""
    ids = [section.get("id", ""), *(span["id"] for span in section.find_all("span", id=True, recursive=False))]
    return next((name for name in ids if LABEL.match(name)), ids[0])


def entry(url, title, parents, part, weight=1.0):
    code = take_code(part)
    fields = {"url": url, "title": title, "parents": parents, "text": squeeze(part.get_text()), "code": code}
    return fields | {"names": [], "weight": weight}


# ---------------------------------------------------------------- 从文字到条目


def exercise_entries(page, article, parents):
    """每道练习一条，连同它的解答；``#sol-…`` 也归到这一条。"""
    for exercise in article.select("div.exercise[id]"):
        title = squeeze(exercise.find(class_="admonition-title").extract().get_text())
        solution = article.find(id=exercise["id"].replace("ex-", "sol-", 1))
        if solution:
            solution.find(class_="admonition-title").decompose()
            exercise.append(solution.extract())
        yield entry(f"{page}#{exercise['id']}", title, parents, exercise.extract(), 0.7)


def function_entries(page, article, parents):
    """helpers 的每个函数一条，上级是它所在的小节。"""
    for function in article.select("dl.py.function"):
        name, group = function.dt["id"], function.find_parent("section").find(HEADINGS)
        yield entry(f"{page}#{name}", name, f"{parents} › {squeeze(group.get_text())}", function.extract(), 0.8)


def section_entries(page, article):
    """由内向外，每个小节只留自己的文字，里层的小节另成一条。"""
    for section in reversed(article.find_all("section")):
        heading = section.find(HEADINGS, recursive=False)
        if heading:
            parents = [outer.find(HEADINGS, recursive=False) for outer in section.find_parents("section")]
            path = " › ".join(squeeze(h.get_text()) for h in reversed(parents) if h)
            title = squeeze(heading.extract().get_text())
            weight = 0.3 if title in MINOR_TITLES else 1.0 if path else 0.8  # 没有上级的是整页的开头
            yield entry(f"{page}#{anchor(section)}", title, path, section.extract(), weight)


def page_entries(page, html):
    article = BeautifulSoup(html, "html.parser").select_one("article.bd-article")
    if article is None or article.h1 is None:
        return []
    simplify(article)
    for glossary in article.select("dl.glossary, div.citation-list"):
        glossary.decompose()  # 术语另归到讲解它的小节，见 add_names
    title = squeeze(article.h1.get_text())
    extra = [*exercise_entries(page, article, title), *function_entries(page, article, title)]
    return list_children([*reversed(list(section_entries(page, article))), *extra])


def list_children(entries):
    """只有标题、没有文字的小节，用里层小节的标题当文字，搜索结果里才不是空的。"""
    for item in entries:
        path = " › ".join(filter(None, [item["parents"], item["title"]]))
        item["text"] = item["text"] or "；".join(child["title"] for child in entries if child["parents"] == path)
    return entries


# ---------------------------------------------------------------- 别名：术语与问法


def glossary_terms(html):
    """术语表 → (中文与英文, 讲解它的标签)，标签由“见……”的链接得到。"""
    for name in BeautifulSoup(html, "html.parser").select("dl.glossary > dt"):
        definition = name.find_next_sibling("dd")
        link = definition.find("a", href=re.compile("#"))
        for tag in name.select(".headerlink"):
            tag.decompose()
        if link:
            english = definition.get_text().strip().split("。")[0]
            yield link["href"].split("#")[1], [squeeze(name.get_text()), *english.split(", ")]


def english_synonyms(html):
    """两个词以上的英文术语换成中文，于是 mini-batch size 这样的话也能拆开来比；单个的词可能是代码里的名字，不换。"""
    for _, (chinese, *english) in glossary_terms(html):
        yield from ((name.lower(), chinese) for name in english if re.search(r"\w[ -]\w", name))


def add_names(entries, html, questions):
    """把每个术语的中英文名字与各种问法记到讲解它的小节上，于是用哪种说法都找得到。"""
    by_label = {item["url"].split("#")[1]: item for item in entries}
    for label, names in [*glossary_terms(html), *questions.items()]:
        item = by_label.get(label) or by_label.get(label.replace("sol-", "ex-", 1))
        if item is None:
            raise ValueError(f"术语或问法指向 {label}，书里没有这个标签。请改正 glossary.md 或 questions.yml。")
        item["names"] += names


def read_yaml(name):
    return yaml.safe_load((HERE / name).read_text(encoding="utf-8"))


def build_index(html_dir, pages):
    """读每一页，返回全部条目与近义词。"""
    entries, glossary = [], ""
    for page in pages:
        html = (html_dir / page).read_text(encoding="utf-8")
        entries += page_entries(page, html)
        glossary += html if 'class="simple glossary"' in html or 'class="glossary"' in html else ""
    add_names(entries, glossary, read_yaml("questions.yml"))
    words = read_yaml("words.yml")
    words["synonyms"] = dict(english_synonyms(glossary)) | words["synonyms"]
    return {"entries": entries, **words}


# ---------------------------------------------------------------- Sphinx


def drop_builtin(app):
    """不要 Sphinx 自己的索引与搜索页。"""
    if app.builder.format == "html":
        app.builder.search = False


def add_search_page(app):
    return [("search", {}, "search.html")]


def write_index(app, exception):
    if exception or app.builder.format != "html" or not app.changed_pages:
        return
    html_dir = Path(app.outdir)
    index = build_index(html_dir, [app.builder.get_target_uri(name) for name in sorted(app.env.found_docs)])
    script = f"window.bookSearchIndex = {json.dumps(index, ensure_ascii=False, separators=(',', ':'))};\n"
    (html_dir / "_static" / "search").mkdir(parents=True, exist_ok=True)
    (html_dir / "_static" / "search" / "index.js").write_text(script, encoding="utf-8")


def setup(app):
    app.connect("builder-inited", drop_builtin)
    app.connect("html-collect-pages", add_search_page)
    app.connect("build-finished", write_index)
    app.add_css_file("search/search.css")
    app.add_js_file("search/search.js", defer="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
