"""维护本书用的程序。"""

from pathlib import Path

UTF8 = {"PYTHONUTF8": "1"}  # 子进程的环境变量：Windows 的默认编码读不了中文的配置与笔记本
ROOT = Path(__file__).resolve().parent.parent
SKELETON = ["学习目标", "小结", "练习"]  # 正文各节都有的小节，依此次序
