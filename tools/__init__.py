"""维护本书用的程序。"""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SKELETON = ["学习目标", "小结", "练习"]  # 正文各节都有的小节，依此次序
