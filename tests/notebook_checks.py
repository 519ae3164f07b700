"""笔记本的体例：每项检查是一个函数，收一本笔记本，返回问题的列表；空列表就是合格。

写成函数，才能拿弄坏了的笔记本来试：检查自己也要能失败（见 test_notebooks.py）。
"""

import ast
import re
import warnings

import autocorrect_py
import nbformat
import yaml
from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser
from nbval.plugin import find_comment_markers, find_metadata_tags
from sphinx_external_toc.parsing import parse_toc_yaml

from tests import figure_checks
from tests.common import CHINESE, ROOT
from tools.refresh import notebooks_in_toc  # 与刷新输出用同一份列表

# 全书的输出都比对，一个例外也没有：网站上的每个数都是重跑核对过的。
# 要加例外，先想想能不能改成处处相同的输出（少印几位、排个序、画成图）。
MAX_UNCOMPARED_CELLS = 0
# 图也都比对，只有画用时的四幅例外；理由写在单元格的标签里，见 figure_checks.py。
MAX_UNCOMPARED_FIGURES = 4
MAX_CODE_LINES = 25
SKELETON = ["学习目标", "小结", "练习"]
MIN_EXERCISES = 5
CELL_METADATA = {"tags", "mystnb"}  # nbval 的标签；图的编号、题注与替代文字
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:home|root|tmp|Users|work)\b|\b[CD]:\\|site-packages|ipykernel_\d")
# 里面是正文的指令：其中的段落也要检查
PROSE_DIRECTIVES = {"exercise", "solution", "admonition", "note", "tip", "hint", "important", "warning", "caution"}


def documents_in_toc(root=ROOT):
    return list(parse_toc_yaml(root / "_toc.yml"))


def read(path):
    return nbformat.read(path, as_version=4)


def read_markdown(path):
    """把 .md 当作只有一个单元格的笔记本。"""
    cell = nbformat.v4.new_markdown_cell(path.read_text(encoding="utf-8"))
    return nbformat.v4.new_notebook(cells=[cell])


# ---------------------------------------------------------------- 解析


def _parser():
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    extensions = config["parse"]["myst_enable_extensions"]
    return create_md_parser(MdParserConfig(enable_extensions=extensions), RendererHTML)


PARSER = _parser()


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def markdown_tokens(source):
    return PARSER.parse(source)


def directives(tokens):
    """各指令的 (名字, 参数, 选项, 正文)。"""
    for token in tokens:
        match = re.match(r"\{([\w:-]+)\}\s*(.*)", token.info) if "fence" in token.type else None
        if match:
            options, body = {}, []
            for line in token.content.splitlines():
                option = re.match(r":([\w-]+):\s*(.*)", line)
                if option and not any(body):
                    options[option[1]] = option[2].strip()
                else:
                    body.append(line)
            yield match[1], match[2].strip(), options, "\n".join(body)


def headings(notebook):
    """各标题的 (级别, 文字, 紧挨在前面的标签或 None)。"""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            tokens = markdown_tokens(cell.source)
            for i, token in enumerate(tokens):
                if token.type == "heading_open":
                    before = tokens[i - 1] if i else None
                    label = before.content if before is not None and before.type == "myst_target" else None
                    yield int(token.tag[1]), tokens[i + 1].content, label


def labels(notebook):
    """一本里的全部标签：``(label)=`` 与指令的 ``:label:``、``:name:``。"""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            tokens = markdown_tokens(cell.source)
            yield from (token.content for token in tokens if token.type == "myst_target")
            for _, _, options, _ in directives(tokens):
                yield from (options[key] for key in ("label", "name") if options.get(key))


def text_outputs(cell):
    """各输出里的文字；图的 base64 不算。"""
    for output in cell.get("outputs", []):
        yield output.get("text", "")
        for kind, value in output.get("data", {}).items():
            if not kind.startswith("image/") or kind == "image/svg+xml":
                yield value if isinstance(value, str) else str(value)


# ---------------------------------------------------------------- 运行过、比对得了


def execution_counts_have_no_gaps(notebook):
    """nbval 不比对没有序号的单元格：清空了输出的笔记本会悄悄通过。"""
    counts = [cell.execution_count for cell in code_cells(notebook)]
    problems = [] if counts and counts == list(range(1, len(counts) + 1)) else [f"执行序号不是 1..n：{counts}"]
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if output.output_type == "execute_result" and output.execution_count != cell.execution_count:
                problems.append(f"输出的序号 {output.execution_count} 不是单元格的 {cell.execution_count}")
    return problems


def metadata_is_not_machine_specific(notebook):
    problems = [] if notebook.metadata == METADATA else [f"笔记本的元数据多了或少了：{dict(notebook.metadata)}"]
    return problems + [
        f"单元格 {cell.get('id')} 的元数据只能有 tags 与 mystnb：{sorted(cell.metadata)}"
        for cell in notebook.cells
        if set(cell.metadata) - CELL_METADATA
    ]


def cell_ids_are_unique(notebook):
    ids = [cell.get("id") for cell in notebook.cells]
    return [f"单元格的 id 缺失或重复：{each}" for each in ids if not each or ids.count(each) > 1]


def no_errors_or_stderr(notebook):
    problems = []
    for cell in code_cells(notebook):
        failed = any(output.output_type == "error" for output in cell.outputs)
        expected = "raises-exception" in cell.metadata.get("tags", [])
        if failed != expected:
            problems.append(f"单元格 {cell.id}：{'出错了' if failed else '标了 raises-exception 却没有出错'}")
        problems += [f"单元格 {cell.id} 写了 stderr：{o.text[:80]}" for o in cell.outputs if o.get("name") == "stderr"]
    return problems


def no_machine_paths(notebook):
    problems = []
    for cell in notebook.cells:
        for text in (cell.source, *text_outputs(cell)):
            problems += [f"单元格 {cell.id} 里有因机器而异的路径：{found}" for found in MACHINE_PATHS.findall(text)]
    return problems


def no_memory_addresses(notebook):
    return [
        f"单元格 {cell.id} 的输出里有内存地址：{found}"
        for cell in code_cells(notebook)
        for text in text_outputs(cell)
        for found in re.findall(r"\b0x[0-9a-f]{6,}", text)
    ]


def figures_have_pictures(notebook):
    return [
        f"单元格 {cell.id} 的图没有 image/png"
        for cell in code_cells(notebook)
        for output in cell.outputs
        if str(output.get("data", {}).get("text/plain", "")).startswith("<Figure") and "image/png" not in output.data
    ]


def figures_are_captioned(notebook):
    """每幅图有编号、题注与替代文字；没有图的单元格不写这些。"""
    problems = []
    for cell in code_cells(notebook):
        pictures = sum("image/png" in output.get("data", {}) for output in cell.outputs)
        options = cell.metadata.get("mystnb", {})
        figure, image = options.get("figure", {}), options.get("image", {})
        if pictures > 1:
            problems.append(f"单元格 {cell.id} 有 {pictures} 幅图：一格一幅，题注才对得上")
        elif bool(pictures) != bool(options):
            problems.append(f"单元格 {cell.id} 的图与题注对不上：{pictures} 幅图，元数据 {dict(options)}")
        elif pictures and not (
            figure.get("name", "").startswith("fig-") and figure.get("caption") and image.get("alt")
        ):
            problems.append(f"单元格 {cell.id} 的图缺编号、题注或替代文字")
    return problems


def uncompared_figures_have_reasons(notebook):
    """不比对的图要写明理由；没有图的单元格不带这个标签。"""
    problems = []
    for cell in code_cells(notebook):
        tagged = any(tag.startswith(figure_checks.VARIES[:-1]) for tag in cell.metadata.get("tags", []))
        if tagged and not figure_checks.pictures(cell.outputs):
            problems.append(f"单元格 {cell.id} 没有图，不必标 {figure_checks.VARIES[:-1]}")
        elif tagged and not re.search(CHINESE, figure_checks.varying_reason(cell) or ""):
            problems.append(f"单元格 {cell.id} 的标签要写成“{figure_checks.VARIES}理由”")
    return problems


# ---------------------------------------------------------------- 体例


def code_cells_are_short(notebook):
    return [
        f"单元格 {cell.id} 有 {len(cell.source.splitlines())} 行，多于 {MAX_CODE_LINES}"
        for cell in code_cells(notebook)
        if len(cell.source.splitlines()) > MAX_CODE_LINES
    ]


def no_trailing_semicolons(notebook):
    return [
        f"单元格 {cell.id} 行末有分号：{line.strip()}"
        for cell in code_cells(notebook)
        for line in cell.source.splitlines()
        if line.rstrip().endswith(";")
    ]


def starts_with_the_imports(notebook):
    """第一个代码单元格只有导入，与设置样式之类的调用。"""
    cells = code_cells(notebook)
    body = ast.parse(cells[0].source).body if cells else []
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    calls = [node for node in body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)]
    return [] if imports and len(imports) + len(calls) == len(body) else ["第一个代码单元格不是导入"]


def follows_the_skeleton(notebook):
    found = list(headings(notebook))
    sections = [text for level, text, _ in found if level == 2]
    problems = []
    if [level for level, *_ in found].count(1) != 1 or found[0][0] != 1:
        problems.append("要以唯一的一级标题开头")
    if [text for text in sections if text in SKELETON] != SKELETON:
        problems.append(f"二级标题要依次有 {'、'.join(SKELETON)}；现有 {sections}")
    if sections[-1:] != SKELETON[-1:]:
        problems.append("练习要在最后")
    return problems


def exercises_have_solutions(notebook):
    """每道练习恰有一个折叠的解答，解答里有运行过的代码。"""
    problems, exercises, solutions, open_solution = [], [], [], None
    for cell in notebook.cells:
        if cell.cell_type == "code" and open_solution and cell.outputs:
            solutions[-1][1].append(cell.id)
        if cell.cell_type != "markdown":
            continue
        for name, argument, options, _ in directives(markdown_tokens(cell.source)):
            if name in ("exercise", "exercise-start"):
                exercises.append(options.get("label"))
                if open_solution:
                    problems.append(f"解答 {open_solution} 没有用 solution-end 结束")
            elif name == "solution-start":
                if open_solution:
                    problems.append(f"解答 {open_solution} 没有用 solution-end 结束")
                open_solution = argument
                solutions.append((argument, []))
                if options.get("class") != "dropdown":
                    problems.append(f"解答 {argument} 没有折叠（:class: dropdown）")
            elif name == "solution-end":
                if not open_solution:
                    problems.append("有一个 solution-end 没有开头")
                open_solution = None
            elif name == "solution":
                problems.append(f"解答 {argument} 里放不了代码单元格：改用 solution-start")
    if open_solution:
        problems.append(f"解答 {open_solution} 没有用 solution-end 结束")
    if len(exercises) < MIN_EXERCISES:
        problems.append(f"只有 {len(exercises)} 道练习，少于 {MIN_EXERCISES}")
    if None in exercises or len(set(exercises)) != len(exercises):
        problems.append(f"练习的 label 缺失或重复：{exercises}")
    answered = [target for target, _ in solutions]
    problems += [f"练习 {each} 有 {answered.count(each)} 个解答" for each in exercises if answered.count(each) != 1]
    problems += [f"解答 {each} 没有对应的练习" for each in answered if each not in exercises]
    return problems + [f"解答 {target} 里没有带输出的代码" for target, cells in solutions if not cells]


def exercises_check_the_reader(notebook):
    """至少一道练习要读者写代码，并有检查的单元格：答错时给出提示。"""
    checkers = [cell for cell in code_cells(notebook) if re.search(r"^def check_\w+\(", cell.source, re.MULTILINE)]
    return (
        []
        if any("提示：" in output.get("text", "") for cell in checkers for output in cell.outputs)
        else ["没有 check_… 函数，或者没有拿一个错误的答案示范它的提示"]
    )


def chinese_is_typeset(notebook):
    """全角标点、中文与拉丁字母之间的空格，由 autocorrect 判断。"""
    return [
        f"单元格 {cell.id} 第 {line.line} 行：{line.old!r} 应为 {line.new!r}"
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for line in autocorrect_py.lint_for(cell.source, "md").lines
    ]


def headings_have_labels(notebook):
    return [
        f"标题「{text}」前面没有 ASCII 标签"
        for _, text, label in headings(notebook)
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", label or "")
    ]


def paragraphs_are_single_lines(notebook):
    """两行中文之间的换行到了网页上是一个空格，所以一段就写成一行。"""

    def soft_breaks(source):
        tokens = markdown_tokens(source)
        for token in tokens:
            if any(child.type == "softbreak" for child in token.children or []):
                yield token.content
        for name, _, _, body in directives(tokens):
            if name in PROSE_DIRECTIVES:
                yield from soft_breaks(body)

    return [
        f"单元格 {cell.id} 有一段分成了几行：{text[:60]!r}"
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for text in soft_breaks(cell.source)
    ]


MARKDOWN_CHECKS = [headings_have_labels, paragraphs_are_single_lines, chinese_is_typeset]
# 只对正文各节；附录里的笔记本不设学习目标与练习
LESSON_CHECKS = [follows_the_skeleton, exercises_have_solutions, exercises_check_the_reader]
CHECKS = [
    execution_counts_have_no_gaps,
    metadata_is_not_machine_specific,
    cell_ids_are_unique,
    no_errors_or_stderr,
    no_machine_paths,
    no_memory_addresses,
    figures_have_pictures,
    code_cells_are_short,
    no_trailing_semicolons,
    starts_with_the_imports,
    figures_are_captioned,
    uncompared_figures_have_reasons,
    *LESSON_CHECKS,
    *MARKDOWN_CHECKS,
]


# ---------------------------------------------------------------- 全书


def duplicate_labels(notebooks):
    """{名字: 笔记本} 里出现不止一次的标签。"""
    seen = {}
    for name, notebook in notebooks.items():
        for label in labels(notebook):
            seen.setdefault(label, []).append(name)
    return [f"标签 {label} 出现在 {'、'.join(names)}" for label, names in seen.items() if len(names) > 1]


def toc_mismatches(root=ROOT):
    """_toc.yml 与 chapters/ 里的文件，两个方向都要对得上。"""
    listed = documents_in_toc(root)
    files = [
        path.relative_to(root).with_suffix("").as_posix()
        for path in (root / "chapters").rglob("*")
        if path.suffix in (".ipynb", ".md") and ".ipynb_checkpoints" not in path.parts
    ]
    return (
        [f"_toc.yml 里的 {name} 没有文件" for name in listed if name not in files]
        + [f"{name} 没有写进 _toc.yml" for name in sorted(set(files)) if name not in listed]
        + [f"{name} 既有 .ipynb 又有 .md" for name in sorted(set(files)) if files.count(name) > 1]
    )


def count_uncompared(notebook):
    """nbval 不比对输出的单元格数、预期报错的单元格数、图数。"""
    uncompared = raises = pictures = 0
    for cell in code_cells(notebook):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # 互相矛盾的记号由 nbval 自己报告
            options = {**dict(find_metadata_tags(cell.metadata)), **dict(find_comment_markers(cell.source))}
        uncompared += bool(options.get("skip")) or options.get("check") is False or cell.execution_count is None
        raises += bool(options.get("check_exception"))
        pictures += len(figure_checks.pictures(cell.outputs))
    return uncompared, raises, pictures


def uncompared_figures(notebook):
    """不比对的图的编号。"""
    cells = [cell for cell in code_cells(notebook) if figure_checks.varying_reason(cell)]
    return [cell.metadata.get("mystnb", {}).get("figure", {}).get("name", cell.id) for cell in cells]


def summary_line():
    """测试结束时打印的一行。"""
    notebooks = [read(path) for path in notebooks_in_toc()]
    counts = [count_uncompared(notebook) for notebook in notebooks]
    uncompared, raises, pictures = (sum(column) for column in zip(*counts)) if counts else (0, 0, 0)
    figures = [name for notebook in notebooks for name in uncompared_figures(notebook)]
    return (
        f"未比对输出的单元格：{uncompared} 个（上限 {MAX_UNCOMPARED_CELLS}）；预期报错的单元格：{raises} 个；"
        f"图 {pictures} 幅，其中 {len(figures)} 幅不比对（上限 {MAX_UNCOMPARED_FIGURES}）：{'、'.join(figures) or '无'}"
    )
