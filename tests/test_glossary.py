"""打卡清单与仓库里的其他中文文件。术语表的定律在 test_laws_site.py。"""

import autocorrect_py
import pytest

from tests.common import ROOT

# 两个打卡任务的各项
CHECKLIST = """
模型 数据集 均方误差 随机梯度下降 矢量相加
生成数据集 读取数据集 初始化模型参数 定义模型 定义损失函数 定义优化函数 模型训练 loss
离散的标签 全连接层 置信度 过于严格 正确类别 作为预测
datasets transforms models utils load_data_fashion_mnist
`softmax` `net` `cross_entropy` `accuracy` LinearNet FlattenLayer OrderedDict 预测
"""


def test_the_checklist_covers_both_tasks():
    """每一行都有出处；两个任务的各项都在。标签写错时，构建（-nW）会失败。"""
    index = (ROOT / "chapters" / "index.md").read_text(encoding="utf-8")
    rows = [line for line in index.splitlines() if line.startswith("|")][2:]
    assert len(rows) >= 34
    assert [row for row in rows if "](sec-" not in row] == []
    assert [item for item in CHECKLIST.split() if item not in "\n".join(rows)] == []


@pytest.mark.parametrize("path", ["README.md", "STYLE.md", "helpers/fonts/README.md", "ext/katex/README.md"])
def test_other_chinese_files_are_typeset(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    assert [(line.old, line.new) for line in autocorrect_py.lint_for(text, "md").lines] == []
