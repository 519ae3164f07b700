"""换几种环境重跑全部笔记本，输出与图都要和存下的一样：书里的数不能只在一台机器上成立。

最可能影响数值的三样（线程数、指令集、语言）两两搭配都出现；断网与只读的 HOME 要靠 Linux 的 unshare，没有就照常。
每一遍先打印在里面看到的环境：这台机器上做不到的，从那一行就看得出来。
"""

import os
import shutil
import subprocess
import sys

import torch

from tools import ROOT
from tools.refresh import notebooks_in_toc

SCRATCH = ROOT / "_build" / "everywhere"
COPY = SCRATCH / "副本 含空格与中文"
ELSEWHERE = SCRATCH / "别处"
HOME = SCRATCH / "只读的 HOME"
LOCALES = SCRATCH / "locale"  # 系统里可能没有中文的语言，在这里生成一份
FAR = "<+1245>-12:45"  # 比世界时早 12 小时 45 分：日期与分钟都不同；这种写法不需要时区数据库
# 线程数、指令集、语言、时区、书在哪里、从哪里启动，再加可选的几样
RUNS = [
    ("1", "default", "C", FAR, ROOT, ELSEWHERE),
    ("1", "avx2", "zh_CN.UTF-8", "UTC", COPY, COPY, "HOME 只读"),
    ("2", "default", "zh_CN.UTF-8", "UTC", ROOT, ROOT, "断网"),
    ("2", "avx2", "C", FAR, COPY, ELSEWHERE, "断网", "HOME 只读"),
]
LOOK_AROUND = """
import locale, os, socket, time, torch, helpers
from pathlib import Path
try:
    language = locale.setlocale(locale.LC_ALL, "")
except locale.Error:
    language = "没有这种语言"
print(torch.get_num_threads(), "个线程，指令集", torch.backends.cpu.get_cpu_capability(), "，语言", language)
print("比世界时早", -time.timezone / 3600, "小时，书在", Path(helpers.__file__).parents[1], "，启动于", Path.cwd())
print("网络", socket.if_nameindex(), "，HOME 可写" if os.access(Path.home(), os.W_OK) else "，HOME 只读", flush=True)
"""


def environment(threads, capability, language, timezone, root, options):
    """这一遍的环境变量。"""
    dropped = ("LC_", "LANG", "PYTHONUTF8") if os.name != "nt" else ()  # Windows 离不开 UTF-8 模式
    env = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    # 两个进程各开两个线程时，等待的让出处理器，不互相空转
    env |= {"OMP_NUM_THREADS": threads, "OMP_WAIT_POLICY": "passive", "PYTHONPATH": str(root)}
    env |= {"LC_ALL": language, "TZ": timezone}
    if capability == "default" or "AVX" in torch.backends.cpu.get_cpu_capability():  # 没有的指令集，torch 也照用
        env["ATEN_CPU_CAPABILITY"] = capability
    env |= {"HOME": str(HOME)} if "HOME 只读" in options else {}
    return env | ({"LOCPATH": str(LOCALES)} if any(LOCALES.iterdir()) else {})


def isolated(options):
    """断网、只读都在另开的网络与挂载空间里做到：root 不受权限位限制，只读要靠挂载。"""
    probe = ["unshare", "-rnm", "mount", "-t", "tmpfs", "-o", "ro", "tmpfs", SCRATCH]
    if not options or not shutil.which("unshare") or subprocess.run(probe, capture_output=True).returncode:
        return []
    offline, mount = "断网" in options, 'mount -t tmpfs -o ro tmpfs "$HOME" && ' * ("HOME 只读" in options)
    return ["unshare", "-rm" + "n" * offline, "sh", "-c", f'{mount}exec "$@"', "sh"]


def run(threads, capability, language, timezone, root, cwd, *options):
    """在这种环境里跑全部笔记本，返回退出码。"""
    env = environment(threads, capability, language, timezone, root, options)
    notebooks = [root / path.relative_to(ROOT) for path in reversed(notebooks_in_toc())]  # 靠后的久，先跑
    pytest = ["-m", "pytest", "-q", "-c", root / "pyproject.toml", "--rootdir", root, *notebooks]
    for arguments in (["-c", LOOK_AROUND], pytest):
        status = subprocess.run([*isolated(options), sys.executable, *arguments], cwd=cwd, env=env).returncode
    return status


def main():
    shutil.rmtree(SCRATCH, ignore_errors=True)
    for folder in (ELSEWHERE, HOME, LOCALES):
        folder.mkdir(parents=True)
    HOME.chmod(0o555)
    if shutil.which("localedef"):
        subprocess.run(["localedef", "-i", "zh_CN", "-f", "UTF-8", LOCALES / "zh_CN.UTF-8"])
    # 解包后的数据不抄：顺便试两个进程同时解包
    skipped = shutil.ignore_patterns(".venv", ".git", "_build", "mutants", "__pycache__", "*-ubyte")
    shutil.copytree(ROOT, COPY, ignore=skipped)
    failed = [number for number, arguments in enumerate(RUNS, start=1) if run(*arguments)]
    sys.exit(f"{len(RUNS)} 遍里，没有通过的是第 {failed} 遍。" if failed else 0)


if __name__ == "__main__":
    main()
