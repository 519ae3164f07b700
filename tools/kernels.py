"""重跑笔记本的内核（nbval 与 tools/refresh.py）：通信方式与设置。

通信走 Unix 套接字，而不是 127.0.0.1 上的端口：断网时，连回环接口都没有也能跑；也不会与别的程序抢端口。
Windows 没有这种套接字，保持原样。
"""

import atexit
import os
import tempfile
from pathlib import Path
from uuid import uuid4

from jupyter_client.manager import KernelManager
from traitlets import default

from tools import ROOT

# 不看个人文件夹里的 matplotlibrc 与 IPython 设置：输出只由书决定；个人文件夹不能写时也照样能跑。内核会继承。
SETTINGS = ROOT / "_build" / "settings"
os.environ |= {"MPLCONFIGDIR": str(SETTINGS / "matplotlib"), "IPYTHONDIR": str(SETTINGS / "ipython")}
# 先建好字体的缓存：在内核里建，慢的机器上会往 stderr 写一句话，输出就不同了。
import matplotlib.font_manager  # noqa: E402, F401

# 套接字的路径最长约 100 个字符，所以放在系统的临时文件夹里；进程结束时删去。
SOCKETS = tempfile.TemporaryDirectory(prefix="kernels-")
atexit.register(SOCKETS.cleanup)


class LocalKernelManager(KernelManager):
    @default("transport")
    def _transport(self):
        return "tcp" if os.name == "nt" else "ipc"

    @default("ip")
    def _ip(self):
        """每个内核一个套接字，用绝对路径：内核的工作目录是笔记本的文件夹，与这里的不同。"""
        return "127.0.0.1" if os.name == "nt" else str(Path(SOCKETS.name, uuid4().hex[:8]))
