"""全部测试共用的设置。"""

import os

# 小批量用多线程反而慢：两个测试进程各用一个线程，不互相争抢。笔记本的内核会继承这个设置。
os.environ.setdefault("OMP_NUM_THREADS", "1")
# 跑测试时图只画在内存里
os.environ.setdefault("MPLBACKEND", "agg")
