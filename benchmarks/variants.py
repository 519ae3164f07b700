"""被比较的各种写法。训练的代码相同，不同的只是怎样取数。"""

import random
from contextlib import redirect_stdout
from functools import partial

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torchvision.datasets import FashionMNIST
from torchvision.transforms import ToTensor

import helpers

BATCH_SIZE = 256
SEED = 0

# ---------------------------------------------------------------- softmax 回归


def torchvision_loaders(num_workers):
    """通常的写法：逐幅取出图像，经 ToTensor 变成张量，由 DataLoader 拼成一批。"""
    root = helpers.fashion_mnist_root()
    train, test = (FashionMNIST(root, train=part, transform=ToTensor()) for part in (True, False))
    loader = partial(DataLoader, batch_size=BATCH_SIZE, num_workers=num_workers)
    return loader(train, shuffle=True), loader(test)


LOADERS = {
    "ours": partial(helpers.load_data_fashion_mnist, BATCH_SIZE),
    "torchvision_0": partial(torchvision_loaders, 0),
    "torchvision_2": partial(torchvision_loaders, 2),
    "torchvision_4": partial(torchvision_loaders, 4),
}


def softmax_parts():
    """模型、损失与优化器；每次都从同样的参数、同样的打乱次序开始。"""
    torch.manual_seed(SEED)
    net = nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 10))
    return net, nn.CrossEntropyLoss(reduction="none"), torch.optim.SGD(net.parameters(), lr=0.1)


def softmax_epoch(train_iter, test_iter):
    """训练一轮，再在测试集上评价；返回训练损失。"""
    net, loss, optimizer = softmax_parts()
    with redirect_stdout(None):
        history = helpers.train(net, train_iter, test_iter, loss, 1, optimizer)
    return history["train_loss"][0]


def in_memory(loader):
    """整个数据集读成一列 float32 的小批量，(批量, 784)。"""
    return [X.flatten(start_dim=1) for X, _ in loader]


def floor_epoch(train_batches, test_batches):
    """下限：同样的批量已是内存里的浮点数，只做前向与梯度的矩阵乘法，别的一概不做。"""
    W, b, grad = torch.ones(10, 28 * 28), torch.zeros(10), torch.ones(BATCH_SIZE, 10)
    for X in train_batches:
        torch.addmm(b, X, W.T)  # 前向，与 nn.Linear 是同一个运算，(批量, 10)
        grad[: len(X)].T @ X  # 权重的梯度，(10, 784)
    for X in test_batches:
        torch.addmm(b, X, W.T)


def textbook_floor_epoch(train_batches, test_batches):
    """照公式写的下限：权重与它的梯度都是 (784, 10)；同样的乘法，这种摆放要慢些。"""
    W, b, grad = torch.ones(28 * 28, 10), torch.zeros(10), torch.ones(BATCH_SIZE, 10)
    for X in train_batches:
        X @ W + b  # (批量, 10)
        X.T @ grad[: len(X)]  # (784, 10)
    for X in test_batches:
        X @ W + b


FLOORS = {"floor": floor_epoch, "textbook_floor": textbook_floor_epoch}


def softmax_variant(name):
    """读好数据，返回跑一轮的函数。"""
    loaders = LOADERS["ours" if name in FLOORS else name]()
    if name in FLOORS:
        return partial(FLOORS[name], *map(in_memory, loaders))
    return partial(softmax_epoch, *loaders)


# ---------------------------------------------------------------- 线性回归

NUM_EXAMPLES, LINEAR_BATCH_SIZE, NUM_EPOCHS = 1000, 10, 10


def classic_data_iter(batch_size, features, labels):
    """旧教程里常见的写法：打乱一列 Python 整数，逐段变成张量，再用 index_select 取出。"""
    indices = list(range(len(features)))
    random.shuffle(indices)
    for start in range(0, len(features), batch_size):
        batch = torch.LongTensor(indices[start : start + batch_size])
        yield features.index_select(0, batch), labels.index_select(0, batch)


class Repeatable:
    """生成器走完一遍就空了；每次遍历都重新调用 ``make``。"""

    def __init__(self, make, *args):
        self.make, self.args = make, args

    def __iter__(self):
        return self.make(*self.args)


def linear_epochs(batches):
    """从零实现的线性回归，训练几轮；返回最后一轮的损失。"""
    w, b = torch.zeros(2, 1, requires_grad=True), torch.zeros(1, requires_grad=True)
    with redirect_stdout(None):
        history = helpers.train(
            lambda X: helpers.linreg(X, w, b),
            *(batches, None, helpers.squared_loss, NUM_EPOCHS, partial(helpers.sgd, [w, b], 0.03)),
        )
    return history["train_loss"][-1]


def fetch_only(batches):
    """只取数，不训练。"""
    for _ in range(NUM_EPOCHS):
        for _ in batches:
            pass


def linear_batches():
    """同一份人造数据的四种取法。"""
    torch.manual_seed(SEED)
    random.seed(SEED)
    data = helpers.synthetic_data(torch.tensor([2, -3.4]), 4.2, NUM_EXAMPLES)
    return {
        "data_iter": Repeatable(helpers.data_iter, LINEAR_BATCH_SIZE, *data),
        "classic": Repeatable(classic_data_iter, LINEAR_BATCH_SIZE, *data),
        "load_array": helpers.load_array(data, LINEAR_BATCH_SIZE),
        "dataloader": DataLoader(TensorDataset(*data), LINEAR_BATCH_SIZE, shuffle=True),
    }
