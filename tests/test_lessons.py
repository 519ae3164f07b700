"""笔记本里的函数：正文自己写的与 torch、helpers 对答案；练习的检查函数认得出每一种错。

nbval 只比对书里演示过的那一两次调用；这里换别的输入再考一遍。
"""

import ast
import timeit
from collections.abc import Iterator
from functools import cache

import pytest
import torch
from matplotlib import pyplot as plt
from torch import nn

import helpers
from tests.common import ROOT, code_cells, read_notebook
from tools.refresh import notebooks_in_toc

PAGES = [path.relative_to(ROOT / "chapters").with_suffix("").as_posix() for path in notebooks_in_toc()]


def sources(page):
    return [cell.source for cell in code_cells(read_notebook(ROOT / "chapters" / f"{page}.ipynb"))]


@cache
def lesson(page):
    """一节里的导入与定义，放进一个命名空间；别的语句不运行，所以很快。"""
    kept = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    body = [node for source in sources(page) for node in ast.parse(source).body if isinstance(node, kept)]
    namespace = {}
    exec(compile(ast.Module(body, type_ignores=[]), page, "exec"), namespace)
    return namespace


# ---------------------------------------------------------------- 正文自己写的函数


def scores():
    return torch.tensor([[1.0, 2.0, 3.0], [-1.0, 0.0, 1.0], [0.5, 0.0, 0.0]])


def labels():
    return torch.tensor([2, 0, 0])


@pytest.mark.parametrize("scale", [1, 1000])
@pytest.mark.parametrize(
    ("page", "name"), [("softmax/scratch", "softmax"), ("softmax/cross_entropy", "stable_softmax")]
)
def test_softmax(page, name, scale):
    torch.testing.assert_close(lesson(page)[name](scale * scores()), torch.softmax(scale * scores(), dim=1))


@pytest.mark.parametrize(
    ("page", "name", "arguments"),
    [
        ("linear_regression/scratch", "synthetic_data", lambda: (torch.tensor([2, -3.4]), 4.2, 50)),
        ("linear_regression/scratch", "data_iter", lambda: (2, scores(), labels())),
        ("linear_regression/scratch", "linreg", lambda: (scores(), torch.ones(3, 1), torch.tensor([0.5]))),
        ("linear_regression/scratch", "squared_loss", lambda: (scores()[:, :1], torch.zeros(3))),
        ("softmax/scratch", "cross_entropy", lambda: (torch.softmax(scores(), dim=1), labels())),
        ("softmax/cross_entropy", "cross_entropy", lambda: (torch.softmax(scores(), dim=1), labels())),
        ("softmax/scratch", "accuracy", lambda: (scores(), labels())),
        ("softmax/scratch", "evaluate_accuracy", lambda: (nn.Identity(), [(scores(), labels()), (scores(), labels())])),
        ("softmax/scratch", "evaluate_accuracy", lambda: (nn.Identity(), helpers.data_iter(2, scores(), labels()))),
        ("softmax/fashion_mnist", "get_fashion_mnist_labels", lambda: (range(10),)),
    ],
)
def test_lesson_and_helper_agree(page, name, arguments):
    """同一个种子、同样的输入，正文的函数与 helpers 里同名的给出同样的结果。"""
    results = []
    for function in (lesson(page)[name], getattr(helpers, name)):
        torch.manual_seed(0)
        result = function(*arguments())
        results.append(list(result) if isinstance(result, Iterator) else result)
    if name == "get_fashion_mnist_labels":
        assert results[0] == results[1]
    else:
        torch.testing.assert_close(*results)


@pytest.mark.parametrize("page", ["linear_regression/scratch", "softmax/scratch"])
def test_sgd(page):
    w = torch.ones(3, requires_grad=True)
    w.grad = torch.tensor([4.0, -8.0, 0.0])
    lesson(page)["sgd"]([w], 0.5, 4)
    assert w.tolist() == [0.5, 2.0, 1.0] and w.grad.tolist() == [0.0, 0.0, 0.0]


def test_evaluation_records_no_gradient():
    seen = []
    net = nn.Identity()
    net.register_forward_hook(lambda *_: seen.append(torch.is_grad_enabled()))
    lesson("softmax/scratch")["evaluate_accuracy"](net, [(scores(), labels())])
    assert seen == [False]


# ---------------------------------------------------------------- 用时的图


def draw(page, marker, monkeypatch, **names):
    """用假的用时运行画图的那一格，返回坐标轴；用时每次不同，nbval 没法比对这些图。"""
    monkeypatch.setattr(plt, "show", lambda: None)
    (source,) = (source for source in sources(page) if marker in source)
    exec(source, {"torch": torch, "plt": plt, **names})
    return plt.gca()


def test_timing_bars(monkeypatch):
    names = {"loop_seconds": 3.0, "vector_seconds": 1.0}
    ax = draw("linear_regression/vectorization", "ax.barh", monkeypatch, **names)
    labels = [text.get_text() for text in ax.get_yticklabels()]
    widths = [bar.get_width() for bar in ax.patches]
    assert dict(zip(labels, widths)) == {"逐元素标量加法": 3e6, "矢量相加": 1e6}


def test_timing_lines(monkeypatch):
    names = {"sizes": [1, 10, 100, 1000], "loop": [1, 10, 100], "lists": [0.05, 5], "vector": [0.5, 0.5, 0.5, 5]}
    ax = draw("linear_regression/vectorization", "ax.loglog", monkeypatch, **names)
    lines = [[line.get_xdata().tolist(), line.get_ydata().tolist()] for line in ax.lines[:3]]
    loop, vector = [[1, 10, 100], [1e6, 1e7, 1e8]], [[1, 10, 100, 1000], [5e5, 5e5, 5e5, 5e6]]
    assert lines == [loop, [[1, 10], [5e4, 5e6]], vector]
    said = ["逐元素标量加法", "列表循环", "矢量相加", "快约 200 倍", "约 3 个数起，快过列表"]
    assert [text.get_text() for text in ax.texts] == said
    named = {text.get_text(): text.get_color() for text in ax.texts}
    assert [named[name] for name in list(named)[:3]] == [line.get_color() for line in ax.lines[:3]]


@pytest.mark.parametrize("name", ["median_seconds", "my_median_seconds"])
def test_median_seconds(name):
    """慢的一次不算；先预热一次，不计时。"""
    check = lesson("linear_regression/vectorization")["check_median_seconds"]
    assert check(lesson("linear_regression/vectorization")[name]) == "对了"


# ---------------------------------------------------------------- 练习的检查函数


def mse_without_size_check(y_hat, y):
    return ((y_hat.ravel() - y.ravel()) ** 2).mean()


def in_order(n, size, drop_last=False):
    return torch.arange(n - n % size if drop_last else n).split(size)


def one_hot(y, num_classes):
    return torch.eye(num_classes)[y]


def one_hot_without_negative_check(y, num_classes):
    if y.max() >= num_classes:
        raise ValueError
    return one_hot(y, num_classes)


def confusion(prediction, y, num_classes):
    return torch.bincount(num_classes * y + prediction, minlength=num_classes**2).reshape(num_classes, num_classes)


def one_step(divide):
    """检查用的数据上，从零走两步；divide 由批量给出除数。"""

    def fit(W, b, data, lr):
        for X, y in data:
            error = torch.softmax(X @ W + b, dim=1) - torch.eye(3)[y]
            with torch.no_grad():
                W -= lr * X.T @ error / divide(len(y))
                b -= lr * error.sum(dim=0) / divide(len(y))

    return fit


def batch(images, targets, indices):
    return images[indices].unsqueeze(1).float() / 255, targets[indices]


def shifted(image, k):
    return nn.functional.pad(image, (k, -k))


def plane_step(X, y, W, lr):
    W = W.clone().requires_grad_()
    nn.functional.cross_entropy(X @ W, y).backward()
    return (W - lr * W.grad).detach()


def timed(run, number, repeat):
    return timeit.repeat(run, number=number, repeat=repeat)


def step(params, loss, lr, zero=True):
    loss.backward()
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad
            param.grad *= not zero


class Squeezed(nn.Linear):
    def forward(self, X):
        return super().forward(X).squeeze()


class Unfinished(nn.Linear):
    def forward(self, X):
        return (...).squeeze(...)


# 各检查函数，与该说出的提示和引出它的错误答案
WRONG_ANSWERS = {
    "check_mse": {
        "广播": lambda y_hat, y: ((y_hat - y) ** 2).mean(),
        "不带 1/2": lambda y_hat, y: mse_without_size_check(y_hat, y) / 2,
        "求了和": lambda y_hat, y: 3 * mse_without_size_check(y_hat, y),
        "应为 2": lambda y_hat, y: (y_hat - y.reshape(-1, 1)).abs().mean(),
        "一个数": lambda y_hat, y: (y_hat - y.reshape(-1, 1)) ** 2,
        "两个都是 (n,)": lambda y_hat, y: ((y_hat - y[:, None]) ** 2).mean(),
        "元素个数不同": mse_without_size_check,
    },
    "check_numerical_gradient": {
        "三处": lambda f, x: f(x) - ...,
        "符号": lambda f, x: torch.tensor([-1.0, -3.0, -1.0]),
        "除以 h": lambda f, x: torch.tensor([1e-3, 3e-3, 1e-3]),
        "没有变": lambda f, x: torch.zeros(3),
        "应在": lambda f, x: torch.tensor([3.0, 1.0, 1.0]),
    },
    "check_fit": {
        "三处": lambda x, y, lr, num_steps: lr * ...,
        "走反": lambda x, y, lr, num_steps: (-0.85, -0.4),
        "求了和": lambda x, y, lr, num_steps: (3.4, 1.6),
        "误差乘以输入": lambda x, y, lr, num_steps: (0.4, 0.4),
        "不乘 x": lambda x, y, lr, num_steps: (0.85, 0.85),
        "没有 2": lambda x, y, lr, num_steps: (1.7, 0.8),
        "走一步": lambda x, y, lr, num_steps: (0.0, 0.0),
        "重算误差": lambda x, y, lr, num_steps: (0.85, 0.4),
    },
    "check_least_squares": {
        "三处": lambda X, y: torch.linalg.solve(..., ...),
        "形状对不上": lambda X, y: torch.linalg.solve(X, y),
        "w 的形状": lambda X, y: (torch.zeros(1), 0.0),
        "最后一列": lambda X, y: (torch.tensor([5.0, 2.0]), -1.0),
        "应为 w": lambda X, y: (torch.zeros(2), 0.0),
    },
    "check_original_units": {
        "三处": lambda w, b, mean, std: (w / std, b - ...),
        "求和": lambda w, b, mean, std: (w / std, b - w / std * mean),
        "除还是乘": lambda w, b, mean, std: (w * std, b),
        "权重应为": lambda w, b, mean, std: (w, b),
        "符号": lambda w, b, mean, std: (w / std, b + (w / std * mean).sum()),
        "原来单位的权重": lambda w, b, mean, std: (w / std, b - (w * mean).sum()),
        "偏差应为": lambda w, b, mean, std: (w / std, b),
    },
    "check_distance": {
        "形状": lambda P, Q: torch.cdist(Q, P),
        "开方": lambda P, Q: torch.cdist(P, Q) ** 2,
        "最后一维": lambda P, Q: torch.cdist(P, Q, p=1),
    },
    "check_median_seconds": {
        "三处": lambda run, number, repeat: timed(run, number, repeat)[...],
        "平均数": lambda run, number, repeat: sum(timed(run, number, repeat)) / repeat / number,
        "除以遍数": lambda run, number, repeat: sorted(timed(run, number, repeat))[1],
        "应得 2": lambda run, number, repeat: timed(run, number, repeat)[1] / number,
        "预热": lambda run, number, repeat: sorted(timed(run, number, repeat))[1] / number,
    },
    "check_step": {
        "三处": lambda params, l, lr: params[0].sub_(lr * ...),
        "先把 l 合成一个数": lambda params, l, lr: l.backward(),
        "方向反了": lambda params, l, lr: step(params, l.mean(), -lr),
        "求了和": lambda params, l, lr: step(params, l.sum(), lr),
        "除了两次": lambda params, l, lr: step(params, l.mean(), lr / len(l)),
        "忘了乘学习率": lambda params, l, lr: step(params, l.mean(), 1),
        "没有清零": lambda params, l, lr: step(params, l.mean(), lr, zero=False),
        "应走到": lambda params, l, lr: step(params, l.mean(), lr / 3),
    },
    "check_batches": {
        "4、4、2": lambda n, size, drop_last=False: in_order(n, size + 1),
        "各批应有": lambda n, size, drop_last=False: torch.randperm(n).split([3, 3, 4] if size == 4 else size),
        "恰好出现一次": lambda n, size, drop_last=False: torch.zeros(n, dtype=torch.long).split(size),
        "drop_last": lambda n, size, drop_last=False: in_order(n, size),
        "8 个": lambda n, size, drop_last=False: torch.randperm(n).split(size)[: -1 if drop_last else None],
        "你得到 [4, 2]": lambda n, size, drop_last=False: torch.randperm(n).split(size)[1 if drop_last else 0 :],
        "没有打乱": in_order,
    },
    "check_module": {
        "3 个权重与 1 个偏差": lambda num_features: nn.Linear(num_features, 1, bias=False),
        "squeeze": lambda num_features: nn.Linear(num_features, 1),
        "批量为 1": lambda num_features: Squeezed(num_features, 1),
        "两处": lambda num_features: Unfinished(num_features, 1),
    },
    "check_one_hot": {
        "形状": lambda y, num_classes: one_hot(y, num_classes + 1),
        "类型": lambda y, num_classes: one_hot(y, num_classes).long(),
        "y[i] 列": lambda y, num_classes: one_hot(y, num_classes).flip(1),
        "编号 4": one_hot,
        "编号 -1": one_hot_without_negative_check,
    },
    "check_softmax": {
        "三处": lambda O: O.exp() / ...,
        "每一列": lambda O: torch.softmax(O, dim=0),
        "先取指数": lambda O: O / O.sum(dim=1, keepdim=True) - 1,
        "第一行应是": lambda O: O.exp(),
    },
    "check_loss": {
        "三处": lambda O, y: O - ...,
        "形状应为": lambda O, y: nn.functional.cross_entropy(O, y),
        "inf": lambda O, y: -torch.softmax(O, dim=1)[range(3), y].log(),
        "值不对": lambda O, y: torch.zeros(3),
    },
    "check_one_step": {
        "三处": lambda X, y, W, b, lr: W - ...,
        "形状对不上": lambda X, y, W, b, lr: (W - X @ W, b),
        "方向反了": lambda X, y, W, b, lr: (2 * W - plane_step(X, y, W, lr), b),
        "学习率": lambda X, y, W, b, lr: (plane_step(X, y, W, 1), b),
        "除以样本数": lambda X, y, W, b, lr: (plane_step(X, y, W, lr * len(X)), b),
        "dim=1": lambda X, y, W, b, lr: (W, b),
    },
    "check_log_softmax": {
        "小的 logit": lambda O: O,
        "nan": lambda O: O - O.exp().sum(dim=1, keepdim=True).log() + 0 * O.exp(),
        "inf": lambda O: torch.softmax(O, dim=1).log(),
        "不要截断": lambda O: torch.softmax(O, dim=1).clamp(min=1e-30).log(),
    },
    "check_confusion": {
        "形状": lambda prediction, y, num_classes: confusion(prediction, y, num_classes + 1),
        "颠倒": lambda prediction, y, num_classes: confusion(y, prediction, num_classes),
        "总数少了": lambda prediction, y, num_classes: confusion(prediction, y, num_classes).clamp(max=1),
        "应为": lambda prediction, y, num_classes: confusion(prediction, y, num_classes).flip(0),
    },
    "check_class_accuracies": {
        "形状": lambda net, data, num_classes: torch.zeros(num_classes + 1),
        "预测为这一类": lambda net, data, num_classes: torch.tensor([0.5, 1.0, 2 / 3]),
        "应为": lambda net, data, num_classes: torch.tensor([0.5, 0.5, 0.5]),
    },
    "check_fit_epoch": {
        "三处": lambda W, b, data, lr: lr * ...,
        "b 没有动": lambda W, b, data, lr: None,
        "没有除以": one_step(lambda n: 1),
        "最后一批": one_step(lambda n: 2),
    },
    "check_take_batch": {
        "三处": lambda images, targets, indices: (images.float() / ..., ...),
        "形状": lambda images, targets, indices: (images[indices] / 255, targets[indices]),
        "标签": lambda images, targets, indices: (batch(images, targets, indices)[0], targets[:3]),
        "除以 255": lambda images, targets, indices: (images[indices].unsqueeze(1), targets[indices]),
        "这一列下标": lambda images, targets, indices: (batch(images, targets, [0, 1, 2])[0], targets[indices]),
    },
    "check_shift": {
        "形状": lambda image, k: image[..., : 28 - k],
        "绕回来": lambda image, k: image.roll(k, dims=2),
        "方向": lambda image, k: shifted(image, -k),
        "k = 0": lambda image, k: shifted(image, k) if k else image * 0,
        "补 0": lambda image, k: shifted(image - 1, k) + 1,
    },
}
CHECKERS = {name: lesson(page)[name] for page in PAGES for name in lesson(page) if name.startswith("check_")}


@pytest.mark.parametrize(("name", "hint"), [(name, hint) for name in WRONG_ANSWERS for hint in WRONG_ANSWERS[name]])
def test_wrong_answers_get_the_right_hint(name, hint):
    answer = CHECKERS[name](WRONG_ANSWERS[name][hint])
    assert isinstance(answer, str) and answer.startswith("提示：") and hint in answer
