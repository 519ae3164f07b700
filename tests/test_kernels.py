"""分身的内核与从头启动的没有两样，只是 torch 已经在内存里。"""

import ast
import json

import pytest
from jupyter_client.provisioning import KernelProvisionerFactory

from tools import forked
from tools.kernels import LocalKernelManager

pytestmark = pytest.mark.skipif(not forked.POSSIBLE, reason="只有 Linux 能分身；FRESH_KERNELS=1 时不分身")

LOOK_AROUND = """
import json, os, signal, subprocess, sys, threading
import matplotlib.pyplot
json.dumps({
    "sys.path": sys.path,
    "cwd": os.getcwd(),
    "env": {name: value for name, value in os.environ.items() if name != "JPY_PARENT_PID"},
    "group": os.getpgid(0) == os.getpid(),
    "main": __name__ in sys.modules and sys.modules[__name__].__dict__ is globals(),
    "backend": matplotlib.get_backend(),
    "settings": {name: str(value) for name, value in matplotlib.rcParams.items()},
    "interactive": matplotlib.is_interactive(),
    "threads": sorted(thread.name.rstrip("0123456789") for thread in threading.enumerate()),
    "child": subprocess.run([sys.executable, "-c", "exit(3)"]).returncode,
    "signals": [str(signal.getsignal(each)) for each in (signal.SIGCHLD, signal.SIGTERM)],
    "files": len(os.listdir("/proc/self/fd")) < 100,
})
"""


def ask(kernel, code):
    """在内核里运行，返回最后一个表达式的值。"""
    client = kernel.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        reply = client.execute_interactive(
            code, user_expressions={"value": "_"}, timeout=60, output_hook=lambda _: None
        )
        assert reply["content"]["status"] == "ok", reply["content"]
        return ast.literal_eval(reply["content"]["user_expressions"]["value"]["data"]["text/plain"])
    finally:
        client.stop_channels()


def look_around(provisioner, monkeypatch, folder):
    monkeypatch.setattr(KernelProvisionerFactory.instance(), "default_provisioner_name", provisioner)
    kernel = LocalKernelManager()
    kernel.start_kernel(cwd=folder)
    try:
        return json.loads(ask(kernel, LOOK_AROUND))
    finally:
        kernel.shutdown_kernel(now=True)
        assert not kernel.is_alive()


def test_forked_kernels_are_like_fresh_ones(monkeypatch, tmp_path):
    fork, fresh = (look_around(name, monkeypatch, tmp_path) for name in ("forked", "local-provisioner"))
    assert fork == fresh
