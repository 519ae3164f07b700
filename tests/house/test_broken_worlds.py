"""make.py 做到一半被打断，.venv 或要读的文件不对：要么自己恢复，要么用一句中文说清怎么办；什么都不能丢。"""

import os
import signal
import subprocess
import sys

import pytest

from tests.common import UTF8
from tests.house.common import one_chinese_sentence, run_make

STAGES = ("venv", "pip", "jupyter-book", "pytest")


class Killed(BaseException):
    """像被杀死一样：谁也接不住，什么也来不及做。"""


def stop_at(stage, make, fake, monkeypatch, error):
    """让 make.py 在这一步的半路上停下。"""
    if stage == "venv":

        def half(*args, **kwargs):
            (make.VENV / "lib").mkdir(parents=True)
            raise error

        monkeypatch.setattr(make.venv, "create", half)
    else:
        fake.statuses = [0] * (STAGES.index(stage) - 1) + [error]


@pytest.mark.parametrize("stage", STAGES)
def test_stopped_and_run_again(make, fake, monkeypatch, stage):
    with monkeypatch.context() as patch:
        stop_at(stage, make, fake, patch, Killed())
        with pytest.raises(Killed):
            make.main(["test"])
    fake.commands.clear()
    assert make.main(["test"]) == 0
    ran = [tool for command in fake.commands for tool in STAGES if tool in command or f"{make.BIN / tool}" in command]
    reinstalled = stage in ("venv", "pip")
    assert ran == (["pip"] if reinstalled else []) + ["jupyter-book", "pytest"]  # 没装完的重装，装好的不重装
    assert ("--all" in fake.commands[-2]) is (stage == "jupyter-book")  # 没建完的全部重建
    assert not make.UNFINISHED.exists()


def test_failed_build_is_built_anew(make, fake):
    """有警告而失败的构建，什么也不改就再运行：Sphinx 自己不会再警告，所以要全部重建。"""
    fake.statuses = [0, 1]
    assert make.main(["book"]) == 1 and make.main(["book"]) == 0
    assert make.main(["book"]) == 0
    assert ["--all" in command for command in fake.commands if "build" in command] == [False, True, False]


STUB = """#!/bin/sh
"exec" "{python}" "$0" "$@"  # 路径里可能有空格，不能写在第一行
import os, signal, sys, time
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.default_int_handler)
try:
    print(os.getpid(), *sys.argv[1:], flush=True)
    while "--all" not in sys.argv:
        time.sleep(0.1)
except KeyboardInterrupt:
    time.sleep(0.5)  # 收拾要一点时间
    print("收拾好了", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows 上没有给单个进程发信号的办法，也不能直接运行脚本")
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_really_stopped_while_building(make, number):
    """真的 make.py，假的 jupyter-book：先停下它，并容它收拾完；再运行一次就全部重建。

    SIGINT 像在终端按 Ctrl+C，两个都收到；SIGTERM 只有 make.py 收到；SIGKILL 像断电，一起死。
    """
    make.BIN.mkdir(parents=True)
    make.PYTHON.touch()
    (make.VENV / "installed.txt").write_text(make._fingerprint(make.BOOK), encoding="utf-8")
    stub = make.BIN / "jupyter-book"
    stub.write_text(STUB.format(python=sys.executable), encoding="utf-8")
    stub.chmod(0o755)
    code = "import signal, sys, runpy; signal.signal(signal.SIGINT, signal.default_int_handler);"  # xdist 忽略 SIGINT
    code += "sys.argv = ['make.py', 'book']; runpy.run_path('make.py', run_name='__main__')"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "encoding": "utf-8"}
    env = {**os.environ, **UTF8}
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=make.HERE, env=env, start_new_session=True, **pipes) as process:
        child = int(process.stdout.readline().split()[0])
        for pid in [process.pid] if number == "SIGTERM" else [child, process.pid]:
            os.kill(pid, getattr(signal, number))
        out, err = process.communicate(timeout=30)  # 管道关上了，说明没有留下还在运行的
    assert ("收拾好了" in out) is (number != "SIGKILL")
    assert process.returncode == (-9 if number == "SIGKILL" else 130)
    assert ("中断" in err) is (number != "SIGKILL") and err.strip().count("\n") == 0
    again = run_make(make.HERE, "book")
    assert again.returncode == 0 and again.stdout.splitlines()[0].endswith("--all") and "书已建好" in again.stdout


def test_missing_input(make, fake, capsys):
    (make.HERE / "constraints.txt").unlink()
    assert make.main(["book"]) == 2
    err = capsys.readouterr().err
    assert one_chinese_sentence(err) and "git checkout -- constraints.txt" in err
    assert fake.created == fake.commands == [] and not make.VENV.exists()


def test_environment_is_a_file(make, capsys):
    """有些工具的 .venv 是一个写着名字的文件；不动它。"""
    make.VENV.write_text("my-env", encoding="utf-8")
    assert make.main(["book"]) == 2
    err = capsys.readouterr().err
    assert one_chinese_sentence(err) and str(make.VENV) in err and "删除 .venv" in err
    assert make.VENV.read_text(encoding="utf-8") == "my-env"


def test_environment_of_another_tool_is_not_cleared(make, fake, capsys):
    """conda 的环境也可能叫 .venv：里面有别人的东西，不能清空。"""
    precious = make.VENV / "conda-meta" / "history"
    precious.parent.mkdir(parents=True)
    precious.write_text("很久才装好的\n", encoding="utf-8")
    assert make.main(["book"]) == 2
    assert one_chinese_sentence(capsys.readouterr().err) and fake.created == [] and precious.exists()


@pytest.mark.parametrize("leftover", [["bin"], ["lib", "pyvenv.cfg", "LICENSE"]], ids=str)
def test_half_made_environment_is_made_anew(make, fake, leftover):
    make.VENV.mkdir()
    for name in leftover:
        (make.VENV / name).mkdir()
    assert make.main(["book"]) == 0
    assert fake.created == [(make.VENV, True, True)]


def test_jupyter_book_is_gone(make, fake, capsys, monkeypatch):
    """有人从 .venv 里卸掉了 jupyter-book：说怎么办；照办之后就好了。"""
    make.install()
    monkeypatch.undo()  # 不再用假的：真的去运行，而文件不在
    assert make.main(["book"]) == 2
    err = capsys.readouterr().err
    assert one_chinese_sentence(err) and "jupyter-book" in err and "删除 .venv" in err
