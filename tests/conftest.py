"""单元测试与网站测试共用的设置。"""

import os

import matplotlib
import pytest

from tests import engines

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
