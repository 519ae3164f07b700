"""依次运行各项比较，全部跑完才写 results.json。

每一项在自己的进程里：内存的峰值互不相干，线程数也只影响它自己。这个进程不导入 torch，
因为 Linux 上子进程的内存峰值从父进程的大小算起。
"""

import json
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

from tools import ROOT

RESULTS = Path(__file__).with_name("results.json")
PAGE = "chapters/performance.ipynb"


def run(*part, num_threads="1"):
    """在新的进程里运行一项，返回它打印的 JSON；``num_threads`` 为 None 时用 torch 的默认线程数。"""
    print(f"正在测 {' '.join(part)}", flush=True)
    env = {**os.environ, "OMP_NUM_THREADS": num_threads}
    if num_threads is None:
        del env["OMP_NUM_THREADS"]
    command = [sys.executable, "-m", "benchmarks.parts", *part]
    result = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, encoding="utf-8")
    if result.returncode:
        sys.exit(f"“{' '.join(part)}”没有跑完，见上面的报错；{RESULTS.name} 没有改动。")
    return json.loads(result.stdout)


def main():
    results = {
        "date": date.today().isoformat(),
        "machine": run("machine"),
        "once": {name: run("once", name) for name in run("names")},
        "softmax": run("softmax"),
        "breakdown": run("breakdown"),
        "linear": run("linear"),
        "threads": {load: run("threads", load, num_threads=None) for load in ("quiet", "busy")},
    }
    text = json.dumps(results, indent=1)
    text = re.sub(r"\[[^][{}]*\]", lambda numbers: " ".join(numbers[0].split()), text)  # 一列数写在一行里
    RESULTS.write_text(text + "\n", encoding="utf-8")
    print(f"结果已写进 {RESULTS.relative_to(ROOT)}。再运行 python3 make.py refresh {PAGE}，更新书里的那一页。")


if __name__ == "__main__":
    main()
