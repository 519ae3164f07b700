"""helpers 的性质：对随机的输入都要成立的等式，与对坏参数的拒绝（hypothesis）。

例子由代码本身决定（derandomize），每次、每台机器都一样；不存例子，不限时间。
"""

import copy
import math
import re

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

import helpers
from helpers import plt
from tests.common import CHINESE

settings.register_profile(
    "book",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow],  # 机器忙时取例子会慢，与代码的对错无关
)
settings.load_profile("book")


@pytest.fixture(autouse=True, scope="module")
def quiet_plots():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plt, "show", lambda: None)
        yield


# ---------------------------------------------------------------- 随机的张量


def floats(low=None, high=None):
    """float32 能表示的有限的数；不给范围时，大到 ±3.4e38、小到非规格化数。"""
    return st.floats(low, high, width=32, allow_nan=False, allow_infinity=False)


def tensors(shape, elements):
    return arrays(np.float32, shape, elements=elements).map(torch.from_numpy)


def matrices(elements, max_rows=6, max_columns=5):
    return st.tuples(st.integers(1, max_rows), st.integers(1, max_columns)).flatmap(
        lambda shape: tensors(shape, elements)
    )


@st.composite
def classified(draw, elements, max_rows=12):
    """未规范化的输出 (n, q) 与标签 (n,)。"""
    logits = draw(matrices(elements, max_rows=max_rows))
    n, q = logits.shape
    return logits, torch.tensor(draw(st.lists(st.integers(0, q - 1), min_size=n, max_size=n)))


@st.composite
def splits(draw, n):
    """把 n 个样本切成几段，每段的样本数。"""
    cuts = sorted(draw(st.sets(st.integers(1, n - 1)))) if n > 1 else []
    return [b - a for a, b in zip([0, *cuts], [*cuts, n])]


# ---------------------------------------------------------------- softmax 与损失


@given(matrices(floats()))
def test_softmax_gives_probabilities_for_any_finite_input(X):
    y_hat = helpers.softmax(X)
    assert (y_hat >= 0).all()
    torch.testing.assert_close(y_hat.sum(dim=1), torch.ones(len(X)))
    torch.testing.assert_close(y_hat, torch.softmax(X, dim=1))


@given(matrices(floats(-50, 50)), floats(-50, 50))
def test_softmax_ignores_a_constant_added_to_a_row(X, c):
    torch.testing.assert_close(helpers.softmax(X + c), helpers.softmax(X), rtol=1e-4, atol=1e-6)


@given(matrices(floats()))
def test_softmax_keeps_the_order(X):
    in_order = helpers.softmax(X).gather(1, X.argsort(dim=1))
    assert (in_order.diff(dim=1) >= -1e-6).all()  # exp 的末位可能有一个单位的误差


@given(classified(floats(-30, 30)), st.sampled_from([torch.int64, torch.int16, torch.uint8]))
def test_cross_entropy_and_its_gradient_are_those_of_torch(case, dtype):
    logits, y = case
    logits.requires_grad_()
    l = helpers.cross_entropy(helpers.softmax(logits), y.to(dtype))
    expected = F.cross_entropy(logits, y, reduction="none")
    assert (l >= 0).all() and l.shape == y.shape
    torch.testing.assert_close(l, expected, rtol=1e-4, atol=1e-5)
    grads = [torch.autograd.grad(each.sum(), logits)[0] for each in (l, expected)]
    torch.testing.assert_close(*grads, rtol=1e-4, atol=1e-5)


@given(
    st.integers(1, 6).flatmap(lambda n: st.tuples(*[tensors((n, 1), floats(-1e3, 1e3))] * 2)),
    *[st.sampled_from([(-1, 1), (-1,)])] * 2,
)
def test_squared_loss(pair, shape, other):
    """(n, 1) 与 (n,) 不广播成 (n, n)；导数就是误差：因为有 1/2，里面没有 2。"""
    y_hat, y = pair[0].reshape(shape).requires_grad_(), pair[1].reshape(other)
    l = helpers.squared_loss(y_hat, y)
    assert l.shape == y_hat.shape
    torch.testing.assert_close(l, F.mse_loss(y_hat, y.reshape(shape), reduction="none") / 2)
    torch.testing.assert_close(torch.autograd.grad(l.sum(), y_hat)[0], (y_hat - y.reshape(shape)).detach())


@given(st.data(), *[st.integers(1, 4)] * 3)
def test_linreg_is_that_of_torch(data, n, d, q):
    b_shape = data.draw(st.sampled_from([(q,), (1, q), (1,), ()]))
    X, w, b = (data.draw(tensors(shape, floats(-9, 9))) for shape in [(n, d), (d, q), b_shape])
    torch.testing.assert_close(helpers.linreg(X, w, b), F.linear(X, w.T, b.expand(1, q)[0]))


# ---------------------------------------------------------------- 精度


@given(classified(floats()), st.randoms(use_true_random=False))
def test_accuracy_is_a_fraction_and_ignores_the_order(case, random):
    y_hat, y = case
    right = sum(row.index(max(row)) == label for row, label in zip(y_hat.tolist(), y.tolist()))
    assert helpers.accuracy(y_hat, y) == pytest.approx(right / len(y))
    order = random.sample(range(len(y)), len(y))
    assert helpers.accuracy(y_hat[order], y[order]) == helpers.accuracy(y_hat, y)


@given(classified(floats(-9, 9)), st.data())
def test_evaluation_does_not_depend_on_the_batches(case, data):
    y_hat, y = case
    parts = data.draw(splits(len(y)))
    batches = list(zip(y_hat.split(parts), y.split(parts)))
    loss = nn.CrossEntropyLoss(reduction="none")
    assert helpers.evaluate_accuracy(nn.Identity(), batches) == pytest.approx(helpers.accuracy(y_hat, y))
    assert helpers.evaluate_loss(nn.Identity(), batches, loss) == pytest.approx(
        loss(y_hat, y).mean().item(), rel=1e-4, abs=1e-6
    )


# ---------------------------------------------------------------- 小批量


LOADERS = {
    "data_iter": helpers.data_iter,
    "load_array": lambda size, X, y: helpers.load_array((X, y), size),
    "load_array 不打乱": lambda size, X, y: helpers.load_array((X, y), size, is_train=False),
    "InMemoryDataset": lambda size, X, y: DataLoader(
        helpers.InMemoryDataset(X, y, transform=torch.neg), size, shuffle=True
    ),
}


@pytest.mark.parametrize("name", LOADERS)
@given(n=st.integers(1, 40), size=st.integers(1, 50))
def test_every_example_comes_once_with_its_label(name, n, size):
    X = torch.arange(1.0, n + 1).reshape(n, 1)
    sign = -1 if name == "InMemoryDataset" else 1
    batches = list(LOADERS[name](size, X, 10 * X.reshape(-1)))
    full, short = divmod(n, size)
    assert [len(y) for _, y in batches] == [size] * full + [short] * bool(short)
    for features, labels in batches:
        assert torch.equal(10 * sign * features.reshape(-1), labels)
    assert torch.cat([labels for _, labels in batches]).sort().values.equal(10 * X.reshape(-1))


# ---------------------------------------------------------------- 优化与训练


@given(st.data(), floats(0.0009765625, 10), st.integers(1, 100), st.integers(1, 3))
def test_sgd_is_that_of_torch(data, lr, batch_size, count):
    ours, theirs = [], []
    for _ in range(count):
        value, grad = data.draw(tensors((2, 3), floats(-9, 9))), data.draw(tensors((2, 3), floats(-9, 9)))
        for params, scale in [(ours, 1), (theirs, batch_size)]:
            params.append(value.clone().requires_grad_())
            params[-1].grad = grad / scale
    helpers.sgd(iter(ours), lr, batch_size)  # net.parameters() 这样的生成器也可以
    torch.optim.SGD(theirs, lr).step()
    torch.testing.assert_close(ours, theirs)
    assert all((param.grad == 0).all() for param in ours)


# ---------------------------------------------------------------- 类别名与图


@given(st.lists(st.integers(0, 9)), st.sampled_from([list, tuple, np.array, torch.tensor]))
def test_labels_are_looked_up_one_by_one(numbers, kind):
    labels = kind(numbers) if numbers else numbers  # 空的张量没有整数类型
    assert helpers.get_fashion_mnist_labels(labels) == [helpers.FASHION_MNIST_LABELS["zh"][i] for i in numbers]


# ---------------------------------------------------------------- 坏参数

JUNK = st.sampled_from([None, "3", b"3", [], {}, object(), 1j, [1.0, 2.0], float, np.zeros(3)])
NOT_FINITE = JUNK | st.booleans() | st.sampled_from([math.nan, math.inf, -math.inf])
NOT_POSITIVE = NOT_FINITE | st.floats(max_value=0)
NEGATIVE = NOT_FINITE | st.floats(max_value=0, exclude_max=True)
NOT_POSITIVE_INT = JUNK | st.booleans() | st.integers(max_value=0) | st.floats()
NOT_TENSOR = JUNK | st.booleans() | st.integers() | st.floats()
NOT_MATRIX = NOT_TENSOR | st.sampled_from(
    [torch.tensor(1.0), torch.ones(4), torch.ones(4, 3, 1), torch.ones(4, 0), torch.ones(4, 3).bool()]
)
NOT_LABELS = NOT_TENSOR | st.sampled_from(
    [torch.tensor(labels) for labels in ([], [0, 1, 2], [0, 1, 2, 3], [0, 1, 2, -1], [0.0, 1, 2, 0], [[0]] * 4, True)]
)
NOT_FUNCTION = st.sampled_from([None, "3", 3, 0.1, [], torch.ones(2), nn.MSELoss])
NOT_BATCHES = st.sampled_from([3, helpers.accuracy, [1, 2], [(1, 2)], [(torch.ones(2),)], [torch.ones(2)]])
GENERATOR = st.builds(lambda: iter([(torch.ones(4, 2), torch.ones(4, 1))]))
NOT_IMAGES = JUNK | st.sampled_from(
    [[None], [torch.ones(3)], [torch.ones(2, 4, 4)], torch.ones(1, 0, 0), torch.ones(())]
)

PROBABILITIES, LABELS = torch.full((4, 3), 1 / 3), torch.tensor([0, 1, 2, 0])
X, Y = torch.ones(4, 2), torch.ones(4, 1)


def with_gradient():
    w = torch.ones(2, requires_grad=True)
    w.grad = torch.ones(2)
    return w


def training():
    net = nn.Linear(2, 1)
    return {
        "net": net,
        "train_iter": [(X, Y)],
        "test_iter": [(X, Y)],
        "loss": helpers.squared_loss,
        "num_epochs": 1,
        "updater": torch.optim.SGD(net.parameters(), 0.1),
    }


def always(**arguments):
    return lambda: dict(arguments)


# 函数 → (造出一组好参数, 每个参数的坏值)
CALLS = {
    "synthetic_data": (
        always(w=torch.ones(2), b=4.2, num_examples=3, noise_std=0.1),
        {
            "w": NOT_TENSOR
            | st.sampled_from([torch.ones(2, 1), torch.ones(0), torch.tensor([1, 2]), torch.ones(2) / 0]),
            "b": NOT_FINITE,
            "num_examples": NOT_POSITIVE_INT,
            "noise_std": NEGATIVE,
        },
    ),
    "data_iter": (
        always(batch_size=2, features=X, labels=Y),
        {"batch_size": NOT_POSITIVE_INT, "features": NOT_TENSOR, "labels": NOT_TENSOR | st.just(torch.ones(3))},
    ),
    "load_array": (
        always(data_arrays=(X, Y), batch_size=2),
        {
            "batch_size": NOT_POSITIVE_INT,
            "data_arrays": NOT_TENSOR | st.sampled_from([X, (), (X, Y[:2]), (X, 3), (X[0, 0], X[0, 0])]),
        },
    ),
    "fashion_mnist_root": (None, {"root": st.sampled_from([3, 2.5, True, b"data", [], object()])}),
    "load_real_estate": (always(), {"root": st.sampled_from([3, 2.5, True, b"data", [], object()])}),
    "load_data_fashion_mnist": (
        None,
        {
            "batch_size": NOT_POSITIVE_INT,
            "resize": NOT_POSITIVE_INT.filter(lambda value: value is not None)
            | st.sampled_from([(28, 0), (), (8, 9, 10)]),
        },
    ),
    "get_fashion_mnist_labels": (
        always(labels=[0, 9], language="zh"),
        {
            "labels": st.sampled_from(
                [None, 3, "3", [2.7], [-1], [10], [None], ["3"], torch.ones(2), torch.ones(2, 2)]
            ),
            "language": JUNK,
        },
    ),
    "linreg": (
        always(X=X, w=Y[:2], b=0.5),
        {
            "X": NOT_MATRIX,
            "w": NOT_MATRIX | st.just(Y),
            "b": st.sampled_from([torch.ones(4), torch.ones(4, 1), torch.ones(2, 3), torch.ones(1, 1, 1)]),
        },
    ),
    "squared_loss": (
        always(y_hat=Y, y=Y),
        {"y_hat": NOT_TENSOR | st.just(torch.ones(3, 1)), "y": NOT_TENSOR | st.just(torch.ones(3, 1))},
    ),
    "softmax": (always(X=X), {"X": NOT_MATRIX}),
    "cross_entropy": (
        always(y_hat=PROBABILITIES, y=LABELS),
        {"y_hat": NOT_MATRIX | st.sampled_from([-PROBABILITIES, 9 * PROBABILITIES]), "y": NOT_LABELS},
    ),
    "accuracy": (always(y_hat=PROBABILITIES, y=LABELS), {"y_hat": NOT_TENSOR, "y": NOT_LABELS}),
    "evaluate_accuracy": (
        always(net=nn.Identity(), data_iter=[(PROBABILITIES, LABELS)]),
        {"net": NOT_FUNCTION, "data_iter": NOT_BATCHES | st.just([])},
    ),
    "evaluate_loss": (
        always(net=nn.Identity(), data_iter=[(X, X[:, :1])], loss=lambda y_hat, y: y_hat[:, 0]),
        {"net": NOT_FUNCTION, "data_iter": NOT_BATCHES | st.just([]), "loss": NOT_FUNCTION},
    ),
    "sgd": (
        lambda: {"params": [with_gradient()], "lr": 0.1, "batch_size": 2},
        {
            "params": st.sampled_from([None, 3, "w", [], iter(()), [3], [None], torch.ones(2), [torch.ones(2)]]),
            "lr": NOT_POSITIVE,
            "batch_size": NOT_POSITIVE_INT,
        },
    ),
    "train": (
        training,
        {
            "net": NOT_FUNCTION,
            "train_iter": GENERATOR | NOT_BATCHES | st.just([]),
            "test_iter": GENERATOR | st.sampled_from([3, helpers.accuracy]),
            "loss": NOT_FUNCTION | st.sampled_from([nn.MSELoss(), lambda y_hat, y: y_hat / 0, lambda y_hat, y: 0.5]),
            "num_epochs": NOT_POSITIVE_INT,
            "updater": NOT_FUNCTION,
        },
    ),
    "set_figsize": (
        always(figsize=(3, 2)),
        {
            "figsize": NOT_TENSOR.filter(lambda value: not isinstance(value, list) or len(value) != 2)
            | st.tuples(NOT_POSITIVE, st.just(2))
        },
    ),
    "plot": (
        always(X=[1.0, 2.0], Y=[3.0, 4.0], legend=["甲"], fmts=["-"], figsize=(3, 2)),
        {
            "X": st.sampled_from(
                [None, 3, "3", [], [[]], ["a", "b"], [[1, 2], 3], torch.ones(2, 2, 2), torch.ones(3), {}]
            ),
            "Y": st.sampled_from([3, "3", ["a"], [1.0], torch.ones(2, 3), iter([1, 2])]),
            "legend": st.sampled_from([3, "甲", iter("甲"), {"甲"}, ["甲", "乙"]]),
            "fmts": st.sampled_from([None, "-", 3, []]),
            "figsize": st.sampled_from([3, "3", (3,), (0, 2), (3, math.nan), None]),
        },
    ),
    "show_images": (
        always(imgs=torch.ones(2, 4, 4), num_rows=1, num_cols=2, titles=["甲", "乙"], scale=1),
        {
            "imgs": NOT_IMAGES,
            "num_rows": NOT_POSITIVE_INT,
            "num_cols": NOT_POSITIVE_INT,
            "titles": st.sampled_from([3, "甲乙", [], ["甲"], iter("甲乙"), {}, {"甲", "乙"}]),
            "scale": NOT_POSITIVE,
        },
    ),
    "show_fashion_mnist": (
        always(images=torch.ones(2, 1, 4, 4), labels=torch.tensor([0, 1])),
        {
            "images": NOT_IMAGES,
            "labels": st.sampled_from(
                [3, "甲乙", b"ab", ["甲"], {9, 0}, {9: 1, 0: 2}, torch.tensor([0, 10]), torch.ones(2)]
            ),
        },
    ),
    "learning_curve": (
        always(history={"train_loss": [1.0]}),
        {
            "history": JUNK
            | st.sampled_from([{"train_loss": curve, "test_loss": [1.0]} for curve in ([], 3, [1.0] * 2)])
            | st.just({"train_loss": []}),
            "legend": st.sampled_from([None, 3, "训练", ["训练"], ["训练", "验证", "测试"]]),
        },
    ),
}
# 报错要说出是哪个参数；这些可以用读者的话说
SAID = {
    "features": "特征|数据",
    "labels": "标签|标题|类别编号|数据",
    "y": "标签",
    "y_hat": "共 0 类",
    "data_arrays": "特征|数据|样本",
    "data_iter": "每一批|特征",
    "train_iter": "每一批|特征",
    "params": "参数",
    "loss": "损失",
    "imgs": "图像",
    "images": "图像|num_cols",
    "titles": "标题",
    "legend": "图例",
}
BAD = [pytest.param(call, name, id=f"{call}-{name}") for call, (_, bad) in CALLS.items() for name in bad]


MEANT_TO_CHANGE = {"params", "net", "updater"}  # sgd 与 train 就是来改它们的：参数、模型、更新的办法


def frozen(value):
    """参数此刻的内容，可以比较。"""
    if isinstance(value, nn.Module):
        return value.training, frozen(value.state_dict())
    if isinstance(value, torch.Tensor):
        return value.tolist(), frozen(value.grad) if value.is_leaf else None
    if isinstance(value, dict):
        return {key: frozen(each) for key, each in value.items()}
    return [frozen(each) for each in value] if isinstance(value, list | tuple) else copy.copy(value)


def scribble(result):
    """读者改动得到的结果：逐批取出来，每个张量都加 1。"""
    if isinstance(result, torch.Tensor):
        result.detach().add_(1)
    elif not isinstance(result, str | dict | float | None) and hasattr(result, "__iter__"):
        for each in result:
            scribble(each)


@pytest.mark.parametrize("call", [call for call, (good, _) in CALLS.items() if good])
def test_arguments_are_left_alone(call):
    """好的参数没有错误，下一个测试里的错误就只能来自换上去的坏参数；调用前后参数一样，改动得到的结果也不变。"""
    arguments = CALLS[call][0]()
    kept = {name: value for name, value in arguments.items() if name not in MEANT_TO_CHANGE}
    before = frozen(kept)
    with plt.rc_context():
        scribble(getattr(helpers, call)(**arguments))
    plt.close("all")
    assert frozen(kept) == before


def state(arguments):
    """调用前后不该变的：参数、绘图设置、随机数。"""
    tensors = [*arguments.get("params", ())] if isinstance(arguments.get("params"), list) else []
    if isinstance(arguments.get("net"), nn.Module):
        tensors += [*arguments["net"].parameters()]
    values = [tensor.tolist() for tensor in tensors if isinstance(tensor, torch.Tensor)]
    return values, plt.get_fignums(), plt.rcParams["figure.figsize"], torch.get_rng_state().tolist()


@pytest.mark.parametrize(("call", "name"), BAD)
@settings(max_examples=40)
@given(data=st.data())
def test_bad_arguments_are_refused_in_chinese(call, name, data):
    good, bad = CALLS[call]
    arguments = good() if good else {"batch_size": 2} if call.startswith("load") else {}
    arguments[name] = data.draw(bad[name])
    before = state(arguments)
    with pytest.raises((TypeError, ValueError, RuntimeError, FloatingPointError)) as caught:
        getattr(helpers, call)(**arguments)
    said = str(caught.value)
    own_name = rf"(?<!\w){name}(?![A-Za-z])"
    assert re.search(CHINESE, said) and re.search(f"{own_name}|{SAID.get(name, own_name)}", said), said
    assert said.endswith("。")
    assert state(arguments) == before  # 没有白做的事：参数没有改，没有画了一半的图


# 形状随意的两个张量
SHAPES = st.lists(st.integers(1, 3), max_size=4)
KINDS = st.sampled_from([torch.float32, torch.int64, torch.bool])
PAIRS = {
    "accuracy": ("y_hat", "y"),
    "squared_loss": ("y_hat", "y"),
    "linreg": ("X", "w"),
    "cross_entropy": ("y_hat", "y"),
}


@pytest.mark.parametrize("call", PAIRS)
@settings(max_examples=150)
@given(shapes=st.tuples(SHAPES, SHAPES), kinds=st.tuples(KINDS, KINDS))
def test_advice_leads_on_whatever_the_shapes_are(call, shapes, kinds):
    """每次报错都是中文；照“请写 名字 = …”改，同样的话不会再说一遍，几步之内就成功，或者说出真正缺的是什么。"""
    known = {"torch": torch, "helpers": helpers}
    arguments = {name: torch.ones(shape).to(kind) for name, shape, kind in zip(PAIRS[call], shapes, kinds)}
    heard, code = [], True
    while code and len(heard) < 6:
        try:
            getattr(helpers, call)(**arguments, **({"b": 0.5} if call == "linreg" else {}))
            break
        except (TypeError, ValueError) as error:
            said = str(error)
        assert re.search(CHINESE, said) and said.endswith("。") and said not in heard, said
        heard.append(said)
        code = re.search(r"请写 (\w+) = ([^。，；]*)[。，；]", said)
        if code:
            arguments[code[1]] = eval(code[2], known | arguments)


def test_every_public_function_is_in_the_table():
    """新加的函数也要在表里；这几个没有会写错的参数。"""
    functions = {name for name in helpers.__all__ if callable(getattr(helpers, name))}
    assert functions - set(CALLS) == {"InMemoryDataset", "use_book_style"}
