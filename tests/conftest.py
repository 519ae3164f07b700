"""单元测试与网站测试共用的设置。"""

import os
import shutil

import matplotlib
import pytest

# 图只画在内存里。不用环境变量 MPLBACKEND：笔记本的内核会继承它，图就不会出现在输出里。
matplotlib.use("agg")


@pytest.fixture(scope="module")
def browser():
    """系统里的 Chromium。读者的机器上没有就跳过；CI 里必须有（.ci/run 会装）。"""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        stop = pytest.fail if os.environ.get("CI") else pytest.skip
        stop("没有找到 Chromium：请先安装（Debian 与 Ubuntu 上是 apt install chromium）。")
    with sync_playwright() as playwright:
        args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=chromium, args=args)
        yield browser
        browser.close()
