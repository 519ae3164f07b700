"""参数检查：错在哪里、该怎么改，用一句中文说清。"""

from numbers import Integral

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


def check_same_length(*tensors):
    lengths = [len(tensor) for tensor in tensors]
    if len(set(lengths)) != 1:
        raise ValueError(f"特征与标签的样本数要相同；收到 {'、'.join(map(str, lengths))}。")
    if lengths[0] == 0:
        raise ValueError("数据是空的：至少要有一个样本。")


def check_class_labels(y_hat, y):
    """``y_hat`` 为 (n, 类别数)，``y`` 为 (n,) 的整数类别编号。"""
    if y_hat.dim() != 2 or y.dim() != 1 or len(y_hat) != len(y):
        raise ValueError(
            "y_hat 的形状要是 (样本数, 类别数)，y 的形状要是 (样本数,)；"
            f"收到 {tuple(y_hat.shape)} 与 {tuple(y.shape)}。"
        )
    check_same_length(y_hat, y)
    if y.dtype not in (torch.int64, torch.int32, torch.uint8):
        raise TypeError(f"y 要是整数类别编号（int64）；收到 {y.dtype}。可用 y.long() 转换。")
    low, high = int(y.min()), int(y.max())
    if low < 0 or high >= y_hat.shape[1]:
        raise ValueError(
            f"标签要在 0 到 {y_hat.shape[1] - 1} 之间（共 {y_hat.shape[1]} 类）；收到的标签从 {low} 到 {high}。"
        )
