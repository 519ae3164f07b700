"""helpers.plotting 与 helpers 这个包本身：样式、图、名字、导入。"""

import io
import pickle
import re
import subprocess
import sys
import warnings
from types import SimpleNamespace

import IPython
import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib import font_manager
from matplotlib_inline import backend_inline
from PIL import Image

import helpers
from helpers import plt
from tests.common import CHINESE, ROOT, raises_chinese

TEXT = "线性回归 −ŷ×α"


@pytest.fixture(autouse=True)
def clean_plots(monkeypatch):
    """各测试从 matplotlib 的默认设置开始，结束后恢复；不弹窗口。"""
    with mpl.rc_context():
        mpl.rcdefaults()
        monkeypatch.setattr(plt, "show", lambda: None)
        yield
        plt.close("all")


def render():
    """画一张满是中文的图，返回 PNG 的字节。"""
    figure, ax = plt.subplots()
    ax.plot([-1, 1], [-0.5, 0.5], label="训练")
    ax.set(title=TEXT, xlabel="轮数", ylabel="损失 $\\hat{y}$")
    ax.legend()
    buffer = io.BytesIO()
    figure.savefig(buffer)
    return buffer.getvalue()


# ---------------------------------------------------------------- 样式


def test_chinese_has_no_missing_glyphs():
    helpers.use_book_style()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        png = render()
    assert png.startswith(b"\x89PNG") and len(png) > 5000


def test_font_comes_from_the_book():
    helpers.use_book_style()
    path = font_manager.findfont(mpl.rcParams["font.family"][0], fallback_to_default=False)
    assert path == str(ROOT / "helpers" / "fonts" / "NotoSansSCBook-Regular.otf")


@pytest.mark.parametrize(("shell", "formats"), [(SimpleNamespace(kernel=1), ["retina"]), (None, [])])
def test_pictures_are_sharp_in_notebooks_only(monkeypatch, shell, formats):
    chosen = []
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    monkeypatch.setattr(backend_inline, "set_matplotlib_formats", chosen.append)
    helpers.use_book_style()
    assert chosen == formats


def test_style_can_be_applied_twice():
    helpers.use_book_style()
    first = dict(mpl.rcParams)
    helpers.use_book_style()
    assert dict(mpl.rcParams) == first


# ---------------------------------------------------------------- 不管读者设了什么样式

DRAWINGS = {
    "训练曲线": lambda: helpers.learning_curve(
        {"train_loss": [1, 0.5], "train_acc": [0.5, 0.6], "test_acc": [0.5, 0.6]}
    ),
    "类别名": lambda: helpers.show_fashion_mnist(torch.rand(2, 4, 4), [9, 0]),
    "标题": lambda: helpers.show_images(torch.rand(2, 4, 4), 1, 2, titles=["短靴", "T 恤"]),
    "曲线": lambda: helpers.plot([-1, 1], [-0.5, 0.5], "轮数", "损失", ["训练"]),
}
STYLES = {
    "什么也没有设": {},
    "ggplot": "ggplot",
    "衬线": {"font.family": "serif", "font.serif": ["DejaVu Serif"], "axes.unicode_minus": True},
    "LaTeX": {"text.usetex": True},
    "本书": None,
}


def set_style(style):
    if style is None:
        helpers.use_book_style()
    elif isinstance(style, str):
        plt.style.use(style)
    else:
        mpl.rcParams.update(style)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("drawing", DRAWINGS)
def test_own_chinese_is_drawn_in_any_style(style, drawing):
    """没有缺字的警告；读者的设置一样也没有变；画完之后才画到文件里也一样。"""
    set_style(STYLES[style])
    before = dict(mpl.rcParams)
    DRAWINGS[drawing]()
    assert dict(mpl.rcParams) == before
    assert plt.gcf().get_layout_engine()  # 标题、坐标轴的名称不互相压着
    mpl.rcParams["text.usetex"] = False  # 坐标轴上的数由读者的设置画；这里没有装 LaTeX
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plt.gcf().savefig(io.BytesIO())


def test_the_style_of_the_reader_is_kept():
    """字体与配色都是读者的；随书的字体只补缺的字，而且只登记一次。"""
    mpl.rcParams.update({"font.family": ["serif"], "axes.prop_cycle": mpl.cycler(color=["#123456", "#654321"])})
    for _ in range(2):
        DRAWINGS["训练曲线"]()
    loss, accuracy = plt.gcf().axes
    assert loss.xaxis.label.get_family() == ["serif", "Noto Sans SC Book"]
    assert [line.get_color() for line in accuracy.lines] == ["#123456", "#654321"]
    assert sum(font.name == "Noto Sans SC Book" for font in font_manager.fontManager.ttflist) == 1


def test_set_figsize():
    helpers.set_figsize((3, 2))
    assert plt.figure().get_size_inches().tolist() == [3, 2]


IMPORT = """
import socket
class NoSocket(socket.socket):
    def __init__(self, *args, **kwargs):
        raise SystemExit("opened a socket")
socket.socket = NoSocket
import random, sys, warnings
import matplotlib, numpy, torch
from matplotlib import font_manager
def state():
    settings = {key: dict.__getitem__(matplotlib.rcParams, key) for key in matplotlib.rcParams if key != "backend"}
    fonts = len(font_manager.fontManager.ttflist)
    return settings, fonts, torch.get_num_threads(), torch.get_rng_state().tolist(), random.getstate()
before = state()
import helpers
changed = [name for name, a, b in zip(["rcParams", "fonts", "threads", "torch", "random"], before, state()) if a != b]
print("changed:", changed, "loaded:", [name for name in ["torchvision"] if name in sys.modules])
import pickle
print([[y.tolist() for _, y in loader] for loader in pickle.load(sys.stdin.buffer)])
"""


def test_import_is_cheap_and_changes_nothing():
    """新进程里导入 helpers：不开套接字，不载入 torchvision，不改动绘图设置、线程数与随机数。

    寄给它的 DataLoader 取得出数：num_workers 的各个进程就是这样启动的（Windows、macOS 与 Python 3.14 上）。
    """
    dataset = helpers.InMemoryDataset(torch.ones(3, 1), torch.arange(3), transform=torch.neg)
    loaders = [helpers.load_array(dataset, 2, is_train=False), torch.utils.data.DataLoader(dataset, 2)]
    command = [sys.executable, "-c", IMPORT]
    result = subprocess.run(command, input=pickle.dumps(loaders), capture_output=True, timeout=120, cwd=ROOT)
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout.decode().splitlines() == ["changed: [] loaded: []", str([[[0, 1], [2]]] * 2)]


# ---------------------------------------------------------------- 图像网格


IMAGES = {
    "二维": ((4, 6), torch.as_tensor),
    "带梯度": ((4, 6), lambda pixels: torch.as_tensor(pixels).requires_grad_()),
    "一个通道": ((4, 6), lambda pixels: torch.as_tensor(pixels).unsqueeze(0)),
    "彩色": ((4, 6, 3), lambda pixels: torch.as_tensor(pixels).permute(2, 0, 1)),
    "NumPy": ((4, 6), np.asarray),  # 数组的通道在最后：灰度、彩色、带透明度，与 matplotlib 认得的一样
    "NumPy，一个通道": ((4, 6, 1), np.asarray),
    "NumPy，彩色": ((4, 6, 3), np.asarray),
    "NumPy，带透明度": ((4, 6, 4), np.asarray),
    "PIL": ((4, 6), lambda pixels: Image.fromarray((255 * pixels).astype(np.uint8))),
}


@pytest.mark.parametrize("kind", IMAGES)
def test_images_of_every_kind(kind):
    shape, make = IMAGES[kind]
    pixels = np.random.default_rng(0).integers(0, 256, shape) / 255
    (ax,) = helpers.show_images([make(pixels)], 1, 1)
    shown = np.atleast_3d(ax.images[0].get_array()) / (255 if kind == "PIL" else 1)
    assert np.array_equal(shown, np.atleast_3d(pixels))


def geometry(ax):
    """ax 所在的网格有几行几列。"""
    return ax.get_subplotspec().get_gridspec().get_geometry()


def test_grid():
    images = torch.rand(5, 1, 4, 4)
    axes = helpers.show_images(images, 2, 3, titles=list("甲乙丙丁戊"), scale=2)
    assert axes.shape == (6,)
    assert [ax.get_title() for ax in axes] == [*"甲乙丙丁戊", ""]
    assert [len(ax.images) for ax in axes] == [1, 1, 1, 1, 1, 0]
    assert not any(ax.axison for ax in axes)  # 空格子也不画坐标轴
    assert geometry(axes[0]) == (2, 3)
    assert axes[0].figure.get_size_inches() == pytest.approx([3 * 2, 2 * 2 * 1.2])  # 给标题留两成
    assert helpers.show_images(images, 2, 3)[0].figure.get_size_inches() == pytest.approx([3 * 1.5, 2 * 1.5])


@pytest.mark.parametrize(
    ("labels", "titles"),
    [
        (["短靴", "T 恤"], ["短靴", "T 恤"]),
        (("短靴", "T 恤"), ["短靴", "T 恤"]),
        (np.array(["短靴", "T 恤"]), ["短靴", "T 恤"]),
        ([9, 0], ["短靴", "T 恤"]),
        (range(1, 3), ["裤子", "套头衫"]),
        (np.array([9, 0]), ["短靴", "T 恤"]),
        (torch.tensor([9, 0]), ["短靴", "T 恤"]),
        (torch.tensor([[9], [0]]), ["短靴", "T 恤"]),
        ({"a": 9, "b": 0}.values(), ["短靴", "T 恤"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_labels_may_be_any_sequence(labels, titles):
    helpers.show_fashion_mnist(torch.rand(2, 1, 28, 28), labels)
    assert [ax.get_title() for ax in plt.gcf().axes] == titles
    assert geometry(plt.gcf().axes[0]) == (1, 2)


@pytest.mark.parametrize("titles", [torch.tensor([9, 0]), np.array([9, 0]), (9, 0), ["9", "0"]])
def test_titles_may_be_any_sequence(titles):
    axes = helpers.show_images(torch.rand(2, 4, 4), 1, 2, titles=titles)
    assert [ax.get_title() for ax in axes] == ["9", "0"]


@pytest.mark.parametrize(
    ("count", "rows", "cols", "scale", "limit"),
    [
        (300, 1, 300, 1.5, "200 格"),
        (1, 15, 15, 0.1, "200 格"),
        (40, 1, 40, 1.5, "50 英寸"),
        (4, 2, 2, 30, "50 英寸"),
    ],
)
def test_what_nobody_can_read_is_not_drawn(count, rows, cols, scale, limit):
    with raises_chinese(ValueError, f"至多.* {limit}"):
        helpers.show_images(torch.zeros(1, 1, 1).expand(count, 1, 1), rows, cols, scale=scale)
    assert plt.get_fignums() == []


# ---------------------------------------------------------------- 曲线


def drawn():
    return [[list(values) for values in line.get_data()] for line in plt.gca().lines]


TWO = [[[0, 1, 2], [1, 4, 9]], [[0, 1, 2], [2, 3, 4]]]


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        ([[1, 4, 9]], TWO[:1]),
        ([range(3), [1, 4, 9]], TWO[:1]),
        ([torch.arange(3), torch.tensor([1.0, 4, 9], requires_grad=True)], TWO[:1]),
        ([[0, 1, 2], [torch.tensor(1), torch.tensor(4.0, requires_grad=True), 9]], TWO[:1]),
        ([np.arange(3), [[1, 4, 9], (2, 3, 4)]], TWO),
        ([[np.arange(3)], [torch.tensor([1, 4, 9]), np.array([2, 3, 4])]], TWO),
        ([torch.tensor([[1, 4, 9], [2, 3, 4]])], TWO),
        ([[[0, 1], [5, 6, 7]], [[1, 2], [3, 4, 5]]], [[[0, 1], [1, 2]], [[5, 6, 7], [3, 4, 5]]]),
    ],
    ids=str,
)
def test_plot(arguments, lines):
    helpers.plot(*arguments)
    assert drawn() == lines
    ax = plt.gca()
    assert ax.get_xlabel() == ax.get_ylabel() == "" and ax.xaxis.get_gridlines()[0].get_visible()


def test_plot_sets_the_axes():
    helpers.plot(
        [1, 10],
        [[1, 2]] * 5,
        "轮数",
        "损失",
        list("甲乙丙丁戊"),
        (1, 10),
        [1, 3],
        "linear",
        "log",
        ["r-", "k:"],
        (3, 2),
    )
    ax = plt.gca()
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_xscale(), ax.get_yscale()) == ("轮数", "损失", "linear", "log")
    assert (ax.get_xlim(), ax.get_ylim()) == ((1, 10), (1, 3)) and ax.figure.get_size_inches().tolist() == [3, 2]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list("甲乙丙丁戊")
    assert [line.get_linestyle() for line in ax.lines] == ["-", ":", "-", ":", "-"]  # 第五条也画出来，线型从头再用


def test_plot_draws_where_it_is_told():
    _, (left, right) = plt.subplots(1, 2)
    for _ in range(2):
        helpers.plot([1, 2], axes=left)  # 再画一次：先清空
    assert len(left.lines) == 1 and len(right.lines) == 0 and len(plt.get_fignums()) == 1


# ---------------------------------------------------------------- 训练曲线


@pytest.mark.parametrize(
    ("keys", "panels"),
    [
        (["train_loss"], {"损失": ["训练"]}),
        (["train_loss", "test_loss"], {"损失": ["训练", "测试"]}),
        (["train_loss", "train_acc", "test_acc"], {"损失": ["训练"], "精度": ["训练", "测试"]}),
    ],
)
def test_learning_curve(keys, panels):
    history = {key: [i + 0.5, i + 0.25, i] for i, key in enumerate(keys)}
    helpers.learning_curve(history)
    axes = plt.gcf().axes
    assert [ax.get_ylabel() for ax in axes] == list(panels)
    values = iter(history.values())
    for ax, names in zip(axes, panels.values(), strict=True):
        assert ax.get_xlabel() == "轮数" and re.search(CHINESE, ax.get_title())
        assert [text.get_text() for text in ax.get_legend().get_texts()] == names
        for line in ax.lines:
            assert list(line.get_xdata()) == [1, 2, 3] and list(line.get_ydata()) == next(values)
        assert [line.get_linestyle() for line in ax.lines] == ["-", "--"][: len(names)]  # 不靠颜色也分得清


def test_curves_of_the_validation_set_are_not_called_test():
    history = {"train_loss": [1.0], "train_acc": [0.5], "test_acc": [0.4]}
    helpers.learning_curve(history, ("训练", "验证"))
    legends = [[text.get_text() for text in ax.get_legend().get_texts()] for ax in plt.gcf().axes]
    assert legends == [["训练"], ["训练", "验证"]]


@pytest.mark.parametrize(("num_epochs", "ticks"), [(1, [1]), (8, [*range(1, 9)]), (30, [*range(1, 31, 4)])])
def test_ticks_are_not_crowded(num_epochs, ticks):
    helpers.learning_curve({"train_loss": [0.5] * num_epochs})
    assert plt.gca().get_xticks().tolist() == ticks


@pytest.mark.parametrize(
    "draw",
    [
        lambda: helpers.learning_curve({"train_loss": [1.0]}),
        lambda: helpers.show_fashion_mnist(torch.rand(2, 28, 28), ["甲", "乙"]),
    ],
)
def test_finished_figures_are_shown(monkeypatch, draw):
    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.gcf()))
    draw()
    assert len(shown) == 1


# ---------------------------------------------------------------- 名字与文档


def test_all_names_exist_and_none_is_forgotten():
    modules = {"helpers.data", "helpers.plotting", "helpers.training"}
    own = {
        name
        for module in modules
        for name, value in vars(sys.modules[module]).items()
        if not name.startswith("_") and getattr(value, "__module__", None) in modules
    }
    exported = set(helpers.__all__)
    assert list(helpers.__all__) == sorted(helpers.__all__) and len(exported) == len(helpers.__all__)
    exec("from helpers import *", {})
    assert own - exported == set()  # 定义了却没有导出的


@pytest.mark.parametrize("name", helpers._RENAMED)
def test_names_of_the_original_have_a_hint(name):
    """helpers.train_ch3 与 from helpers import train_ch3 说的一样；提到的本书的函数都存在。"""
    hint = re.escape(helpers._RENAMED[name])
    with raises_chinese(AttributeError, f"没有 {name}", hint):
        getattr(helpers, name)
    with raises_chinese(ImportError, f"没有 {name}", hint):
        exec(f"from helpers import accuracy, {name}")
    assert not hasattr(helpers, name)
    assert {*re.findall(r"^([a-z_]+)\(", helpers._RENAMED[name])} <= {*helpers.__all__}


def test_unknown_name():
    with raises_chinese(AttributeError, "no_such_name"):
        helpers.no_such_name  # noqa: B018
    with raises_chinese(ImportError, "no_such_name"):
        exec("from helpers import no_such_name")
    exec("from helpers import data, training, plotting")  # 模块照常导入
