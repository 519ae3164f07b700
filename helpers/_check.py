"""参数检查：错在哪里、该怎么改，用一句中文说清。"""

import math
from collections.abc import Iterable, Iterator
from numbers import Integral, Real

import torch


def check_positive_int(name, value):
    """检查并返回 int；NumPy 的整数也换成 Python 的，torch 有些地方只认后者。"""
    # bool 是 int 的子类，但 batch_size=True 几乎一定是写错了位置。
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} 要是正整数；收到 {value!r}（{type(value).__name__}）。")
    if value < 1:
        raise ValueError(f"{name} 要是正整数，至少为 1；收到 {value}。")
    return int(value)


def check_batch_size(batch_size):
    return check_positive_int("batch_size", batch_size)


def check_number(name, value, low=-math.inf):
    """``value`` 要是有限的数，且不小于 ``low``。"""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} 要是一个数；收到 {value!r}（{type(value).__name__}）。")
    if not (math.isfinite(value) and value >= low):
        bound = "" if low == -math.inf else f"不小于 {low} 的"
        raise ValueError(f"{name} 要是{bound}有限的数；收到 {value}。")


def check_positive_number(name, value):
    check_number(name, value)
    if value <= 0:
        raise ValueError(f"{name} 要大于 0；收到 {value}。")


def check_callable(name, value, wanted):
    """类也可调用，但传来的多半是漏了括号：``nn.MSELoss`` 而不是 ``nn.MSELoss(…)``。"""
    if isinstance(value, type):
        raise TypeError(f"{name} 要是{wanted}；收到的 {value.__name__} 是类，要加上括号造出对象。")
    if not callable(value):
        raise TypeError(f"{name} 要是{wanted}；收到 {type(value).__name__}。")


def check_tensor(name, value, dim=None):
    """``value`` 要是张量；给了 ``dim`` 时还要是这么多维的浮点张量。"""
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"{name} 要是张量；收到 {type(value).__name__}。可用 torch.as_tensor 转换。")
    if dim is None:
        return
    if not value.is_floating_point():
        raise TypeError(f"{name} 要是浮点张量；收到 {value.dtype}。可用 {name}.float() 转换。")
    if value.dim() != dim:
        raise ValueError(f"{name} 要是 {dim} 维的张量；收到形状 {tuple(value.shape)}。")


def check_same_length(*tensors):
    if not all(isinstance(tensor, torch.Tensor) for tensor in tensors):
        kinds = "、".join(type(tensor).__name__ for tensor in tensors)
        raise TypeError(f"特征与标签都要是张量；收到 {kinds}。可用 torch.as_tensor 转换。")
    lengths = [len(tensor) if tensor.dim() else 0 for tensor in tensors]  # 单个的数没有样本这一维
    if len(set(lengths)) > 1:
        raise ValueError(f"特征与标签的样本数要相同；收到 {'、'.join(map(str, lengths))}。")
    if sum(lengths) == 0:
        raise ValueError("数据是空的：至少要有一个样本。")


def check_data_iter(name, data_iter):
    """``data_iter`` 要能反复遍历。"""
    # 不用 iter(data_iter) 来试：DataLoader 每开始一次遍历都会消耗随机数，打乱的次序就变了。
    if isinstance(data_iter, Iterator) or not isinstance(data_iter, Iterable):
        raise TypeError(f"{name} 要能反复遍历（例如 DataLoader）；生成器用过一轮就空了。")


def batches(data_iter):
    """逐批产出 (X, y)，并检查每一批正好是两个张量、样本数相同。"""
    if not isinstance(data_iter, Iterable):
        raise TypeError(f"data_iter 要能遍历，每次给出 (X, y)；收到 {type(data_iter).__name__}。")
    for batch in data_iter:
        if not (isinstance(batch, tuple | list) and len(batch) == 2):
            raise TypeError(f"每一批要是 (X, y) 两个张量；收到 {type(batch).__name__}。")
        check_same_length(*batch)
        yield batch


def check_class_labels(y_hat, y):
    """``y_hat`` 为 (n, 类别数)，``y`` 为 (n,) 的整数类别编号。"""
    check_tensor("y_hat", y_hat)
    check_tensor("y", y)
    if y_hat.dim() != 2 or y.dim() != 1 or len(y_hat) != len(y):
        raise ValueError(
            "y_hat 的形状要是 (样本数, 类别数)，y 的形状要是 (样本数,)；"
            f"收到 {tuple(y_hat.shape)} 与 {tuple(y.shape)}。"
        )
    check_same_length(y_hat, y)
    if y.dtype not in (torch.int64, torch.int32, torch.uint8):
        raise TypeError(f"y 要是整数类别编号（int64）；收到 {y.dtype}。可用 y.long() 转换。")
    low, high = (int(bound) for bound in torch.aminmax(y))
    if low < 0 or high >= y_hat.shape[1]:
        raise ValueError(
            f"标签要在 0 到 {y_hat.shape[1] - 1} 之间（共 {y_hat.shape[1]} 类）；收到的标签从 {low} 到 {high}。"
        )


def _is_finite(tensor):
    """没有 nan 与 inf。有的话和必定不是有限的数，所以先只求和，快得多；和也可能上溢，那时才逐个看。"""
    return math.isfinite(tensor.sum()) or bool(tensor.isfinite().all())


def check_finite_gradients(params):
    """损失有限时梯度也可能是 nan（例如 √0 的导数）；更新之前发现，参数才保得住。"""
    if not all(_is_finite(param.grad) for param in params if param.grad is not None):
        raise FloatingPointError(
            "梯度里有 nan 或 inf，参数停在这一步之前。常见原因：对 0 开方或取对数、除以 0，或学习率太大。"
        )
