"""笔记本的体例，以及检查自己能不能失败。"""

import copy
import shutil
import subprocess
import sys
from functools import cache

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests import notebook_checks as checks
from tests.common import ROOT
from tools import refresh

NOTEBOOKS = checks.notebooks_in_toc()


read = cache(checks.read)  # 书里的笔记本只看不改，每本只解析一次


def name(path):
    return path.relative_to(ROOT).as_posix()


# ---------------------------------------------------------------- 书里的笔记本


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: check.__name__)
def test_notebook(path, check):
    is_lesson = path.parent != ROOT / "chapters"  # 正文各节在子文件夹里，附录直接在 chapters/
    if is_lesson or check not in checks.LESSON_CHECKS:
        assert check(read(path)) == []


@pytest.mark.parametrize("path", sorted((ROOT / "chapters").rglob("*.md")), ids=name)
@pytest.mark.parametrize("check", checks.MARKDOWN_CHECKS, ids=lambda check: check.__name__)
def test_markdown(path, check):
    assert check(checks.read_markdown(path)) == []


def test_toc_and_files_agree():
    assert checks.toc_mismatches() == []
    assert len(NOTEBOOKS) >= 10  # 书里有的，上面的测试都要测到


def test_labels_are_unique_over_the_book():
    pages = {name(path): read(path) for path in NOTEBOOKS}
    pages |= {name(path): checks.read_markdown(path) for path in (ROOT / "chapters").rglob("*.md")}
    assert checks.duplicate_labels(pages) == []


def test_almost_every_output_is_compared():
    uncompared = {name(path): checks.count_uncompared(read(path))[0] for path in NOTEBOOKS}
    assert sum(uncompared.values()) <= checks.MAX_UNCOMPARED_CELLS, uncompared


def test_almost_every_figure_is_compared():
    uncompared = {name(path): checks.uncompared_figures(read(path)) for path in NOTEBOOKS}
    assert sum(map(len, uncompared.values())) == checks.MAX_UNCOMPARED_FIGURES, uncompared  # 少了就把上限也降下来


# ---------------------------------------------------------------- 检查能不能失败

PNG = {"text/plain": "<Figure size 560x340 with 1 Axes>", "image/png": "iVBORw0KGgo="}
EXERCISE = """```{{exercise}}
:label: ex-{0}
题目。
```

```{{solution-start}} ex-{0}
:class: dropdown
```"""
END = "```{solution-end}\n```"


def good_notebook():
    """合格的小笔记本；每次给一份新的。"""

    def code(source, *outputs):
        return new_code_cell(source, outputs=list(outputs))

    def printed(text):
        return new_output("stream", name="stdout", text=text)

    cells = [
        new_markdown_cell("(top)=\n# 题目\n\n一段话。\n\n- 一项\n- 又一项\n\n$$\nx\n= 1\n$$\n\n| 甲 |\n|---|\n| 1 |"),
        new_markdown_cell("(goals)=\n## 学习目标\n\n```{note}\n一句话。\n```"),
        code("import torch\n\nimport helpers\n\nhelpers.use_book_style()"),
        new_markdown_cell("(body)=\n## 正文\n\n(sub)=\n### 小标题"),
        code("show()", new_output("display_data", data=dict(PNG))),  # 题注在下面补上
        code("1 + 1", new_output("execute_result", data={"text/plain": "2"}, execution_count=3)),
        new_markdown_cell("(summary)=\n## 小结"),
        new_markdown_cell("(exercises)=\n## 练习\n\n" + EXERCISE.format("one")),
        code("def check_one(x):\n    pass\n\n\nprint(check_one(0))", printed("提示：不对。\n")),
        new_markdown_cell(END + "\n\n" + EXERCISE.format("two")),
        code("print(2)", printed("2\n")),
        new_markdown_cell(END),
    ]
    for label in ("three", "four", "five"):
        cells += [new_markdown_cell(EXERCISE.format(label)), code("print(3)", printed("3\n")), new_markdown_cell(END)]
    cells[4].metadata["mystnb"] = {"figure": {"name": "fig-show", "caption": "题注。"}, "image": {"alt": "图。"}}
    notebook = new_notebook(cells=cells, metadata=copy.deepcopy(checks.METADATA))
    for count, cell in enumerate(checks.code_cells(notebook), start=1):
        cell.execution_count = count
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    return notebook


@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: check.__name__)
def test_good_notebook_passes(check):
    notebook = good_notebook()
    nbformat.validate(notebook)
    assert check(notebook) == []


def edit(number, old, new):
    """把第 number 个单元格的源码里的 old 换成 new。"""

    def change(notebook):
        cell = notebook.cells[number]
        assert old in cell.source
        cell.source = cell.source.replace(old, new, 1)

    return change


def strip(notebook):
    for cell in checks.code_cells(notebook):
        cell.execution_count, cell.outputs = None, []


def move(old, new):
    return lambda notebook: notebook.cells.insert(new, notebook.cells.pop(old))


def drop(number):
    return lambda notebook: notebook.cells.pop(number)


def output(number, *args, **kwargs):
    return lambda notebook: notebook.cells[number].outputs.append(new_output(*args, **kwargs))


def stream(text, stream_name="stdout"):
    return output(8, "stream", name=stream_name, text=text)


def put(number, **fields):
    return lambda notebook: notebook.cells[number].update(fields)


def metadata(number, **fields):
    return lambda notebook: notebook.cells[number].metadata.update(fields)


BROKEN = {
    "execution_counts_have_no_gaps": [
        strip,
        put(4, execution_count=None),
        put(4, execution_count=7),
        drop(2),
        move(4, 8),
        lambda notebook: notebook.cells[5].outputs[0].update(execution_count=9),
        lambda notebook: notebook.cells.clear(),
    ],
    "metadata_is_not_machine_specific": [
        lambda notebook: notebook.metadata.language_info.update(version="3.11.7"),
        lambda notebook: notebook.metadata.update(widgets={}),
        lambda notebook: notebook.metadata.kernelspec.update(name=".venv"),
        metadata(4, execution={"iopub.status.busy": "2026-01-01"}),
        metadata(0, collapsed=True),
    ],
    "cell_ids_are_unique": [put(1, id="cell-0"), put(1, id="")],
    "no_errors_or_stderr": [
        output(8, "error", ename="ValueError", evalue="", traceback=[]),
        stream("UserWarning", "stderr"),
        metadata(8, tags=["raises-exception"]),
    ],
    "no_machine_paths": [
        stream("/home/me/data"),
        stream("在 /root/.cache 里"),
        stream("(/tmp/x)"),
        stream("C:\\Users\\me"),
        edit(4, "show()", "open('/tmp/x')"),
        edit(0, "一段话", "放在 /home/me 里"),
        output(8, "display_data", data={"text/html": "<a href='/Users/me'>"}),
    ],
    "no_memory_addresses": [stream("<object at 0x7f0012345678>")],
    "figures_have_pictures": [output(8, "display_data", data={"text/plain": PNG["text/plain"]})],
    "figures_are_captioned": [
        lambda notebook: notebook.cells[4].metadata.pop("mystnb"),
        lambda notebook: notebook.cells[4].metadata["mystnb"].pop("image"),
        lambda notebook: notebook.cells[4].metadata["mystnb"]["figure"].update(name="show"),
        lambda notebook: notebook.cells[4].metadata["mystnb"]["figure"].update(caption=""),
        metadata(8, mystnb={"figure": {"name": "fig-none"}}),
        output(4, "display_data", data=dict(PNG)),
    ],
    "uncompared_figures_have_reasons": [
        metadata(4, tags=["figure-varies"]),
        metadata(4, tags=["figure-varies："]),
        metadata(4, tags=["figure-varies：because"]),
        metadata(4, tags=["figure-varies:用时因机器而异"]),
        metadata(8, tags=["figure-varies：用时因机器而异"]),
    ],
    "code_cells_are_short": [edit(4, "show()", "x = 1\n" * 26)],
    "no_trailing_semicolons": [edit(4, "show()", "show();"), edit(4, "show()", "show(); \nx")],
    "starts_with_the_imports": [
        move(4, 1),
        edit(2, "import torch", "x = 1\nimport torch"),
        put(2, source="helpers.use_book_style()"),
    ],
    "follows_the_skeleton": [
        move(6, 1),
        drop(6),
        edit(1, "学习目标", "目标"),
        edit(6, "## 小结", "### 小结"),
        lambda notebook: notebook.cells.append(new_markdown_cell("(more)=\n## 附录")),
        edit(3, "## 正文", "# 正文"),
        drop(0),
    ],
    "exercises_have_solutions": [
        edit(7, "```{exercise}\n:label: ex-one\n题目。\n```", ""),
        edit(7, "solution-start} ex-one", "solution-start} ex-on"),
        edit(9, "solution-start} ex-two", "solution-start} ex-one"),
        edit(7, ":class: dropdown", ""),
        edit(9, END, ""),
        drop(11),
        drop(8),
        put(8, outputs=[]),
        edit(9, ":label: ex-two", ":label: ex-one"),
        edit(9, ":label: ex-two\n", ""),
        edit(11, END, END + "\n\n" + END),
        edit(11, END, END + "\n\n```{exercise}\n:label: ex-three\n没有解答。\n```"),
        lambda notebook: [notebook.cells.pop() for _ in range(3)] and notebook.cells.append(new_markdown_cell(END)),
    ],
    "exercises_check_the_reader": [edit(8, "def check_one", "def verify_one"), put(8, outputs=[])],
    "chinese_is_typeset": [edit(0, "一段话。", "一段话,半角逗号。"), edit(0, "一段话。", "一段Python话。")],
    "headings_have_labels": [
        edit(1, "(goals)=\n", ""),
        edit(1, "(goals)=", "(学习目标)="),
        edit(1, "(goals)=", "(goals)=\n\n隔开了\n"),
        edit(3, "\n(sub)=", ""),
    ],
    "paragraphs_are_single_lines": [
        edit(0, "一段话。", "一段话，\n分成两行。"),
        edit(0, "- 一项", "- 一项，\n  分成两行"),
        edit(1, "一句话。", "一句话，\n分成两行。"),
        edit(7, "题目。", "题目，\n分成两行。"),
        edit(1, "```{note}", "> 引文，\n> 两行\n\n```{note}"),
    ],
}


def test_every_check_is_shown_to_fail():
    assert set(BROKEN) == {check.__name__ for check in checks.CHECKS}


@pytest.mark.parametrize(("check", "number"), [(check, i) for check in BROKEN for i in range(len(BROKEN[check]))])
def test_broken_notebook_is_caught(check, number):
    notebook = good_notebook()
    BROKEN[check][number](notebook)
    assert getattr(checks, check)(notebook) != []


@pytest.mark.parametrize(
    "source",
    [
        "$$\na\n$$",
        "```python\na\nb\n```",
        "| 甲 |\n|---|\n| 乙 |",
        "(a-b)=\n# 题",
        "甲\n\n乙",
        "- 甲\n- 乙",
        "% 注\n\n文",
    ]
    + ["```{figure} a.png\n:alt: 图\n```", "````{note}\n```python\na\nb\n```\n````", "\\begin{align}\na\n\\end{align}"],
)
def test_these_are_not_broken_paragraphs(source):
    assert checks.paragraphs_are_single_lines(new_notebook(cells=[new_markdown_cell(source)])) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda notebook: None, (0, 0, 1)),
        (strip, (8, 0, 0)),
        (metadata(8, tags=["nbval-skip"]), (1, 0, 1)),
        (metadata(8, tags=["nbval-ignore-output"]), (1, 0, 1)),
        (metadata(8, tags=["raises-exception"]), (0, 1, 1)),
        (metadata(8, tags=["nbval-raises-exception", "hide-input"]), (0, 1, 1)),
        (edit(8, "def", "# NBVAL_IGNORE_OUTPUT\ndef"), (1, 0, 1)),
        (edit(8, "def", "# NBVAL_SKIP\ndef"), (1, 0, 1)),
        (output(8, "display_data", data=dict(PNG)), (0, 0, 2)),
    ],
)
def test_uncompared_cells_are_counted(change, expected):
    notebook = good_notebook()
    change(notebook)
    assert checks.count_uncompared(notebook) == expected


def test_uncompared_figures_are_counted():
    notebook = good_notebook()
    assert checks.uncompared_figures(notebook) == []
    metadata(4, tags=["hide-input", "figure-varies：用时因机器而异"])(notebook)
    assert checks.uncompared_figures(notebook) == ["fig-show"]
    assert checks.uncompared_figures_have_reasons(notebook) == []


def test_duplicate_labels_are_caught():
    first, second = good_notebook(), good_notebook()
    assert checks.duplicate_labels({"甲": first}) == []
    assert len(checks.duplicate_labels({"甲": first, "乙": second})) == len(set(checks.labels(first))) == 11
    edit(3, "(sub)=", "(body)=")(first)
    assert len(checks.duplicate_labels({"甲": first})) == 1


def test_toc_mismatches_are_caught(tmp_path):
    (tmp_path / "chapters").mkdir()
    toc = "format: jb-book\nroot: chapters/index\nchapters:\n- file: chapters/one\n"
    (tmp_path / "_toc.yml").write_text(toc, encoding="utf-8")
    for file in ("index.md", "one.ipynb"):
        (tmp_path / "chapters" / file).touch()
    assert checks.toc_mismatches(tmp_path) == []
    for file in ("one.md", "two.ipynb", "three.md"):
        (tmp_path / "chapters" / file).touch()
        assert len(checks.toc_mismatches(tmp_path)) == 1
        (tmp_path / "chapters" / file).unlink()
    (tmp_path / "chapters" / "one.ipynb").unlink()
    assert len(checks.toc_mismatches(tmp_path)) == 1


# ---------------------------------------------------------------- 重存输出的工具


@pytest.fixture
def book(tmp_path):
    """只有一本笔记本的小书，带着 tools 的副本。"""
    (tmp_path / "chapters").mkdir()
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: chapters/one\n", encoding="utf-8")
    return tmp_path


def run_refresh(book, source):
    notebook = new_notebook(cells=[new_code_cell("print('甲')"), new_code_cell(source)])
    notebook.metadata.language_info = {"name": "python", "version": "3.0.0"}
    path = book / "chapters" / "one.ipynb"
    nbformat.write(notebook, path)
    before = path.read_bytes()
    command = [sys.executable, "-m", "tools.refresh"]
    result = subprocess.run(command, cwd=book, capture_output=True, text=True, encoding="utf-8", timeout=120)
    return result, path, before


def test_refresh_stores_outputs_that_pass_the_checks(book):
    result, path, _ = run_refresh(book, "print('乙')")
    assert result.returncode == 0, result.stderr
    notebook = checks.read(path)
    assert [cell.outputs[0].text for cell in notebook.cells] == ["甲\n", "乙\n"]
    for check in (checks.execution_counts_have_no_gaps, checks.metadata_is_not_machine_specific):
        assert check(notebook) == []


def test_refresh_keeps_the_file_when_a_cell_fails(book):
    result, path, before = run_refresh(book, "1 / 0")
    assert result.returncode != 0 and "ZeroDivisionError" in result.stderr
    assert path.read_bytes() == before and [p.name for p in path.parent.iterdir()] == ["one.ipynb"]


def test_refresh_names_missing_notebooks(monkeypatch):
    """有一本找不到，就一本也不跑。"""
    monkeypatch.setattr(refresh, "refresh", lambda path: pytest.fail(f"运行了 {path}"))
    with pytest.raises(SystemExit, match="找不到.*two.ipynb"):
        refresh.main(["chapters/errors.ipynb", "chapters/two.ipynb"])
