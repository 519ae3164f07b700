"""建好的书：每一页的内容、链接指向哪里、源文件在哪一格。各条定律（test_laws_*.py）都从这里读。"""

import json
import re
from functools import cache, cached_property
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup, NavigableString, Tag

from tests.common import ROOT, read_notebook
from tools.refresh import documents_in_toc

HTML = ROOT / "_build" / "html"
ORDER = documents_in_toc()  # 各页，按阅读的次序
HEADING = re.compile(r"h[1-6]")
# 不是书的文字：链接记号、按钮、折叠的提示
FURNITURE = ".headerlink, .toggle-button, button, summary, script, style"
# 排好的公式与着色的代码占去大半的标签，定律只看它们的文字：先换成文字，读得快一倍
TYPESET = re.compile(r"<math .*?(<annotation[^>]*>[^<]*</annotation>)</semantics></math>", re.DOTALL)
COLOURED = re.compile(r"(?<=<pre>).*?(?=</pre>)", re.DOTALL)
TAG, SPAN = re.compile(r"<[^>]*>"), re.compile(r"<(/?)span\b")


def settle(problems, advice=""):
    """把问题一行一条地报告；没有问题就通过。"""
    lines = [str(problem) for problem in problems]
    assert not lines, "\n" + "\n".join([*lines, *filter(None, [advice])])


def chinese(text):
    """只留汉字：两处的空格、标点、公式的写法可以不同，话要相同。"""
    return "".join(re.findall("[\u4e00-\u9fff]+", text))


def squeeze(text):
    return re.sub(r"\s+", " ", text).strip()


def selected(node, selector):
    """选中的节点的 id；选择器与 node 无关的，整页只选一遍。"""
    if ":scope" in selector:
        return {id(each) for each in node.select(selector)}
    page = node if node.parent is None else list(node.parents)[-1]
    known = page.__dict__.setdefault("known", {})
    if selector not in known:
        known[selector] = {id(each) for each in page.select(selector)}
    return known[selector]


def text_of(node, *without):
    """节点的文字，不算链接记号之类，也不算 without 里的选择器。"""
    skipped = set().union(*(selected(node, selector) for selector in (FURNITURE, *without)))

    def strings(node):
        for child in node.children:
            if isinstance(child, Tag) and id(child) not in skipped:
                yield from strings(child)
            elif type(child) is NavigableString:
                yield child

    return "".join(strings(node))


# ---------------------------------------------------------------- 源文件


@cache
def notebooks():
    """页 → 笔记本；不是笔记本的页不在里面。"""
    paths = {page: ROOT / f"{page}.ipynb" for page in ORDER}
    return {page: read_notebook(path) for page, path in paths.items() if path.exists()}


@cache
def sources():
    """全书的源：(页, 文件与位置, 文字)；笔记本一格一条，.md 一行一条。"""
    found = []
    for page in ORDER:
        if page in notebooks():
            for cell in notebooks()[page].cells:
                text = cell.source + json.dumps(cell.metadata.get("mystnb", {}), ensure_ascii=False)
                found.append((page, f"{page}.ipynb 单元格 {cell.id}", text))
        else:
            lines = (ROOT / f"{page}.md").read_text(encoding="utf-8").splitlines()
            found += [(page, f"{page}.md 第 {number} 行", line) for number, line in enumerate(lines, start=1)]
    return found


def where(page, words=None):
    """这一页的源文件；给了词，就是引用这个标签（没有引用的，就是含有这些词）的那一格或那一行。"""
    mine = [(place, text) for name, place, text in sources() if name == page]
    for pattern in (rf"[`(<]{re.escape(words)}[`)>](?!=)", re.escape(words)) if words else ():
        if place := next((place for place, text in mine if re.search(pattern, text)), None):
            return place
    return mine[0][0].split()[0] if mine else page


# ---------------------------------------------------------------- 网页


def flat(html):
    """排好的公式与着色的代码，里面只留文字。"""
    html = COLOURED.sub(lambda code: TAG.sub("", code[0]), TYPESET.sub(r"\1", html))
    first, *formulas = html.split('<span class="katex-html" aria-hidden="true">')
    done = [first]
    for formula in formulas:
        depth = 1
        for tag in SPAN.finditer(formula):
            depth += -1 if tag[1] else 1
            if not depth:
                break
        done.append(f'<span class="katex-html">{TAG.sub("", formula[: tag.start()])}{formula[tag.start() :]}')
    return "".join(done)


class Page:
    def __init__(self, path):
        self.path, self.name = path, path.relative_to(HTML).with_suffix("").as_posix()

    @cached_property
    def soup(self):
        """整页；排好的公式换成它的 LaTeX，好读也好比，看得见的文字记在 data-seen 里。"""
        soup = BeautifulSoup(flat(self.path.read_text(encoding="utf-8")), "html.parser")
        for formula in soup.select(".katex"):
            formula["data-seen"] = formula.select_one(".katex-html").get_text()
            formula.string = formula.find("annotation").get_text()
        return soup

    @cached_property
    def article(self):
        return self.soup.find("article") or self.soup

    @cached_property
    def ids(self):
        """锚点 → 节点；标签写在空的 <span id> 里的，是它所在的那一小节。"""
        found = {node["id"]: node for node in self.soup.find_all(id=True)}
        return {
            key: node.parent if node.name == "span" and not node.get_text() else node for key, node in found.items()
        }

    @cached_property
    def sections(self):
        """有标题的小节，由外到里，依次排列。"""
        return [section for section in self.article.find_all("section") if section.find(HEADING, recursive=False)]


def title(section):
    return squeeze(text_of(section.find(HEADING, recursive=False), ".section-number"))


def path_to(node):
    """节点所在的各层小节的标题，由外到里；节点自己是小节，也算。"""
    outer = [*reversed(list(node.find_parents("section"))), *([node] if node.name == "section" else [])]
    return [title(section) for section in outer if section.find(HEADING, recursive=False)]


def label_of(section):
    """写在源文件里的标签：以 sec-、err- 开头的锚点。"""
    ids = [section["id"], *(span["id"] for span in section.find_all("span", id=True, recursive=False))]
    return next((name for name in ids if re.match(r"(sec|err)-", name)), ids[0])


class Book:
    def __init__(self):
        paths = (path for path in sorted(HTML.rglob("*.html")) if "_static" not in path.relative_to(HTML).parts)
        pages = [Page(path) for path in paths]
        self.redirects = [page for page in pages if 'http-equiv="refresh"' in page.path.read_text("utf-8").lower()]
        self.pages = {page.name: page for page in pages if page not in self.redirects}
        self.chapters = [self.pages[name] for name in ORDER if name in self.pages]

    def resolve(self, page, link):
        """站内的链接 → (文件, 锚点)；站外的是 None。"""
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            return None
        return (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path, unquote(parts.fragment)

    def page_at(self, path):
        return self.pages.get(path.relative_to(HTML).with_suffix("").as_posix()) if path.is_relative_to(HTML) else None

    def target(self, page, link):
        """站内的链接指向的 (页, 节点)；没有锚点的，是整页的第一小节；不指向书里的一页，是 (None, None)。"""
        path, anchor = self.resolve(page, link) or (ROOT, "")
        there = self.page_at(path)
        return (there, there.ids.get(anchor) if anchor else there.article.section) if there else (None, None)

    def links(self, selector="article a[href]"):
        """书里的站内链接：(页, 链接, 所指的页, 所指的节点)。"""
        for page in self.pages.values():
            for link in page.soup.select(selector):
                there, node = self.target(page, link["href"])
                if node is not None and "headerlink" not in link.get("class", []):
                    yield page, link, there, node

    @cache  # noqa: B019 整个测试只有一本书
    def data(self, variable):
        """网站的脚本里 ``window.变量 = {…};`` 的内容。"""
        for path in sorted(HTML.rglob("*.js")):
            text = path.read_text(encoding="utf-8")
            if text.startswith(f"window.{variable} = "):
                return json.loads(text[text.index("{") : text.rindex("}") + 1])
        raise AssertionError(f"网站里没有 {variable}。")


@cache
def open_book():
    """没有网站时算失败而不是跳过：否则定律会悄悄地什么也没查。"""
    if not (HTML / "index.html").is_file():
        pytest.fail("还没有网站。请先运行 python3 make.py book。", pytrace=False)
    return Book()
