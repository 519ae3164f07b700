"""画图：全书统一的样式、图像网格、训练曲线。"""

import math
from collections.abc import Sequence, Sized
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib import font_manager

from helpers._check import check_positive_int, check_positive_number
from helpers.data import get_fashion_mnist_labels

_HERE = Path(__file__).resolve().parent


def use_book_style():
    """启用本书的图样式：随书的中文字体、配色；在笔记本里用两倍分辨率的 PNG。

    字体随书携带，所以没有中文字体的机器也不会画出方框。只有调用它才会改动 matplotlib 的设置。
    """
    font_manager.fontManager.addfont(_HERE / "fonts" / "NotoSansSCBook-Regular.otf")
    plt.style.use(_HERE / "book.mplstyle")
    if _in_notebook():
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("retina")


def _in_notebook():
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return hasattr(get_ipython(), "kernel")


def set_figsize(figsize=(5.6, 3.4)):
    """设置之后各图的大小，单位为英寸 (宽, 高)。"""
    if not (isinstance(figsize, Sequence) and len(figsize) == 2):
        raise TypeError(f"figsize 要是 (宽, 高) 两个数；收到 {figsize!r}。")
    for name, value in zip(("宽", "高"), figsize):
        check_positive_number(f"figsize 的{name}", value)
    plt.rcParams["figure.figsize"] = figsize


def show_images(imgs, num_rows, num_cols, titles=None, scale=1.5):
    """把图像排成网格。

    Parameters
    ----------
    imgs : Tensor or sequence of image
        每幅为 (高, 宽)、(1, 高, 宽) 或 (3, 高, 宽) 的张量，或 PIL 图像；至少一幅。
    num_rows, num_cols : int
        行数与列数；格子不能比图像少。
    titles : sequence of str, optional
        每幅图像的标题，个数与图像相同。
    scale : float
        每格的边长，英寸。

    Returns
    -------
    ndarray of Axes, (num_rows * num_cols,)

    Raises
    ------
    TypeError, ValueError
        行列数不是正整数，格子不够，标题个数不对，或有一幅不是图像。都在画图之前报告。
    """
    check_positive_int("num_rows", num_rows)
    check_positive_int("num_cols", num_cols)
    check_positive_number("scale", scale)
    _check_sized("imgs", imgs)
    if not 0 < len(imgs) <= num_rows * num_cols:
        raise ValueError(f"{num_rows} 行 {num_cols} 列放不下 {len(imgs)} 幅图像（也不能一幅都没有）。")
    if titles is not None:
        _check_sized("titles", titles)
        if len(titles) != len(imgs):
            raise ValueError(f"标题要与图像一样多；收到 {len(titles)} 个标题、{len(imgs)} 幅图像。")
    pixels = [_displayable(img) for img in imgs]
    figsize = (num_cols * scale, num_rows * scale * (1.2 if titles is not None else 1))
    _, axes = plt.subplots(num_rows, num_cols, figsize=figsize, squeeze=False)
    axes = axes.flatten()
    for ax in axes:
        ax.axis("off")
    for i, (ax, image) in enumerate(zip(axes, pixels)):
        ax.imshow(image)
        if titles is not None:
            ax.set_title(titles[i])
    return axes


def _check_sized(name, value):
    """要能数出个数；单个的数、生成器与字符串不行。"""
    single = isinstance(value, str | dict) or isinstance(value, torch.Tensor) and value.dim() == 0
    if single or not isinstance(value, Sized):
        raise TypeError(f"{name} 要是序列，例如列表或张量；收到 {type(value).__name__}。")


def _displayable(img):
    """换成 matplotlib 认得的数组：(高, 宽) 或 (高, 宽, 3)。"""
    if isinstance(img, torch.Tensor):
        img = img.detach().cpu().numpy()
        if img.ndim == 3:  # 张量的通道在最前
            img = img.squeeze(0) if len(img) == 1 else img.transpose(1, 2, 0)
    pixels = np.asarray(img)
    fits = pixels.ndim == 2 or pixels.ndim == 3 and pixels.shape[2] in (1, 3, 4)
    if not (fits and pixels.size and pixels.dtype.kind in "biuf"):
        raise ValueError(
            "每幅图像要是 (高, 宽)、(1, 高, 宽) 或 (3, 高, 宽) 的张量，或 PIL 图像；"
            f"收到形状 {pixels.shape}、类型 {pixels.dtype}。"
        )
    return pixels


def show_fashion_mnist(images, labels):
    """把 Fashion-MNIST 的图像排成一行，并写上标题。

    Parameters
    ----------
    images : Tensor or sequence of Tensor, (n, 1, 28, 28) 或 (n, 28, 28)
    labels : sequence of str，或 Tensor, int64, (n,)
        标题文字；给类别编号时换成中文类别名。

    Raises
    ------
    TypeError, ValueError
        同 :func:`show_images` 与 :func:`helpers.get_fashion_mnist_labels`。
    """
    _check_sized("images", images)
    if isinstance(labels, torch.Tensor):
        labels = get_fashion_mnist_labels(labels)
    show_images(images, 1, len(images), titles=labels)
    plt.show()


def learning_curve(history):
    """画 :func:`helpers.train` 返回的训练曲线：左为损失，右为精度（若有）。

    Parameters
    ----------
    history : dict of str to list of float

    Raises
    ------
    TypeError, ValueError
        不是字典，没有可画的曲线，或各条曲线的长短不同。
    """
    if not isinstance(history, dict):
        raise TypeError(f"history 要是 helpers.train 返回的字典；收到 {type(history).__name__}。")
    panels = {"损失": ["train_loss", "test_loss"], "精度": ["train_acc", "test_acc"]}
    panels = {title: [k for k in keys if k in history] for title, keys in panels.items()}
    panels = {title: keys for title, keys in panels.items() if keys}
    if not panels:
        raise ValueError(f"history 里没有可画的曲线：要有 train_loss 等键，收到 {list(history)}。")
    curves = [history[key] for keys in panels.values() for key in keys]
    if not all(isinstance(curve, Sized) and 0 < len(curve) == len(curves[0]) for curve in curves):
        raise ValueError("history 里的每条曲线都要是每轮一个数的列表，至少一轮，轮数相同。")
    _, axes = plt.subplots(1, len(panels), figsize=(3.3 * len(panels), 2.8), squeeze=False)
    for ax, (title, keys) in zip(axes[0], panels.items()):
        epochs = range(1, len(history[keys[0]]) + 1)
        for key, style in zip(keys, ["-", "--"]):
            ax.plot(epochs, history[key], style, marker="o", label="训练" if "train" in key else "测试")
        ticks = epochs[:: math.ceil(len(epochs) / 8)]  # 轮数多时只标一部分，不让数字挤在一起
        ax.set(xlabel="轮数", ylabel=title, title=f"{title}随轮数的变化", xticks=ticks)
        ax.legend()
    plt.show()
