"""图的比对：容差是量出来的，看得见的错都抓得到，看不见的差别不误报；出错时留下三个文件。"""

import base64
import io
import os
import re
import subprocess
import sys
from functools import cache

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

import helpers
from helpers import plt
from tests import figure_checks
from tests import notebook_checks as checks
from tests.common import ROOT


def png():
    """当前的图存成 PNG，与笔记本里一样是两倍分辨率。"""
    file = io.BytesIO()
    plt.savefig(file, dpi=200)
    plt.close()
    return file.getvalue()


@cache
def draw(shift=0.0, color=None, style="-", label="训练", title="损失随轮数的变化", ticks=(2, 4, 6), points=30):
    """书里常见的一幅：两条曲线，一些散点。"""
    with plt.rc_context():
        helpers.use_book_style()
        x = np.linspace(1, 7, 50)
        _, ax = plt.subplots()
        ax.plot(x, 0.3 + np.exp(-x) + shift, style, color=color, label=label)
        ax.plot(x, 0.4 + np.exp(-x), "--", marker="o", markevery=8, label="测试")
        ax.scatter(x[:points], 0.6 + 0.1 * np.sin(9 * x[:points]), s=4)
        ax.set(xlabel="轮数", ylabel="损失", title=title, xticks=ticks, ylim=(0.2, 0.9))
        ax.legend()
        return png()


@cache
def show(change=lambda image: image):
    """一幅 28 × 28 的图像，旁边空着。"""
    image = np.zeros((28, 28))
    image[6:24, 4:22] = np.linspace(0, 1, 18)
    with plt.rc_context():
        helpers.use_book_style()
        _, axes = plt.subplots(1, 5, figsize=(6, 1.4))
        axes[0].imshow(change(image), vmin=0, vmax=1)
        return png()


def dead_pixel(image):
    return np.where(np.indices(image.shape).sum(axis=0) == 0, 1.0, image)


FAULTS = {
    "曲线挪动百分之一": lambda: (draw(), draw(shift=0.007)),
    "换了颜色": lambda: (draw(), draw(color="#D55E00")),
    "相近的颜色": lambda: (draw(), draw(color="#0072C8")),
    "换了线型": lambda: (draw(), draw(style=":")),
    "标签错一个字": lambda: (draw(), draw(label="训炼")),
    "标题错一个字": lambda: (draw(), draw(title="损失随步数的变化")),
    "刻度不同": lambda: (draw(), draw(ticks=(2, 4, 5))),
    "少一个散点": lambda: (draw(), draw(points=29)),
    "图像转置": lambda: (show(), show(np.transpose)),
    "图像上下颠倒": lambda: (show(), show(np.flipud)),
    "图像坏了一个像素": lambda: (show(), show(dead_pixel)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_visible_faults_are_caught(fault):
    assert "均方根" in figure_checks.problem(*FAULTS[fault]())


def test_invisible_differences_are_not():
    """曲线挪动三十分之一个像素：换一种指令集，训练曲线的差别比这还小。"""
    same, moved = draw(), draw(shift=0.00005)
    assert same != moved and figure_checks.problem(same, moved) is None


def test_another_size_is_caught():
    """多一行、多一列像素也算：坐标轴上的字变宽时，图会跟着变大。"""
    image = Image.open(io.BytesIO(draw()))
    for extra in ((1, 0), (0, 1)):
        file = io.BytesIO()
        image.crop((0, 0, image.width + extra[0], image.height + extra[1])).save(file, "png")
        assert "大小由" in figure_checks.problem(draw(), file.getvalue())


# ---------------------------------------------------------------- 真的用 nbval 跑


def picture(level, size=(40, 30)):
    file = io.BytesIO()
    Image.new("RGB", size, (level, 0, 0)).save(file, "png")
    return base64.b64encode(file.getvalue()).decode()


def cell(stored, new, *tags):
    """一格：存下的图是 stored，重跑得到 new；None 是没有图，只有文字。"""
    stored, new = ({"text/plain": "图"} | ({"image/png": png} if png else {}) for png in (stored, new))
    output = new_output("display_data", data=stored)
    return new_code_cell(
        f"display({new}, raw=True)", outputs=[output], execution_count=1, metadata={"tags": list(tags)}
    )


CELLS = [
    cell(picture(0), picture(0)),
    cell(picture(0), picture(9)),  # 变了
    cell(picture(0), picture(0, size=(40, 31))),  # 大小变了
    cell(picture(0), picture(99), f"{figure_checks.VARIES}用时因机器而异"),
    cell(picture(0), picture(99), "nbval-ignore-output"),
    cell(picture(0), None, f"{figure_checks.VARIES}用时因机器而异"),  # 没有图了
    cell(None, None),
]


def test_changed_figures_go_red_and_leave_three_files(tmp_path):
    """一本临时的笔记本：变了的图让那一格失败，留下三个文件，说明在哪里；没变的不留。结尾有一行总结。"""
    (tmp_path / "conftest.py").write_bytes((ROOT / "conftest.py").read_bytes())
    folder = tmp_path / "_build" / "figures" / "book"
    folder.mkdir(parents=True)
    (folder / "0-new.png").touch()  # 上次失败留下的
    nbformat.write(new_notebook(cells=CELLS), tmp_path / "book.ipynb")
    options = ["--nbval", "--nbval-current-env", "-n1", "-p", "no:cacheprovider", "-c", "pytest.ini"]
    (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = '{ROOT.as_posix()}'\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", *options, "book.ipynb"]
    env = os.environ | {"FRESH_KERNELS": "1"}  # 这本笔记本用不到 torch
    result = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, encoding="utf-8", timeout=120)
    assert result.returncode == pytest.ExitCode.TESTS_FAILED, result.stdout + result.stderr
    assert re.findall(r"FAILED book.ipynb::Cell (\d)", result.stdout) == ["1", "2", "5"], result.stdout
    kinds = ["difference", "new", "stored"]
    assert sorted(path.name for path in folder.iterdir()) == [f"{i}-{kind}.png" for i in (1, 2) for kind in kinds]
    assert all(str(folder / f"{i}-{kind}.png") in result.stdout for i in (1, 2) for kind in kinds)
    with Image.open(folder / "1-difference.png") as image:
        assert (image.size, image.getpixel((0, 0))) == ((40, 30), (90, 0, 0))  # 差放大了十倍
    for words in ("大小由 40×30 变成 40×31 像素", "存下 1 幅，重跑得到 0 幅", "tools.refresh book.ipynb"):
        assert words in result.stdout
    # 结尾的一行由 xdist 的主进程打印，恰好一次
    summary = rf"未比对输出的单元格：\d+ 个（上限 {checks.MAX_UNCOMPARED_CELLS}）.*图 \d+ 幅，其中 \d+ 幅不比对.*fig-"
    assert len(re.findall(summary, result.stdout)) == 1
