"""helpers.training：模型、损失、优化、评价与训练循环；以 torch 自己的实现为准。"""

import copy
import functools
import io
import re
import sys

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import helpers
from tests.common import raises_chinese


@pytest.fixture(autouse=True)
def fixed_seed():
    torch.manual_seed(0)


# ---------------------------------------------------------------- 优化


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_sgd_refuses_bad_gradients(bad):
    w = torch.ones(2, requires_grad=True)
    w.grad = torch.tensor([0.0, bad])
    with raises_chinese(FloatingPointError, "梯度"):
        helpers.sgd([w], 0.1, 1)
    assert w.tolist() == [1, 1]


def test_sgd_accepts_huge_gradients():
    """都是有限的数，只是加起来上溢：不是发散。"""
    w = torch.ones(2, requires_grad=True)
    w.grad = torch.full((2,), 3e38)
    helpers.sgd([w], 1e-37, 1)
    assert w.tolist() == pytest.approx([-29, -29])


def test_sgd_without_gradient_changes_nothing():
    w, b = torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)
    w.grad = torch.ones(1)
    with raises_chinese(RuntimeError, r"params\[1\] 还没有梯度"):
        helpers.sgd([w, b], 0.1, 1)
    assert w.item() == 1  # 先检查全部，再更新


def test_sgd_skips_layers_without_gradient_like_torch():
    """冻结的层、没有用到的层：与 torch.optim.SGD 一样，其余的照常更新。"""
    nets = [nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])]
    nets.append(copy.deepcopy(nets[0]))
    for net in nets:
        net[0].requires_grad_(False)
        net[1](net[0](torch.ones(1, 2))).sum().backward()
    helpers.sgd(nets[0].parameters(), 0.1, 1)
    torch.optim.SGD(nets[1].parameters(), 0.1).step()
    torch.testing.assert_close(nets[0].state_dict(), nets[1].state_dict())


# ---------------------------------------------------------------- 评价


@pytest.fixture
def classified():
    """10 个样本、3 类；分成 4、4、2 三批，前 8 个全对，最后 2 个全错。"""
    y = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1, 2, 0])
    predicted = torch.cat([y[:8], torch.tensor([0, 1])])
    return F.one_hot(predicted, 3).float(), y


class Recorder(nn.Module):
    """记下评价时的模式与是否记梯度。"""

    def __init__(self, fails=False):
        super().__init__()
        self.linear, self.seen, self.fails = nn.Linear(3, 3), [], fails

    def forward(self, X):
        self.seen.append((self.training, torch.is_grad_enabled()))
        if self.fails:
            raise ArithmeticError
        return self.linear(X)


EVALUATIONS = [
    pytest.param(helpers.evaluate_accuracy, id="accuracy"),
    pytest.param(lambda net, data: helpers.evaluate_loss(net, data, nn.CrossEntropyLoss(reduction="none")), id="loss"),
]


@pytest.mark.parametrize("evaluate", EVALUATIONS)
@pytest.mark.parametrize("training", [True, False])
def test_evaluation_leaves_the_net_as_it_was(classified, evaluate, training):
    net = Recorder().train(training)
    evaluate(net, helpers.load_array(classified, 4))
    assert net.seen == [(False, False)] * 3
    assert net.training is training and net.linear.training is training and torch.is_grad_enabled()


@pytest.mark.parametrize("evaluate", EVALUATIONS)
def test_evaluation_restores_the_mode_after_an_error(classified, evaluate):
    net = Recorder(fails=True)
    with pytest.raises(ArithmeticError):
        evaluate(net, helpers.load_array(classified, 4))
    assert net.training and torch.is_grad_enabled()


# ---------------------------------------------------------------- 训练循环


def linear_net(X, w, b):
    return X @ w + b


def regression_data(n):
    X = torch.randn(n, 2)
    return X, X @ torch.tensor([[2.0], [-3.4]]) + 4.2 + 0.1 * torch.randn(n, 1)


def classification_data(n):
    X = torch.randn(n, 2)
    return X, (X @ torch.tensor([[2.0, 0.0, -1.0], [0.0, 1.0, 1.0]])).argmax(dim=1)


KINDS = {
    "回归": (regression_data, 1, helpers.squared_loss),
    "分类": (classification_data, 3, nn.CrossEntropyLoss(reduction="none")),
}
in_both_kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def case(kind):
    make, q, loss = KINDS[kind]
    return make(50), nn.Linear(2, q), loss


def by_hand(net, data, loss, lr, batch_size, num_epochs):
    """与 helpers 无关的训练：torch.optim.SGD，平均损失。返回每轮每个样本的平均损失。"""
    optimizer, losses = torch.optim.SGD(net.parameters(), lr), []
    for _ in range(num_epochs):
        total = 0.0
        for X, y in zip(*(tensor.split(batch_size) for tensor in data)):
            l = loss(net(X), y)
            optimizer.zero_grad()
            l.mean().backward()
            optimizer.step()
            total += l.sum().item()
        losses.append(total / len(data[0]))
    return losses


@in_both_kinds
@pytest.mark.parametrize("batch_size", [10, 16], ids=["整批", "最后一批不足"])
def test_three_ways_walk_the_same_steps(case, batch_size):
    """helpers.sgd、torch.optim.SGD 与手写的循环，从同一起点走出同样的参数与记录。"""
    data, start, loss = case
    loader = helpers.load_array(data, batch_size, is_train=False)
    nets = [copy.deepcopy(start) for _ in range(3)]
    expected = by_hand(nets[0], data, loss, 0.1, batch_size, 3)
    optimizer = torch.optim.SGD(nets[1].parameters(), lr=0.1)
    concise = helpers.train(nets[1], loader, loader, loss, 3, optimizer)
    w, b = nets[2].weight.detach().T.clone().requires_grad_(), nets[2].bias.detach().clone().requires_grad_()
    scratch = helpers.train(
        lambda X: linear_net(X, w, b), loader, loader, loss, 3, functools.partial(helpers.sgd, [w, b], 0.1)
    )
    assert concise["train_loss"] == pytest.approx(expected, rel=1e-5) and expected[-1] < expected[0]
    assert scratch.keys() == concise.keys()
    assert all(scratch[key] == pytest.approx(concise[key], rel=1e-5) for key in concise)
    for weight, bias in [(nets[1].weight, nets[1].bias), (w.T, b)]:
        torch.testing.assert_close(weight, nets[0].weight)
        torch.testing.assert_close(bias, nets[0].bias)


def run(case, num_epochs=2, lr=0.1, loss=None, test=False, net=None):
    data, linear, default_loss = case
    loader = helpers.load_array(data, 16)
    optimizer = torch.optim.SGD(linear.parameters(), lr=lr)
    return helpers.train(net or linear, loader, loader if test else None, loss or default_loss, num_epochs, optimizer)


@pytest.mark.parametrize("kind", ["分类", "回归"])
@pytest.mark.parametrize("verbose", [True, False])
def test_quiet_training_is_the_same_training(case, verbose, capsys):
    """verbose 只管打印：记录与训练好的参数一个数也不变。"""
    (X, y), linear, loss = case
    other, loader = copy.deepcopy(linear), helpers.load_array((X, y), 16, is_train=False)
    histories = []
    for net, options in [(linear, {}), (other, {"verbose": verbose})]:
        capsys.readouterr()
        updater = torch.optim.SGD(net.parameters(), lr=0.1)
        histories.append(helpers.train(net, loader, loader, loss, 2, updater, **options))
    assert capsys.readouterr().out.count("第") == (2 if verbose else 0)
    assert histories[0] == histories[1] and len(histories[1]["train_loss"]) == 2
    torch.testing.assert_close(linear.state_dict(), other.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("kind", "test", "keys"),
    [
        ("回归", False, ["train_loss"]),
        ("回归", True, ["train_loss", "test_loss"]),
        ("分类", False, ["train_loss", "train_acc"]),
        ("分类", True, ["train_loss", "train_acc", "test_acc"]),
    ],
)
def test_history(case, test, keys, capsys):
    history = run(case, num_epochs=3, test=test)
    assert list(history) == keys
    assert all(len(values) == 3 and all(isinstance(v, float) for v in values) for values in history.values())
    lines = capsys.readouterr().out.splitlines()
    names = {"train_loss": "训练损失", "train_acc": "训练精度", "test_loss": "测试损失", "test_acc": "测试精度"}
    assert len(lines) == 3  # 每轮一行
    for epoch, line in enumerate(lines):
        assert line.startswith(f"第 {epoch + 1} 轮：")
        assert all(f"{names[key]} {history[key][epoch]:.{3 if 'acc' in key else 4}f}" in line for key in keys)


@in_both_kinds
def test_last_test_value_is_that_of_the_final_net(case, kind):
    data, net, loss = case
    X, y = KINDS[kind][0](30)  # 与训练数据不同
    loaders = [helpers.load_array(each, 16) for each in (data, (X, y))]
    history = helpers.train(net, *loaders, loss, 2, torch.optim.SGD(net.parameters(), 0.1))
    with torch.no_grad():
        y_hat = net(X)
    if kind == "分类":
        assert history["test_acc"][-1] == pytest.approx((y_hat.argmax(dim=1) == y).float().mean().item())
    else:
        assert history["test_loss"][-1] == pytest.approx(loss(y_hat, y).mean().item(), rel=1e-5)


@in_both_kinds
def test_training_happens_in_training_mode(case):
    """dropout、批量规范化在训练时与评价时不同：训练要在训练模式下，哪怕 net 刚被评价过。"""
    modes = []
    net = nn.Sequential(case[1])
    net.register_forward_hook(lambda module, X, y: modes.append((module.training, torch.is_grad_enabled())))
    net.eval()
    run(case, num_epochs=1, test=True, net=net)
    assert modes == [(True, True)] * 4 + [(False, False)] * 4


@pytest.mark.parametrize(
    ("kind", "loss"),
    [
        ("回归", nn.MSELoss()),
        ("回归", nn.MSELoss(reduction="sum")),
        ("分类", nn.CrossEntropyLoss()),
        ("回归", lambda y_hat, y: (y_hat - y.reshape(1, -1)) ** 2),  # 广播成了 (n, n)
    ],
)
@pytest.mark.parametrize("n", [1, 50])
def test_reduced_loss_is_rejected(case, loss, n, kind):
    data, net, _ = case
    if n == 1 and not isinstance(loss, nn.Module):
        return  # 一个样本时 (n, n) 就是 (n, 1)
    before = copy.deepcopy(net.state_dict())
    with raises_chinese(ValueError, "每个样本", 'reduction="none"' if isinstance(loss, nn.Module) else "广播"):
        run(([tensor[:n] for tensor in data], net, loss))
    torch.testing.assert_close(net.state_dict(), before)


@pytest.mark.parametrize("kind", ["回归"])
def test_diverging_stops_before_the_step(case):
    """学习率太大：损失溢出时报错，参数停在这一步之前，还是有限的数。"""
    data, net, _ = case
    seen = []
    net.register_forward_hook(lambda module, X, y: seen.append(copy.deepcopy(module.state_dict())))
    with raises_chinese(FloatingPointError, "第 [0-9]+ 轮", "学习率"):
        run(case, lr=1e3, num_epochs=50)
    assert all(p.isfinite().all() for p in net.parameters()) and len(seen) > 2
    torch.testing.assert_close(net.state_dict(), seen[-1])  # 最后一次前向之后没有更新


@in_both_kinds
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_bad_input_is_reported(case, bad):
    (X, y), net, loss = case
    before = copy.deepcopy(net.state_dict())
    X[:] = bad
    with raises_chinese(FloatingPointError, "第 1 轮", "X 有 nan"):
        run(((X, y), net, loss))
    torch.testing.assert_close(net.state_dict(), before)


@pytest.mark.parametrize("kind", ["回归"])
@pytest.mark.parametrize("make", [lambda p: torch.optim.SGD(p, 0.1), lambda p: functools.partial(helpers.sgd, p, 0.1)])
def test_bad_gradient_stops_before_the_step(case, make):
    """损失有限而梯度不是（√0 的导数）：在更新之前报告，参数不变成 nan。"""
    data, net, _ = case
    before = copy.deepcopy(net.state_dict())
    loader = helpers.load_array(data, 16)
    with raises_chinese(FloatingPointError, "梯度"):
        helpers.train(
            net, loader, None, lambda y_hat, y: (y_hat - y_hat.detach()).square().sqrt(), 1, make([*net.parameters()])
        )
    torch.testing.assert_close(net.state_dict(), before)


@pytest.mark.parametrize("kind", ["回归"])
def test_checks_do_not_disturb_the_shuffle(case):
    """检查参数不能先遍历 train_iter：那会消耗随机数，同一种子下打乱的次序就与手写的循环不同。"""
    data, net, loss = case
    loader, seen = helpers.load_array(data, 16), []
    net.register_forward_hook(lambda module, inputs, y: seen.append(inputs[0].clone()))
    torch.manual_seed(5)
    expected = [X for _ in range(2) for X, _ in loader]
    torch.manual_seed(5)
    helpers.train(net, loader, None, loss, 2, torch.optim.SGD(net.parameters(), 0.1))
    assert len(seen) == 8 and all(torch.equal(a, b) for a, b in zip(seen, expected))


# ---------------------------------------------------------------- 什么也没有改动的训练


def accumulating(net, every):
    """攒够 every 批才走一步。"""
    optimizer, seen = torch.optim.SGD(net.parameters(), lr=0.01), []

    def updater(batch_size):
        seen.append(batch_size)
        if len(seen) % every == 0:
            optimizer.step()
            optimizer.zero_grad()

    return updater


def frozen_first(net):
    net[0].requires_grad_(False)
    return net


WITH_SGD = {
    "优化器": lambda params: torch.optim.SGD(params, lr=0.1),
    "sgd": lambda params: functools.partial(helpers.sgd, params, 0.1),
}
RIGHT = {
    "第一层冻结": lambda net, kind: kind([*frozen_first(net).parameters()]),
    "只更新最后一层": lambda net, kind: kind([*net[2].parameters()]),
    "有一层没有用到": lambda net, kind: kind([*net.parameters()]),
    "损失自己也有参数": lambda net, kind: kind([*net.parameters(), nn.Parameter(torch.ones(1))]),
    "攒几批走一步": lambda net, kind: accumulating(net, 3),
    "攒一整轮走一步": lambda net, kind: accumulating(net, 4),
    "攒一轮半走一步": lambda net, kind: accumulating(net, 6),
    "旧写法的 param.data": lambda net, kind: lambda batch_size: in_data(net, batch_size),
}


def in_data(net, batch_size):
    for param in [*net[0].parameters(), *net[2].parameters()]:
        param.data -= 0.01 * param.grad / batch_size
        param.grad = None


@pytest.mark.parametrize("kind", WITH_SGD)
@pytest.mark.parametrize("use", RIGHT)
def test_right_uses_are_not_reported(use, kind):
    """没有警告（警告在测试里就是错误），参数也真的变了。"""
    net = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))
    net.unused = nn.Linear(2, 2)
    net.forward = lambda X: net[2](net[1](net[0](X)))
    before = copy.deepcopy(net.state_dict())
    helpers.train(
        net, helpers.load_array(regression_data(40), 10), None, KINDS["回归"][2], 3, RIGHT[use](net, WITH_SGD[kind])
    )
    assert any(not torch.equal(a, b) for a, b in zip(before.values(), net.state_dict().values()))


def test_training_at_the_minimum_is_not_reported():
    """已经在最低点：梯度是 0，参数不变是对的。"""
    X = torch.randn(20, 2)
    w = torch.zeros(2, 1, requires_grad=True)
    loader = helpers.load_array((X, torch.zeros(20, 1)), 10)
    helpers.train(lambda X: X @ w, loader, None, helpers.squared_loss, 2, functools.partial(helpers.sgd, [w], 0.1))
    assert (w == 0).all()


def forgotten(params):
    return lambda batch_size: None


def copied(params):
    """写成了 param = param − …：更新的是新的张量。"""

    def updater(batch_size):
        for param in params:
            param = param - 0.1 * param.grad / batch_size

    return updater


def stale(params):
    """重新造了 w、b，updater 还拿着旧的；旧的梯度已经清零。"""
    old = [torch.ones_like(param, requires_grad=True) for param in params]
    for param in old:
        param.grad = torch.zeros_like(param)
    return functools.partial(helpers.sgd, old, 0.1)


def standing(params):
    return torch.optim.SGD(params, lr=0.0)


@pytest.mark.parametrize("make", [forgotten, copied, stale, standing])
@pytest.mark.parametrize("scratch", [True, False], ids=["函数", "nn.Module"])
def test_training_that_changes_nothing_is_reported(make, scratch):
    net = nn.Linear(2, 1)
    params, loader = [*net.parameters()], helpers.load_array(regression_data(20), 10)
    with pytest.warns(UserWarning, match="没有一个参数变过.*updater 也要重新写") as caught:
        model = (lambda X: net(X)) if scratch else net
        history = helpers.train(model, loader, None, helpers.squared_loss, 2, make(params))
    assert len(history["train_loss"]) == 2 and caught[0].filename == __file__  # 指向读者的那一行


def test_stale_optimizer_is_reported_before_anything_changes():
    """连别的参数也没有动：net 是函数时，看梯度就知道。"""
    w, other = torch.zeros(2, 1, requires_grad=True), nn.Parameter(torch.ones(1))
    loader = helpers.load_array(regression_data(20), 10)
    with raises_chinese(ValueError, "优化器还是旧的"):
        helpers.train(lambda X: X @ w, loader, None, helpers.squared_loss, 1, torch.optim.SGD([other], 0.1))
    assert other.item() == 1 and (w == 0).all()


# ---------------------------------------------------------------- 打印不了的终端


class Closed:
    """管道的另一头已经关上。"""

    encoding = "utf-8"

    def write(self, text):
        raise BrokenPipeError

    def flush(self):
        pass


def closed_file():
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize(
    ("make", "lines"),
    [
        (lambda: io.TextIOWrapper(io.BytesIO(), "ascii"), ["epoch 1: train_loss ", "epoch 2: train_loss "]),
        (lambda: io.TextIOWrapper(io.BytesIO(), "cp1252"), ["epoch 1: train_loss ", "epoch 2: train_loss "]),
        (lambda: io.TextIOWrapper(io.BytesIO(), "gbk"), ["第 1 轮：训练损失 ", "第 2 轮：训练损失 "]),
        (Closed, []),
        (closed_file, []),
        (lambda: None, []),  # pythonw 没有标准输出
    ],
    ids=["ascii", "cp1252", "gbk", "管道断了", "关上了", "没有"],
)
@pytest.mark.parametrize("kind", ["回归"])
def test_training_outlives_the_terminal(case, make, lines, monkeypatch):
    stream = make()
    monkeypatch.setattr(sys, "stdout", stream)
    history = run(case, num_epochs=2, test=True)
    monkeypatch.undo()
    assert len(history["train_loss"]) == len(history["test_loss"]) == 2
    if lines:
        stream.seek(0)
        printed = stream.read().splitlines()
        assert [line[: len(start)] for line, start in zip(printed, lines, strict=True)] == lines
        assert all(re.search(f"[，,].* {loss:.4f}$", line) for line, loss in zip(printed, history["test_loss"]))


def test_report_is_one_exact_line(capsys):
    """损失四位小数，精度三位；学习率几乎为 0，训练精度就是一开始那个模型的。"""
    X, y = torch.eye(3).repeat(3, 1)[:8], torch.tensor([0, 1, 2, 0, 1, 2, 1, 0])  # 前 6 个对，后 2 个错
    net = nn.Linear(3, 3, bias=False)
    net.weight = nn.Parameter(10 * torch.eye(3))
    loss = nn.CrossEntropyLoss(reduction="none")
    loader = helpers.load_array((X, y), 3)
    history = helpers.train(net, loader, loader, loss, 1, torch.optim.SGD(net.parameters(), 1e-12))
    assert history["train_acc"] == history["test_acc"] == [0.75]
    assert (
        capsys.readouterr().out == f"第 1 轮：训练损失 {loss(net(X), y).mean():.4f}，训练精度 0.750，测试精度 0.750\n"
    )


def test_probability_zero_elsewhere_is_fine():
    assert helpers.cross_entropy(torch.tensor([[0.0, 1.0]]), torch.tensor([1])).tolist() == [0]
