"""在 Chromium 里看做出的文件；没有 Chromium 就算失败：没有它也做不出 PDF。"""

import pytest
from playwright.sync_api import sync_playwright

from tools import ROOT
from tools.browser import CHROMIUM_OPTIONS, HOW_TO_INSTALL, found

DIST = ROOT / "_build" / "dist"


@pytest.fixture(scope="session")
def dist():
    if not (DIST / "SHA256SUMS").is_file():
        pytest.fail("还没有做好的文件。请先运行 python3 make.py dist。", pytrace=False)
    return DIST


@pytest.fixture(scope="module")
def chromium():
    if "chromium" not in found():
        pytest.fail(f"没有 Chromium。装上再运行：\n{HOW_TO_INSTALL}", pytrace=False)
    with sync_playwright() as playwright:
        # 本机上的 https 用的是自己签的证书
        options = CHROMIUM_OPTIONS | {"args": [*CHROMIUM_OPTIONS["args"], "--ignore-certificate-errors"]}
        browser = playwright.chromium.launch(executable_path=found()["chromium"], **options)
        yield browser
        browser.close()
