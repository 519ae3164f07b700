"""由已经导入好 torch 的进程分身出内核：每个内核省下几秒的导入。

只在 Linux 上用：macOS 的系统库不许分身之后接着用，Windows 没有分身。别处与设了 FRESH_KERNELS=1 时，内核照旧从头启动。
分身的内核里，笔记本忘了导入的子模块也可能已经在；所以 tools/everywhere.py 总是从头启动，两种都试到。

这个文件既是模块，也是分身的来源：pytest 的主进程用 ``start`` 启动它，各测试进程经套接字请它分身。
"""

import atexit
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from functools import cache
from importlib.metadata import EntryPoint
from pathlib import Path

from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

POSSIBLE = sys.platform == "linux" and os.environ.get("FRESH_KERNELS") != "1"
ADDRESS = "KERNEL_FORK_ADDRESS"  # 套接字的路径；测试进程由环境变量得知
START_KERNEL = """
import os
from ipykernel.kernelapp import launch_new_instance
launch_new_instance(argv={}, parent_handle=os.getppid())  # 来源没了，内核就自己结束
"""
# 各本笔记本都要的；导入它们不启动线程，分身之后与重新导入没有两样
PRELOADED = [
    *("torch", "torchvision", "matplotlib.pyplot", "matplotlib.backends.backend_agg", "myst_nb.ext.glue"),
    *("ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell"),
]


# ---------------------------------------------------------------- 分身的来源


def start():
    """启动来源；它随本进程结束。第一次有人要分身时它才导入，不跑笔记本时几乎不费什么。"""
    folder = tempfile.TemporaryDirectory(prefix="forked-")
    os.environ[ADDRESS] = str(Path(folder.name, "address"))
    with socket.socket(socket.AF_UNIX) as listener:  # 在这里就听着，来源还没启动好也连得上
        listener.bind(os.environ[ADDRESS])
        listener.listen()
        command = [sys.executable, __file__, str(listener.fileno())]
        server = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[listener.fileno()])
    atexit.register(lambda: (server.kill(), server.communicate(), folder.cleanup()))


def serve(listener):
    """每次连接要一个分身：收到要运行的代码，回答分身的进程号。"""
    del sys.path[0]  # 这个文件所在的文件夹；从头启动的内核里没有
    while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:  # stdin 关了：启动它的进程结束了
        connection, _ = listener.accept()
        request = json.loads(connection.makefile().readline())
        preload()
        pid = os.fork()
        if pid == 0:
            run(**request)
        connection.sendall(f"{pid}\n".encode())
        connection.close()  # 分身里的那一份还开着，直到它结束


@cache
def preload():
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # 内核也这样设；matplotlib 导入时就读
    gc.disable()
    for name in PRELOADED:
        importlib.import_module(name)
    gc.freeze()  # 分身里的垃圾回收不必再走遍它们
    gc.enable()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # 结束了的分身由系统收走；导入时可能要等子进程，所以在导入之后


def run(code, cwd, env):
    """在分身里：换成要求的文件夹与环境，再运行代码。不返回。"""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()  # 与从头启动的内核一样自成一组：发给内核的信号也到它的子进程
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(env)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nothing, stream)
        exec(code, {"__name__": "__main__"})
    finally:
        os._exit(0)


# ---------------------------------------------------------------- 测试进程


class Forked:
    """一个分身，方法与 subprocess.Popen 的相同。它结束时连接断开；退出码无从得知，都当作 0。"""

    stdin = stdout = stderr = None

    def __init__(self, code, cwd, env):
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.connect(os.environ[ADDRESS])
        self.connection.sendall(json.dumps({"code": code, "cwd": str(cwd), "env": env}).encode() + b"\n")
        self.pid = int(self.connection.makefile().readline())

    def poll(self):
        return 0 if select.select([self.connection], [], [], 0)[0] else None

    def wait(self):
        self.connection.recv(1)
        self.connection.close()
        return 0

    def send_signal(self, signum):
        os.kill(self.pid, signum)


class ForkedProvisioner(LocalProvisioner):
    """把启动一个新的解释器换成分身。"""

    async def launch_kernel(self, cmd, **kwargs):
        arguments = cmd[cmd.index("ipykernel_launcher") + 1 :]  # python -m ipykernel_launcher -f 连接文件
        self.cwd = kwargs["cwd"]
        self.process = Forked(START_KERNEL.format(arguments), self.cwd, kwargs["env"])
        self.pid = self.pgid = self.process.pid
        return self.connection_info


def use():
    """此后这个进程里启动的内核都是分身。"""
    factory = KernelProvisionerFactory.instance()
    name = "forked"
    factory.provisioners[name] = EntryPoint(name, f"{__name__}:{ForkedProvisioner.__name__}", factory.GROUP_NAME)
    factory.default_provisioner_name = name


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
