"""参数检查：错在哪里、该怎么改，用一句中文说清。

报错之前先看传来的是什么，说出真正的原因；给出的写法照做就行（tests/test_messages.py 逐条照做）。
"""

import functools
import inspect
import math
from collections.abc import Iterable, Iterator
from numbers import Integral, Real

import numpy as np
import torch
from torch.utils.data import Dataset, IterableDataset

# ---------------------------------------------------------------- 收到的是什么


def shown(value):
    """数组、张量与表格写形状，别的写值本身；值太长就只写类型。"""
    kind = type(value).__name__
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        return f"{kind}，形状 {tuple(shape)}"
    text = repr(value)
    return f"{text}（{kind}）" if len(text) <= 40 else kind


def looks_like_array(value):
    """张量、NumPy 数组，或者 pandas 那样的表格与列。"""
    return isinstance(value, torch.Tensor | np.ndarray) or hasattr(value, "to_numpy")


def how_to_tensor(name, value, floating=False):
    """怎样把 ``value`` 变成张量：一句话。写法先试一遍，变不成的不说。"""
    if not (looks_like_array(value) or isinstance(value, list | tuple)):
        return ""
    try:
        code = _conversion(name, value, floating)
    except (TypeError, ValueError, RuntimeError):
        return "里面有不是数的东西（文字、空值）或长短不一的列表，请先换成数。"
    return f"请写 {name} = {code}。"


def _conversion(name, value, floating):
    if isinstance(value, list | tuple) and value and all(isinstance(item, torch.Tensor) for item in value):
        torch.stack(value)
        return f"torch.stack({name})"
    values = np.asarray(value)
    dtype = "int64" if values.dtype.kind in "iu" and not floating else "float32"
    torch.from_numpy(values.astype(dtype))
    if hasattr(value, "to_numpy"):  # 数与真假混在一起时，不写明类型就得到一列对象，torch 不收
        return f'torch.as_tensor({name}.to_numpy(dtype="{dtype}"))'
    return f"torch.as_tensor({name}, dtype=torch.{dtype})"


# ---------------------------------------------------------------- 数与函数


def check_positive_int(name, value):
    """检查并返回 int；NumPy 的整数也换成 Python 的，torch 有些地方只认后者。"""
    # bool 是 int 的子类，但 batch_size=True 几乎一定是写错了位置。
    if not isinstance(value, Integral) or isinstance(value, bool):
        advice = f"请写 int({name})。" if isinstance(value, float) and value.is_integer() else _item(name, value)
        raise TypeError(f"{name} 要是正整数；收到 {shown(value)}。{advice}")
    if value < 1:
        raise ValueError(f"{name} 要是正整数，至少为 1；收到 {value}。")
    return int(value)


def _item(name, value):
    """只有一个数的张量与数组，取出那个数来。"""
    return f"请写 {name}.item()。" if looks_like_array(value) and math.prod(value.shape) == 1 else ""


def check_batch_size(batch_size):
    return check_positive_int("batch_size", batch_size)


def check_number(name, value, low=-math.inf):
    """``value`` 要是有限的数，且不小于 ``low``。"""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} 要是一个数；收到 {shown(value)}。{_item(name, value)}")
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
        raise TypeError(f"{name} 要是{wanted}；收到 {shown(value)}。")


def explain_arguments(hint):
    """参数的个数或名字不对时，用中文写出该怎么调用，后面接 ``hint``；其余照常。"""

    def decorate(function):
        signature = inspect.signature(function)

        @functools.wraps(function)
        def checked(*args, **kwargs):
            try:
                return function(*args, **kwargs)
            except TypeError:
                try:
                    signature.bind(*args, **kwargs)
                except TypeError as error:
                    raise TypeError(f"参数不对（{error}）。写法是 {function.__name__}{signature}。{hint}") from None
                raise

        return checked

    return decorate


# ---------------------------------------------------------------- 张量


def check_tensor(name, value, dim=None):
    """``value`` 要是张量；给了 ``dim`` 时还要是这么多维的浮点张量。"""
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"{name} 要是张量；收到 {shown(value)}。{how_to_tensor(name, value, dim is not None)}")
    if dim is None:
        return
    if not value.is_floating_point():
        raise TypeError(f"{name} 要是浮点张量；收到 {value.dtype}。请写 {name} = {name}.float()。")
    if value.dim() != dim:
        advice = _how_to_reshape(name, value, dim)
        raise ValueError(f"{name} 要是 {dim} 维的张量；收到形状 {tuple(value.shape)}。{advice}")


def _how_to_reshape(name, value, dim):
    if dim == 1:
        return f"请写 {name} = {name}.reshape(-1)。"
    if value.dim() > 2:
        return f"请写 {name} = {name}.flatten(start_dim=1)。"
    return f"只有一列请写 {name} = {name}.reshape(-1, 1)，只有一行请写 {name} = {name}.reshape(1, -1)。"


def check_same_length(*tensors, names=("X", "y")):
    """都要是张量，第 0 维是样本，样本数相同，至少一个样本。"""
    for i, tensor in enumerate(tensors):
        if not isinstance(tensor, torch.Tensor):
            name = _name(names, i)
            advice = how_to_tensor(name, tensor, floating=i == 0)
            raise TypeError(f"特征与标签都要是张量；{name} 收到 {shown(tensor)}。{advice}")
        if tensor.dim() == 0:
            reason = "是单个的数，没有样本这一维；一批样本由 DataLoader 或 load_array 给出"
            raise ValueError(f"{_name(names, i)} {reason}。")
    lengths = [len(tensor) for tensor in tensors]
    if len(set(lengths)) > 1:
        shapes = "、".join(str(tuple(tensor.shape)) for tensor in tensors)
        advice = _how_to_transpose(names, tensors)
        raise ValueError(f"特征与标签的样本数要相同，样本在第 0 维；收到形状 {shapes}。{advice}")
    if sum(lengths) == 0:
        raise ValueError("数据是空的：至少要有一个样本。")


def _name(names, i):
    return names[i] if i < len(names) else f"第 {i + 1} 个张量"


def _how_to_transpose(names, tensors):
    """样本摆成了列：转置就对得上。"""
    count = len(tensors[-1])
    if tensors[0].dim() == 2 and tensors[0].shape[1] == count and all(len(t) == count for t in tensors[1:]):
        return f"请写 {names[0]} = {names[0]}.T。"
    return ""


def check_same_shape(y_hat, y):
    """形状相同，或只差长度为 1 的维：改形状才不会把数重新排列。"""
    _check_not_bool("y_hat", y_hat)
    _check_not_bool("y", y)
    if y_hat.shape != y.shape and [size for size in y_hat.shape if size > 1] != [size for size in y.shape if size > 1]:
        shapes = f"收到 {tuple(y_hat.shape)} 与 {tuple(y.shape)}"
        raise ValueError(f"y_hat 与 y 的形状要相同（只差长度为 1 的维也行）；{shapes}。{_how_to_match(y_hat, y)}")


def _check_not_bool(name, tensor):
    """真假不能相减，也不能比大小。"""
    if tensor.dtype == torch.bool:
        raise TypeError(f"{name} 要是数；收到 torch.bool。请写 {name} = {name}.float()。")


def _how_to_match(y_hat, y):
    if y_hat.dim() == y.dim() == 2 and y_hat.shape == y.T.shape:
        return "请写 y = y.T。"
    if y_hat.dim() == 2 and y.numel() == len(y_hat):
        return "每个样本只有一个标签，模型也要只有一个输出；是分类就用交叉熵。"
    return ""


def check_bias(b, q):
    """形状不对的 b 会把 (n, q) 的结果广播成别的形状，而不报错。"""
    if not isinstance(b, torch.Tensor):
        return check_number("b", b)
    if b.dim() > 2 or b.shape[-1:].numel() not in (1, q) or b.shape[:-1].numel() != 1:
        advice = "请写 b = b.reshape(-1)。" if b.numel() == q else ""
        raise ValueError(f"b 要是一个数，或形状 ({q},)；收到形状 {tuple(b.shape)}。{advice}")


def check_probabilities(y_hat):
    """每行是概率。nan 不在此列：由训练循环报告是第几轮。"""
    if not ((y_hat < 0).any() or ((y_hat.sum(dim=1) - 1).abs() > 1e-2).any()):
        return
    logs = (y_hat <= 0).all() and ((y_hat.exp().sum(dim=1) - 1).abs() < 1e-2).all()
    advice = (
        "看来是对数概率，请写 y_hat = y_hat.exp()" if logs else "未规范化的输出，请写 y_hat = helpers.softmax(y_hat)"
    )
    raise ValueError(f"y_hat 要是概率：在 0 到 1 之间，每行之和为 1。{advice}。")


# ---------------------------------------------------------------- 一批一批的数据


def check_repeatable(name, data_iter):
    """要能反复遍历，每次给出一批 (X, y)。"""
    check_batched(name, data_iter)
    # 不用 iter(data_iter) 来试：DataLoader 每开始一次遍历都会消耗随机数，打乱的次序就变了。
    if isinstance(data_iter, Iterator):
        raise TypeError(
            f"{name} 要能反复遍历；收到的 {type(data_iter).__name__} 走完一遍就空了。"
            f"请传 DataLoader，例如 helpers.load_array((X, y), batch_size=10)；或写 {name} = list({name})。"
        )


def check_batched(name, data_iter):
    """要能遍历，并且是分了批的：数据集、张量与表格遍历出来的不是一批。"""
    if isinstance(data_iter, Dataset):
        shuffle = ", shuffle=True" if name == "train_iter" and not isinstance(data_iter, IterableDataset) else ""
        advice = f"请写 {name} = torch.utils.data.DataLoader({name}, batch_size=256{shuffle})。"
        raise TypeError(f"{name} 收到的是数据集（{type(data_iter).__name__}），它一次只给一个样本。{advice}")
    if isinstance(data_iter, list | tuple) and data_iter and all(map(looks_like_array, data_iter)):
        advice = f"请写 {name} = helpers.load_array({name}, batch_size=256)。"
        raise TypeError(f"{name} 收到的是特征与标签本身，还没有分批。{advice}")
    if not isinstance(data_iter, Iterable) or isinstance(data_iter, str | bytes | dict) or looks_like_array(data_iter):
        advice = "请传 DataLoader，例如 helpers.load_array((X, y), batch_size=10)。"
        raise TypeError(f"{name} 要能遍历，每次给出一批 (X, y)；收到 {shown(data_iter)}。{advice}")


def batches(name, data_iter):
    """逐批产出 (X, y)，并检查每一批正好是两个张量、样本数相同。"""
    check_batched(name, data_iter)
    for batch in data_iter:
        if not (isinstance(batch, tuple | list) and len(batch) == 2):
            raise TypeError(f"{name} 的每一批要是 (X, y) 两个张量；{_seen_in_batch(batch)}")
        check_same_length(*batch)
        yield batch


def _seen_in_batch(batch):
    if looks_like_array(batch) or isinstance(batch, tuple | list) and len(batch) == 1:
        return "收到的只有一个，没有标签。请写 helpers.load_array((X, y), batch_size=10)。"
    if isinstance(batch, tuple | list):
        return f"收到 {len(batch)} 个。请在数据集里只留特征与标签。"
    if isinstance(batch, dict):
        return f"收到字典，键是 {[*batch]}。请在数据集里改成给出 (特征, 标签)。"
    return f"收到 {shown(batch)}。"


# ---------------------------------------------------------------- 参数与分类的标签


def listed_params(params):
    """列成列表；单个张量会被一行一行地遍历，用完的生成器是空的，都会静静地什么也不更新。"""
    if isinstance(params, torch.nn.Module):
        raise TypeError("params 要是参数的列表；收到的是模型，请写 params = list(params.parameters())。")
    if isinstance(params, torch.Tensor):
        raise TypeError("params 要是参数的列表；收到单个张量，请写 params = [params]。")
    if not isinstance(params, Iterable):
        raise TypeError(f"params 要是参数的列表，例如 [w, b]；收到 {shown(params)}。")
    listed = list(params)
    if not listed and isinstance(params, Iterator):
        raise ValueError("没有参数可更新。net.parameters() 是生成器，只能用一次：请写 list(net.parameters())。")
    if not listed:
        raise ValueError("没有参数可更新：params 是空的。")
    for i, param in enumerate(listed):
        if not isinstance(param, torch.Tensor):
            raise TypeError(f"params[{i}] 要是参数（张量）；收到 {shown(param)}。")
    return listed


def check_class_labels(y_hat, y):
    """``y_hat`` 为 (n, 类别数)，``y`` 为 (n,) 的整数类别编号。"""
    check_tensor("y_hat", y_hat)
    check_tensor("y", y)
    if y.is_floating_point() and (y_hat.shape[1:].numel() == 1 or (y != y.round()).any()):
        raise TypeError("标签是浮点数，像是回归，不是类别编号。回归没有精度，请用 helpers.evaluate_loss 与平方损失。")
    if y_hat.dim() != 2 or y.dim() != 1 or len(y_hat) != len(y):
        raise ValueError(
            "y_hat 的形状要是 (样本数, 类别数)，y 的形状要是 (样本数,)；"
            f"收到 {tuple(y_hat.shape)} 与 {tuple(y.shape)}。{_how_to_label(y_hat, y)}"
        )
    check_same_length(y_hat, y)
    _check_not_bool("y_hat", y_hat)
    if y.is_floating_point() or y.is_complex() or y.dtype == torch.bool:
        raise TypeError(f"y 要是整数类别编号；收到 {y.dtype}。请写 y = y.long()。")
    low, high = (int(bound) for bound in torch.aminmax(y))
    q = y_hat.shape[1]
    if low < 0 or high >= q:
        raise ValueError(
            f"标签要在 0 到 {q - 1} 之间（共 {q} 类）；收到的标签从 {low} 到 {high}。{_how_to_number(q, low, high)}"
        )


_ONE_COLUMN = "y_hat 只有一列，而整数的标签是类别编号。做回归请写 y = y.float()；做分类，模型要有与类别一样多的输出。"


def _how_to_label(y_hat, y):
    """形状对不上时，看看各是什么。"""
    if y_hat.dim() == 1 and y.dim() == 2 and not y_hat.is_floating_point():
        return "两个参数写反了：先写 y_hat，再写 y。"
    if y_hat.dim() == y.dim() == 1 and not y_hat.is_floating_point():
        return "y_hat 已经是类别编号；它与标签相同的比例是 (y_hat == y).float().mean().item()。"
    if y_hat.dim() and y_hat.numel() == len(y_hat) == y.numel():
        return _ONE_COLUMN
    if y.dim() == 2 and y.shape[1] == 1:
        return "请写 y = y.reshape(-1)。"
    if y.dim() == 2 and y.shape == y_hat.shape:
        return f"y 像是独热编码；请写 y = y{'.int()' * (y.dtype == torch.bool)}.argmax(dim=1)。"
    if y_hat.dim() > 2 and y_hat.shape[2:].numel() == 1:
        return "请写 y_hat = y_hat.flatten(start_dim=1)。"
    return ""


def _how_to_number(q, low, high):
    if q == 1:
        return _ONE_COLUMN
    if low == 1 and high == q:
        return "看来是从 1 开始编号的；请写 y = y - 1。"
    return f"有 {high + 1} 类的话，模型要有 {high + 1} 个输出。" if low >= 0 else ""
