"""报错说的是真正的原因，照它说的做就行：每一行先调用一次，看信息；照信息里的那句代码改，再调用，要成功。"""

import functools
import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

import helpers
from helpers import plt
from tests.common import raises_chinese


@pytest.fixture(autouse=True)
def prepared(monkeypatch):
    torch.manual_seed(0)
    monkeypatch.setattr(plt, "show", lambda: None)
    yield
    plt.close("all")


class Table:
    """pandas 的表格与列，用到的只有这几样。测试不装 pandas；混有真假列的表格，不写类型就得到一列对象。"""

    def __init__(self, values):
        self.values = np.asarray(values)
        self.shape = self.values.shape
        if len(self.shape) == 2:
            self.columns = range(self.shape[1])

    def to_numpy(self, dtype=None):
        return self.values.astype(dtype or object)

    def __array__(self, dtype=None, copy=None):
        return self.values.astype(object if self.values.ndim == 2 else self.values.dtype)

    def __len__(self):
        return len(self.values)

    def __iter__(self):
        return iter("列名")  # 遍历表格得到的是列名


X = torch.randn(20, 2)
Y = X @ torch.tensor([[2.0], [-3.4]]) + 4.2  # (20, 1)
LABELS = torch.arange(20) % 3
LOGITS = torch.randn(20, 3)
IMAGES = torch.rand(2, 1, 4, 5)
MSE, CROSS_ENTROPY = nn.MSELoss(reduction="none"), nn.CrossEntropyLoss(reduction="none")


def train(
    X=X, y=Y, loss=MSE, net=None, train_iter=None, test_iter=None, num_epochs=1, outputs=1, lr=0.03, updater=None
):
    """线性模型训练一轮；只改一个参数，其余都是好的。"""
    layer = nn.Linear(2, outputs)
    net = layer if net is None else net
    train_iter = helpers.load_array((X, y), 10) if train_iter is None else train_iter
    if updater is None:
        updater = torch.optim.SGD([*(layer if net is layer else LAYER).parameters()], lr)
    return helpers.train(net, train_iter, test_iter, loss, num_epochs, updater)


def classify(y=LABELS, loss=CROSS_ENTROPY, outputs=3, **arguments):
    return train(y=y, loss=loss, outputs=outputs, **arguments)


LAYER = nn.Linear(2, 1)


def data_iter(features=X, labels=Y):
    return [*helpers.data_iter(10, features, labels)]


def evaluate(data_iter=((X, Y),)):
    return helpers.evaluate_loss(nn.Linear(2, 1), data_iter, MSE)


def step(params=None, lr=0.1, batch_size=2):
    helpers.sgd([ready()] if params is None else params, lr, batch_size)


def ready():
    """已有梯度的参数。"""
    w = torch.ones(2, requires_grad=True)
    w.grad = torch.ones(2)
    return w


def net_ready():
    net = nn.Linear(2, 1)
    net(X).sum().backward()
    return net


def accuracy(y_hat=LOGITS, y=LABELS):
    return helpers.accuracy(y_hat, y)


def cross_entropy(y_hat):
    return helpers.cross_entropy(y_hat, LABELS)


def squared_loss(y):
    return helpers.squared_loss(torch.ones(2, 3), y)


def linreg(X=X, w=None, b=0.5):
    return helpers.linreg(X, torch.ones(2, 3) if w is None else w, b)


def synthetic_data(w):
    return helpers.synthetic_data(w, 4.2, 5)


def show(imgs=IMAGES, titles=None, scale=1.5, num_cols=2):
    helpers.show_images(imgs, 1, num_cols, titles, scale)


def plot(X=(1, 2), legend=None):
    helpers.plot(X, legend=legend)


LOADER = "torch.utils.data.DataLoader({}, batch_size=256)"
SHUFFLED = "torch.utils.data.DataLoader(train_iter, batch_size=256, shuffle=True)"
MIXED = np.array([[1.5, True], [2.5, False]] * 10, dtype=object)
SQUEEZED = nn.Sequential(LAYER, nn.Flatten(0))  # 输出 (n,)

# 一行一例：调用，写错的参数，写错的值，信息里另外要有的词，信息里那句改正的代码
CASES = [
    # 不是张量
    ("特征是表格", train, "X", Table(X), [r"Table，形状 \(20, 2\)"], 'torch.as_tensor(X.to_numpy(dtype="float32"))'),
    ("表格里有真假", train, "X", Table(MIXED), ["Table"], 'torch.as_tensor(X.to_numpy(dtype="float32"))'),
    ("标签是一列", train, "y", Table(Y), ["y 收到 Table"], 'torch.as_tensor(y.to_numpy(dtype="float32"))'),
    ("类别是一列", classify, "y", Table(LABELS), ["y 收到"], 'torch.as_tensor(y.to_numpy(dtype="int64"))'),
    ("特征是数组", train, "X", X.double().numpy(), ["X 收到 ndarray"], "torch.as_tensor(X, dtype=torch.float32)"),
    ("特征是整数数组", train, "X", np.ones((20, 2), int), ["ndarray"], "torch.as_tensor(X, dtype=torch.float32)"),
    ("特征是列表", train, "X", X.tolist(), ["X 收到 list"], "torch.as_tensor(X, dtype=torch.float32)"),
    ("特征是一列张量", train, "X", [*X], ["X 收到 list"], "torch.stack(X)"),
    ("类别是列表", classify, "y", LABELS.tolist(), ["y 收到"], "torch.as_tensor(y, dtype=torch.int64)"),
    ("data_iter 的特征", data_iter, "features", X.numpy(), [], "torch.as_tensor(features, dtype=torch.float32)"),
    ("data_iter 的标签", data_iter, "labels", Y.tolist(), [], "torch.as_tensor(labels, dtype=torch.float32)"),
    ("精度的标签", accuracy, "y", LABELS.numpy(), ["ndarray"], "torch.as_tensor(y, dtype=torch.int64)"),
    ("真实权重是列表", synthetic_data, "w", [2, -3.4], [r"\[2, -3.4\]"], "torch.as_tensor(w, dtype=torch.float32)"),
    # 形状与类型
    ("样本摆成了列", train, "X", X.T, [r"\(2, 20\)", r"\(20, 1\)"], "X.T"),
    (
        "标签少一维",
        train,
        "y",
        Y.reshape(-1),
        [r"\(10, 10\)", r"y_hat .* \(10, 1\)", r"y .* \(10,\)"],
        "y.reshape(-1, 1)",
    ),
    ("标签多一维", functools.partial(train, net=SQUEEZED), "y", Y, ["广播"], "y.reshape(-1)"),
    ("回归的标签是整数", train, "y", Y.long(), ["只有一列", "类别编号"], "y.float()"),
    ("类别是一列张量", classify, "y", LABELS.reshape(-1, 1), [r"\(10, 1\)"], "y.reshape(-1)"),
    ("类别是独热编码", classify, "y", nn.functional.one_hot(LABELS), ["独热"], "y.argmax(dim=1)"),
    ("类别从 1 编号", classify, "y", LABELS + 1, ["从 1 到 3", "从 1 开始"], "y - 1"),
    ("类别是浮点数", accuracy, "y", LABELS.float(), ["float32"], "y.long()"),
    ("类别是真假", accuracy, "y", LABELS > 1, ["bool"], "y.long()"),
    ("预测多两维", accuracy, "y_hat", LOGITS[:, :, None, None], [r"\(20, 3, 1, 1\)"], "y_hat.flatten(start_dim=1)"),
    ("不是概率", cross_entropy, "y_hat", LOGITS, ["概率"], "helpers.softmax(y_hat)"),
    ("忘了 softmax 而权重是 0", cross_entropy, "y_hat", LOGITS * 0, ["和为 1"], "helpers.softmax(y_hat)"),
    ("输出都是很小的负数", cross_entropy, "y_hat", LOGITS - 9, ["未规范化"], "helpers.softmax(y_hat)"),
    ("对数概率", cross_entropy, "y_hat", LOGITS.log_softmax(1), ["对数概率"], "y_hat.exp()"),
    ("平方损失行列反了", squared_loss, "y", torch.ones(3, 2), [r"\(2, 3\)", r"\(3, 2\)"], "y.T"),
    ("图像没有拉直", functools.partial(linreg, w=torch.ones(20, 3)), "X", IMAGES, [], "X.flatten(start_dim=1)"),
    ("只有一个特征", functools.partial(linreg, w=torch.ones(1, 3)), "X", X[:, 0], [], "X.reshape(-1, 1)"),
    ("只有一个样本", linreg, "X", X[0], [], "X.reshape(1, -1)"),
    ("特征是整数", linreg, "X", X.long(), ["int64"], "X.float()"),
    ("权重是一维的", linreg, "w", torch.ones(2), [r"\(2,\)"], "w.reshape(-1, 1)"),
    ("权重照 nn.Linear 的摆法", linreg, "w", torch.ones(3, 2), [r"\(3, 2\)"], "w.T"),
    ("偏差是一列", linreg, "b", torch.zeros(3, 1), [r"\(3, 1\)"], "b.reshape(-1)"),
    ("偏差是数组", linreg, "b", np.array([0.5]), ["ndarray"], "b.item()"),
    ("真实权重是整数", synthetic_data, "w", torch.tensor([2, 3]), ["int64"], "w.float()"),
    ("真实权重是一列", synthetic_data, "w", torch.ones(2, 1), [r"\(2, 1\)"], "w.reshape(-1)"),
    # 该是 DataLoader
    ("TensorDataset", train, "train_iter", TensorDataset(X, Y), ["数据集", "TensorDataset"], SHUFFLED),
    ("我们的数据集", train, "train_iter", helpers.InMemoryDataset(X, Y), ["数据集"], SHUFFLED),
    (
        "验证集",
        train,
        "test_iter",
        random_split(TensorDataset(X, Y), [15, 5])[1],
        ["Subset"],
        LOADER.format("test_iter"),
    ),
    ("评价用的数据集", evaluate, "data_iter", TensorDataset(X, Y), ["数据集"], LOADER.format("data_iter")),
    ("还没有分批", train, "train_iter", (X, Y), ["还没有分批"], "helpers.load_array(train_iter, batch_size=256)"),
    (
        "评价时还没有分批",
        evaluate,
        "data_iter",
        [X, Y],
        ["还没有分批"],
        "helpers.load_array(data_iter, batch_size=256)",
    ),
    # 单个的值
    ("学习率是张量", step, "lr", torch.tensor(0.1), ["Tensor"], "lr.item()"),
    ("学习率是数组", step, "lr", np.array([0.1]), ["ndarray"], "lr.item()"),
    ("批量大小是张量", step, "batch_size", torch.tensor(2), ["Tensor"], "batch_size.item()"),
    ("轮数是浮点数", train, "num_epochs", 2.0, ["2.0"], "int(num_epochs)"),
    ("params 是模型", step, "params", net_ready(), ["模型"], "list(params.parameters())"),
    ("params 是一个张量", step, "params", ready(), ["单个"], "[params]"),
    # 模型与损失
    ("模型有几个输出", train, "net", lambda X: (LAYER(X), X), ["tuple"], "lambda X: net(X)[0]"),
    (
        "几个输出各有损失",
        functools.partial(train, outputs=3, y=torch.ones(20, 3)),
        "loss",
        MSE,
        ["3 个数"],
        "lambda y_hat, y: loss(y_hat, y).flatten(start_dim=1).mean(dim=1)",
    ),
    # 画图
    ("标题是一段文字", functools.partial(show, IMAGES[:1], num_cols=1), "titles", "甲", ["文字"], "[titles]"),
    ("图例是一段文字", plot, "legend", "损失", ["文字"], "[legend]"),
    ("NumPy 图像的通道在前", show, "imgs", IMAGES.numpy(), [r"\(1, 4, 5\)"], "torch.as_tensor(imgs)"),
    ("彩色的也在前", show, "imgs", torch.rand(2, 3, 4, 5).numpy(), [r"\(3, 4, 5\)"], "torch.as_tensor(imgs)"),
    ("图像比格子多", functools.partial(show, num_cols=1), "imgs", IMAGES, ["2 幅"], "imgs[:1]"),
]


@pytest.mark.filterwarnings("ignore:Using a target size")  # torch 自己也提醒，但不停下
@pytest.mark.parametrize(("call", "name", "value", "words", "code"), [pytest.param(*c[1:], id=c[0]) for c in CASES])
def test_advice_works_when_followed(call, name, value, words, code):
    with raises_chinese((TypeError, ValueError), *words, re.escape(code)):
        call(**{name: value})
    call(**{name: eval(code, {"helpers": helpers, "torch": torch, name: value})})


ITERATORS = [
    lambda: helpers.data_iter(10, X, Y),
    lambda: iter(helpers.load_array((X, Y), 10)),
    lambda: zip(X.split(10), Y.split(10)),
]


@pytest.mark.parametrize("make", ITERATORS, ids=["生成器", "iter(DataLoader)", "zip"])
@pytest.mark.parametrize("name", ["train_iter", "test_iter"])
def test_iterator_becomes_a_list(make, name):
    with raises_chinese(TypeError, "走完一遍就空了", re.escape(f"{name} = list({name})")):
        train(**{name: make()})
    train(**{name: list(make())}, num_epochs=2)


@pytest.mark.parametrize("titles", [lambda: (title for title in "甲乙"), lambda: map(str, [1, 2])])
def test_generated_titles_become_a_list(titles):
    with raises_chinese(TypeError, re.escape("titles = list(titles)")):
        show(titles=titles())
    show(titles=list(titles()))


# ---------------------------------------------------------------- 改法不是一句代码的


def trained_again(rebuild_optimizer):
    """重新建立了模型；优化器也重新写了，或者没有。"""
    net = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(net.parameters(), 0.03)
    train(net=net, updater=optimizer)
    net = nn.Linear(2, 1)
    train(net=net, updater=torch.optim.SGD(net.parameters(), 0.03) if rebuild_optimizer else optimizer)


def new_head(rebuild_optimizer):
    net = nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 2))
    optimizer = torch.optim.SGD(net.parameters(), 0.03)
    net[1] = nn.Linear(4, 1)
    train(net=net, updater=torch.optim.SGD(net.parameters(), 0.03) if rebuild_optimizer else optimizer)


def two_layers(updated, frozen=(), used=(0, 1)):
    """更新 updated 里的层；frozen 里的冻结，used 之外的没有用到。"""
    layers = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
    for i in frozen:
        layers[i].requires_grad_(False)
    layers.forward = nn.Sequential(*(layers[i] for i in used), nn.Flatten()).forward
    updater = torch.optim.SGD([param for i in updated for param in layers[i].parameters()], 0.03)
    train(y=torch.ones(20, 2), loss=lambda y_hat, y: MSE(y_hat, y).sum(dim=1), net=layers, updater=updater)


def sgd_once(make=lambda: torch.ones(2, requires_grad=True), use=lambda w, b: w * b, backward=True):
    """w 由 make 造出，b 是好的参数；算一个损失，反向传播，更新一步。"""
    w, b = make(), torch.ones(2, requires_grad=True)
    if backward:
        use(w, b).sum().backward()
    helpers.sgd([w, b], 0.1, 1)


def by_hand(net, loss, data=(X, LABELS), lr=0.1):
    """从零实现的一套：net(X, w)。"""
    w = torch.zeros(2, 3, requires_grad=True)
    updater = functools.partial(helpers.sgd, [w], lr)
    helpers.train(lambda X: net(X @ w), helpers.load_array(data, 10), None, loss, 20, updater)


def diverging(lr):
    net = nn.Linear(2, 1)
    train(X=10 * X, net=net, num_epochs=50, updater=torch.optim.SGD(net.parameters(), lr))


def holed(tensor):
    return torch.where(torch.arange(len(tensor)).reshape(-1, *[1] * (tensor.dim() - 1)) == 3, torch.nan, tensor)


BATCHES = helpers.load_array((X, Y), 10)
NET = nn.Linear(2, 1)
SGD = torch.optim.SGD(NET.parameters(), 0.01)

# 一行一例：错的调用，错误的类型，信息里要有的词，照信息改正的调用
CAUSES = [
    # 数据
    (
        "表格里有文字",
        lambda: train(X=Table([["a", 1.0]] * 20)),
        (TypeError, ["Table", "文字"]),
        lambda: train(X=torch.as_tensor(Table([[0, 1.0]] * 20).to_numpy(dtype="float32"))),
    ),
    ("长短不一", lambda: train(X=[[1.0], [1.0, 2.0]] * 10), (TypeError, ["长短不一"]), train),
    (
        "几个张量没有放进一个括号",
        lambda: helpers.load_array(X, Y, 10),
        (TypeError, [re.escape("helpers.load_array((features, labels), batch_size=10)")]),
        lambda: helpers.load_array((X, Y), batch_size=10),
    ),
    (
        "一个样本而不是一批",
        lambda: evaluate(DataLoader(TensorDataset(X, LABELS), None)),
        (ValueError, ["y 是单个的数", "DataLoader"]),
        evaluate,
    ),
    (
        "只有特征",
        lambda: train(train_iter=DataLoader(TensorDataset(X), 10)),
        (TypeError, ["train_iter", "没有标签"]),
        train,
    ),
    ("一批就是特征", lambda: train(train_iter=DataLoader(X, 10)), (TypeError, ["没有标签"]), train),
    ("一批有三样", lambda: evaluate([(X, Y, Y)]), (TypeError, ["3 个"]), evaluate),
    ("一批是字典", lambda: evaluate([{"x": X, "y": Y}]), (TypeError, ["字典", "x"]), evaluate),
    ("数据是表格", lambda: train(train_iter=Table(X)), (TypeError, ["train_iter", "Table", "load_array"]), train),
    ("数据是张量", lambda: evaluate(X), (TypeError, ["data_iter", "Tensor"]), evaluate),
    # 模型、损失与更新
    (
        "模型与数据写反了",
        lambda: helpers.evaluate_accuracy(BATCHES, NET),
        (TypeError, ["net", "写在数据之前"]),
        evaluate,
    ),
    ("模型没有返回值", lambda: train(net=lambda X: None), (TypeError, ["NoneType", "return"]), train),
    ("损失没有返回值", lambda: train(loss=lambda y_hat, y: None), (TypeError, ["NoneType", "return"]), train),
    ("损失取出了数", lambda: train(loss=lambda y_hat, y: MSE(y_hat, y).mean().item()), (TypeError, ["item"]), train),
    ("损失求过平均", lambda: train(loss=nn.MSELoss()), (ValueError, ["平均", 'reduction="none"']), train),
    (
        "自己写的损失求过和",
        lambda: train(loss=lambda y_hat, y: MSE(y_hat, y).sum()),
        (ValueError, [r"不要 \.sum"]),
        train,
    ),
    ("每个样本两个", lambda: train(loss=lambda *_: torch.ones(10, 2)), (ValueError, ["每个样本有 2 个数"]), train),
    ("评价时广播", lambda: evaluate([(X, Y.reshape(-1))]), (ValueError, ["广播"]), evaluate),
    ("损失漏了括号", lambda: train(loss=nn.MSELoss), (TypeError, ["MSELoss", "括号"]), train),
    ("类别多于输出", lambda: classify(outputs=2), (ValueError, ["共 2 类", "3 个输出"]), classify),
    ("分类只有一个输出", lambda: classify(outputs=1), (ValueError, ["只有一列", "一样多的输出"]), classify),
    (
        "updater 是参数",
        lambda: train(updater=NET.parameters()),
        (TypeError, [re.escape("torch.optim.SGD(net.parameters(), lr=0.1)")]),
        train,
    ),
    ("updater 是学习率", lambda: train(updater=0.03), (TypeError, ["updater", "优化器"]), train),
    # 旧写法
    (
        "旧写法，给出 params 与 lr",
        lambda: helpers.train(NET, BATCHES, None, MSE, 1, 10, [*NET.parameters()], 0.03),
        (TypeError, ["lambda batch_size: helpers.sgd\\(params, lr, batch_size\\)"]),
        lambda: helpers.train(
            NET, BATCHES, None, MSE, 1, lambda batch_size: helpers.sgd([*NET.parameters()], 0.01, batch_size)
        ),
    ),
    (
        "旧写法，给出优化器",
        lambda: helpers.train(NET, BATCHES, None, MSE, num_epochs=1, batch_size=10, optimizer=SGD),
        (TypeError, ["batch_size", "合成一个 updater"]),
        train,
    ),
    ("没有写测试数据", lambda: helpers.train(NET, BATCHES, MSE, 1, SGD), (TypeError, ["test_iter 写 None"]), train),
    # 什么也不更新的训练
    (
        "重新建了模型",
        lambda: trained_again(False),
        (ValueError, ["优化器还是旧的", "重新写 optimizer"]),
        lambda: trained_again(True),
    ),
    (
        "换了最后一层",
        lambda: new_head(False),
        (ValueError, ["1.weight、1.bias", "重新写 optimizer"]),
        lambda: new_head(True),
    ),
    (
        "优化器里的都冻结了",
        lambda: two_layers([0], frozen=[0]),
        (ValueError, ["冻结"]),
        lambda: two_layers([0, 1], frozen=[0]),
    ),
    (
        "优化器里的没有用到",
        lambda: two_layers([0], used=[1]),
        (ValueError, ["没有用到"]),
        lambda: two_layers([0, 1], used=[1]),
    ),
    (
        "全冻结了",
        lambda: two_layers([0, 1], frozen=[0, 1]),
        (RuntimeError, ["requires_grad 都是 False"]),
        lambda: two_layers([0, 1]),
    ),
    ("损失断开了", lambda: train(loss=lambda y_hat, y: MSE(y_hat.detach(), y)), (RuntimeError, [r"\.detach"]), train),
    # sgd
    ("还没有反向传播", lambda: sgd_once(backward=False), (RuntimeError, [r"backward\(\)"]), sgd_once),
    (
        "忘了 requires_grad",
        lambda: sgd_once(lambda: torch.ones(2)),
        (RuntimeError, [r"params\[0\]", "requires_grad 是 False", r"requires_grad_\(\)"]),
        lambda: sgd_once(lambda: torch.ones(2).requires_grad_()),
    ),
    ("没有用到", lambda: sgd_once(use=lambda w, b: b), (RuntimeError, [r"params\[0\]", "没有用到"]), sgd_once),
    (
        "不是叶子",
        lambda: sgd_once(lambda: 2 * torch.ones(2, requires_grad=True)),
        (RuntimeError, [r"detach\(\)\.requires_grad_\(\)"]),
        lambda: sgd_once(lambda: (2 * torch.ones(2, requires_grad=True)).detach().requires_grad_()),
    ),
    (
        "updater 漏了学习率",
        lambda: helpers.train(NET, BATCHES, None, MSE, 1, functools.partial(helpers.sgd, [*NET.parameters()])),
        (TypeError, [r"sgd\(params, lr, batch_size\)", r"functools.partial\(helpers.sgd, params, lr\)"]),
        lambda: helpers.train(NET, BATCHES, None, MSE, 1, functools.partial(helpers.sgd, [*NET.parameters()], 0.01)),
    ),
    (
        "生成器用完了",
        lambda: helpers.sgd(iter([]), 0.1, 1),
        (ValueError, [r"list\(net.parameters\(\)\)"]),
        lambda: step(params=list(net_ready().parameters())),
    ),
    ("没有参数", lambda: helpers.sgd([], 0.1, 1), (ValueError, ["是空的"]), step),
    # nan 与 inf
    (
        "输入里有 nan",
        lambda: train(X=holed(X)),
        (FloatingPointError, ["第 1 轮", "X 有 nan", r"X\.isfinite\(\)"]),
        lambda: train(X=X[holed(X).isfinite().all(dim=1)], y=Y[holed(X).isfinite().all(dim=1)]),
    ),
    ("标签里有 nan", lambda: train(y=holed(Y)), (FloatingPointError, ["y 有 nan"]), train),
    (
        "第一步就对负数取了对数",
        lambda: train(net=lambda X: LAYER(X).clamp(max=-1), loss=lambda y_hat, y: y_hat.log()),
        (FloatingPointError, ["常见原因"]),
        train,
    ),
    ("学习率太大", lambda: diverging(10), (FloatingPointError, ["学习率除以 10"]), lambda: diverging(1e-3)),
    (
        "对 0 取了对数",
        lambda: by_hand(lambda o: helpers.softmax(1e4 * o), helpers.cross_entropy),
        (FloatingPointError, ["对 0 取了对数", "nn.CrossEntropyLoss"]),
        lambda: by_hand(nn.Identity(), CROSS_ENTROPY),
    ),
    # 精度
    ("两个参数写反了", lambda: accuracy(LABELS, LOGITS.long()), (ValueError, ["写反了"]), accuracy),
    (
        "已经是类别编号",
        lambda: accuracy(LOGITS.argmax(1), LABELS),
        (ValueError, [re.escape("(y_hat == y).float().mean().item()")]),
        accuracy,
    ),
    (
        "回归没有精度",
        lambda: helpers.evaluate_accuracy(NET, BATCHES),
        (TypeError, ["回归没有精度", "evaluate_loss"]),
        evaluate,
    ),
    # 画图
    (
        "六万幅",
        lambda: show(imgs=torch.zeros(60_000, 1, 28, 28), num_cols=60_000),
        (ValueError, ["200 格", re.escape("helpers.show_images(imgs[:50], 5, 10)")]),
        lambda: helpers.show_images(torch.zeros(60_000, 1, 28, 28)[:50], 5, 10, scale=0.2),
    ),
    (
        "一行太多",
        lambda: helpers.show_fashion_mnist(torch.zeros(40, 1, 28, 28), [0] * 40),
        (ValueError, ["40 幅", re.escape("(images[:10], labels[:10])")]),
        lambda: helpers.show_fashion_mnist(torch.zeros(40, 1, 28, 28)[:10], ([0] * 40)[:10]),
    ),
    ("标题是表格", lambda: show(titles=Table([[1], [2]])), (TypeError, ["表格", "iloc"]), show),
    ("图太大", lambda: show(scale=30), (ValueError, ["50 英寸", "scale=25"]), lambda: show(scale=25)),
]


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize(("bad", "error", "good"), [pytest.param(*row[1:], id=row[0]) for row in CAUSES])
def test_the_true_cause_is_named(bad, error, good):
    with raises_chinese(error[0], *error[1]):
        bad()
    plt.close("all")
    good()
