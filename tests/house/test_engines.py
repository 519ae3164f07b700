"""在哪些引擎里看网站：有就用，没有就跳过并说明，写明要的缺了就失败。"""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests import conftest, engines
from tests.common import ROOT, UTF8, raises_chinese
from tools import browser

drives = pytest.mark.skipif(bool(browser.driver_problem()), reason=browser.driver_problem())


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """一台没有浏览器的机器。"""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "browsers"))
    return tmp_path


@drives
def test_every_engine_is_found(bare, monkeypatch):
    """没有时不用，装好了就用；Playwright 自己的与系统里的都算。"""
    assert browser.found.__wrapped__() == {}
    with sync_playwright() as playwright:
        programs = [Path(getattr(playwright, name).executable_path) for name in ("firefox", "webkit")]
    for program in programs:
        program.parent.mkdir(parents=True)
        program.touch()
    monkeypatch.setattr(browser.shutil, "which", {"chromium": "/usr/bin/chromium"}.get)
    assert browser.found.__wrapped__() == {"chromium": "/usr/bin/chromium", "firefox": None, "webkit": None}


def test_which_engines_run_a_test(monkeypatch):
    monkeypatch.setattr(engines, "found", lambda: {"chromium": None, "firefox": None})
    assert engines.missing("firefox") is None
    assert "没有这种引擎：safari" in engines.missing("safari") and "webkit 里检查" in engines.missing("firefox,webkit")
    mark = engines.reads_clipboard.mark
    assert engines.parameters(None, None) == ["chromium", "firefox"]
    assert engines.parameters("firefox", None) == ["firefox"]
    assert engines.parameters(None, mark) == ["chromium"]
    (skipped,) = engines.parameters("firefox", mark)  # 这种引擎做不到：跳过，原因不是没有浏览器
    assert skipped.marks[0].name == "skip" and skipped.marks[0].args == mark.args


def test_a_machine_without_browsers(bare):
    """跳过，结尾说怎样装。"""
    command = [sys.executable, "-m", "pytest", "-n0", "tests/test_browser.py", "-k", "test_arrow_keys_turn_pages"]
    result = subprocess.run(command, cwd=ROOT, env={**os.environ, **UTF8}, capture_output=True, encoding="utf-8")
    last = "\n".join(result.stdout.strip().splitlines()[-9:])
    assert result.returncode == 0 and "没有找到浏览器，跳过了 1 个" in last and "playwright install chromium" in last


def test_an_engine_that_is_wanted_and_missing(monkeypatch, pytestconfig):
    """写明要的缺了，一个测试也不跑。"""
    monkeypatch.setattr(engines, "found", dict)
    monkeypatch.setattr(pytestconfig.option, "engines", "chromium,firefox")
    with pytest.raises(pytest.UsageError, match="(?s)要求在 chromium、firefox 里检查.*playwright install chromium"):
        conftest.pytest_configure(pytestconfig)


@drives
def test_browser_that_does_not_open(monkeypatch):
    monkeypatch.setattr(engines, "found", lambda: {"chromium": sys.executable})  # 不是浏览器的程序
    with raises_chinese(pytest.fail.Exception, "打不开", "install-deps"), engines.launched("chromium"):
        pass


def test_driver_that_does_not_start(monkeypatch):
    """系统里缺库时，有浏览器也当作没有，并说缺什么：照例跳过，不是一串错误。"""
    missing = "import sys; sys.exit('node: libatomic.so.1: cannot open shared object file')"
    monkeypatch.setattr(browser, "DRIVER", [sys.executable, "-c", missing])
    monkeypatch.setattr(browser, "driver_problem", cache(browser.driver_problem.__wrapped__))
    monkeypatch.setattr(browser.shutil, "which", {"chromium": "/usr/bin/chromium"}.get)
    assert browser.found.__wrapped__() == {}
    assert "libatomic.so.1" in engines.summary(1) and "apt install libatomic1" in engines.summary(1)
