"""单元测试的设置。"""

import matplotlib

# 图只画在内存里。不用环境变量 MPLBACKEND：笔记本的内核会继承它，图就不会出现在输出里。
matplotlib.use("agg")
