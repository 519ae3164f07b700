"""计时与内存。"""

import contextlib
import functools
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

import torch

# ---------------------------------------------------------------- 计时


def alternate(variants, rounds):
    """轮流运行：A B C A B C …；机器忽快忽慢时，各种写法一起受影响，比值仍可信。

    Parameters
    ----------
    variants : dict of str to callable
    rounds : int
        轮流几遍；之前各运行一次预热，不计。

    Returns
    -------
    dict of str to dict
        每种写法的 ``seconds``，共 ``rounds`` 个；返回损失的，另有同样多的 ``loss``。
    """
    for action in variants.values():
        action()
    results = {name: {"seconds": []} for name in variants}
    for _ in range(rounds):
        for name, action in variants.items():
            start = time.perf_counter()
            loss = action()
            results[name]["seconds"].append(round(time.perf_counter() - start, 6))
            if loss is not None:
                results[name].setdefault("loss", []).append(loss)
    return results


class Stopwatch:
    """把一段时间不重不漏地分给各个部分。

    任何时刻只有一个部分在计时；进入里面的部分时，外面的暂停。``closed`` 里的部分不再细分。
    """

    def __init__(self, rest="rest", closed=()):
        self.rest, self.closed = rest, closed
        self.seconds, self.current, self.since = {}, rest, time.perf_counter()

    def reset(self):
        """从头再计；返回到此刻为止各部分的秒数。"""
        self.switch(self.rest)
        seconds, self.seconds = self.seconds, {}
        return seconds

    def switch(self, name):
        """到此刻为止的时间记在当前的部分上，之后记在 ``name`` 上。"""
        now = time.perf_counter()
        self.seconds[self.current] = self.seconds.get(self.current, 0) + now - self.since
        self.current, self.since = name, now

    def timed(self, name, function):
        """包装 ``function``：运行它的时间记在 ``name`` 上。"""

        @functools.wraps(function, updated=())
        def wrapper(*args, **kwargs):
            outer = self.current
            self.switch(outer if outer in self.closed else name)
            try:
                return function(*args, **kwargs)
            finally:
                self.switch(outer)

        return wrapper


class TimedLoader:
    """取每一批的时间记在 ``name`` 上。"""

    def __init__(self, watch, name, loader):
        self.watch, self.name, self.loader = watch, name, loader

    def __iter__(self):
        batches = iter(self.loader)
        return iter(self.watch.timed(self.name, lambda: next(batches, None)), None)


@contextlib.contextmanager
def busy(num_processes):
    """让机器忙起来：另开几个空转的进程。它们十分钟后自己结束，所以这里被强行中断也不会留下。"""
    code = "import time\nend = time.time() + 600\nwhile time.time() < end: pass"
    processes = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(num_processes)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


# ---------------------------------------------------------------- 内存与机器


def peak_memory():
    """这个进程到目前为止的内存峰值，MB；Windows 上没有 resource 模块，返回 None，即没有测。"""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)  # macOS 以字节计，Linux 以 KB 计


def cpu_model():
    cpuinfo = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*: (.+)$", cpuinfo.read_text(), re.MULTILINE) if cpuinfo.exists() else None
    return found[1] if found else platform.processor() or platform.machine()


def machine():
    """机器与软件，不含主机名与路径。"""
    import torchvision

    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__.split("+")[0],
        "torchvision": torchvision.__version__.split("+")[0],
    }
