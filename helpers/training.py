"""训练：模型、损失、优化算法，以及线性回归与 softmax 回归共用的训练循环。

全书的归约约定只有一条：**损失函数返回每个样本的损失，不求和也不取平均；由谁求和、除以谁，都写在明处。**
"""

import warnings
from contextlib import contextmanager

import torch

from helpers._check import (
    batches,
    check_bias,
    check_callable,
    check_class_labels,
    check_positive_int,
    check_positive_number,
    check_probabilities,
    check_repeatable,
    check_same_shape,
    check_tensor,
    explain_arguments,
    listed_params,
)
from helpers._watch import (
    StartingPoint,
    check_differentiable,
    check_finite_gradients,
    check_optimizer,
    finite_sum,
    per_example,
    predict,
    with_gradient,
)

# ---------------------------------------------------------------- 模型与损失


def linreg(X, w, b):
    """线性回归模型 Xw + b。

    Parameters
    ----------
    X : Tensor, float, (n, d)
    w : Tensor, float, (d, q)
    b : Tensor, float, (q,) 或一个数

    Returns
    -------
    Tensor, float, (n, q)

    Raises
    ------
    TypeError, ValueError
        不是浮点张量，或形状对不上。
    """
    check_tensor("X", X, dim=2)
    check_tensor("w", w, dim=2)
    if X.shape[1] != w.shape[0]:
        advice = "请写 w = w.T。" if X.shape[1] == w.shape[1] else ""
        raise ValueError(f"X 的列数要等于 w 的行数；收到 {tuple(X.shape)} 与 {tuple(w.shape)}。{advice}")
    check_bias(b, w.shape[1])
    return X @ w + b


def squared_loss(y_hat, y):
    """每个样本的平方损失 (y_hat − y)² / 2；不求和，不取平均。

    Parameters
    ----------
    y_hat : Tensor, float
        预测。
    y : Tensor, float
        标签，与 ``y_hat`` 同形，或只差长度为 1 的维；会改成 ``y_hat`` 的形状，以免 (n, 1) 与 (n,) 广播成 (n, n)。

    Returns
    -------
    Tensor, float，与 ``y_hat`` 同形

    Raises
    ------
    TypeError, ValueError
        不是张量，或形状对不上。
    """
    check_tensor("y_hat", y_hat)
    check_tensor("y", y)
    check_same_shape(y_hat, y)
    return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2


def softmax(X):
    """对每一行做 softmax：exp(x_j) / Σ_k exp(x_k)。

    先减去每行的最大值；结果不变，但 exp 不会上溢。

    Parameters
    ----------
    X : Tensor, float, (n, q)

    Returns
    -------
    Tensor, float, (n, q)
        每个元素在 [0, 1]，每行之和为 1。

    Raises
    ------
    TypeError, ValueError
        不是二维的浮点张量，或没有列。
    """
    check_tensor("X", X, dim=2)
    if X.shape[1] == 0:
        raise ValueError("X 的每一行至少要有一个数。")
    X_exp = (X - X.max(dim=1, keepdim=True).values).exp()
    return X_exp / X_exp.sum(dim=1, keepdim=True)


def cross_entropy(y_hat, y):
    """每个样本的交叉熵 −log y_hat[i, y_i]；不求和，不取平均。

    Parameters
    ----------
    y_hat : Tensor, float, (n, q)
        **概率**，例如 :func:`softmax` 的输出；不是未规范化的输出。
    y : Tensor, int64, (n,)
        正确类别的编号，0 到 q − 1。

    Returns
    -------
    Tensor, float, (n,)

    Raises
    ------
    TypeError, ValueError
        形状、类型或标签范围不对，或 ``y_hat`` 不是概率。
    """
    check_tensor("y_hat", y_hat, dim=2)
    check_class_labels(y_hat, y)
    check_probabilities(y_hat)
    return -torch.log(y_hat[torch.arange(len(y_hat)), y.long()])


# ---------------------------------------------------------------- 优化算法


@explain_arguments("当作 updater 时写 functools.partial(helpers.sgd, params, lr)，由 train 补上 batch_size。")
def sgd(params, lr, batch_size):
    """小批量随机梯度下降的一步：param ← param − lr · grad / batch_size，随后梯度清零。

    除以 ``batch_size`` 是因为这里约定梯度来自求和的损失（``loss.sum().backward()``）。
    如果反向传播的是平均损失，就传 ``batch_size=1``；两处都除会让学习率小 ``batch_size`` 倍。

    Parameters
    ----------
    params : iterable of Tensor
        ``requires_grad`` 为真、已有 ``.grad`` 的参数，至少一个；就地修改。
        模型里冻结的或没有用到的层（``nn.Parameter`` 而没有梯度）跳过，与 ``torch.optim`` 一样。
    lr : float
        学习率，大于 0。
    batch_size : int
        这一批的样本数，至少为 1。

    Raises
    ------
    TypeError, ValueError
        学习率或批量大小不对，或没有参数。
    RuntimeError
        某个参数还没有梯度。
    FloatingPointError
        梯度里有 nan 或 inf。

    Notes
    -----
    这些错误都在改动任何参数之前报告。
    """
    check_positive_number("lr", lr)
    check_positive_int("batch_size", batch_size)
    params = with_gradient(listed_params(params))
    check_finite_gradients(params)
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad / batch_size
            param.grad.zero_()


# ---------------------------------------------------------------- 评价


def accuracy(y_hat, y):
    """分类精度：预测正确的样本所占的比例。

    Parameters
    ----------
    y_hat : Tensor, float, (n, q)
        概率或未规范化的输出都可以，只看每行最大的是哪一列。
    y : Tensor, int64, (n,)

    Returns
    -------
    float
        在 [0, 1]。注意：《动手学深度学习》第二版的同名函数返回的是个数，要再除以 n。

    Raises
    ------
    TypeError, ValueError
        形状、类型或标签范围不对。
    """
    return _is_correct(y_hat, y).float().mean().item()


def _is_correct(y_hat, y):
    """每个样本的预测对不对：bool, (n,)。"""
    check_class_labels(y_hat, y)
    return y_hat.argmax(dim=1) == y


@contextmanager
def _evaluating(net):
    """评价期间不记梯度、切到评价模式；结束后恢复 net 原来的模式。"""
    was_training = isinstance(net, torch.nn.Module) and net.training
    if was_training:
        net.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        if was_training:
            net.train()


def _check_net(net):
    check_callable("net", net, "模型（函数或 nn.Module），写在数据之前")


def evaluate_accuracy(net, data_iter):
    """模型在整个数据集上的精度。

    Parameters
    ----------
    net : callable
        输入 (n, …)，输出 (n, q)。
    data_iter : iterable of (Tensor, Tensor)
        例如 DataLoader。

    Returns
    -------
    float
        正确的个数除以样本总数；不足一批的最后一批按它的实际大小计。

    Raises
    ------
    TypeError, ValueError
        ``net`` 不可调用，数据为空、不是 (X, y)，或标签不对。
    """
    return _average(net, data_iter, _is_correct)


def evaluate_loss(net, data_iter, loss):
    """模型在整个数据集上每个样本的平均损失。

    Parameters
    ----------
    net : callable
        输入 (n, …)，输出 (n, …)。
    data_iter : iterable of (Tensor, Tensor)
        例如 DataLoader。
    loss : callable
        返回每个样本的损失，同 :func:`train`。

    Returns
    -------
    float
        损失之和除以样本总数。

    Raises
    ------
    TypeError, ValueError
        ``net`` 或 ``loss`` 不可调用，数据为空、不是 (X, y)，或 ``loss`` 返回的不是每个样本的损失。
    """
    check_callable("loss", loss, "返回每个样本损失的函数")
    return _average(net, data_iter, lambda y_hat, y: per_example(loss(y_hat, y), y_hat, y))


def _average(net, data_iter, measure):
    """``measure(y_hat, y)`` 给出每个样本的一个数；返回它在整个数据集上的平均。"""
    _check_net(net)
    total, count = 0, 0
    with _evaluating(net):
        for X, y in batches("data_iter", data_iter):
            total += measure(predict(net, X), y).sum().item()
            count += len(y)
    if count == 0:
        raise ValueError("data_iter 没有给出任何样本：它是空的，或是已经用完的生成器。")
    return total / count


# ---------------------------------------------------------------- 训练循环


@explain_arguments(
    "没有测试数据，test_iter 写 None。旧写法里的 batch_size、params、lr、optimizer 合成一个 updater："
    "torch.optim.SGD(params, lr)，或 lambda batch_size: helpers.sgd(params, lr, batch_size)。"
)
def train(net, train_iter, test_iter, loss, num_epochs, updater, verbose=True):
    """训练若干轮，每轮打印一行并记录。线性回归与 softmax 回归、从零与简洁实现都用它。

    归约约定：``loss`` 返回每个样本的损失。若 ``updater`` 是 ``torch.optim`` 的优化器，
    对平均损失反向传播，再调用 ``step()``；否则对损失之和反向传播，再调用 ``updater(这一批的样本数)``，
    由它来除（见 :func:`sgd`）。两种写法走的步子相同。

    Parameters
    ----------
    net : callable
        模型：函数或 ``nn.Module``。
    train_iter : iterable of (Tensor, Tensor)
        可反复遍历的训练数据，例如 DataLoader。
    test_iter : iterable of (Tensor, Tensor) or None
        可反复遍历，每轮之后用来评价；没有就传 None。也可以传验证集：那时打印的“测试”与记录里的 ``test_…``
        说的就是验证集，画图用 ``learning_curve(history, ("训练", "验证"))``。
    loss : callable
        ``loss(y_hat, y)`` 返回每个样本的损失，元素个数等于批量大小；
        ``nn.CrossEntropyLoss`` 等要写 ``reduction="none"``。
    num_epochs : int
        轮数，至少为 1。
    updater : torch.optim.Optimizer or callable
        优化器，或形如 ``updater(batch_size)`` 的函数。
    verbose : bool
        每轮打印一行，默认 True；False 时什么也不打印，返回的记录照旧。

    Returns
    -------
    dict of str to list of float
        每轮一个数。``train_loss``：这一轮每个样本的平均损失（边训练边累计）。
        标签为整数即分类，还有 ``train_acc``；给了 ``test_iter`` 时，分类还有 ``test_acc``，回归还有 ``test_loss``。

    Raises
    ------
    TypeError, ValueError
        参数不对，``loss`` 返回的不是每个样本的损失，或优化器里没有这个模型的参数。
    RuntimeError
        损失与任何参数都无关，求不出梯度。
    FloatingPointError
        损失或梯度变成 nan 或 inf；在更新参数之前报告，参数停在上一步。

    Warns
    -----
    UserWarning
        有梯度，而训练结束时没有一个参数变过：学习率是 0，或者 ``updater`` 更新的是别的参数。
    """
    _check_net(net)
    check_positive_int("num_epochs", num_epochs)
    check_callable("loss", loss, "返回每个样本损失的函数")
    if not isinstance(updater, torch.optim.Optimizer):
        wanted = "优化器，例如 torch.optim.SGD(net.parameters(), lr=0.1)，或形如 updater(batch_size) 的函数"
        check_callable("updater", updater, wanted)
    check_repeatable("train_iter", train_iter)
    if test_iter is not None:
        check_repeatable("test_iter", test_iter)
    history, start = {}, StartingPoint()
    for epoch in range(1, num_epochs + 1):
        record = _train_epoch(net, train_iter, loss, updater, epoch, start)
        if test_iter is not None and "train_acc" in record:
            record["test_acc"] = evaluate_accuracy(net, test_iter)
        elif test_iter is not None:
            record["test_loss"] = evaluate_loss(net, test_iter, loss)
        for name, value in record.items():
            history.setdefault(name, []).append(value)
        if verbose:
            _print_record(epoch, record)
    if start.left_alone():
        warnings.warn(
            "训练结束了，没有一个参数变过，而梯度不是 0：学习率是 0 或太小，或者 updater 更新的不是这个模型的参数。"
            "重新建过 net 或 w、b 之后，updater 也要重新写。",
            stacklevel=3,  # 指向调用 train 的那一行
        )
    return history


def _train_epoch(net, train_iter, loss, updater, epoch, start):
    """一轮：返回 {"train_loss": …}，分类时还有 "train_acc"。"""
    if isinstance(net, torch.nn.Module):
        net.train()
    total_loss, correct, count, classifying = 0.0, 0, 0, False
    for X, y in batches("train_iter", train_iter):
        y_hat = predict(net, X)
        classifying = not y.is_floating_point()
        if classifying:
            correct += _is_correct(y_hat, y).sum().item()
        l = per_example(loss(y_hat, y), y_hat, y)  # (批量,)
        total_loss += finite_sum(l, epoch, X, y_hat, y, updated=start.num_steps > 0)
        _step(l, net, updater, start)
        count += len(y)
    if count == 0:
        raise ValueError("train_iter 没有给出任何样本。")
    record = {"train_loss": total_loss / count}
    if classifying:
        record["train_acc"] = correct / count
    return record


def _step(l, net, updater, start):
    """按 updater 的种类走一步；除以批量大小的只有一处。"""
    check_differentiable(l)
    start.remember(l)
    if isinstance(updater, torch.optim.Optimizer):
        updater.zero_grad()
        l.mean().backward()
        params = [param for group in updater.param_groups for param in group["params"]]
        if start.num_steps == 1:
            check_optimizer(net, params)
        check_finite_gradients(params)
        start.look_at_gradients()
        updater.step()
    else:
        l.sum().backward()
        start.look_at_gradients()
        updater(len(l))
    start.look_at_params()


_NAMES = {"train_loss": "训练损失", "train_acc": "训练精度", "test_loss": "测试损失", "test_acc": "测试精度"}


def _print_record(epoch, record):
    """每轮一行。终端写不出中文就写英文，写不了就不写：不能为这一行丢掉训练好的参数。"""
    # 精度只打印三位：换一台机器，一万幅里可能有一两幅的预测不同
    values = {key: f"{value:.{3 if key.endswith('acc') else 4}f}" for key, value in record.items()}
    chinese = f"第 {epoch} 轮：" + "，".join(f"{_NAMES[key]} {value}" for key, value in values.items())
    english = f"epoch {epoch}: " + ", ".join(f"{key} {value}" for key, value in values.items())
    for line in (chinese, english):
        try:
            return print(line)
        except UnicodeEncodeError:
            continue
        except (OSError, ValueError):  # 管道断了、标准输出已经关上
            return None
