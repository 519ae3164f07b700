"""单元测试与网站测试共用的设置。"""

import importlib.util
import os
import shutil
from types import SimpleNamespace

import matplotlib
import pytest

from tests import engines
from tests.common import MAKE_INPUTS, ROOT

# 测试要读子进程的输出，里面不能夹着颜色。不设 NO_COLOR：笔记本的内核会继承它，就与读者那里的不同了。
os.environ.pop("FORCE_COLOR", None)

# 图只画在内存里。不用环境变量 MPLBACKEND：笔记本的内核会继承它，图就不会出现在输出里。
matplotlib.use("agg")


def pytest_addoption(parser):
    parser.addoption("--engines", help="只在这几种浏览器引擎里检查网站，缺一种就失败；用逗号隔开")


def pytest_configure(config):
    config.addinivalue_line("markers", "chromium_only(reason): 见 tests/engines.py")
    wanted = config.getoption("engines")
    if wanted and (problem := engines.missing(wanted)):
        raise pytest.UsageError(problem)


def pytest_generate_tests(metafunc):
    if "browser" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("chromium_only")
        values = engines.parameters(metafunc.config.getoption("engines"), mark)
        metafunc.parametrize("browser", values, indirect=True, scope="module")


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter):
    reports = terminalreporter.stats.get("skipped", [])
    skipped = [report for report in reports if engines.SKIPPED in str(report.longrepr)]
    if skipped:
        terminalreporter.write_line(engines.summary(len(skipped)), yellow=True)


@pytest.fixture(scope="module")
def browser(request):
    """一种引擎的浏览器；有几种就跑几遍，见 tests/engines.py。"""
    with engines.launched(request.param) as browser:
        yield browser


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
