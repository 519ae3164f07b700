"""考 make.py 用的副本：在临时文件夹里，不碰本书的 .venv。"""

import importlib.util
import shutil
from types import SimpleNamespace

import pytest

from tests.common import ROOT
from tests.house.common import MAKE_INPUTS


@pytest.fixture
def copy(tmp_path):
    """只有 make.py 与它读的几个文件（内容为空）。"""
    folder = tmp_path / "书 book"  # 路径里有空格与中文
    folder.mkdir()
    shutil.copyfile(ROOT / "make.py", folder / "make.py")
    for name in MAKE_INPUTS:
        (folder / name).write_text("# 空\n", encoding="utf-8")
    return folder


@pytest.fixture
def make(copy):
    """把副本作为模块导入。"""
    spec = importlib.util.spec_from_file_location("make_copy", copy / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def fake(make, monkeypatch):
    """假的 venv 与子进程：记下做了什么；fake.statuses 是各命令依次的退出码，之后都是 0。"""
    log = SimpleNamespace(created=[], commands=[], envs=[], statuses=[])

    def create(folder, clear=False, with_pip=False):
        log.created.append((folder, clear, with_pip))
        if clear:
            shutil.rmtree(folder)
        make.PYTHON.parent.mkdir(parents=True)
        make.PYTHON.touch()

    def popen(command, cwd, env=None):
        log.commands.append([*map(str, command)])
        log.envs.append(env)
        assert cwd == make.HERE
        status = log.statuses.pop(0) if log.statuses else 0
        if isinstance(status, BaseException):
            raise status
        return SimpleNamespace(wait=lambda: status, poll=lambda: None, terminate=lambda: None)

    monkeypatch.setattr(make.venv, "create", create)
    monkeypatch.setattr(make.subprocess, "Popen", popen)
    monkeypatch.setattr(make, "_pip_has_settings", lambda: True)
    return log
