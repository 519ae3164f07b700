"""锚点稳定、可读：标题用写明的标签，术语用它的英文，都不随内容的增减而变。

Sphinx 给中文标题与术语的 id 是 id1、term-2 之类的流水号，前面加一条，后面的网址就全变了。
"""

import re

from docutils import nodes
from sphinx import addnodes
from sphinx.errors import ExtensionError

SERIAL = re.compile(r"id\d+")
LABEL = re.compile(r"(sec|ex|sol|fig|eq|err|tab)-")
REPEATED = {"exercise-content", "solution-content"}  # sphinx-exercise 给每道题、每个解答的里层都写上


def prefer_labels(doctree):
    """标题：写明的标签排在最前，去掉流水号。"""
    for section in doctree.findall(nodes.section):
        ids = [name for name in section["ids"] if not SERIAL.fullmatch(name)]
        section["ids"] = sorted(ids, key=lambda name: not LABEL.match(name)) or section["ids"]


def drop_repeated_ids(doctree):
    """一页里 id 不能重复。"""
    for section in doctree.findall(nodes.section):
        section["ids"] = [name for name in section["ids"] if name not in REPEATED]


def english_name(definition):
    """“linear regression。假设……” → linear-regression。"""
    english = re.split(r"[。（，；]", definition.astext().strip())[0]
    return re.sub(r"[^a-z0-9]+", "-", english.lower()).strip("-")


def name_terms(doctree, domain, docname):
    """术语：id 取自释义开头的英文；标准域里记下的位置一起改。"""
    taken = set()
    for item in doctree.findall(nodes.definition_list_item):
        definition = next(item.findall(nodes.definition), None)
        for term in item.findall(nodes.term):
            if not any(name.startswith("term-") for name in term["ids"]):
                continue
            new = f"term-{english_name(definition)}"
            if new == "term-" or new in taken:
                name = f"{docname} 里的术语“{term.astext()}”"
                raise ExtensionError(f"{name}：释义要以它的英文开头，并与别的术语不同；得到 {new!r}。")
            taken.add(new)
            _rename(domain, docname, term, new)


def _rename(domain, docname, term, new):
    old, term["ids"] = term["ids"], [new]
    for index in term.findall(addnodes.index):
        index["entries"] = [(kind, text, new, *rest) for kind, text, _, *rest in index["entries"]]
    for table in (domain.objects, domain._terms):  # 没有公开的接口可以改名
        for key, (document, name) in table.items():
            if document == docname and name in old:
                table[key] = (docname, new)
