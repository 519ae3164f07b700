"""几个测试文件共用的小零件。"""

import os
import re
import subprocess
import sys

import nbformat
import pytest
import yaml

from tools import ROOT, UTF8  # noqa: F401  各测试由这里取

CHINESE = "[\u4e00-\u9fff]"
MAKE_INPUTS = ("requirements-book.txt", "requirements.txt", "constraints.txt", "pyproject.toml")  # make.py 读的文件


def raises_chinese(error, *words):
    """错误的类型要对，文字要是中文，并含有各个词（正则表达式，次序不限）。"""
    return pytest.raises(error, match="(?s)" + "".join(f"(?=.*{word})" for word in (CHINESE, *words)))


def read_yaml(path):
    """有 libyaml 就用它，快十倍。"""
    return yaml.load(path.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def read_notebook(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def one_blank_line(code):
    """网页上，代码里只空一行。"""
    return re.sub(r"\n{3,}", "\n\n", code.strip())


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
