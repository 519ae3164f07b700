"""在哪些浏览器引擎里看网站：机器上有哪几种，就在哪几种里跑；一种也没有，要用浏览器的测试就跳过，结尾说明。

``--engines=chromium,firefox`` 只在写明的几种里跑，缺一种就立即失败；CI 用它，跳过才不会没人发现。
"""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from platformdirs import user_cache_dir
from playwright.sync_api import Error, sync_playwright

ENGINES = ("chromium", "firefox", "webkit")
# 系统里的 Chromium，有不带界面的就用它，省一半时间。Firefox 与 WebKit 只能用 Playwright 自己的版本。
SYSTEM_CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM_OPTIONS = {"args": ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]}
PLAYWRIGHT = r".venv\Scripts\playwright" if os.name == "nt" else ".venv/bin/playwright"
HOW_TO_INSTALL = "\n".join(
    f"  {command:44}{note}"
    for command, note in {
        f"{PLAYWRIGHT} install chromium": "哪种系统都行；把 chromium 换成 firefox、webkit，就多在一种里检查",
        f"{PLAYWRIGHT} install-deps": "Linux 上缺系统库、浏览器打不开时，再运行这一条",
        "apt install chromium-headless-shell": "Debian 上也可以用这一条；Ubuntu 的 chromium 是 snap，请用第一条",
    }.items()
)
SKIPPED = "没有找到浏览器"
DRIVER = [sys.executable, "-m", "playwright", "--version"]  # 运行 Playwright 自带的 node

# 只在 Chromium 里跑的测试，原因都在这里；用作装饰器。其余的哪种引擎都要通过。
reads_clipboard = pytest.mark.chromium_only("别的引擎不许程序读剪贴板")
measures_shifts = pytest.mark.chromium_only("只有 Chromium 报告版面移动")
sees_file_requests = pytest.mark.chromium_only("从 file:// 打开时，Firefox 不报告请求，也不能拦下")
moves_a_finger = pytest.mark.chromium_only("只有 Chromium 能模拟手指在屏幕上拖")


@cache
def driver_problem():
    """Playwright 自带的程序打不开的原因：系统里缺库时，有浏览器也驱动不了。打得开就是空的。"""
    result = subprocess.run(DRIVER, capture_output=True, encoding="utf-8", errors="replace")
    if not result.returncode:
        return ""
    return (
        f"Playwright 自带的程序打不开：{result.stderr.strip()}\n"
        "  先补上它缺的库，例如缺 libatomic.so.1 时 apt install libatomic1\n"
    )


def how_to_install():
    return driver_problem() + HOW_TO_INSTALL


def downloaded():
    """playwright install 装好了哪几种。问 Playwright 要半秒；放它们的文件夹不在，就不必问。"""
    folder = Path(user_cache_dir("ms-playwright", appauthor=False, opinion=False))
    if "PLAYWRIGHT_BROWSERS_PATH" not in os.environ and not folder.is_dir() or driver_problem():
        return []
    with sync_playwright() as playwright:
        return [name for name in ENGINES if Path(getattr(playwright, name).executable_path).exists()]


@cache
def found():
    """{引擎: 程序的路径}；用 Playwright 自己的就是 None。"""
    system = next(filter(None, map(shutil.which, SYSTEM_CHROMIUM)), None)
    paths = dict.fromkeys(downloaded()) | ({"chromium": system} if system and not driver_problem() else {})
    return {name: paths[name] for name in ENGINES if name in paths}


def missing(wanted):
    """``--engines`` 有什么不对，一段话；都在就是 None。"""
    names = wanted.split(",")
    if unknown := [name for name in names if name not in ENGINES]:
        return f"--engines 里没有这种引擎：{'、'.join(unknown)}。可以写 {'、'.join(ENGINES)}，用逗号隔开。"
    if absent := [name for name in names if name not in found()]:
        return f"--engines 要求在 {'、'.join(absent)} 里检查网站，这台机器上没有。装上再运行：\n{how_to_install()}"
    return None


def parameters(wanted, mark):
    """一个测试要在哪几种引擎里跑：fixture ``browser`` 的参数。mark 是上面三种之一，或者 None。"""
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
            pytest.fail(f"{name}（{path}）打不开：{error.message}\n换一个，或者补上它缺的：\n{HOW_TO_INSTALL}", False)
        yield browser
        browser.close()
