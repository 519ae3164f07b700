"""术语表的样子：英文淡一些，上面有一个筛选框（见 static/glossary.js）。"""

from docutils import nodes
from sphinx import addnodes

FILTER = """<div class="glossary-filter pst-js-only">
<input type="search" aria-label="筛选术语" placeholder="筛选：写几个字，中英文都行" autocomplete="off" />
<span role="status"></span>
</div>"""


def has_terms(doctree):
    return doctree is not None and any(doctree.findall(addnodes.glossary))


def arrange(doctree):
    if not has_terms(doctree):
        return
    for glossary in doctree.findall(addnodes.glossary):
        for definition in glossary.findall(nodes.definition):
            mute_english(next(definition.findall(nodes.Text)))
    page = next(doctree.findall(nodes.section))
    first = next(i for i, part in enumerate(page) if has_terms(part))
    page.insert(first, nodes.raw("", FILTER, format="html"))


def mute_english(text):
    """释义以英文开头，到第一个句号为止。"""
    english, mark, rest = text.partition("。")
    text.parent.replace(text, [nodes.inline("", english + mark, classes=["english"]), nodes.Text(rest)])
