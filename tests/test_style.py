"""代码的写法与排版：与提交前的检查（.pre-commit-config.yaml）是同样的命令。"""

import subprocess
import sys

import pytest

from tests.common import ROOT

# 笔记本的代码排成 84 列，网页上才不用横向滚动
NOTEBOOKS = ["--config", "line-length=84", "--config", "extend-exclude=[]", "chapters"]


@pytest.mark.parametrize("command", [["check", "."], ["format", "--check", "."], ["format", "--check", *NOTEBOOKS]])
def test_ruff(command):
    result = subprocess.run([sys.executable, "-m", "ruff", *command], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
