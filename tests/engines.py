"""在哪些浏览器引擎里看网站：机器上有哪几种，就在哪几种里跑；一种也没有，要用浏览器的测试就跳过，结尾说明。

``--engines=chromium,firefox`` 只在写明的几种里跑，缺一种就立即失败；CI 用它，跳过才不会没人发现。
"""

from contextlib import contextmanager

import pytest
from playwright.sync_api import Error, sync_playwright

from tools.browser import CHROMIUM_OPTIONS, ENGINES, found, how_to_install

SKIPPED = "没有找到浏览器"

# 只在 Chromium 里跑的测试，原因都在这里；用作装饰器。其余的哪种引擎都要通过。
reads_clipboard = pytest.mark.chromium_only("别的引擎不许程序读剪贴板")
measures_shifts = pytest.mark.chromium_only("只有 Chromium 报告版面移动")
sees_file_requests = pytest.mark.chromium_only("从 file:// 打开时，Firefox 不报告请求，也不能拦下")
counts_layout = pytest.mark.chromium_only("只有 Chromium 报告排了多少东西")
moves_a_finger = pytest.mark.chromium_only("只有 Chromium 能模拟手指在屏幕上拖")


def missing(wanted):
    """``--engines`` 有什么不对，一段话；都在就是 None。"""
    names = wanted.split(",")
    if unknown := [name for name in names if name not in ENGINES]:
        return f"--engines 里没有这种引擎：{'、'.join(unknown)}。可以写 {'、'.join(ENGINES)}，用逗号隔开。"
    if absent := [name for name in names if name not in found()]:
        return f"--engines 要求在 {'、'.join(absent)} 里检查网站，这台机器上没有。装上再运行：\n{how_to_install()}"
    return None


def parameters(wanted, mark):
    """一个测试要在哪几种引擎里跑：fixture ``browser`` 的参数。mark 是上面几种之一，或者 None。"""
    names = wanted.split(",") if wanted else list(found())
    possible = [name for name in names if name == "chromium" or not mark]
    return possible or [pytest.param(None, id="none", marks=pytest.mark.skip(mark.args[0] if names else SKIPPED))]


def summary(skipped):
    """跳过了要用浏览器的测试时，结尾的几行。"""
    return f"{SKIPPED}，跳过了 {skipped} 个在浏览器里检查网站的测试。装一种再运行，就都会检查：\n{how_to_install()}"


@contextmanager
def launched(name):
    options = CHROMIUM_OPTIONS if name == "chromium" else {}
    with sync_playwright() as playwright:
        try:
            browser = getattr(playwright, name).launch(executable_path=found()[name], **options)
        except Error as error:
            path = found()[name] or "Playwright 装的"
            pytest.fail(f"{name}（{path}）打不开：{error.message}\n换一个，或者补上它缺的：\n{how_to_install()}", False)
        yield browser
        browser.close()
