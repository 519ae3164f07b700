"""随处都读得通的笔记本：每一本都写一份只用标准 Markdown 的，放进 ``_build/notebooks``；页面上的下载按钮给的也是它。

JupyterLab、VS Code、Colab 不认识 MyST：``(sec-…)=``、``{term}`` 与练习的指令都会露出原样，解答也全摊开。
作者写的 Markdown 原样保留，只换掉 MyST 的部分；名字、编号与去处都问 Sphinx，所以不会与页面上的不同。
不认识的写法一律警告，构建因此失败，不会悄悄漏过去。要加一个角色或指令，见 ``role`` 与 ``directive_…``。
"""

import ast
import itertools
import posixpath
import re
import shutil
import textwrap
from collections import namedtuple
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urljoin

import nbformat
from docutils import nodes
from docutils.parsers.rst import directives
from docutils.parsers.rst.languages import en
from docutils.utils import new_document
from markdown_it.renderer import RendererHTML
from myst_nb.core.variables import format_plain_text
from myst_nb.ext.glue import extract_glue_data_cell
from myst_parser.parsers.directives import parse_directive_text
from myst_parser.parsers.mdit import create_md_parser
from pybtex.backends.markdown import Backend
from sphinx import addnodes
from sphinx.locale import admonitionlabels
from sphinx.util import logging
from sphinx.util.nodes import split_explicit_title
from sphinx_exercise.nodes import translate

from . import hands_on, launch, quiz

logger = logging.getLogger(__name__)

# 原文的 [start, end) 换成 text；is_block：前后空一行；cell 不是 None：自成一格，以它为元数据
Edit = namedtuple("Edit", "start end text is_block cell", defaults=[False, None])
FOLDED = {"jp-MarkdownHeadingCollapsed": True}  # JupyterLab 折起这个标题，到下一个同级或更高的标题为止
# 网页上折起的，JupyterLab 也折起
HIDDEN = {
    "hide-input": ["source_hidden"],
    "hide-output": ["outputs_hidden"],
    "hide-cell": ["source_hidden", "outputs_hidden"],
}
ROLES = {"term": "std", "ref": "std", "numref": "std", "func": "py", "class": "py", "eq": "math", "cite": "cite"}
MYST_BLOCKS = {"myst_target", "myst_line_comment", "math_block_label"}
STANDARD = re.compile(  # 标准 Markdown 与公式的记号，可以原样留下
    r"(paragraph|heading|bullet_list|ordered_list|list_item|blockquote|table|thead|tbody|tr|th|td|em|strong|link)_"
    r"(open|close)|inline|text|softbreak|hardbreak|code_inline|code_block|fence|hr|html_block|html_inline|image"
    r"|math_block|math_inline|math_inline_double"
)
# 锚点，单独一段的连同后面的空行；还没有写出去处的链接：文字、标签、网址
ANCHOR = re.compile(r'(?m)(^ *)?<a id="([^"]+)"></a>(?(1)(?:\n\n)?)')
LINK = re.compile("\x02([^\x02-\x05]*)\x03([^\x02-\x05]*)\x04([^\x02-\x05]*)\x05")
ANSWER_BELOW = "（先自己做；答案在下面。）"
NEEDS = (
    "> **运行之前** 代码用到本书的 `helpers` 与数据。提示 `No module named 'helpers'` 时，取得本书的仓库，"
    "在它的文件夹里运行 `python3 make.py lab`（Windows 上是 `python make.py lab`），从那里打开这本笔记本。"
)


class Book:
    """改写全书的笔记本；``self.doc`` 是正在改写的那一本。"""

    def __init__(self, app):
        self.env, self.builder, self.base = app.env, app.builder, app.config.html_baseurl
        self.repository = app.config.book_repository
        self.places = {}  # 标签 → (哪一本, 哪一格)
        self.linked = {"references"}  # 有人指着的标签，要留下锚点
        self.titles = {}  # 练习的标题
        self.files = set()  # 正文里的图
        self.md = create_md_parser(self.env.myst_config, RendererHTML)
        for name in ("myst_role", "link", "span", "attr"):
            self.watch(name, getattr(self, f"{name}_edits"))

    def convert(self):
        """{文档名: 笔记本}。先写出全部锚点，链接记着标签；都写完，才知道每个标签在哪一格，有没有人指着。"""
        docs = [doc for doc in sorted(self.env.found_docs) if self.env.doc2path(doc).endswith(".ipynb")]
        self.env.get_doctree = cache(self.env.get_doctree)  # 查一个编号，Sphinx 就要读一遍存下的整页
        notebooks = {doc: self.notebook(doc) for doc in docs}
        del self.env.get_doctree
        for self.doc, notebook in notebooks.items():
            for cell in (cell for cell in notebook.cells if cell.cell_type == "markdown"):
                text = ANCHOR.sub(lambda found: found[0] if found[2] in self.linked else "", cell.source)
                cell.source = LINK.sub(lambda found: self.link(*found.groups()), text).strip()
        return notebooks

    def warn(self, message):
        logger.warning("笔记本的普通版：%s", message, location=self.doc)

    # ------------------------------------------------------------ 一本笔记本

    def notebook(self, doc):
        self.doc, self.level, self.cited = doc, 1, set()
        self.answer, self.answered = None, False  # 折起的解答的标题级别；解答写完了没有
        notebook = nbformat.read(self.env.doc2path(doc), as_version=4)
        codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
        self.glued = dict(pair for cell in codes for pair in extract_glue_data_cell(cell))  # 也从输出里去掉
        notebook.cells = [new for cell in notebook.cells for new in self.cells(cell)]
        codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
        if any("helpers" in cell.source for cell in codes):
            notebook.cells[0].source += f"\n\n{NEEDS}"
            if self.repository:
                fetch = launch.FETCH.format(url=self.repository)
                codes.insert(0, nbformat.v4.new_code_cell(fetch, id="fetch-helpers"))
                notebook.cells.insert(1, codes[0])
        if self.cited:
            notebook.cells.append(markdown_cell("references", self.bibliography()))
        for count, cell in enumerate(codes, start=1):
            cell.execution_count = count
            for output in cell.outputs:
                if "execution_count" in output:
                    output.execution_count = count
        for cell in notebook.cells:
            self.places |= dict.fromkeys((found[2] for found in ANCHOR.finditer(cell.source)), (doc, cell.id))
        return notebook

    def cells(self, cell):
        """一格变成几格：练习的标题与解答的标题各占一格，才能各自折叠；题注在图的下面。"""
        if cell.cell_type == "code":
            return self.code_cells(cell)
        pieces = enumerate(self.pieces(cell.source))
        return [markdown_cell(f"{cell.id}-{i}" if i else cell.id, *piece) for i, piece in pieces]

    def code_cells(self, cell):
        tags = cell.metadata.get("tags", [])
        if "remove-cell" in tags:
            return []
        self.enter()
        figure = cell.metadata.get("mystnb", {}).get("figure")
        hidden = {part: True for tag in tags for part in HIDDEN.get(tag, [])}
        metadata = {"jupyter": hidden, "tags": [tag for tag in tags if tag not in HIDDEN]}
        cell.metadata = nbformat.from_dict({key: value for key, value in metadata.items() if value})
        cell.source = without_glue(cell.source)
        caption = [markdown_cell(f"{cell.id}-caption", self.caption(**figure))] if figure else []
        return [cell, *caption]

    def caption(self, name, caption):
        return f"{anchor(name)}**{self.text('numref', name)}** {self.markdown(caption)}"

    def bibliography(self):
        """这一本引用过的文献，编号与页面上的相同。"""
        backend = Backend()
        entries = [each.formatted_entry for each in self.env.get_domain("cite").citations if each.key in self.cited]
        entries.sort(key=lambda entry: (len(entry.label), entry.label))
        lines = [f"- [{each.label}] " + " ".join(each.text.render(backend).split()) for each in entries]
        return '## 参考文献<a id="references"></a>\n\n' + re.sub(r"\\([.()-])", r"\1", "\n".join(lines))  # 多余的转义

    # ------------------------------------------------------------ 一段原文

    def markdown(self, source):
        return "\n\n".join(text for text, _ in self.pieces(source))

    def pieces(self, source):
        """改写一段原文，返回 [(文字, 单元格的元数据), …]。"""
        pieces, here = [["", {}]], 0
        for edit in sorted(self.edits(source), key=lambda edit: edit.start):
            pieces[-1][0] += source[here : edit.start]
            here = edit.end
            if edit.cell is not None:
                pieces += [[edit.text, edit.cell], ["", {}]]
            elif edit.is_block:
                pieces[-1][0] = pieces[-1][0].rstrip() + f"\n\n{edit.text}" + "\n\n" * bool(edit.text)
                here += len(source[here:]) - len(source[here:].lstrip("\n"))
            else:
                pieces[-1][0] += edit.text
        pieces[-1][0] += source[here:]
        return [(text.strip(), metadata) for text, metadata in pieces if text.strip()]

    def edits(self, source):
        env, tokens, edits = {}, [], []
        self.md.block.parse(source, self.md, env, tokens)
        lines = [0, *itertools.accumulate(map(len, source.splitlines(keepends=True)))]  # 各行的起点
        done = 0
        for i, token in enumerate(tokens):
            if token.type == "inline":
                inner = self.inline(token.content, env)
                if tokens[i - 1].type == "heading_open":
                    inner += self.heading_edits(tokens, i)
                place = source.find(token.content, max(done, lines[token.map[0]]))
                if place >= 0:
                    done = place + len(token.content)
                    edits += [edit._replace(start=place + edit.start, end=place + edit.end) for edit in inner]
                elif inner:
                    self.warn(f"这一段分成了几行，找不到它在原文里的位置：{token.content[:40]}")
            elif token.map and token.nesting >= 0:
                following = next((each.type for each in tokens[i:] if each.type != "myst_target"), None)
                edits += self.block(token, source, *(lines[line] for line in token.map), following)
        return edits

    def block(self, token, source, start, end, following):
        """一块；只有 MyST 的要换。"""
        directive = re.match(r"\{([\w:-]+)\}\s*(.*)", token.info) if token.type in ("fence", "colon_fence") else None
        text, cell = "", None
        if token.level == 0 and not directive and token.type not in ("heading_open", "myst_target"):
            self.enter()
        if not directive and token.type not in MYST_BLOCKS:
            self.check_standard(token)
            return []
        if directive:
            text, cell = self.directive(*directive.groups(), token.content)
        elif token.type == "math_block_label":
            number = self.text("eq", token.info).strip("()")
            text = f"{anchor(token.info)}\n\n$$\n{token.content.strip()}\n\\tag{{{number}}}\n$$"
        elif token.type == "myst_target" and following != "heading_open":
            text = anchor(token.content)
        indent = source[start : source.index(token.markup, start)] if text else ""
        if indent.strip():
            self.warn(f"这一块不能写在引文里，也不能与列表的记号写在同一行：{source[start:end][:40]}")
        return [Edit(start, end, textwrap.indent(text, indent), True, cell)]

    def heading_edits(self, tokens, i):
        """标题前面的 ``(标签)=``，锚点写在标题里面：单独一段会多出空白。"""
        self.level = int(tokens[i - 1].tag[1])
        self.enter(self.level)
        targets = itertools.takewhile(lambda each: each.type == "myst_target", reversed(tokens[: i - 1]))
        end = len(tokens[i].content)
        return [Edit(end, end, anchor(each.content)) for each in targets]

    def check_standard(self, token):
        if not STANDARD.fullmatch(token.type):
            self.warn(f"标准 Markdown 里没有这种写法（{token.type}）：{token.content[:40]}")

    def enter(self, level=None):
        """读到一个标题，或者（没有 level）正文与代码。

        折起的解答到下一个同级或更高的标题才结束：后面的正文不能被它盖住，里面的标题不能把它截断。
        """
        ends = bool(level and self.answer and level <= self.answer)
        if self.answer and self.answered != ends:
            self.warn(f"解答之后要紧接标题或下一题，解答里的标题要低于 {self.answer} 级，否则折叠的范围不对。")
        if ends or self.answered:
            self.answer, self.answered = None, False

    # ------------------------------------------------------------ 指令

    def directive(self, name, first_line, content):
        """换成的文字；它自成一格时，还有那一格的元数据。"""
        if not name.startswith(("exercise", "solution")):
            self.enter()
        kind, _ = directives.directive(name, en, new_document(""))
        usual = self.directive_note if name in admonitionlabels else None
        handle = getattr(self, f"directive_{name.replace('-', '_')}", usual)
        if kind is None or handle is None:
            self.warn(f"不知道指令 {name} 该换成什么；请在 {Path(__file__).name} 里写明。")
            return "", None
        parsed = parse_directive_text(kind, first_line, content)
        return handle(name, " ".join(parsed.arguments), parsed.options, "\n".join(parsed.body))

    def directive_contents(self, name, argument, options, body):
        return "", None  # 打开笔记本的程序自己有目录

    def directive_figure(self, name, path, options, body):
        self.image(path)
        caption = f"\n\n{self.caption(options['name'], body)}" if body else ""
        return f"![{options.get('alt', '')}]({path}){caption}", None

    directive_image = directive_figure

    def directive_admonition(self, name, title, options, body):
        text = "\n\n".join([f"**{title}**"] * bool(title) + [self.markdown(body)])
        if "$$" not in text:  # JupyterLab 会把引文的 > 当成公式的一部分
            text = textwrap.indent(text, "> ", lambda line: True).replace("> \n", ">\n")
        return text, None

    directive_margin = directive_admonition  # 页边的注，可以没有标题

    def directive_hint(self, name, argument, options, body):
        return f"<details>\n<summary>{admonitionlabels[name]}</summary>\n\n{self.markdown(body)}\n\n</details>", None

    def directive_note(self, name, argument, options, body):
        return self.directive_admonition(name, admonitionlabels[name], options, body)

    def directive_exercise(self, name, subtitle, options, body):
        title = self.text("numref", options["label"]) + (f" ({subtitle})" if subtitle else "")
        return f"{self.own_heading(title, self.level + 1, options['label'])}\n\n{self.markdown(body)}", {}

    def directive_solution_start(self, name, exercise, options, body):
        title = f"{translate('Solution to')} {self.titles[exercise]}"
        heading = self.own_heading(title, self.level + 2, options["label"])
        self.answer = self.level + 2
        return f"{heading}\n\n{ANSWER_BELOW}", FOLDED

    def directive_solution_end(self, name, argument, options, body):
        self.answered = True
        return "", {}

    def directive_hands_on(self, name, argument, options, body):
        """问题与选项照写，答案折起来；动手要到网页上去。"""
        text = hands_on.read(body.splitlines())
        page = urljoin(self.base.rstrip("/") + "/", self.builder.get_target_uri(self.doc))
        title, web = argument.split(maxsplit=1)[1], f"[网页]({page})" if self.base else "网页"
        asked = [f"- {each.letter}. {self.markdown(each.words)}" for each in text.choices]
        if "guess" in options:
            asked = [hands_on.guess(options["guess"])]
        parts = [
            f"**动手试：{title}**",
            self.markdown(text.question),
            "\n".join(asked),
            self.markdown(hands_on.STILL.format(title, web, options["figure"])),
            f"<details><summary>{hands_on.VERDICTS}</summary>",
            *(self.markdown(f"{hands_on.verdict(each)}{each.said}") for each in text.choices),
            f"</details>\n<details><summary>{hands_on.WHY}</summary>",
            self.markdown(text.answer),
            "</details>",
        ]
        return "\n\n".join(part for part in parts if part), None

    def directive_quiz(self, name, argument, options, body):
        path = quiz.path_of(self.env.doc2path(self.doc))
        return quiz.plain(quiz.read(path.read_text(encoding="utf-8")), self.markdown), None

    def own_heading(self, title, level, label):
        self.enter(level)
        self.titles[label] = title
        return f"{'#' * level} {title}{anchor(label)}"

    # ------------------------------------------------------------ 行内

    def watch(self, name, edits_of):
        """行内的规则每认出一处，就由 edits_of(state, 起点) 得出怎样改：markdown-it 自己不记行内记号的位置。"""
        rule = next(rule.fn for rule in self.md.inline.ruler.__rules__ if rule.name == name)

        def watched(state, silent):
            start, found = state.pos, rule(state, silent)
            if found and not silent:
                state.env["edits"] += edits_of(state, start)
            return found

        self.md.inline.ruler.at(name, watched)

    def inline(self, content, env):
        tokens, env["edits"] = [], []
        self.md.inline.parse(content, self.md, env, tokens)
        for token in tokens:
            if token.type == "image":
                self.image(token.attrs["src"])
            if token.type not in ("myst_role", "span_open", "span_close"):
                self.check_standard(token)
        return env["edits"]

    def image(self, source):
        """正文里的图照原来的相对位置放在笔记本旁边。"""
        if not re.match(r"[a-z]+:", source):
            self.files.add(self.env.relfn2path(unquote(source), self.doc)[0])

    def attr_edits(self, state, start):
        return [Edit(start, state.pos, "")]

    def span_edits(self, state, start):
        return [Edit(start, start + 1, ""), Edit(state.md.helpers.parseLinkLabel(state, start), state.pos, "")]

    def link_edits(self, state, start):
        """[文字](标签)：换掉去处；没有文字的，补上标题。"""
        target = unquote(next(each for each in reversed(state.tokens) if each.type == "link_open").attrs["href"])
        if re.match(r"[a-z]+:", target):
            return []
        label, end = target.removeprefix("#"), state.md.helpers.parseLinkLabel(state, start, True)
        written = state.src[start + 1 : end]
        title, uri = self.resolve("ref", f"{written} <{label}>" if written else label)
        opening, *rest = self.linked_to(label, uri, "" if written else title)
        return [Edit(start, start + 1, opening), Edit(end, state.pos, "".join(rest))]

    def myst_role_edits(self, state, start):
        token = state.tokens[-1]
        return [Edit(start, state.pos, self.role(token.meta["name"], token.content))]

    def role(self, name, content):
        if name == "kbd":
            return f"<kbd>{content}</kbd>"
        key, _, form = content.partition(":")
        if name == "glue:text" and key in self.glued:
            return format_plain_text(self.glued[key]["data"]["text/plain"], form or "s")
        if name not in ROLES:
            self.warn(f"不知道 {{{name}}}`{content}` 该换成什么；角色写在 {Path(__file__).name} 里。")
            return ""
        text, uri = self.resolve(name, content)
        if name == "cite":
            self.cited |= {key.strip() for key in content.split(",")}
            return f"[{text}](#references)"
        return self.linked_to(split_explicit_title(content)[2], uri, text)

    def resolve(self, role, content):
        """页面上显示的文字，与相对于这一页的网址。"""
        explicit, title, target = split_explicit_title(content)
        if role == "ref" and not explicit and target in getattr(self.env, "sphinx_exercise_registry", {}):
            return self.text("numref", target), ""  # 页面上只写编号，不写难度
        title += "()" if role == "func" else ""
        kind, target = "p" if role == "cite" else role, target.lower() if role in ("ref", "numref") else target
        shown, domain = nodes.inline("", title), self.env.get_domain(ROLES[role])
        xref = addnodes.pending_xref("", shown, reftype=kind, reftarget=target, refexplicit=explicit, refdoc=self.doc)
        found = domain.resolve_xref(self.env, self.doc, self.builder, kind, target, xref, shown)
        if found is None:
            self.warn(f"找不到 {{{role}}}`{content}` 指的是什么。")
            return "", ""
        text = f"`{found.astext()}`" if domain.name == "py" else re.sub(r"([\\`*_<])", r"\\\1", found.astext())
        return text, next((node.get("refuri", "") for node in found.findall(nodes.reference)), "")

    def text(self, role, content):
        return self.resolve(role, content)[0]

    def linked_to(self, label, uri, text):
        """还不知道标签在哪一格的链接，写完全书再由 ``link`` 换成真的。"""
        self.linked.add(label)
        return f"\x02{text}\x03{label}\x04{uri}\x05"

    def link(self, text, label, uri):
        """这一本里的，指向锚点；别的笔记本里的，指向那一格：JupyterLab 刚打开它时还找不到锚点。

        只有网页的（术语表、函数的说明），知道网站的地址才有链接。
        """
        doc, cell = self.places.get(label, (None, None))
        if doc == self.doc:
            return f"[{text}](#{label})"
        if doc:
            return f"[{text}]({posixpath.relpath(f'{doc}.ipynb#cell-id={cell}', posixpath.dirname(self.doc))})"
        page = urljoin(self.base.rstrip("/") + "/", self.builder.get_target_uri(self.doc))
        return f"[{text}]({urljoin(page, uri)})" if self.base and uri else text


def anchor(label):
    """JupyterLab 认不出中文标题自带的锚点，所以用标签。"""
    return f'<a id="{label}"></a>'


def markdown_cell(name, text, metadata=None):
    """不用 nbformat 的 new_markdown_cell：它每格都检查一遍，写出时反正要检查整本。"""
    cell = {"id": name, "cell_type": "markdown", "metadata": metadata or {}, "source": text}
    return nbformat.from_dict(cell)


def without_glue(source):
    """去掉只为网站写的语句：导入 glue，与用它存下正文里的数。"""
    if "glue" not in source:
        return source
    lines = source.splitlines()
    for node in reversed(ast.parse(source).body):
        imported = isinstance(node, ast.ImportFrom) and node.module == "myst_nb"
        call = node.value.func if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) else None
        if imported or (isinstance(call, ast.Name) and call.id == "glue"):
            del lines[node.lineno - 1 : node.end_lineno]
    return "\n".join(lines)


# ---------------------------------------------------------------- 写出来


def folder_of(app):
    return Path(app.outdir).parent / "notebooks"


def write(app):
    """写到 _build/notebooks，也写到网站的 _sources：下载按钮指向那里。不再有的删去。"""
    folder = folder_of(app)
    book = Book(app)
    chapters = posixpath.dirname(app.config.root_doc)
    wanted = set()
    for doc, notebook in book.convert().items():
        text = nbformat.writes(notebook) + "\n"
        for path in (folder / posixpath.relpath(doc, chapters), Path(app.outdir, "_sources", doc)):
            wanted.add(path := path.with_suffix(".ipynb"))
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                path.write_text(text, encoding="utf-8", newline="\n")
    for name in book.files:
        wanted.add(path := folder / posixpath.relpath(name, chapters))
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(app.srcdir, name), path)
    for path in folder.rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()
