"""机器上有哪些浏览器引擎，没有时怎样装；做 PDF（tools/dist）与检查网站（tests/engines.py）都问这里。"""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from platformdirs import user_cache_dir
from playwright.sync_api import sync_playwright

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
DRIVER = [sys.executable, "-m", "playwright", "--version"]  # 运行 Playwright 自带的 node


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
