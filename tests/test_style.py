"""代码的写法与排版：与提交前的检查（.pre-commit-config.yaml）是同样的命令。笔记本的设置在 chapters/ruff.toml。"""

import subprocess
import sys

import pytest

from tests.common import ROOT


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff(command):
    result = subprocess.run([sys.executable, "-m", "ruff", *command, "."], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
