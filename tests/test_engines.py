"""在哪些引擎里看网站：有就用，没有就跳过并说明，写明要的缺了就失败。"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests import engines
from tests.common import ROOT, raises_chinese
from tools import browser


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """一台没有浏览器的机器。"""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "browsers"))
    return tmp_path


def test_every_engine_is_found(bare, monkeypatch):
    """没有时不用，装好了就用；Playwright 自己的与系统里的都算。"""
    assert engines.found.__wrapped__() == {}
    with sync_playwright() as playwright:
        programs = [Path(getattr(playwright, name).executable_path) for name in ("firefox", "webkit")]
    for program in programs:
        program.parent.mkdir(parents=True)
        program.touch()
    monkeypatch.setattr(browser.shutil, "which", {"chromium": "/usr/bin/chromium"}.get)
    assert engines.found.__wrapped__() == {"chromium": "/usr/bin/chromium", "firefox": None, "webkit": None}


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


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        ([], 0, "没有找到浏览器，跳过了 1 个"),
        (["--engines=chromium,firefox"], 4, "要求在 chromium、firefox 里检查"),
    ],
    ids=["跳过", "缺了就失败"],
)
def test_a_machine_without_browsers(bare, options, status, words):
    command = [sys.executable, "-m", "pytest", "-n0", "tests/test_browser.py", "-k", "test_icons_are_drawn", *options]
    env = {**os.environ, "PYTHONUTF8": "1"}
    result = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, encoding="utf-8", timeout=120)
    last = (result.stdout + result.stderr).strip().splitlines()[-6:]
    assert result.returncode == status and words in "\n".join(last)
    assert any("playwright install chromium" in line for line in last)


def test_browser_that_does_not_open(monkeypatch):
    monkeypatch.setattr(engines, "found", lambda: {"chromium": sys.executable})  # 不是浏览器的程序
    with raises_chinese(pytest.fail.Exception, "打不开", "install-deps"), engines.launched("chromium"):
        pass
