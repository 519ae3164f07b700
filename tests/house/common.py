"""考 make.py 的几个文件共用的小零件。"""

import os
import re
import subprocess
import sys

from tests.common import CHINESE, UTF8

MAKE_INPUTS = ("requirements-book.txt", "requirements.txt", "constraints.txt", "pyproject.toml")  # make.py 读的文件


def run_make(folder, *args, **env):
    """-S：看不到装好的包，make.py 只能用标准库。"""
    return subprocess.run(
        [sys.executable, "-S", "make.py", *args],
        cwd=folder,
        env={**os.environ, **UTF8, **env},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )


def one_chinese_sentence(text):
    return text.count("\n") == 1 and text.startswith("错误：") and re.search(CHINESE, text) is not None
