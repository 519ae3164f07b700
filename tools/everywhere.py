"""换几种环境重跑全部笔记本，输出与图都要和存下的一样：书里的数不能只在一台机器上成立。

用法：python -m tools.everywhere [种子]；种子决定打乱的次序，不给就随机取一个并打印出来。

要变的东西有九样，逐一搭配要几百次。这里搭配成四个“世界”，每个取值至少在一个世界里出现；
最可能影响数值的三样（线程数、指令集、语言）两两搭配全都出现。
"""

import json
import locale
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

from tools.refresh import ROOT, notebooks_in_toc

SCRATCH = ROOT / "_build" / "everywhere"
COPY = "副本 含空格与中文"
TIMEZONE = "<+1245>-12:45"  # 比世界时早 12 小时 45 分：日期与分钟都不同。这种写法不需要时区数据库


@dataclass(frozen=True)
class World:
    """一种环境；默认值是不改动。"""

    threads: str = "1"
    capability: str = "本机"
    language: str = "本机"
    timezone: str = "本机"
    place: str = "原处"
    cwd: str = "项目文件夹"
    network: str = "照旧"
    home: str = "可写"
    order: str = "倒序"  # 靠后的笔记本训练得久，先跑

    def __str__(self):
        return "，".join(f"{NAMES[name]} {value}" for name, value in asdict(self).items())


NAMES = {
    "threads": "线程",
    "capability": "指令集",
    "language": "语言",
    "timezone": "时区",
    "place": "位置",
    "cwd": "启动于",
    "network": "网络",
    "home": "HOME",
    "order": "次序",
}
WORLDS = [
    World("1", "default", "C", timezone=TIMEZONE, cwd="别的文件夹", order="随机"),
    World("1", "avx2", "zh_CN.UTF-8", place=COPY, home="只读"),
    World("2", "default", "zh_CN.UTF-8", network="断开", order="随机"),
    World("2", "avx2", "C", timezone=TIMEZONE, place=COPY, cwd="别的文件夹", network="断开", home="只读"),
]


# ---------------------------------------------------------------- 这台机器做得到什么


def not_possible():
    """{(哪一样, 取值): 原因}：这台机器上没法试的。"""
    import torch

    reasons = {}
    if torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"):
        reasons["capability", "avx2"] = "处理器没有 AVX2 指令"
    if os.name == "nt":
        reasons |= {("language", value): "Windows 不看环境变量 LANG" for value in ("C", "zh_CN.UTF-8")}
        reasons["timezone", TIMEZONE] = "Windows 不看环境变量 TZ"
    elif not has_chinese_locale():
        reasons["language", "zh_CN.UTF-8"] = "系统里没有这个语言，也没能用 localedef 生成"
    if not can_isolate():
        reasons["network", "断开"] = "不能用 unshare 另开网络空间"
        if os.name == "nt" or os.geteuid() == 0:
            reasons["home", "只读"] = "不能用 unshare 挂载只读的文件夹，现在的用户又不受权限位限制"
    return reasons


def has_chinese_locale():
    """系统里有中文语言，或者能在 _build 里生成一份。"""
    if shutil.which("locale"):
        listed = subprocess.run(["locale", "-a"], capture_output=True, text=True, errors="replace").stdout
        if {"zh_CN.utf8", "zh_CN.UTF-8"} & set(listed.split()):
            return True
    if not shutil.which("localedef"):
        return False
    folder = SCRATCH / "locale"
    folder.mkdir(parents=True, exist_ok=True)
    command = ["localedef", "-i", "zh_CN", "-f", "UTF-8", folder / "zh_CN.UTF-8"]
    return subprocess.run(command, capture_output=True).returncode == 0


@cache
def can_isolate():
    """Linux 的 unshare 能不能另开网络与挂载空间；容器里常常不行。"""
    probe = ["unshare", "-rnm", "mount", "-t", "tmpfs", "-o", "ro", "tmpfs", SCRATCH]
    return shutil.which("unshare") is not None and subprocess.run(probe, capture_output=True).returncode == 0


def possible(world, reasons):
    """做不到的取值换回默认的，其余照样试。"""
    values = asdict(world)
    return replace(world, **{name: getattr(World, name) for name, value in reasons if values[name] == value})


# ---------------------------------------------------------------- 一个世界


def run(world, seed):
    """在这个世界里跑全部笔记本，返回 (退出码, 输出)。"""
    root = copy_tree() if world.place == COPY else ROOT
    cwd = SCRATCH / "elsewhere" if world.cwd != World.cwd else root
    cwd.mkdir(exist_ok=True)
    notebooks = [root / path.relative_to(ROOT) for path in reversed(notebooks_in_toc())]
    if world.order == "随机":
        random.Random(seed).shuffle(notebooks)
    checked = ["-m", "tools.everywhere", "--check", json.dumps(asdict(world))]
    pytest = ["-m", "pytest", "-q", "-c", root / "pyproject.toml", "--rootdir", root, *notebooks]
    for arguments in (checked, pytest):
        command = wrapped(world, [sys.executable, *map(str, arguments)])
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        done = subprocess.run(command, cwd=cwd, env=environment(world, root), **pipes)
        if done.returncode:
            break
    return done.returncode, done.stdout.decode("utf-8", errors="replace")


def copy_tree():
    """把项目抄到一个名字带空格与中文的文件夹。解包后的数据不抄：顺便试两个进程同时解包。"""
    skipped = shutil.ignore_patterns(".venv", ".git", "_build", "__pycache__", "*-ubyte")
    shutil.rmtree(SCRATCH / COPY, ignore_errors=True)
    return shutil.copytree(ROOT, SCRATCH / COPY, ignore=skipped)


def environment(world, root):
    """这个世界的环境变量。"""
    dropped = ("LC_", "LANG", "PYTHONUTF8") if os.name != "nt" else ()  # Windows 离不开 UTF-8 模式
    env = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    # 两个进程各开两个线程时，等待的让出处理器，不互相空转
    env |= {"OMP_NUM_THREADS": world.threads, "OMP_WAIT_POLICY": "passive", "PYTHONPATH": str(root)}
    env["FRESH_KERNELS"] = "1"  # 与读者一样从头启动内核，见 tools/forked.py
    if world.capability != World.capability:
        env["ATEN_CPU_CAPABILITY"] = world.capability
    if world.language != World.language:
        env |= {"LANG": world.language, "LC_ALL": world.language}
        if (SCRATCH / "locale").is_dir():
            env["LOCPATH"] = str(SCRATCH / "locale")
    if world.timezone != World.timezone:
        env["TZ"] = world.timezone
    if world.home != World.home:
        home = SCRATCH / "home"
        home.mkdir(mode=0o555, exist_ok=True)
        env["HOME"] = str(home)
    return env


def wrapped(world, command):
    """断网、HOME 只读，都在另开的网络与挂载空间里做到：root 不受权限位限制，只读要靠挂载。"""
    offline, read_only = world.network != World.network, world.home != World.home
    if not (offline or read_only) or not can_isolate():
        return command
    mount = 'mount -t tmpfs -o ro tmpfs "$HOME" && ' * read_only
    return ["unshare", "-r" + "n" * offline + "m" * read_only, "sh", "-c", f'{mount}exec "$@"', "sh", *command]


def check(world):
    """在世界里面运行：环境确是所说的那样，否则这一遍等于没试。返回不符之处。"""
    import torch

    import helpers

    facts = {
        "threads": str(torch.get_num_threads()) == world.threads,
        "capability": world.capability in (World.capability, torch.backends.cpu.get_cpu_capability().lower()),
        "language": world.language == World.language or locale.setlocale(locale.LC_ALL, "") == world.language,
        "timezone": world.timezone == World.timezone or time.timezone == -(12 * 60 + 45) * 60,
        "place": (COPY in helpers.__file__) == (world.place == COPY),
        "cwd": (Path.cwd().name == "elsewhere") == (world.cwd != World.cwd),
        "network": world.network == World.network or {name for _, name in socket.if_nameindex()} <= {"lo"},
        "home": world.home == World.home or not os.access(Path.home(), os.W_OK),
    }
    return [f"{NAMES[name]} 不是 {getattr(world, name)}" for name, right in facts.items() if not right]


# ---------------------------------------------------------------- 命令行


def main(seed):
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True, exist_ok=True)
    reasons = not_possible()
    print(f"在 {len(WORLDS)} 个世界里重跑全部笔记本，随机次序的种子是 {seed}。", flush=True)
    rows, failed = [], False
    for number, world in enumerate((possible(world, reasons) for world in WORLDS), start=1):
        start = time.perf_counter()
        status, output = run(world, seed)
        failed |= status != 0
        rows.append(f"{number}  {'失败' if status else '通过'}  {time.perf_counter() - start:4.0f}  {world}")
        print(f"{output}\n世界 {number} 失败，退出码 {status}。" if status else f"世界 {number} 通过。", flush=True)
    print("\n世界 结果  秒  环境", *rows, sep="\n")
    for (name, value), reason in reasons.items():
        print(f"没有试：{NAMES[name]} {value}（{reason}）")
    return int(failed)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--check"]:
        sys.exit("；".join(check(World(**json.loads(sys.argv[2])))) or 0)
    if not all(argument.isdecimal() for argument in sys.argv[1:]):
        sys.exit(f"种子要是不小于 0 的整数；收到 {' '.join(sys.argv[1:])}。")
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else random.randrange(10**6)))
