"""make.py：每个任务一行说明；错误是一句中文；装一次，变了才重装。

都在临时文件夹里的副本上做，不碰本书的 .venv。
"""

import ast
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from types import SimpleNamespace

import pytest

from tests.common import CHINESE, MAKE_INPUTS, ROOT, one_chinese_sentence, run_make


def stamps(make):
    return [path.name for path in make.VENV.glob("*.txt")] if make.VENV.exists() else []


# ---------------------------------------------------------------- 命令行


def test_help_lists_every_task(copy, make):
    result = run_make(copy, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert {"book", "test", "refresh", "serve", "lab"} <= set(make.TASKS)
    for name, task in make.TASKS.items():
        line = rf"^  {name} +{re.escape(task.__doc__)}$"
        assert re.search(CHINESE, task.__doc__) and re.search(line, result.stdout, re.MULTILINE), name


@pytest.mark.parametrize(
    "args",
    [[], ["bok"], ["--bok"], ["book", "chapters"], ["book", "--fast"], ["serve", "8001"], ["book", "test"]],
    ids=" ".join,
)
def test_wrong_command_line(copy, args):
    result = run_make(copy, *args)
    assert (result.returncode, result.stdout) == (2, "")
    assert one_chinese_sentence(result.stderr), result.stderr
    assert {path.name for path in copy.iterdir()} - {"__pycache__"} == {"make.py", *MAKE_INPUTS}  # 什么也没做


@pytest.mark.parametrize("encoding", ["ascii", "gbk", "cp1252", "utf-8"])
def test_terminal_that_cannot_show_chinese(copy, encoding):
    """终端的编码显示不了中文时不能崩溃。"""
    command = [sys.executable, "make.py", "bok"]
    env = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    result = subprocess.run(command, cwd=copy, env=env, capture_output=True, timeout=60)
    assert result.returncode == 2 and b"Traceback" not in result.stderr and result.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["book"], ("book", [])),
        (["test", "-k", "data and not train", "-n0"], ("test", ["-k", "data and not train", "-n0"])),
        (["test", "-x", "tests/test_data.py"], ("test", ["-x", "tests/test_data.py"])),
        (["refresh", "a.ipynb", "b.ipynb"], ("refresh", ["a.ipynb", "b.ipynb"])),
    ],
)
def test_arguments_are_passed_on(make, argv, expected):
    task, rest = make.parse(argv)
    assert (task.__name__, rest) == expected


def test_old_python(make, monkeypatch, capsys):
    old = SimpleNamespace(version_info=(3, 8, 10), stdout=sys.stdout, stderr=sys.stderr)
    monkeypatch.setattr(make, "sys", old)
    monkeypatch.setitem(make.TASKS, "book", lambda: pytest.fail("不该往下做"))
    assert make.main(["book"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and one_chinese_sentence(err) and "3.8" in err and "3.11" in err


def test_old_python_can_parse_make():
    """旧版的 Python 要能读懂这个文件，才轮得到它说「需要更新的版本」。"""
    ast.parse((ROOT / "make.py").read_text(encoding="utf-8"), feature_version=(3, 7))


def test_this_python_is_new_enough(make):
    required = re.search(r'requires-python = ">=(\d+)\.(\d+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert make.MIN_PYTHON == tuple(map(int, required.groups())) <= sys.version_info


def test_make_needs_only_the_standard_library():
    imported = set()
    for node in ast.walk(ast.parse((ROOT / "make.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add("." * node.level + (node.module or "").split(".")[0])
    assert imported and imported <= sys.stdlib_module_names


# ---------------------------------------------------------------- 安装


def test_first_run_installs_with_constraints(make, fake):
    make.install()
    assert fake.created == [(make.VENV, False, True)]
    (command,) = fake.commands
    assert command[:4] == [str(make.PYTHON), "-m", "pip", "install"]
    assert " ".join(command).endswith("-r requirements.txt -c constraints.txt")
    assert fake.envs[0]["PYTHONUTF8"] == "1" and stamps(make)


def test_second_run_does_nothing(make, fake, monkeypatch, capsys):
    make.install()
    capsys.readouterr()
    monkeypatch.setattr(make.subprocess, "run", lambda *args, **kwargs: pytest.fail("又运行了命令"))
    monkeypatch.setattr(make.venv, "create", lambda *args, **kwargs: pytest.fail("又建了环境"))
    make.install()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("name", MAKE_INPUTS)
def test_changed_requirements_are_installed(make, fake, name):
    make.install()
    (make.HERE / name).write_text("# 变了\n", encoding="utf-8")
    make.install()
    make.install()
    assert len(fake.commands) == 2  # 变了装一次，之后不再装


@pytest.mark.parametrize("change", ["另一个 Python", "移动过的文件夹", "没有 python", "没有 .venv", "空的标记"])
def test_unusable_environment_is_rebuilt(make, fake, monkeypatch, change):
    make.install()
    stamp = next(make.VENV.glob("*.txt"))
    if change == "另一个 Python":
        other = SimpleNamespace(version="3.12.1 (main)", version_info=(3, 12, 1))
        monkeypatch.setattr(make, "sys", other)
    elif change == "移动过的文件夹":
        moved = make.HERE.with_name("moved")
        make.HERE.rename(moved)
        relative = make.PYTHON.relative_to(make.HERE)
        for name, path in {"HERE": moved, "VENV": moved / ".venv", "PYTHON": moved / relative}.items():
            monkeypatch.setattr(make, name, path)
    elif change == "没有 python":
        make.PYTHON.unlink()
    elif change == "没有 .venv":
        shutil.rmtree(make.VENV)
    else:
        stamp.write_text("", encoding="utf-8")
    make.install()
    assert len(fake.created) == len(fake.commands) == 2
    assert fake.created[1][1] is (change != "没有 .venv")  # 有旧的就清空重来


@pytest.mark.parametrize("failure", [1, 23, -9, KeyboardInterrupt()], ids=repr)
def test_failed_install_is_not_stamped(make, fake, failure, capsys):
    """pip 失败或被打断：退出码是它的，不写标记，下次重来。"""
    fake.statuses = [failure]
    expected = 130 if isinstance(failure, BaseException) else failure if failure > 0 else 128 - failure
    assert make.main(["book"]) == expected
    assert stamps(make) == [] and len(fake.commands) == 1  # 没有往下构建
    err = capsys.readouterr().err
    assert re.search(CHINESE, err) and "Traceback" not in err
    assert make.main(["book"]) == 0
    assert len(fake.created) == 2 and stamps(make)


@pytest.mark.parametrize(
    "error",
    [PermissionError(13, "Permission denied"), subprocess.CalledProcessError(1, ["ensurepip"])],
    ids=["不能写", "没有 ensurepip"],
)
def test_cannot_create_environment(make, fake, monkeypatch, capsys, error):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(make.venv, "create", fail)
    assert make.main(["book"]) == 2
    err = capsys.readouterr().err
    assert one_chinese_sentence(err) and str(make.VENV) in err and fake.commands == []


def test_real_environment(copy):
    """真的 venv 与真的 pip，不联网：装不上时退出码是 pip 的，而且没有标记。"""
    (copy / "requirements.txt").write_text("./没有这个文件夹\n", encoding="utf-8")
    result = run_make(copy, "book", PIP_NO_INDEX="1", PIP_NO_INPUT="1")
    assert result.returncode == 1 and "没有这个文件夹" in result.stderr  # pip 自己的话还在
    assert one_chinese_sentence(result.stderr.splitlines()[-1] + "\n") and "没有装好" in result.stderr
    assert (copy / ".venv").is_dir() and not list((copy / ".venv").glob("*.txt"))


# ---------------------------------------------------------------- 任务


@pytest.mark.parametrize(
    ("argv", "tools"),
    [
        (["book"], ["pip", "jupyter[-_ ]book"]),
        (["test", "-k", "data"], ["pip", "jupyter[-_ ]book", "pytest"]),
        (["notebooks"], ["pip", "jupyter[-_ ]book"]),
        (["lab"], ["pip", "jupyter[-_ ]book", "tools.lab"]),
        (["lab", "chapters"], ["pip", "tools.lab"]),
    ],
)
def test_tasks_run_these_commands_in_order(make, fake, argv, tools):
    assert make.main(argv) == 0
    for command, tool in zip(fake.commands, tools, strict=True):
        assert command[0].startswith(str(make.BIN)) and re.search(
            rf"\b{tool}\b", " ".join(command).split(".venv", 1)[1]
        )
    assert fake.commands[-1][-len(argv[1:]) or None :] == (argv[1:] or fake.commands[-1])  # 参数原样交给最后一条


def test_the_commands_exist(make, fake, monkeypatch):
    """``python -m 名字`` 的名字真能运行，脚本真的装了：光记下命令看不出这一点。"""
    watched = SimpleNamespace(poll=lambda: None, terminate=lambda: None)
    monkeypatch.setattr(make.subprocess, "Popen", lambda command, **kwargs: fake.commands.append(command) or watched)
    monkeypatch.setattr(make.time, "sleep", lambda seconds: None)
    for name in make.TASKS:
        assert make.main([name]) == 0
    missing = []
    for command in fake.commands:
        program, *rest = map(str, command)
        if program != str(make.PYTHON):
            if shutil.which(program.removeprefix(str(make.BIN) + os.sep), path=sysconfig.get_path("scripts")) is None:
                missing.append(program)
        elif rest[0] == "-m":
            spec = importlib.util.find_spec(rest[1])
            if spec and spec.submodule_search_locations:  # 包要有 __main__ 才能用 -m 运行
                spec = importlib.util.find_spec(f"{rest[1]}.__main__")
            missing += [] if spec else [f"python -m {rest[1]}"]
            if rest[1] == "jupyter" and not shutil.which(f"jupyter-{rest[2]}", path=sysconfig.get_path("scripts")):
                missing.append(f"jupyter {rest[2]}")
        elif not rest[0].startswith("-"):
            missing += [] if (ROOT / rest[0]).is_file() else [rest[0]]
    assert len(fake.commands) >= 6 and set(missing) == set()


def test_book_treats_warnings_as_errors(make, fake):
    make.main(["book"])
    options = fake.commands[-1]
    assert options[options.index("build") + 1] == "."
    letters = "".join(option[1:] for option in options if re.fullmatch("-[A-Za-z]+", option))
    assert "W" in letters and "n" in letters  # 警告当作错误，找不到的引用也算警告


@pytest.mark.parametrize(("statuses", "ran"), [([0, 3], 2), ([0, 0, 5], 3), ([0, -15], 2)], ids=str)
def test_failed_task_has_the_status_of_its_command(make, fake, statuses, ran, capsys):
    fake.statuses = list(statuses)
    assert make.main(["test"]) == (statuses[-1] if statuses[-1] > 0 else 143)
    assert len(fake.commands) == ran and one_chinese_sentence(capsys.readouterr().err)


def test_missing_command(make, fake, capsys):
    fake.statuses = [0, FileNotFoundError(2, "No such file or directory")]
    assert make.main(["book"]) == 2
    assert one_chinese_sentence(capsys.readouterr().err)


def test_interrupt(make, monkeypatch, capsys):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setitem(make.TASKS, "book", interrupted)
    assert make.main(["book"]) == 130
    out, err = capsys.readouterr()
    assert out == "" and "中断" in err and "Traceback" not in err


def test_refresh_runs_the_tool(make, fake):
    assert make.main(["refresh", "a.ipynb"]) == 0
    assert fake.commands[-1][1:] == ["-m", "tools.refresh", "a.ipynb"]


def test_real_signal(copy):
    """真的按 Ctrl+C：退出码 130，只有一句中文。"""
    if os.name == "nt":
        pytest.skip("Windows 上没有给单个子进程发 SIGINT 的办法")
    code = "import sys, time, make; make.TASKS['book'] = lambda: (print('ready', flush=True), time.sleep(60))"
    code += "; sys.exit(make.main(['book']))"
    command = [sys.executable, "-c", code]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "encoding": "utf-8"}
    with subprocess.Popen(command, cwd=copy, env={**os.environ, "PYTHONUTF8": "1"}, **pipes) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130 and err.strip().count("\n") == 0 and "中断" in err
