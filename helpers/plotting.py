"""画图：全书统一的样式、曲线、图像网格、训练曲线。"""

import math
from collections.abc import Iterator, Mapping, Sequence, Set, Sized
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib import font_manager

from helpers._check import check_positive_int, check_positive_number, shown
from helpers.data import get_fashion_mnist_labels

_HERE = Path(__file__).resolve().parent
_FONT = _HERE / "fonts" / "NotoSansSCBook-Regular.otf"

# 再多就要画上几分钟，画出来也看不清
MAX_IMAGES = 200
MAX_INCHES = 50

# ---------------------------------------------------------------- 样式


def use_book_style():
    """启用本书的图样式：随书的中文字体、配色；在笔记本里用两倍分辨率的 PNG。

    字体随书携带，所以没有中文字体的机器也不会画出方框。只有它与 :func:`set_figsize` 会改动 matplotlib 的设置。
    """
    _register_font()
    plt.style.use(_HERE / "book.mplstyle")
    if _in_notebook():
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("retina")


def _register_font():
    """让 matplotlib 认得随书的字体；已经认得就不再加。返回字体的名字。"""
    fonts = font_manager.fontManager
    if not any(font.fname == str(_FONT) for font in fonts.ttflist):
        fonts.addfont(_FONT)
    return next(font.name for font in fonts.ttflist if font.fname == str(_FONT))


def _chinese():
    """画中文时用：读者的字体在前，缺的字由随书的字体补上；不用 LaTeX 排，它不认得中文。结束后设置照旧。"""
    families = dict.fromkeys([*plt.rcParams["font.family"], _register_font()])
    return plt.rc_context({"font.family": list(families), "text.usetex": False})


def _in_notebook():
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return hasattr(get_ipython(), "kernel")


def set_figsize(figsize=(5.2, 3.4)):
    """设置之后各图的大小，单位为英寸 (宽, 高)，默认 (5.2, 3.4)。"""
    _check_figsize(figsize)
    plt.rcParams["figure.figsize"] = figsize


def _check_figsize(figsize):
    if not (isinstance(figsize, Sequence) and len(figsize) == 2):
        raise TypeError(f"figsize 要是 (宽, 高) 两个数；收到 {shown(figsize)}。")
    for name, value in zip(("宽", "高"), figsize):
        check_positive_number(f"figsize 的{name}", value)


# ---------------------------------------------------------------- 曲线


def plot(
    X,
    Y=None,
    xlabel=None,
    ylabel=None,
    legend=None,
    xlim=None,
    ylim=None,
    xscale="linear",
    yscale="linear",
    fmts=("-", "m--", "g-.", "r:"),
    figsize=(3.5, 2.5),
    axes=None,
):
    """画一条或几条曲线。

    Parameters
    ----------
    X : sequence of float, (n,)，或几列这样的数
        横坐标；不给 ``Y`` 时是纵坐标，横坐标取 0, 1, …, n − 1。
    Y : sequence of float, (n,)，或几列这样的数, optional
        纵坐标。几条曲线可以共用一列横坐标。
    xlabel : str, optional
        横轴的名称。
    ylabel : str, optional
        纵轴的名称。
    legend : sequence of str, optional
        每条曲线的名称。
    xlim : (float, float), optional
        横轴的范围。
    ylim : (float, float), optional
        纵轴的范围。
    xscale : str
        横轴的刻度，"linear" 或 "log"，默认 "linear"。
    yscale : str
        纵轴的刻度，"linear" 或 "log"，默认 "linear"。
    fmts : sequence of str
        每条曲线的线型，依次循环使用，默认 ("-", "m--", "g-.", "r:")。
    figsize : (float, float)
        图的大小，英寸 (宽, 高)，默认 (3.5, 2.5)。
    axes : Axes, optional
        画在这里，先清空；默认画一幅新的图。

    Raises
    ------
    TypeError, ValueError
        不是数，或横、纵坐标的条数、点数对不上。
    """
    xs, ys = _curves(X, Y)
    fmts, names = _listed("fmts", fmts), [] if legend is None else _listed("legend", legend)
    _check_figsize(figsize)
    if not fmts:
        raise ValueError("fmts 是空的：至少要有一种线型。")
    if len(names) > len(ys):
        raise ValueError(f"图例不能比曲线多；收到 {len(names)} 个名称、{len(ys)} 条曲线。")
    with _chinese():
        if axes is None:
            _, axes = plt.subplots(figsize=figsize, layout="constrained")
        axes.cla()
        for i, (x, y) in enumerate(zip(xs, ys)):
            axes.plot(x, y, fmts[i % len(fmts)])
        axes.set(xlabel=xlabel or "", ylabel=ylabel or "", xscale=xscale, yscale=yscale, xlim=xlim, ylim=ylim)
        if names:
            axes.legend(names)
        axes.grid(True)


def _curves(X, Y):
    """横、纵坐标各一列曲线，条数与点数一一对上。"""
    xs, ys = _columns("X", X), None if Y is None else _columns("Y", Y)
    if ys is None:
        xs, ys = [np.arange(len(x)) for x in xs], xs
    if len(xs) == 1:
        xs = xs * len(ys)
    if [len(x) for x in xs] != [len(y) for y in ys]:
        counts = f"收到的 X 有 {[len(x) for x in xs]} 个点，Y 有 {[len(y) for y in ys]} 个点"
        raise ValueError(f"每条曲线的横、纵坐标要一样多；{counts}。")
    return xs, ys


def _columns(name, values):
    """一列数或几列数 → 几个一维数组。"""
    columns = [np.asarray(_plain(value)) for value in _listed(name, values)]
    if columns and all(column.ndim == 0 for column in columns):
        columns = [np.asarray(columns)]
    if not columns or any(column.ndim != 1 or column.dtype.kind not in "biuf" for column in columns):
        raise TypeError(f"{name} 要是一列数，或几列数组成的列表；收到 {shown(values)}。")
    return columns


def _plain(value):
    return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else value


# ---------------------------------------------------------------- 图像


def show_images(imgs, num_rows, num_cols, titles=None, scale=1.5):
    """把图像排成网格。

    Parameters
    ----------
    imgs : Tensor or sequence of image
        每幅为 (高, 宽)、(1, 高, 宽) 或 (3, 高, 宽) 的张量，或 PIL 图像；至少一幅。
    num_rows : int
        行数。
    num_cols : int
        列数；格子不能比图像少，至多 200 格。
    titles : sequence, optional
        每幅图像的标题，个数与图像相同；列表、元组、数组、张量或 pandas 的一列都可以。
    scale : float
        每格的边长，英寸，默认 1.5；整幅图的边长至多 50。

    Returns
    -------
    ndarray of Axes, (num_rows * num_cols,)

    Raises
    ------
    TypeError, ValueError
        行列数不是正整数，格子不够或太多，标题个数不对，或有一幅不是图像。都在画图之前报告。
    """
    imgs = _listed("imgs", imgs)
    _check_grid(len(imgs), num_rows, num_cols, scale)
    if titles is not None:
        titles = [str(_plain(title)) for title in _listed("titles", titles)]
        if len(titles) != len(imgs):
            raise ValueError(f"标题要与图像一样多；收到 {len(titles)} 个标题、{len(imgs)} 幅图像。")
    pixels = [_displayable(img) for img in imgs]
    figsize = (num_cols * scale, num_rows * scale * (1.2 if titles is not None else 1))
    with _chinese():
        _, axes = plt.subplots(num_rows, num_cols, figsize=figsize, squeeze=False, layout="constrained")
        axes = axes.flatten()
        for ax in axes:
            ax.axis("off")
        for i, (ax, image) in enumerate(zip(axes, pixels)):
            ax.imshow(image)
            if titles is not None:
                ax.set_title(titles[i])
    return axes


def _check_grid(count, num_rows, num_cols, scale):
    check_positive_int("num_rows", num_rows)
    check_positive_int("num_cols", num_cols)
    check_positive_number("scale", scale)
    cells = num_rows * num_cols
    if cells > MAX_IMAGES:
        raise ValueError(
            f"一幅图至多画 {MAX_IMAGES} 格，再多看不清；收到 {num_rows} 行 {num_cols} 列。"
            "请只画一部分，例如 helpers.show_images(imgs[:50], 5, 10)。"
        )
    if not 0 < count <= cells:
        advice = f"请写 imgs = imgs[:{cells}]，或多排几行。" if count else ""
        raise ValueError(f"{num_rows} 行 {num_cols} 列放不下 {count} 幅图像（也不能一幅都没有）。{advice}")
    if max(num_rows, num_cols) * scale > MAX_INCHES:
        raise ValueError(
            f"图的边长至多 {MAX_INCHES} 英寸；收到 {num_rows} 行 {num_cols} 列，每格 {scale} 英寸。"
            f"请把行列排得匀一些，或写 scale={MAX_INCHES / max(num_rows, num_cols):.2g}。"
        )


def _listed(name, values):
    """任何有次序的序列 → 列表；单个的数、文字、没有次序的集合与用一次就空的生成器不行。"""
    if isinstance(values, Iterator):
        raise TypeError(f"{name} 要是序列；收到 {type(values).__name__}，请写 {name} = list({name})。")
    if isinstance(values, str):
        raise TypeError(f"{name} 要是序列；收到一段文字，请写 {name} = [{name}]。")
    shape = getattr(values, "shape", (1,))
    if not isinstance(values, Sized) or isinstance(values, bytes | Mapping | Set) or len(shape) == 0:
        raise TypeError(f"{name} 要是序列，例如列表或张量；收到 {shown(values)}。")
    if hasattr(values, "columns"):
        raise TypeError(f"{name} 要是序列；收到表格，请取其中一列：{name} = {name}.iloc[:, 0]。")
    return list(values)


def _displayable(img):
    """换成 matplotlib 认得的数组：(高, 宽) 或 (高, 宽, 3)。"""
    if isinstance(img, torch.Tensor):
        img = img.detach().cpu().numpy()
        if img.ndim == 3:  # 张量的通道在最前
            img = img.squeeze(0) if len(img) == 1 else img.transpose(1, 2, 0)
    pixels = np.asarray(img)
    fits = pixels.ndim == 2 or pixels.ndim == 3 and pixels.shape[2] in (1, 3, 4)
    if not (fits and pixels.size and pixels.dtype.kind in "biuf"):
        first = pixels.ndim == 3 and len(pixels) in (1, 3) and isinstance(img, np.ndarray)
        raise ValueError(
            "每幅图像要是 (高, 宽)、(1, 高, 宽) 或 (3, 高, 宽) 的张量，或 PIL 图像；"
            f"收到形状 {pixels.shape}、类型 {pixels.dtype}。"
            + ("通道在最前的要是张量：请写 imgs = torch.as_tensor(imgs)。" if first else "")
        )
    return pixels


def show_fashion_mnist(images, labels):
    """把 Fashion-MNIST 的图像排成一行，并写上标题。

    Parameters
    ----------
    images : Tensor or sequence of Tensor, (n, 1, 28, 28) 或 (n, 28, 28)
        一行画得下的几幅，至多 33 幅。
    labels : sequence of str or int, (n,)
        标题文字；给类别编号时换成中文类别名。

    Raises
    ------
    TypeError, ValueError
        同 :func:`show_images` 与 :func:`helpers.get_fashion_mnist_labels`。
    """
    images, labels = _listed("images", images), _listed("labels", labels)
    if not all(isinstance(label, str) for label in labels):
        labels = get_fashion_mnist_labels(labels)
    if len(images) * 1.5 > MAX_INCHES:
        advice = "请只画几幅，例如 helpers.show_fashion_mnist(images[:10], labels[:10])。"
        raise ValueError(f"一行画不下 {len(images)} 幅图像。{advice}")
    show_images(images, 1, len(images), titles=labels)
    plt.show()


# ---------------------------------------------------------------- 训练曲线


def learning_curve(history, legend=("训练", "测试")):
    """画 :func:`helpers.train` 返回的训练曲线：左为损失，右为精度（若有）。

    Parameters
    ----------
    history : dict of str to list of float
    legend : (str, str)
        两种曲线的名称，默认 ("训练", "测试")；``train`` 的第三个参数传的是验证集，就写 ("训练", "验证")。

    Raises
    ------
    TypeError, ValueError
        不是字典，没有可画的曲线，各条曲线的长短不同，或名称不是两个。
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
    names = _listed("legend", legend)
    if len(names) != 2:
        raise ValueError(f'legend 要是两个名称，例如 ("训练", "验证")；收到 {shown(legend)}。')
    with _chinese():
        _, axes = plt.subplots(1, len(panels), figsize=(3.3 * len(panels), 2.8), squeeze=False, layout="constrained")
        for ax, (title, keys) in zip(axes[0], panels.items()):
            _draw_curves(ax, title, [(names["test" in key], history[key]) for key in keys])
        plt.show()


def _draw_curves(ax, title, curves):
    epochs = range(1, len(curves[0][1]) + 1)
    for (name, values), style in zip(curves, ["-", "--"]):
        ax.plot(epochs, values, style, marker="o", label=name)
    ticks = epochs[:: math.ceil(len(epochs) / 8)]  # 轮数多时只标一部分，不让数字挤在一起
    ax.set(xlabel="轮数", ylabel=title, title=f"{title}随轮数的变化", xticks=ticks)
    ax.legend()
