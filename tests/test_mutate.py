"""变异测试的表与程序：表要跟得上代码，程序要分得清抓住与存活。"""

import ast
import re
from dataclasses import replace
from functools import cache

import pytest

from tests.common import CHINESE, ROOT
from tools import mutate

FAULTS = mutate.read_table()
sources = cache(mutate.sources)


def test_every_fault_still_applies():
    """原文恰好出现一次，换过之后还是合法的 Python：语法错误谁都抓得住，不算数。"""
    for fault in FAULTS:
        old = sources(ROOT / fault.file)
        changed = [new for new, before in zip(mutate.replaced(fault, old), old) if new != before]
        assert len(changed) == 1 and ast.parse(changed[0]), fault.name


def test_the_table_is_large_and_readable():
    names = [fault.name for fault in FAULTS]
    assert len(mutate.choose(FAULTS, [])) >= 300 and len(set(names)) == len(names)
    assert {fault.file for fault in FAULTS} >= {f"helpers/{name}.py" for name in ("data", "train", "plot", "_check")}
    assert [fault.name for fault in FAULTS if not re.search(CHINESE, fault.fault)] == []
    assert [fault.name for fault in FAULTS if fault.equivalent and not re.search(CHINESE, fault.equivalent)] == []


@pytest.mark.parametrize(("old", "count"), [("没有这样的代码", 0), ("return", 2)])
def test_a_stale_fault_is_named(old, count):
    fault = replace(FAULTS[0], old=old)
    with pytest.raises(mutate.Failure, match=rf"{fault.name}.*出现了 {count} 次.*mutants\.yml"):
        mutate.replaced(fault, ["return 1", "return 2"])


def test_names_and_files_choose_faults():
    assert [fault.name for fault in mutate.choose(FAULTS, ["sgd-sign"])] == ["sgd-sign"]
    chosen = mutate.choose(FAULTS, ["helpers/train.py"])
    assert {fault.file for fault in chosen} == {"helpers/train.py"} and not any(fault.equivalent for fault in chosen)
    with pytest.raises(mutate.Failure, match="没有 no-such"):
        mutate.choose(FAULTS, ["no-such"])


@pytest.mark.parametrize("file", ["helpers/train.py", "chapters/softmax/concepts.ipynb"])
def test_planting_changes_the_copy_and_is_undone(file, tmp_path):
    fault = next(fault for fault in FAULTS if fault.file == file)
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_bytes((ROOT / file).read_bytes())
    with mutate.planted(fault, tmp_path):
        assert mutate.sources(path) == mutate.replaced(fault, sources(ROOT / file))
    assert path.read_bytes() == (ROOT / file).read_bytes()


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (r"tests/test_a.py::test[\u6279\u91cf 1] FAILED     [ 33%]", "tests/test_a.py::test[批量 1]"),
        ("[gw0] [ 66%] FAILED chapters/a.ipynb::Cell 3 ", "chapters/a.ipynb::Cell 3"),
        ("ERROR collecting", "测试导入时就出错"),
    ],
)
def test_the_first_failure_is_found(line, name):
    assert mutate.first_failure(f"tests/test_a.py::test_x PASSED [ 10%]\n{line}\n") == name


# ---------------------------------------------------------------- 程序：抓得住与抓不住


@pytest.fixture
def small(tmp_path, monkeypatch):
    """一本很小的书，三个错误：单元测试抓得住 x，笔记本抓得住 y，谁也抓不住 z。"""
    source = tmp_path / "book" / "helpers" / "train.py"
    source.parent.mkdir(parents=True)
    source.write_text("x = 1\ny = 1\nz = 1\n", encoding="utf-8")
    table = [mutate.Fault("helpers/train.py", name, "数变了", f"{name} = 1", f"{name} = 2") for name in "xyz"]
    monkeypatch.setattr(mutate, "ROOT", source.parent.parent)
    monkeypatch.setattr(mutate, "read_table", lambda: table)

    def failing_test(tree, tests, processes=0):
        text = (tree / "helpers" / "train.py").read_text(encoding="utf-8")
        if "x = 2" in text and "tests/test_train.py" in tests:
            return "单元测试"
        return "笔记本" if "y = 2" in text and "chapters" in tests else None

    monkeypatch.setattr(mutate, "failing_test", failing_test)
    return source


def test_caught(small, capsys):
    assert mutate.main(["x", "y"]) == 0
    out = capsys.readouterr().out
    assert "x：数变了。抓住（单元测试）" in out and "y：数变了。抓住（笔记本）" in out and "抓住 2 / 2（100.0%）" in out


def test_survivors_fail_the_run(small, capsys):
    assert mutate.main([]) == 1
    assert "z：数变了。存活" in (out := capsys.readouterr().out) and "抓住 2 / 3（66.7%）。\n存活 1 个：z\n" in out
    assert small.read_text(encoding="utf-8") == "x = 1\ny = 1\nz = 1\n"  # 只改副本


@pytest.mark.parametrize(("broken", "word"), [("x = 2", "还没有种下错误"), ("w = 1", "出现了 0 次")])
def test_nothing_counts_unless_the_control_passes(small, capsys, broken, word):
    small.write_text(small.read_text(encoding="utf-8").replace("x = 1", broken), encoding="utf-8")
    assert mutate.main(["x"]) == 2
    captured = capsys.readouterr()
    assert word in captured.err and "抓住" not in captured.out


def test_pytest_runs_on_the_copy(tmp_path):
    """真的跑 pytest：导入的是副本里的 helpers；没有测试可跑时报错，不能当作通过。"""
    (tmp_path / "helpers.py").write_text("value = 2", encoding="utf-8")
    test = tmp_path / "test_value.py"
    test.write_text("import helpers\n\ndef test_value():\n    assert helpers.value == 1\n", encoding="utf-8")
    assert mutate.failing_test(tmp_path, [test.name]) == "test_value.py::test_value"
    with pytest.raises(mutate.Failure, match="没有正常结束"):
        mutate.failing_test(tmp_path, ["no_such_test.py"])
