"""全部测试共用的设置。"""

import gc
import math
import os
from queue import Empty

import nbval.kernel
import nbval.plugin
import pytest
from nbval.plugin import IPyNbCell

from tools.kernels import LocalKernelManager

# 小批量用多线程反而慢：两个测试进程各用一个线程，不互相争抢。笔记本的内核会继承这个设置。
os.environ.setdefault("OMP_NUM_THREADS", "1")


class WatchedKernel(nbval.kernel.RunningKernel):
    def get_message(self, stream, timeout=None):
        """一秒看一次内核还在不在；nbval 要等到一格的时限（五分钟），还说是超时。"""
        for _ in range(math.ceil(timeout)):
            try:
                return super().get_message(stream, timeout=1)
            except Empty:
                if not self.is_alive():
                    raise RuntimeError("内核死了：这一格让 Python 意外退出，或者内存不够。") from None
        raise Empty


nbval.kernel.KernelManager, nbval.plugin.RunningKernel = LocalKernelManager, WatchedKernel  # nbval 没有别的设置入口


LONGEST = ("test_hands.py", "test_browser.py", "scratch.ipynb", "deep.ipynb", "test_lab.py", "test_ext.py")


def pytest_collection_modifyitems(items):
    """最久的几个文件排在最前：两个进程才差不多同时结束。"""
    items.sort(key=lambda item: (*LONGEST, item.path.name).index(item.path.name))


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """收集测试时导入的上百万个对象都不是垃圾，不必一遍遍地查。"""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """nbval 比对完一格的文字，接着比对它的图。"""
    yield
    if isinstance(item, IPyNbCell):
        from tests import figure_checks

        figure_checks.compare(item)
