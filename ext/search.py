"""本书的站内搜索：每一小节一条，写成 _static/search/index.js，由浏览器里的 MiniSearch 检索（见 static/search/）。

条目取自排好的文档树，所以 glue 填进正文的数、练习、helpers 的说明都在里面；另加术语与 questions.yml 里的问法。
怎样打分见 static/search/engine.js。
"""

import re
from pathlib import Path

import yaml
from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx import addnodes
from sphinx.errors import ExtensionError
from sphinx_exercise.nodes import exercise_enumerable_node, solution_node
from sphinx_exercise.utils import get_node_number

from . import pages
from .reading import is_output

# 这些小节只是重复别处的内容，排在讲解之后
MINOR_TITLES = ("学习目标", "小结", "自测", "练习", "打卡", "打卡清单", "符号表", "术语表", "参考文献")
MINOR, WHOLE_PAGE, EXERCISE, FUNCTION = 0.3, 0.8, 0.7, 0.8  # 各种条目的分量；一般的小节是 1
# 公式只留下读得出来的部分，用在摘要里
SIGNS = {"eta": "η", "sigma": "σ", "epsilon": "ε", "mu": "μ", "alpha": "α", "lambda": "λ", "top": "ᵀ", "times": "×"}
SIGNS |= {"nabla": "∇", "partial": "∂", "sum": "Σ", "ell": "ℓ", "tau": "τ", "theta": "θ", "delta": "δ", "approx": "≈"}
SIGNS |= {name: f" {name} " for name in ("log", "exp", "ln", "max", "min")}
SUBSCRIPTS = str.maketrans("ijkn0123456789", "ᵢⱼₖₙ₀₁₂₃₄₅₆₇₈₉")
LONGEST_FORMULA = 24
# 不检索的：术语与文献另有去处，折起的代码只是画图与检查，其余不是文字
SKIPPED = (addnodes.glossary, nodes.citation, HideCodeCellNode, nodes.raw, nodes.image, nodes.comment, addnodes.index)


def plain_tex(latex):
    r"""把简单的行内公式写成普通文字：``\mathbf{X}^\top`` → ``Xᵀ``；太复杂的写成省略号。"""
    text = re.sub(r"\\hat\{(?:\\mathbf\{)?y\}*", "ŷ", latex).replace("^2", "²")
    text = re.sub(r"\\[td]?frac\{([^{}]*)\}\{([^{}]*)\}", lambda m: "/".join(map(bracketed, m.groups())), text)
    text = re.sub(r"_\{?([ijkn0-9])(?![\w,])\}?", lambda m: m[1].translate(SUBSCRIPTS), text)
    text = re.sub(r"\\([a-zA-Z]+)", lambda m: SIGNS.get(m[1], " "), text)
    text = re.sub(r"\s+", " ", re.sub(r"[{}\\^_$]", "", text)).strip()
    return re.sub(r"(?<=[∇∂]) | (?=[(₂])", "", text) if len(text) <= LONGEST_FORMULA else "…"


def bracketed(part):
    """分子、分母：不止一个记号，就加上括号。"""
    return part if re.fullmatch(r"(\\partial ?)?(\\[a-z]+|\w|\d+)", part) else f"({part})"


def squeeze(text):
    """连着的空白并成一个空格；全角标点的前后不留。"""
    return re.sub(r"(?<=[，。、；：？！）]) | (?=[，。、；：？！（])", "", re.sub(r"\s+", " ", text)).strip()


def is_section(node):
    return isinstance(node, nodes.section) and node.first_child_matching_class(nodes.title) == 0


def is_function(node):
    return isinstance(node, addnodes.desc) and node["objtype"] == "function"


def has_own_entry(node):
    return is_section(node) or is_function(node) or isinstance(node, exercise_enumerable_node | solution_node)


def pieces(node):
    """节点里的文字，依次产生 (文字, 是不是代码)；自成一条的里层、输出与自己的标题不算。"""
    for child in node.children:
        title = isinstance(child, nodes.title) and has_own_entry(node)
        if title or has_own_entry(child) or is_output(child) or isinstance(child, SKIPPED):
            continue
        match child:
            case nodes.literal_block():
                yield child.astext(), True
            case nodes.math_block():
                yield "…", False
            case nodes.math():
                yield plain_tex(child.astext()), False
            case nodes.field_name():
                yield f"{child.astext()}：", False
            case addnodes.desc_signature():
                yield f"{child.astext()}\n", False
            case nodes.Text():
                yield child.astext(), False
            case _:
                yield from pieces(child)
        if not isinstance(child, nodes.Text | nodes.Inline):
            yield "\n", isinstance(child, nodes.literal_block)


def text_of(*parts, code=False):
    return squeeze("".join(text for part in parts for text, is_code in pieces(part) if is_code == code))


def titles_above(node):
    """外层各小节的标题，由外向内。"""
    outer = []
    while node := node.parent:
        if is_section(node):
            outer.insert(0, text_of(node[0]))
    return outer


def page_entries(doctree, docname, app):
    """一页的条目：每个小节、每道练习（连同它的解答）、helpers 的每个函数，只含自己的文字。"""
    page = Path(app.builder.get_outfilename(docname)).relative_to(app.outdir).as_posix()
    solutions = {node["target_label"]: [node] for node in doctree.findall(solution_node)}
    entries = []

    def add(node, title, outer, weight, *parts):
        fields = {"url": f"{page}#{node['ids'][0]}", "title": title, "parents": " › ".join(outer)}
        fields |= {"text": text_of(*parts), "code": text_of(*parts, code=True), "names": [], "weight": weight}
        entries.append(fields)

    for node in doctree.findall(has_own_entry):
        outer = titles_above(node)
        if is_section(node):
            title = text_of(node[0])
            minor = {title, *outer}.intersection(MINOR_TITLES)
            add(node, title, outer, MINOR if minor else 1.0 if outer else WHOLE_PAGE, node)
        elif is_function(node):
            add(node[0], node[0]["ids"][0], [outer[0], outer[-1]], FUNCTION, node)
        elif isinstance(node, exercise_enumerable_node):
            number = node[0]["title"] % get_node_number(app, node, "exercise")  # “练习 %s”
            title = squeeze(f"{number} {text_of(node[0])}")
            add(node, title, outer[:1], EXERCISE, node, *solutions.get(node["label"], []))
    for item in entries:  # 只有标题、没有文字的小节，用里层小节的标题当文字，搜索结果里才不是空的
        path = " › ".join(filter(None, [item["parents"], item["title"]]))
        item["text"] = item["text"] or "；".join(child["title"] for child in entries if child["parents"] == path)
    return entries


def glossary_terms(doctree):
    """术语表 → (讲解它的标签, [中文, 英文…])，标签由“见……”的链接得到。"""
    for glossary in doctree.findall(addnodes.glossary):
        for item in glossary.findall(nodes.definition_list_item):
            links = [link.get("refid") or link["refuri"].rpartition("#")[2] for link in item.findall(nodes.reference)]
            english = item[-1].astext().strip().split("。")[0].split(", ")
            for term in item.findall(nodes.term) if any(links) else []:
                yield next(filter(None, links)), [squeeze(term.astext()), *english]


def english_synonyms(terms):
    """两个词以上的英文术语换成中文，于是 mini-batch size 这样的话也能拆开来比；单个的词可能是代码里的名字，不换。"""
    for _, (chinese, *english) in terms:
        yield from ((name.lower(), chinese) for name in english if re.search(r"\w[ -]\w", name))


def add_names(entries, names):
    """把每个术语的中英文名字与各种问法记到讲解它的小节上，于是用哪种说法都找得到。"""
    by_label = {item["url"].rpartition("#")[2]: item for item in entries}
    for label, words in names:
        item = by_label.get(label) or by_label.get(label.replace("sol-", "ex-", 1))
        if item is None:
            raise ExtensionError(f"术语或问法指向 {label}，书里没有这个标签。请改正 glossary.md 或 questions.yml。")
        item["names"] += words


def write(site, entries, terms, words_folder):
    """写出索引；entries 是 {页: 条目}，words_folder 里是 questions.yml 与 words.yml。"""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # 有 libyaml 就快十倍
    questions, words = (
        yaml.load((words_folder / name).read_text(encoding="utf-8"), loader) for name in ("questions.yml", "words.yml")
    )
    entries = [item for name in sorted(entries) for item in entries[name]]
    add_names(entries, [*terms, *questions.items()])
    words["synonyms"] = dict(english_synonyms(terms)) | words["synonyms"]
    pages.write_script(site, "search/index.js", "bookSearchIndex", {"entries": entries, **words})
