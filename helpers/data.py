"""数据：人造的线性回归数据、414 笔房屋成交、Fashion-MNIST，以及从内存按批取数的 DataLoader。"""

import csv
import os
import tempfile
from collections.abc import Sequence
from functools import partial
from operator import index
from pathlib import Path
from urllib.error import URLError

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset

from helpers import _loader
from helpers._check import (
    check_batch_size,
    check_callable,
    check_number,
    check_positive_int,
    check_same_length,
    check_tensor,
    shown,
)

# 数据随仓库携带，放在 helpers 旁边的 data/ 里；用相对本文件的位置，与工作目录无关。
DATA_ROOT = Path(__file__).resolve().parent.parent / "data"

# 解包后四个文件的 MD5。torchvision 只核对 .gz 的 MD5，不核对解包后的文件，所以这里补上。
_UNPACKED_MD5 = {
    "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
    "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
    "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
}

FASHION_MNIST_LABELS = {
    "zh": ["T 恤", "裤子", "套头衫", "连衣裙", "外套", "凉鞋", "衬衫", "运动鞋", "包", "短靴"],
    "en": ["t-shirt", "trouser", "pullover", "dress", "coat",
           "sandal", "shirt", "sneaker", "bag", "ankle boot"],
}  # fmt: skip

_REAL_ESTATE_COLUMNS = [
    "house_age_years",
    "mrt_distance_m",
    "convenience_stores",
    "latitude",
    "longitude",
    "price_10k_twd_per_ping",
]
_REAL_ESTATE_ROWS = 414

# ---------------------------------------------------------------- 线性回归的数据


def synthetic_data(w, b, num_examples, noise_std=0.01):
    """按 y = Xw + b + 噪声 生成数据。

    Parameters
    ----------
    w : Tensor, float, (d,)
        真实权重。
    b : float
        真实偏差。
    num_examples : int
        样本数 n，至少为 1。
    noise_std : float
        高斯噪声的标准差，默认 0.01。

    Returns
    -------
    X : Tensor, float32, (n, d)
        特征，每个元素取自标准正态分布。
    y : Tensor, float32, (n, 1)
        标签。

    Raises
    ------
    TypeError, ValueError
        ``w`` 不是一维浮点张量、样本数不是正整数、噪声的标准差为负，或有 nan 与 inf。

    Notes
    -----
    随机数来自 torch 的全局生成器；先调用 ``torch.manual_seed`` 就能重现。
    """
    check_tensor("w", w, dim=1)
    if not (len(w) and w.isfinite().all()):
        raise ValueError(f"w 要有至少一个数，都是有限的；收到 {w.tolist()}。")
    check_number("b", b)
    num_examples = check_positive_int("num_examples", num_examples)
    check_number("noise_std", noise_std, low=0)
    X = torch.randn(num_examples, len(w), dtype=w.dtype)  # (n, d)
    y = X @ w + b  # (n,)
    y += noise_std * torch.randn_like(y)
    return X, y.reshape(-1, 1)


def data_iter(batch_size, features, labels):
    """把数据打乱，逐个产出小批量；最后一批可以不足 ``batch_size``。

    Parameters
    ----------
    batch_size : int
        批量大小，至少为 1。
    features : Tensor, (n, …)
        特征，第 0 维是样本。
    labels : Tensor, (n, …)
        标签，与特征一样长。

    Returns
    -------
    iterator of (Tensor, Tensor)
        每次产出 (批量, …) 的特征与标签，一遍之后结束。

    Raises
    ------
    TypeError, ValueError
        批量大小不是正整数，两者不是张量、长度不同，或数据为空。在调用时就报，不等到取第一批。
    """
    batch_size = check_batch_size(batch_size)
    check_same_length(features, labels, names=("features", "labels"))
    indices = torch.randperm(len(features))
    # 生成器表达式：检查已在上面做完，取数推迟到循环里。
    return ((features[batch], labels[batch]) for batch in indices.split(batch_size))


def load_real_estate(root=None):
    """读入 414 笔房屋成交：新北市新店区，2012 至 2013 年。

    Parameters
    ----------
    root : path, optional
        ``real_estate`` 所在的文件夹；默认是仓库里的 ``data``。

    Returns
    -------
    X : Tensor, float64, (414, 5)
        一行一笔。五列依次是房龄（年）、到最近的捷运站的距离（米）、步行可到的便利店（家）、纬度（度）、经度（度）。
    y : Tensor, float64, (414, 1)
        单价，万元新台币每坪；1 坪约 3.3058 平方米。

    Raises
    ------
    RuntimeError
        文件缺失、读不了，或内容与随书的不同。错误里写明哪一行与补救办法。
    TypeError
        ``root`` 不是路径。

    Notes
    -----
    用 float64：经度写到小数点后五位，共八位有效数字，float32 只有七位左右。

    References
    ----------
    Yeh, Hsu (2018). Building real estate valuation models with comparative approach through
    case-based reasoning. Applied Soft Computing 65. 数据 doi:10.24432/C5J30W，许可 CC BY 4.0。
    """
    _check_root(root)
    path = (DATA_ROOT if root is None else Path(root).expanduser()) / "real_estate" / "real_estate.csv"
    copy = f"从 {DATA_ROOT} 里把 real_estate 文件夹重新复制过来，或者不写 root"
    restore = "从仓库恢复（git checkout -- data）" if root is None else copy
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:  # 表格软件会在开头添一个看不见的标记
            values = _real_estate_values(list(csv.reader(file)))
    except FileNotFoundError as error:
        raise RuntimeError(f"缺少数据文件 {path}。请{restore}。") from error
    except OSError as error:
        raise RuntimeError(f"无法读取数据文件 {path}（{error}）。请检查它的权限。") from error
    except UnicodeDecodeError as error:
        raise RuntimeError(f"{path} 已损坏：它不是 UTF-8 的文本。请{restore}。") from error
    except (ValueError, csv.Error) as error:
        raise RuntimeError(f"{path} 与随书的不同：{error}。请{restore}。") from error
    table = torch.tensor(values, dtype=torch.float64)
    return table[:, :-1], table[:, -1:]


def _real_estate_values(lines):
    """表头、行数、每一格都要对；列的次序变了，权重就会张冠李戴。"""
    header, rows = (lines[0], lines[1:]) if lines else ([], [])
    if header != _REAL_ESTATE_COLUMNS:
        raise ValueError(f"表头应为 {','.join(_REAL_ESTATE_COLUMNS)}，读到 {','.join(header)}")
    if len(rows) != _REAL_ESTATE_ROWS:
        raise ValueError(f"表头之下应有 {_REAL_ESTATE_ROWS} 行，读到 {len(rows)} 行")
    return [_finite_numbers(line, row) for line, row in enumerate(rows, start=2)]


def _finite_numbers(line, row):
    try:
        values = [float(cell) for cell in row]
    except ValueError:
        values = []
    if len(values) != len(_REAL_ESTATE_COLUMNS) or not np.isfinite(values).all():
        raise ValueError(f"第 {line} 行应是 {len(_REAL_ESTATE_COLUMNS)} 个有限的数，读到 {','.join(row)}")
    return values


def _check_root(root):
    if not isinstance(root, str | os.PathLike | None):
        raise TypeError(f"root 要是文件夹的路径；收到 {root!r}（{type(root).__name__}）。")


# ---------------------------------------------------------------- 按批取数


class InMemoryDataset(TensorDataset):
    """能整批取数的 ``TensorDataset``。

    普通的数据集一次给一个样本，DataLoader 再把 256 个样本拼成一批；拼接占去了大部分时间。
    这个数据集还能用一列下标直接取出一批：``dataset[[3, 1, 4]]`` 给出的 X 是 (3, …)，不需要再拼。
    :func:`load_array` 与 :func:`load_data_fashion_mnist` 的 DataLoader 就这样取数。

    Parameters
    ----------
    *tensors : Tensor, (n, …)
        第 0 维是样本，长度相同。
    transform : callable, optional
        作用在第一个张量（特征）的整批数据上。

    Raises
    ------
    TypeError, ValueError
        没有张量、长度不同或没有样本，或 ``transform`` 不可调用。
    IndexError
        下标超出范围。

    Notes
    -----
    一个下标（整数，负的从末尾数）给出一个样本；列表、数组、张量、切片，或 n 个真假，给出一批。
    torch 的 ``Subset``、``random_split``、``ConcatDataset``、各种采样器与别的 DataLoader 都可以用它。
    """

    def __init__(self, *tensors, transform=None):
        check_same_length(*tensors)
        if transform is not None:
            check_callable("transform", transform, "作用在整批特征上的函数")
        super().__init__(*tensors)
        self.transform = transform

    def __getitem__(self, index):
        rows = _rows(index, len(self))
        if isinstance(rows, int):
            X, *rest = (tensor[rows] for tensor in self.tensors)
            return (X if self.transform is None else self.transform(X.unsqueeze(0))[0]), *rest
        X, *rest = (tensor.index_select(0, rows.to(tensor.device)) for tensor in self.tensors)
        return (X if self.transform is None else self.transform(X)), *rest

    def __getitems__(self, indices):
        """torch 的约定：一列下标给出一列样本。先整批取出，再拆开。"""
        return list(zip(*(tensor.unbind() for tensor in self[list(indices)])))


def _rows(index, n):
    """下标换成行号：一个下标给出 int，一列下标给出 int64 张量；超出范围就报错。"""
    if isinstance(index, slice):
        index = range(n)[index]
    elif isinstance(index, torch.Tensor):
        index = index.numpy(force=True)
    elif isinstance(index, list) and index and isinstance(index[0], torch.Tensor):
        index = [row.item() for row in index]  # 有的采样器给出的是一个个张量
    rows = np.array(index)  # 由列表造数组，比 torch.tensor 快好几倍
    if rows.dtype == bool and rows.shape == (n,):
        rows = rows.nonzero()[0]
    if isinstance(index, tuple) or rows.ndim > 1 or rows.size and rows.dtype.kind not in "iu":
        raise TypeError(f"下标要是整数、切片，或一列整数（写成列表）；收到 {shown(index)}。")
    rows = rows.astype(np.int64, copy=False)
    if rows.size and rows.view(np.uint64).max() >= n:  # 看作无符号数，负的也很大：一次比较查两头
        rows = np.where(rows < 0, rows + n, rows)
        if not 0 <= rows.min() <= rows.max() < n:
            raise IndexError(f"下标要在 {-n} 到 {n - 1} 之间（共 {n} 个样本）；收到 {shown(index)}。")
    return torch.from_numpy(rows) if rows.ndim else int(rows)


def _make_loader(dataset, batch_size, shuffle):
    """能整批取数的数据集就整批取，否则用普通的 DataLoader。"""
    whole = dataset
    while type(whole) is Subset:  # 它把一列下标原样转给里面的数据集
        whole = whole.dataset
    kind = _loader.DataLoader if isinstance(whole, InMemoryDataset) else DataLoader
    return kind(dataset, batch_size, shuffle=shuffle, collate_fn=_loader.keep_batch)


def load_array(data_arrays, batch_size, is_train=True):
    """由内存里的张量构造 DataLoader。

    Parameters
    ----------
    data_arrays : sequence of Tensor, (n, …), or Dataset
        例如 ``(features, labels)``；也可以是数据集，例如 ``random_split`` 分出的一份。
    batch_size : int
        批量大小，至少为 1。
    is_train : bool
        为真时每一轮重新打乱，默认 True。

    Returns
    -------
    DataLoader
        可反复遍历；最后一批可以不足 ``batch_size``。

    Raises
    ------
    TypeError, ValueError
        批量大小不是正整数，各张量长度不同，或数据为空。
    """
    if isinstance(data_arrays, Dataset):
        batch_size = check_batch_size(batch_size)
        if len(data_arrays) == 0:
            raise ValueError("数据集是空的：至少要有一个样本。")
        return _make_loader(data_arrays, batch_size, is_train)
    if not isinstance(data_arrays, Sequence) or isinstance(data_arrays, str):  # 张量本身也能一行一行地遍历，要挡住
        advice = "几个张量要放进一个括号：helpers.load_array((features, labels), batch_size=10)。"
        raise TypeError(f"data_arrays 要是几个张量；收到 {shown(data_arrays)}。{advice}")
    return _make_loader(InMemoryDataset(*data_arrays), check_batch_size(batch_size), is_train)


# ---------------------------------------------------------------- Fashion-MNIST


def fashion_mnist_root(root=None):
    """校验并解包 Fashion-MNIST，返回可以交给 torchvision 的 ``root``。

    四个官方 .gz 随仓库携带，正常情况下不联网。先解到临时文件夹，再整个换名到位，
    所以中途被打断也不会留下残缺的文件。

    Parameters
    ----------
    root : path, optional
        ``FashionMNIST/raw`` 所在的文件夹；默认是仓库里的 ``data``。

    Returns
    -------
    Path

    Raises
    ------
    RuntimeError
        某个文件缺失且下载不到、已损坏，或无法读写。错误里写明文件与补救办法。
    TypeError
        ``root`` 不是路径。
    """
    _check_root(root)
    from torchvision.datasets import FashionMNIST  # 约 2 秒，只在真要读数据时付

    root = DATA_ROOT if root is None else Path(root).expanduser()
    raw = root / "FashionMNIST" / "raw"
    try:
        for packed_name, packed_md5 in FashionMNIST.resources:
            _prepare(raw, packed_name, packed_md5, FashionMNIST.mirrors)
    except OSError as error:
        raise RuntimeError(f"无法读取文件夹 {raw} 里的数据（{error}）。请检查它的权限。") from error
    return root


def _prepare(raw, packed_name, packed_md5, mirrors):
    """让一个解包后的文件就位，并保证它与官方的一致。"""
    from torchvision.datasets.utils import check_integrity

    packed, unpacked = raw / packed_name, raw / Path(packed_name).stem
    if packed.exists() and not check_integrity(packed, packed_md5):
        raise RuntimeError(
            f"{packed} 已损坏：它的 MD5 与官方的 {packed_md5} 不同。"
            f"{_way_back(raw)}；或者删除它，再重新下载 {mirrors[0]}{packed_name}。"
        )
    if not unpacked.exists():
        if not packed.exists():
            _download(raw, packed_name, packed_md5, mirrors)
        _unpack(packed, unpacked)
    if not check_integrity(unpacked, _UNPACKED_MD5[unpacked.name]):
        raise RuntimeError(f"{unpacked} 已损坏：它与官方文件不同。请删除它再运行一次，会从 {packed.name} 重新解出。")


def _download(raw, packed_name, packed_md5, mirrors):
    from torchvision.datasets.utils import download_url

    for mirror in mirrors:
        try:
            return download_url(f"{mirror}{packed_name}", raw, packed_name, packed_md5)
        except (RuntimeError, URLError, OSError) as error:
            reason = error
    raise RuntimeError(
        f"文件夹 {raw} 里缺少数据文件 {packed_name}，下载也没有成功（{reason}）。{_way_back(raw)}；"
        f"或者用浏览器下载 {mirrors[0]}{packed_name}，放进这个文件夹（MD5 应为 {packed_md5}）。"
    ) from reason


def _way_back(raw):
    """缺了、坏了，怎样最省事地恢复：仓库里的用 git，读者自己的文件夹不在 git 里。"""
    if raw == DATA_ROOT / "FashionMNIST" / "raw":
        return "最省事的是从仓库恢复（git checkout -- data）"
    return "最省事的是去掉参数 root（数据随书携带）"


def _unpack(packed, unpacked):
    from torchvision.datasets.utils import extract_archive

    try:
        with tempfile.TemporaryDirectory(dir=packed.parent, prefix="unpacking-") as folder:
            os.replace(extract_archive(packed, folder), unpacked)
    except OSError as error:
        # Windows 上另一个进程刚解好并正在读它时，换名会被拒绝；文件已经在，就不是错误。
        if not unpacked.exists():
            raise RuntimeError(
                f"无法把 {packed.name} 解包到文件夹 {packed.parent}（{error}）。"
                "请检查这个文件夹能否写入、磁盘是否还有 60 MB 空间；也可以把 data 复制到别处，用参数 root 指定。"
            ) from error


def _to_unit_interval(images):
    """uint8 (批量, 高, 宽) → float32 (批量, 1, 高, 宽)，数值除以 255；与 ToTensor 逐位相同。"""
    return images.unsqueeze(1).float().div_(255)


def _resizer(resize):
    """由边长或 (高, 宽) 造出缩放整批图像的变换；不写成嵌套的函数，工作进程才收得到。"""
    height, width = resize if isinstance(resize, Sequence) and len(resize) == 2 else (resize, resize)
    return partial(_resized, size=[check_positive_int("resize", height), check_positive_int("resize", width)])


def _resized(images, size):
    """uint8 (批量, 高, 宽) → float32 (批量, 1, *size)。"""
    from torchvision.transforms.v2 import functional as F

    return F.resize(images.unsqueeze(1), size).float().div_(255)


def load_data_fashion_mnist(batch_size, resize=None, root=None):
    """把 Fashion-MNIST 读进内存，给出训练与测试两个 DataLoader。

    Parameters
    ----------
    batch_size : int
        批量大小，至少为 1。
    resize : int or (int, int), optional
        把图像缩放到这个大小（像素）；默认保持 28 × 28。
    root : path, optional
        数据所在的文件夹，见 :func:`fashion_mnist_root`。

    Returns
    -------
    train_iter, test_iter : DataLoader
        每批 X 为 float32 (批量, 1, 高, 宽)，取值 [0, 1]；y 为 int64 (批量,)，取值 0–9。
        训练集 60,000 幅、每轮打乱，测试集 10,000 幅、次序不变；最后一批可以不足 ``batch_size``。

    Raises
    ------
    TypeError, ValueError
        批量大小或缩放的大小不是正整数。
    RuntimeError
        数据文件缺失或损坏。

    References
    ----------
    Xiao, Rasul, Vollgraf (2017). Fashion-MNIST: a Novel Image Dataset for Benchmarking
    Machine Learning Algorithms. arXiv:1708.07747.
    """
    batch_size = check_batch_size(batch_size)
    transform = _to_unit_interval if resize is None else _resizer(resize)
    from torchvision.datasets import FashionMNIST

    root = fashion_mnist_root(root)
    # 内存里保持 uint8，取出一批时才转 float32：内存占用是存 float32 的四分之一。
    train, test = (
        InMemoryDataset(source.data, source.targets, transform=transform)
        for source in (FashionMNIST(root, train=True), FashionMNIST(root, train=False))
    )
    return _make_loader(train, batch_size, shuffle=True), _make_loader(test, batch_size, shuffle=False)


def get_fashion_mnist_labels(labels, language="zh"):
    """把 0–9 的类别编号换成文字。

    Parameters
    ----------
    labels : Tensor or sequence of int, (n,)
        类别编号。
    language : {"zh", "en"}
        中文或英文，默认 "zh"。

    Returns
    -------
    list of str

    Raises
    ------
    TypeError, ValueError
        编号不是整数、不在 0–9 之间，或没有这种语言。
    """
    if not (isinstance(language, str) and language in FASHION_MNIST_LABELS):
        raise ValueError(f'language 只能是 "zh" 或 "en"；收到 {language!r}。')
    names = FASHION_MNIST_LABELS[language]
    try:
        numbers = [index(label) for label in labels]  # 不用 int()：它会把 2.7 变成 2
    except TypeError as error:
        raise TypeError(f"labels 要是整数类别编号的序列；收到 {labels!r}。") from error
    wrong = [number for number in numbers if not 0 <= number < len(names)]
    if wrong:
        raise ValueError(f"类别编号要在 0 到 {len(names) - 1} 之间；收到 {wrong[0]}。")
    return [names[number] for number in numbers]
