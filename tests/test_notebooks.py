"""笔记本与 Markdown 的体例，与重存、比对输出的工具。练习与解答、链接、锚点在建好的网站上查。"""

import ast
import copy
import re
import subprocess
import sys

import autocorrect_py
import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook

from tests.common import CHINESE, ROOT, code_cells, read_notebook
from tests.figure_checks import pictures, varying_reason
from tools import SKELETON
from tools.refresh import documents_in_toc, main, normalise, notebooks_in_toc, refresh

MAX_CODE_LINES = 25
# 只有画用时的四幅图每次不同；别的输出都比对，一个例外也没有。要加例外，先想想能不能改成处处相同的输出。
MAX_UNCOMPARED_FIGURES = 4
OF_THIS_MACHINE = re.compile(
    r"(?<![\w.])/(?:home|root|tmp|Users|work)\b|\b[CD]:\\|site-packages|ipykernel_\d|\b0x[0-9a-f]{6,}"
)


def name(path):
    return path.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module", params=notebooks_in_toc(), ids=name)
def path(request):
    return request.param


@pytest.fixture(scope="module")
def notebook(path):
    return read_notebook(path)


def problems(notebook, wrong):
    """各格里不对的，写明是第几格；wrong 收一格，返回不对之处，没有就是空的。"""
    return [f"第 {notebook.cells.index(cell)} 格：{found}" for cell in code_cells(notebook) if (found := wrong(cell))]


def text_outputs(cell):
    """各输出里的文字；图的 base64 不算。"""
    for output in cell.outputs:
        yield output.get("text", "")
        yield from (str(value) for kind, value in output.get("data", {}).items() if kind != "image/png")


# ---------------------------------------------------------------- 输出


def test_every_cell_was_run_in_order(notebook):
    """nbval 不比对没有序号的单元格：清空了输出的笔记本会悄悄通过。"""
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1)) != []


def test_stored_as_refresh_stores_it(notebook):
    """元数据里没有因机器而异的东西，单元格的 id 不重复。"""
    nbformat.validate(notebook)
    stored = copy.deepcopy(notebook)
    normalise(stored)
    assert stored == notebook


def test_errors_are_expected_and_nothing_is_written_to_stderr(notebook):
    def wrong(cell):
        kinds = {output.get("name", output.output_type) for output in cell.outputs} & {"error", "stderr"}
        return kinds ^ ({"error"} if "raises-exception" in cell.metadata.get("tags", []) else set())

    assert problems(notebook, wrong) == []


def test_nothing_of_this_machine_is_shown(notebook):
    assert problems(notebook, lambda cell: OF_THIS_MACHINE.findall("\n".join([cell.source, *text_outputs(cell)]))) == []


def test_every_output_is_compared(notebook):
    def wrong(cell):
        marks = " ".join([*cell.metadata.get("tags", []), *re.findall("NBVAL_.*", cell.source)])
        return re.findall(r"(?i)nbval.(?:skip|ignore)\S*", marks)

    assert problems(notebook, wrong) == []


def test_code_is_plain_python(notebook):
    """没有 !命令 与 %魔法：命令失败了 nbval 也算通过，别的系统上又没有同样的命令。"""
    assert [ast.parse(cell.source) for cell in code_cells(notebook)]


# ---------------------------------------------------------------- 图


def test_figures_have_name_caption_and_alternative(notebook):
    """一格一幅图，题注才对得上；没有图的单元格不写这些。"""

    def wrong(cell):
        count, options = len(pictures(cell.outputs)), cell.metadata.get("mystnb", {})
        figure, image = options.get("figure", {}), options.get("image", {})
        complete = figure.get("name", "").startswith("fig-") and figure.get("caption") and image.get("alt")
        drawn = sum(text.startswith("<Figure") for text in text_outputs(cell))
        if drawn > count or count > 1 or count != bool(options) or count and not complete:
            return f"{count} 幅图，编号、题注与替代文字：{dict(options)}"

    assert problems(notebook, wrong) == []


def test_few_figures_are_not_compared_and_the_reason_is_given():
    cells = [cell for path in notebooks_in_toc() for cell in code_cells(read_notebook(path))]
    reasons = [reason for cell in cells if (reason := varying_reason(cell)) is not None]
    assert len(reasons) <= MAX_UNCOMPARED_FIGURES and all(re.search(CHINESE, reason) for reason in reasons), reasons


# ---------------------------------------------------------------- 体例


def test_code_cells_are_short(notebook):
    """太长的代码在手机上要翻几屏。"""
    assert problems(notebook, lambda cell: cell.source.count("\n") >= MAX_CODE_LINES) == []


def test_lesson_follows_the_skeleton(path, notebook):
    """正文各节在子文件夹里，附录直接在 chapters/，不设学习目标与练习。"""
    if path.parent == ROOT / "chapters":
        return
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    sections = re.findall(r"^## (.*)", text, re.MULTILINE)
    assert [section for section in sections if section in SKELETON] == SKELETON and sections[-1] == SKELETON[-1]


PAGES = [path for folder in ("chapters", "helpers", "ext") for path in (ROOT / folder).rglob("*.md")]


def written(path):
    """(在哪里, 一段 Markdown)。"""
    if path.suffix == ".md":
        return [("", path.read_text(encoding="utf-8"))]
    cells = enumerate(read_notebook(path).cells)
    return [(f"第 {number} 格", cell.source) for number, cell in cells if cell.cell_type == "markdown"]


@pytest.mark.parametrize("path", [*notebooks_in_toc(), *ROOT.glob("*.md"), *PAGES], ids=name)
def test_chinese_is_typeset(path):
    """全角标点、中文与拉丁字母之间的空格；一段写成一行：两行中文之间的换行到了网页上是一个空格。"""
    found = [
        f"{where} 第 {line.line} 行：{line.old!r} 应为 {line.new!r}"
        for where, text in written(path)
        for line in autocorrect_py.lint_for(text, "md").lines
    ]
    broken = re.compile(r".*[\u4e00-\u9fff，。；：、？！）”》]\n[> ]*[\u4e00-\u9fff（“《]")
    found += [f"{where} 这一段分成了几行：{line!r}" for where, text in written(path) for line in broken.findall(text)]
    assert found == []


# 两个打卡任务的各项
CHECKLIST = """
模型 数据集 均方误差 随机梯度下降 矢量相加
生成数据集 读取数据集 初始化模型参数 定义模型 定义损失函数 定义优化函数 模型训练 loss
离散的标签 全连接层 置信度 过于严格 正确类别 作为预测
datasets transforms models utils load_data_fashion_mnist
`softmax` `net` `cross_entropy` `accuracy` LinearNet FlattenLayer OrderedDict 预测
"""


def test_the_checklist_covers_both_tasks():
    """每一行都有出处；两个任务的各项都在。标签写错时，构建（-nW）会失败。"""
    index = (ROOT / "chapters" / "index.md").read_text(encoding="utf-8")
    rows = [line for line in index.splitlines() if line.startswith("|")][2:]
    assert len(rows) >= 34 and [row for row in rows if "](sec-" not in row] == []
    assert [item for item in CHECKLIST.split() if item not in "\n".join(rows)] == []


def test_every_page_is_in_the_toc():
    """反过来，_toc.yml 里多写的，构建时（-nW）会失败。"""
    files = {name(path.with_suffix("")) for kind in ("md", "ipynb") for path in (ROOT / "chapters").rglob(f"*.{kind}")}
    assert {file for file in files if ".ipynb_checkpoints" not in file} - set(documents_in_toc()) == set()


# ---------------------------------------------------------------- 工具


def write(path, *sources):
    nbformat.write(
        new_notebook(cells=[new_code_cell(source, id=f"cell-{i}") for i, source in enumerate(sources)]), path
    )
    return path


def nbval(*paths):
    """在它们的文件夹里，用本书的 conftest.py 重跑。"""
    path = paths[0]
    (path.parent / "conftest.py").write_bytes((ROOT / "conftest.py").read_bytes())
    (path.parent / "pytest.ini").write_text(f"[pytest]\npythonpath = '{ROOT.as_posix()}'\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-c", "pytest.ini", *paths]
    return subprocess.run(command, cwd=path.parent, capture_output=True, encoding="utf-8", timeout=120)


def test_what_changes_after_refresh_goes_red(tmp_path):
    """先存下输出，再改三处：打印的字、图里的一个字母、图的大小；各格都要失败，改了的图留下来看。内核死了，立刻就说。"""
    draw = "import matplotlib.pyplot as plt\nplt.figure(figsize=(4, 3))\nplt.title('training loss')\nplt.show()"
    path = write(tmp_path / "book.ipynb", "print(1)", *[draw] * 3, "print(2)")
    refresh(path)
    notebook = read_notebook(path)
    for cell, old, new in [(1, "loss", "lost"), (2, "show", "ylabel('y')\nplt.show"), (4, "2", "3")]:
        notebook.cells[cell].source = notebook.cells[cell].source.replace(old, new)
    nbformat.write(notebook, path)
    result = nbval(path, write(tmp_path / "dead.ipynb", "import os\nos._exit(1)"))
    assert "内核死了" in result.stdout
    assert re.findall(r"FAILED book.ipynb::Cell (\d)", result.stdout) == ["1", "2", "4"], result.stdout
    left = sorted(file.name for file in (tmp_path / "_build" / "figures" / "book").iterdir())
    assert left == ["1-0-new-failed-diff.png", "1-0-new.png", "1-0-stored.png", "2-0-new.png", "2-0-stored.png"]


def test_refresh_keeps_the_file_when_a_cell_fails(tmp_path):
    path = write(tmp_path / "book.ipynb", "print(1)", "1 / 0")
    before = path.read_bytes()
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        refresh(path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_refresh_names_missing_notebooks():
    """有一本找不到，就一本也不跑。"""
    with pytest.raises(SystemExit, match="找不到.*two.ipynb"):
        main(["chapters/errors.ipynb", "chapters/two.ipynb"])
