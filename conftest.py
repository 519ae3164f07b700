"""全部测试共用的设置。"""

import gc
import os

import nbval.kernel
import pytest
from nbval.plugin import IPyNbCell

from tools.kernels import LocalKernelManager

# 小批量用多线程反而慢：两个测试进程各用一个线程，不互相争抢。笔记本的内核会继承这个设置。
os.environ.setdefault("OMP_NUM_THREADS", "1")
nbval.kernel.KernelManager = LocalKernelManager  # nbval 没有别的设置入口


def pytest_collection_modifyitems(items):
    """看网站的测试久，排在最前：两个进程才差不多同时结束。"""
    items.sort(key=lambda item: item.path.name not in ("test_browser.py", "test_search.py", "test_hands.py"))


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
