"""依赖的两端：照 requirements.txt 装一套最旧的或最新的，在里面重跑全部笔记本，比对文字的输出。

用法：python3 -m tools.bounds oldest（用 Python 3.11：更新的上面，旧的包没有安装文件）
或 python3 -m tools.bounds newest（不看 constraints.txt）。
环境约 6 GB，在 _build 里，跑完删去。没有写下限的间接依赖取最新的。图不比对：别的版本的 matplotlib 画得出同样的内容，
像素却不同。只用标准库。
"""

import os
import re
import shutil
import subprocess
import sys
import venv

from tools import ROOT, UTF8

FOLDER = ROOT / "_build" / "bounds"


def pinned(requirements):
    """每个 ``名字>=下限`` 换成 ``名字==下限``，其余的行不动。"""
    return re.sub(r"^([\w.-]+)>=([\w.]+)\S*", r"\1==\2", requirements, flags=re.MULTILINE)


def main(end):
    if end == "oldest" and sys.version_info[:2] != (3, 11):
        sys.exit(f"下限要用 Python 3.11 试；现在运行的是 {sys.version.split()[0]}。")
    shutil.rmtree(FOLDER, ignore_errors=True)
    try:
        return install_and_run(pinned if end == "oldest" else str)
    finally:
        shutil.rmtree(FOLDER)


def install_and_run(change):
    """清单由 change 改写之后装上。返回第一个失败的退出码，都成功就是 0。"""
    venv.create(FOLDER / "venv", with_pip=True)
    for path in ROOT.glob("requirements*.txt"):
        (FOLDER / path.name).write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    python = FOLDER / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    env = {**os.environ, **UTF8, "OMP_NUM_THREADS": "1"}  # 小批量用多线程反而慢
    install = ["pip", "install", "-r", FOLDER / "requirements.txt"]
    test = ["pytest", "--noconftest", "chapters"]  # 只用 nbval 自己的比对，它不看图
    statuses = (subprocess.run([python, "-m", *command], cwd=ROOT, env=env).returncode for command in (install, test))
    return next(filter(None, statuses), 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
