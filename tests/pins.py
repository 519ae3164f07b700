"""钉住改了就该再看一眼的东西：题注与它的图、行间公式、helpers 的报错。

改过之后测试会变红，说是哪一个；看过，仍然对，就运行 ``python -m tests.pins`` 更新 pins.json，与改动一起提交。
``python -m tests.pins --new`` 只添上新的，不动原有的。
"""

import hashlib
import json
import re
import sys

import numpy as np
import torch
from torch import nn

import helpers
from tests import figure_checks
from tests.book import notebooks, sources, squeeze, where
from tests.common import ROOT, code_cells

FILE = ROOT / "tests" / "pins.json"


def digest(content):
    return hashlib.sha256(content if isinstance(content, bytes) else content.encode()).hexdigest()[:12]


def captions():
    """图 → 题注与替代文字，图；画用时的图每次不同，改看画它的代码。"""
    found = {}
    for notebook in notebooks().values():
        for cell in code_cells(notebook):
            for png in figure_checks.pictures(cell.outputs):
                figure, image = cell.metadata["mystnb"]["figure"], cell.metadata["mystnb"]["image"]
                picture = cell.source if figure_checks.varying_reason(cell) else png
                found[figure["name"]] = {"题注": digest(figure["caption"] + image["alt"]), "图": digest(picture)}
    return found


def formulas():
    """标签 → LaTeX；没有编号的行间公式，写成这一页的第几个。"""
    found = {}
    for page, _, text in sources():
        for latex, label in re.findall(r"\$\$\n([^$]*)\n\$\$(?: \((eq-[\w-]+)\))?", text):
            others = sum(key.startswith(page) for key in found)
            found[label or f"{page} 没有编号的第 {others + 1} 个"] = squeeze(latex)
    return found


# 写错的调用；X 是特征，p 是概率，y 是标签，w 是有梯度的参数，net、loader 是配好的模型与数据
BAD_CALLS = """
synthetic_data([2, -3.4], 4.2, 10)
synthetic_data(X[0], "4.2", 10)
synthetic_data(X[0], 4.2, 0)
synthetic_data(X[0], 4.2, 2.5)
synthetic_data(X[0], 4.2, 10, noise_std=-1)
synthetic_data(X[0] / 0, 4.2, 10)
data_iter(0, X, y)
data_iter(True, X, y)
data_iter(2, X, y[:3])
data_iter(2, X[:0], y[:0])
data_iter(2, X.tolist(), y)
load_array(X, 2)
load_array((X, y[:3]), 2)
load_data_fashion_mnist(256, resize=0)
fashion_mnist_root(3)
load_real_estate(3)
get_fashion_mnist_labels([10])
get_fashion_mnist_labels([2.7])
get_fashion_mnist_labels([1], language="fr")
linreg(X, X, 0.0)
linreg(X[0], w, 0.0)
linreg(y.reshape(2, 2), w, 0.0)
squared_loss(X, y)
squared_loss(X, 3)
softmax(y.reshape(2, 2))
softmax(X[:, :0])
cross_entropy(X, y)
cross_entropy(p, y.float())
cross_entropy(p, y + 2)
accuracy(p, y[:3])
accuracy(p[:0], y[:0])
evaluate_accuracy(loader, net)
evaluate_accuracy(net, [])
evaluate_accuracy(net, [X])
evaluate_accuracy(nn.Linear, loader)
evaluate_loss(net, loader, nn.MSELoss())
evaluate_loss(net, loader, nn.MSELoss)
sgd([w], -0.1, 2)
sgd([w], 0.1, 0)
sgd([], 0.1, 2)
sgd(w, 0.1, 2)
sgd([torch.ones(2, requires_grad=True)], 0.1, 2)
sgd([diverged], 0.1, 2)
train(net, data_iter(2, X, z), None, squared_loss, 1, updater)
train(net, loader, None, squared_loss, 0, updater)
train(net, loader, None, squared_loss, 1, 0.1)
train(net, loader, None, nn.MSELoss(), 1, updater)
train(net, [], None, squared_loss, 1, updater)
train(net, [(X / 0, z)], None, squared_loss, 1, updater)
set_figsize(3)
set_figsize((3, -1))
show_images(images, 1, 1)
show_images(images, 0, 2)
show_images(images, 1, 2, titles=["甲"])
show_images(images, 1, 2, scale=0)
show_images([torch.ones(3)], 1, 1)
show_images(3, 1, 1)
show_fashion_mnist(images, "甲乙")
learning_curve([0.5])
learning_curve({"lr": [0.1]})
learning_curve({"train_loss": [0.5], "test_loss": []})
train_ch3
no_such_name
""".split("\n")[1:-1]


def setting():
    """写错的调用里用到的各个量，每次都是新的。"""
    X, y, z = torch.arange(8.0).reshape(4, 2), torch.tensor([0, 1, 1, 0]), torch.ones(4, 1)
    w, diverged, net = torch.ones(2, 1, requires_grad=True), torch.ones(2, requires_grad=True), nn.Linear(2, 1)
    w.grad, diverged.grad = torch.ones(2, 1), torch.tensor([1.0, float("nan")])
    known = {"X": X, "y": y, "z": z, "p": torch.full((4, 2), 0.5), "w": w, "diverged": diverged, "net": net}
    more = {"loader": [(X, z)], "updater": torch.optim.SGD(net.parameters(), 0.1), "images": torch.ones(2, 4, 4)}
    return known | more | {"torch": torch, "nn": nn, "np": np}


def messages():
    """写错的调用 → 报什么错；函数名前面的 helpers. 省去。"""
    found = {}
    for call in BAD_CALLS:
        try:
            found[call] = (
                f"没有报错，得到 {eval(f'helpers.{call}', {'helpers': helpers, **vars(helpers), **setting()})!r}"
            )
        except Exception as error:
            found[call] = f"{type(error).__name__}：{error}"
    return found


PINNED = {"题注": captions, "公式": formulas, "报错": messages}


def problems(kind):
    """与钉住的不同之处，一处一行。"""
    pinned, now = json.loads(FILE.read_text(encoding="utf-8"))[kind], PINNED[kind]()
    for key in pinned | now:
        old, new = pinned.get(key), now.get(key)
        if old == new:
            continue
        if kind != "报错" and not old:
            yield f"{place(key)}：新的{kind}，看过以后运行 python -m tests.pins --new 记下它"
        elif kind == "题注" and new:
            changed = "与".join(name for name in new if new[name] != old[name])
            yield f"{place(key)}：{changed}变了，再看一眼图与题注（替代文字）是否相符"
        elif kind == "公式" and new:
            yield f"{place(key)}：公式变了，核对每一个正负号与下标\n  原来 {old}\n  现在 {new}"
        else:
            yield f"{key}：\n  原来 {old}\n  现在 {new}"


def place(label):
    """定义这个标签的那一格。"""
    pages = [page for page, _, text in sources() if f'"{label}"' in text or f"({label})" in text]
    return where(pages[0], f"({label})" if label.startswith("eq-") else f'"{label}"') if pages else label


if __name__ == "__main__":
    pins = {kind: now() for kind, now in PINNED.items()}
    if sys.argv[1:] == ["--new"]:
        old = json.loads(FILE.read_text(encoding="utf-8"))
        pins = {kind: pins[kind] | old[kind] for kind in pins}
    text = json.dumps(pins, ensure_ascii=False, indent=1)
    FILE.write_text(text + "\n", encoding="utf-8")
    print(f"已更新 {FILE.name}。请用 git diff 看一遍改了什么。")
