"""make.py：每个任务一行说明；错误是一句中文；装一次，变了才重装。

都在临时文件夹里的副本上做，不碰本书的 .venv。
"""

import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.common import CHINESE, ROOT
from tests.house.common import MAKE_INPUTS, one_chinese_sentence, run_make


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
    monkeypatch.setattr(make.subprocess, "Popen", lambda *args, **kwargs: pytest.fail("又运行了命令"))
    monkeypatch.setattr(make.venv, "create", lambda *args, **kwargs: pytest.fail("又建了环境"))
    make.install()
    assert capsys.readouterr() == ("", "")


def installed(fake):
    """依次装了哪些清单。"""
    return [command[command.index("-r") + 1] for command in fake.commands if "pip" in command]


@pytest.mark.parametrize("task", ["book", "test"])
@pytest.mark.parametrize("name", MAKE_INPUTS)
def test_changed_requirements_are_installed(make, fake, task, name):
    make.main([task])
    (make.HERE / name).write_text("# 变了\n", encoding="utf-8")
    make.main([task])
    make.main([task])
    # 变了装一次，之后不再装；建网站用不到的变了，只建网站的人不必重装
    assert len(installed(fake)) == len(fake.created) == (1 if (task, name) == ("book", "requirements.txt") else 2)


def test_the_rest_is_added_when_first_asked_for(make, fake, capsys):
    """建网站只装它要的，也不说要下载 torch；别的任务在同一个 .venv 里装上其余的，此后两种都够用。"""
    for tasks, lists, message in [
        (["book", "book"], ["requirements-book.txt"], "网站"),
        (["refresh", "book", "lab", "test"], ["requirements.txt"], "torch"),
    ]:
        fake.commands.clear()
        capsys.readouterr()
        assert [make.main([task]) for task in tasks] == [0] * len(tasks)
        out = capsys.readouterr().out
        assert installed(fake) == lists and message in out and ("torch" in out) is (message == "torch")
    assert len(fake.created) == 1


def test_stopped_while_adding_the_rest(make, fake):
    """装到一半的包可能是残缺的：从头来。"""
    make.main(["book"])
    fake.statuses = [KeyboardInterrupt()]
    assert make.main(["refresh"]) == 130 and stamps(make) == []
    assert make.main(["book"]) == 0
    assert installed(fake) == ["requirements-book.txt", "requirements.txt", "requirements-book.txt"]
    assert len(fake.created) == 2


@pytest.mark.parametrize("change", ["另一个 Python", "移动过的文件夹", "没有 python", "没有 .venv", "空的标记"])
def test_unusable_environment_is_rebuilt(make, fake, monkeypatch, change):
    make.install()
    stamp = next(make.VENV.glob("*.txt"))
    if change == "另一个 Python":
        other = SimpleNamespace(version="3.12.1 (main)", version_info=(3, 12, 1), platform=sys.platform)
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


def package_index(folder, name, version):
    """只有一个空包的软件源。"""
    (folder / name).mkdir(parents=True)
    wheel, info = f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / name / wheel, "w") as file:
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "")
    (folder / name / "index.html").write_text(f'<a href="{wheel}">{wheel}</a>', encoding="utf-8")
    return folder.as_uri()


def test_pip_settings_are_honoured(make, monkeypatch, tmp_path):
    """真的 pip，假的软件源：照提示设了变量，装上的就是不带 CUDA 的 torch；constraints.txt 不妨碍，uv 也不抢先。"""
    shutil.copyfile(ROOT / "constraints.txt", make.HERE / "constraints.txt")
    (make.HERE / make.ALL).write_text("torch>=2.14\n", encoding="utf-8")
    pinned = re.search(r"^torch==(\S+)", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)[1]
    monkeypatch.setattr(make, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(make, "_create_environment", make.VENV.mkdir)
    monkeypatch.setattr(make.shutil, "which", lambda name: name)
    for name, value in {
        "INDEX_URL": package_index(tmp_path / "pypi", "torch", pinned),
        "EXTRA_INDEX_URL": package_index(tmp_path / "cpu", "torch", f"{pinned}+cpu"),
        "FIND_LINKS": "",
        "TARGET": str(tmp_path / "installed"),
    }.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    make.install()
    assert [path.name for path in (tmp_path / "installed").iterdir()] == [f"torch-{pinned}+cpu.dist-info"]


def test_how_to_get_torch_without_cuda(make, monkeypatch):
    """在下载之前说；写明的命令与说明里的一样。Windows 与 macOS 上本来就不带 CUDA，照做了的不必再听一遍。"""
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    monkeypatch.setattr(make.sys, "platform", "linux")
    command = f"export PIP_EXTRA_INDEX_URL={make.TORCH_WITHOUT_CUDA}"
    assert command in make._what_comes(make.ALL) and command in (ROOT / "README.md").read_text(encoding="utf-8")
    monkeypatch.setattr(make.sys, "platform", "win32")
    assert "CUDA" not in make._what_comes(make.ALL)


@pytest.mark.parametrize(
    ("found", "settings", "used"), [(None, False, "pip"), ("uv", False, "uv"), ("uv", True, "pip")]
)
def test_uv_is_used_only_when_pip_has_no_settings(make, monkeypatch, found, settings, used):
    monkeypatch.setattr(make.shutil, "which", lambda name: found)
    monkeypatch.setattr(make, "_pip_has_settings", lambda: settings)
    assert (make._installer()[0] == "uv") is (used == "uv")


# ---------------------------------------------------------------- 任务


@pytest.mark.parametrize(
    ("argv", "tools"),
    [
        (["book"], ["pip", "jupyter[-_ ]book"]),
        (["test", "-k", "data and not train", "-n0"], ["pip", "jupyter[-_ ]book", "pytest"]),
        (["test", "-x", "tests/test_data.py"], ["pip", "jupyter[-_ ]book", "pytest"]),
        (["refresh", "a.ipynb", "b.ipynb"], ["pip", "tools.refresh"]),
        (["notebooks"], ["pip", "jupyter[-_ ]book"]),
        (["dist"], ["pip", "pip", "jupyter[-_ ]book", "tools.dist"]),
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
    monkeypatch.setattr(make.time, "sleep", lambda seconds: None)
    for name in set(make.TASKS) - {"mutate"}:  # mutmut 到用时才装
        assert make.main(["new", "softmax/margin"] if name == "new" else [name]) == 0
    missing = []
    for command in fake.commands:
        program, *rest = command
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
