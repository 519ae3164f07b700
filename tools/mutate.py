"""变异测试：故意种下一个小错误，看测试抓不抓得住。测试全绿只说明没有抓到错，种一遍才知道它抓得到错。

用法：python -m tools.mutate [名字或文件…]；不给就是 mutants.yml 里的全部。
每个错误单独种在书的一份副本里，先跑最可能抓住它的测试，没抓住再跑其余的；有错误存活就以 1 结束。
"""

import json
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "tools" / "mutants.yml"
# 查得到 helpers 或笔记本代码的测试；其余的查网站、体例与 make.py，跑它们只是白等
LESSONS = "tests/test_lessons.py"
WORLDS = "tests/test_broken_worlds.py"
UNIT_TESTS = ["tests/test_train.py", "tests/test_data.py", "tests/test_plot.py", "tests/test_properties.py", LESSONS]
WORKERS = 2
PASSED, FAILED, COULD_NOT_IMPORT = 0, 1, 2  # pytest 的退出码
TIME_LIMIT = 900  # 秒；错误可能让程序停不下来
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "_build", "__pycache__", ".*_cache", ".ipynb_checkpoints")


@dataclass(frozen=True)
class Fault:
    """一个小错误：把 file 里的 old 换成 new。equivalent 写明为什么它其实不是错误。"""

    file: str
    name: str
    fault: str
    old: str
    new: str
    equivalent: str = ""


class Failure(Exception):
    """没法开始或没法继续：一句话说明。"""


def read_table(path=TABLE):
    table = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [Fault(file, **fault) for file, faults in table.items() for fault in faults]


def choose(faults, names):
    """名字或文件在 names 里的；names 为空就是全部。等价的不必种。"""
    unknown = set(names) - {fault.name for fault in faults} - {fault.file for fault in faults}
    if unknown:
        raise Failure(f"{TABLE.name} 里没有 {'、'.join(sorted(unknown))}。")
    return [fault for fault in faults if not fault.equivalent and (not names or {fault.name, fault.file} & set(names))]


# ---------------------------------------------------------------- 种下


def replaced(fault, sources):
    """在几段代码里换一处；原文要恰好出现一次，多了少了都说明表已经跟不上代码。"""
    count = sum(source.count(fault.old) for source in sources)
    if count != 1:
        raise Failure(f"{fault.name}：原文在 {fault.file} 里出现了 {count} 次，要恰好一次。请改 {TABLE.name}。")
    return [source.replace(fault.old, fault.new) for source in sources]


def code_cells(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def sources(path):
    """文件里的各段代码：笔记本是各代码单元格，其余的就是一整段。"""
    text = path.read_text(encoding="utf-8")
    return ["".join(cell["source"]) for cell in code_cells(json.loads(text))] if path.suffix == ".ipynb" else [text]


@contextmanager
def planted(fault, tree):
    """种下错误，离开时复原。笔记本只改代码，存下的输出不动。"""
    path = tree / fault.file
    # 源文件在同一秒里改成同样的长短时，Python 会误用旧的 .pyc
    shutil.rmtree(path.parent / "__pycache__", ignore_errors=True)
    original, new = path.read_bytes(), replaced(fault, sources(path))
    text = new[0]
    if path.suffix == ".ipynb":
        notebook = json.loads(original)
        for cell, source in zip(code_cells(notebook), new):
            cell["source"] = source
        text = json.dumps(notebook, ensure_ascii=False)
    path.write_bytes(text.encode())
    try:
        yield
    finally:
        path.write_bytes(original)


# ---------------------------------------------------------------- 抓


def stages(fault):
    """先后跑的几组测试。"""
    if fault.file.endswith(".ipynb"):
        return [[LESSONS, fault.file]]
    own = f"tests/test_{Path(fault.file).stem}.py"
    first = [test for test in UNIT_TESTS if test == own] or UNIT_TESTS
    return [first, [test for test in (WORLDS, *UNIT_TESTS, "chapters") if test not in first]]


def failing_test(tree, tests, processes=0):
    """在副本里跑测试，返回第一个没有通过的；都通过就是 None。"""
    command = [sys.executable, "-m", "pytest", "-x", f"-n{processes}", "-v", "--no-summary", "--tb=no", *tests]
    # 内核与子进程也要导入副本里的 helpers，而不是安装的那一份
    env = {**os.environ, "PYTHONPATH": str(tree), "PYTHONUTF8": "1"}
    try:
        result = subprocess.run(
            command, cwd=tree, env=env, timeout=TIME_LIMIT, capture_output=True, encoding="utf-8", errors="replace"
        )
    except subprocess.TimeoutExpired:
        return f"超过了 {TIME_LIMIT} 秒"
    if result.returncode in (PASSED, FAILED, COULD_NOT_IMPORT):
        return first_failure(result.stdout) if result.returncode else None
    raise Failure(f"pytest 没有正常结束（{result.returncode}）：\n{result.stdout[-2000:]}{result.stderr[-2000:]}")


def first_failure(output):
    """pytest -v 的输出里第一个没有通过的测试；用 xdist 时结果写在名字前面。"""
    failed = re.search(r"^(?:\[gw\d\].*?(?:FAILED|ERROR) (.+)|(.+?) (?:FAILED|ERROR)\b.*)$", output, re.MULTILINE)
    name = (failed[1] or failed[2]).strip() if failed else "测试导入时就出错"
    return re.sub(r"\\u([0-9a-f]{4})", lambda code: chr(int(code[1], 16)), name)  # pytest 把中文的编号写成 \uXXXX


def catch(fault, trees):
    """种在一份空闲的副本里，返回 (错误, 抓住它的测试或 None, 秒)。"""
    tree, start = trees.get(), time.perf_counter()
    try:
        with planted(fault, tree):
            caught = next(filter(None, (failing_test(tree, tests) for tests in stages(fault))), None)
    finally:
        trees.put(tree)
    return fault, caught, time.perf_counter() - start


def control(faults, tree):
    """先跑没有错误的：它不通过，后面的“抓住”就都不作数。"""
    tests = list(dict.fromkeys(test for fault in faults for tests in stages(fault) for test in tests))
    if "chapters" in tests:
        tests = [test for test in tests if not test.endswith(".ipynb")]
    if failed := failing_test(tree, tests, WORKERS):
        raise Failure(f"还没有种下错误，{failed} 就没有通过。先让测试全部通过。")


def report(results, total):
    """结尾的两三行：抓住的比例，存活的名字。"""
    survivors = sorted(fault.name for fault, caught, _ in results if not caught)
    print(f"\n抓住 {total - len(survivors)} / {total}（{1 - len(survivors) / total:.1%}）。")
    if survivors:
        print(f"存活 {len(survivors)} 个：{'、'.join(survivors)}")
    return 1 if survivors else 0


def run(names):
    faults = choose(read_table(), names)
    if not faults:
        raise Failure("选中的都是等价的，没有要种的。")
    with tempfile.TemporaryDirectory(prefix="mutate-") as folder, ThreadPoolExecutor(WORKERS) as pool:
        trees, results = queue.Queue(), []
        for number in range(WORKERS):
            trees.put(shutil.copytree(ROOT, Path(folder, str(number)), ignore=NOT_COPIED))
        control(faults, trees.queue[0])
        print(f"没有错误时全部通过；开始种 {len(faults)} 个错误。", flush=True)
        try:
            for done in as_completed([pool.submit(catch, fault, trees) for fault in faults]):
                fault, caught, seconds = done.result()
                results.append(done.result())
                shown = f"抓住（{caught}）" if caught else "存活"
                print(f"{fault.name}：{fault.fault}。{shown}，{seconds:.0f} 秒", flush=True)
        finally:
            pool.shutdown(cancel_futures=True)
    return report(results, len(faults))


def main(names):
    try:
        return run(names)
    except Failure as failure:
        print(f"错误：{failure}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
