"""helpers.data：人造数据、小批量、DataLoader 与 Fashion-MNIST。"""

import pickle
import shutil

import numpy as np
import pytest
import torch
import torchvision.datasets.utils as tv_utils
from torch.utils.data import (
    ConcatDataset,
    DataLoader,
    Dataset,
    RandomSampler,
    StackDataset,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
    random_split,
)
from torchvision.datasets import FashionMNIST
from torchvision.transforms import Compose, Resize, ToTensor

import helpers
from tests.common import ROOT, raises_chinese


@pytest.fixture
def arrays():
    """10 个样本；标签由特征算出，配错一对就看得出来。"""
    X = torch.arange(20.0).reshape(10, 2)
    return X, X.sum(dim=1, keepdim=True)


# ---------------------------------------------------------------- 人造数据


def test_synthetic_data_is_reproducible():
    w = torch.tensor([2, -3.4])
    torch.manual_seed(7)
    first = helpers.synthetic_data(w, 4.2, 50)
    again = helpers.synthetic_data(w, 4.2, 50)
    torch.manual_seed(7)
    same = helpers.synthetic_data(w, 4.2, 50)
    assert all(torch.equal(a, b) for a, b in zip(first, same))
    assert not torch.equal(first[0], again[0])


@pytest.mark.parametrize("noise_std", [0, 0.01, 1.0])
def test_synthetic_data_follows_the_formula(noise_std):
    torch.manual_seed(0)
    w, b, n = torch.tensor([2, -3.4]), 4.2, 20_000
    X, y = helpers.synthetic_data(w, b, n, noise_std=noise_std)
    noise = y.reshape(-1) - (X @ w + b)
    # 四倍标准误之内：均值的标准误为 σ/√n，标准差的约为 σ/√(2n)
    assert abs(noise.mean().item()) <= 4 * noise_std / n**0.5 + 1e-6
    assert abs(noise.std().item() - noise_std) <= 4 * noise_std / (2 * n) ** 0.5 + 1e-6
    assert X.mean(dim=0).abs().max() < 4 / n**0.5 and (X.std(dim=0) - 1).abs().max() < 4 / (2 * n) ** 0.5


def test_synthetic_data_default_noise():
    torch.manual_seed(0)
    X, y = helpers.synthetic_data(torch.tensor([1.0]), 0.0, 20_000)
    assert (y - X).std().item() == pytest.approx(0.01, rel=0.03)


def test_synthetic_data_has_the_dtype_of_w():
    X, y = helpers.synthetic_data(torch.ones(2, dtype=torch.float64), 4.2, 3)
    assert X.dtype == y.dtype == torch.float64


# ---------------------------------------------------------------- 小批量


def test_data_iter_shuffles_anew_each_time():
    X = torch.arange(100.0)
    torch.manual_seed(0)
    orders = [torch.cat([a for a, _ in helpers.data_iter(7, X, X)]) for _ in range(3)]
    assert not any(torch.equal(a, b) for a, b in [(orders[0], orders[1]), (orders[1], orders[2]), (orders[0], X)])


# ---------------------------------------------------------------- 从内存取数


def same(ours, theirs):
    """两批或两个样本逐位相同。"""
    return len(ours) == len(theirs) and all(torch.equal(a, b) for a, b in zip(ours, theirs))


def double(X):
    return X * 2


@pytest.mark.parametrize("transform", [None, double])
@pytest.mark.parametrize("index", [3, -1, np.int64(3), np.uint8(3), torch.tensor(3), np.array(-2)], ids=repr)
def test_one_index_gives_one_sample(arrays, index, transform):
    x, y = helpers.InMemoryDataset(*arrays, transform=transform)[index]
    assert torch.equal(x, arrays[0][int(index)] * (2 if transform else 1)) and torch.equal(y, arrays[1][int(index)])


@pytest.mark.parametrize("transform", [None, double])
@pytest.mark.parametrize(
    ("index", "rows"),
    [
        ([7, 0, -10], [7, 0, 0]),
        ([], []),
        (range(3), [0, 1, 2]),
        (np.array([2, -2]), [2, 8]),
        (torch.tensor([4, 9]), [4, 9]),
        ([torch.tensor(1), torch.tensor(-1)], [1, 9]),
        (slice(2, 5), [2, 3, 4]),
        (slice(None, None, -4), [9, 5, 1]),
        ([True, False] * 5, [0, 2, 4, 6, 8]),
        (np.arange(10) > 7, [8, 9]),
        (torch.arange(10) < 1, [0]),
    ],
    ids=repr,
)
def test_many_indices_give_a_batch(arrays, index, rows, transform):
    X, y = helpers.InMemoryDataset(*arrays, transform=transform)[index]
    rows = torch.tensor(rows, dtype=torch.int64)
    assert same((X, y), (arrays[0][rows] * (2 if transform else 1), arrays[1][rows]))


@pytest.mark.parametrize("index", [10, -11, [0, 10], torch.tensor([-11])])
def test_index_out_of_range(arrays, index):
    """要是 IndexError：for X, y in dataset 靠它知道到头了。"""
    with raises_chinese(IndexError, "10 个样本"):
        helpers.InMemoryDataset(*arrays)[index]


@pytest.mark.parametrize("index", [True, 2.0, [0.5], "3", None, (1, 2), [[1]], [True, False]], ids=str)
def test_index_of_the_wrong_kind(arrays, index):
    with raises_chinese(TypeError, "下标"):
        helpers.InMemoryDataset(*arrays)[index]


def test_load_array_keeps_order_when_not_training(arrays):
    loader = helpers.load_array(arrays, 4, is_train=False)
    assert isinstance(loader, DataLoader) and loader.num_workers == 0 and len(loader) == 3
    expected = list(DataLoader(TensorDataset(*arrays), 4))
    for _ in range(2):  # 可反复遍历
        batches = list(loader)
        assert [len(X) for X, _ in batches] == [4, 4, 2]
        assert all(torch.equal(a, c) and torch.equal(b, d) for (a, b), (c, d) in zip(batches, expected, strict=True))


def test_load_array_shuffles_each_epoch_like_torch():
    X = torch.arange(50.0)
    ours, plain = helpers.load_array((X, X), 8), DataLoader(TensorDataset(X, X), 8, shuffle=True)
    torch.manual_seed(3)
    epochs = [torch.cat([a for a, _ in ours]) for _ in range(2)]
    torch.manual_seed(3)
    expected = [torch.cat([a for a, _ in plain]) for _ in range(2)]
    assert all(torch.equal(a, b) for a, b in zip(epochs, expected))  # 同一种子下与普通写法次序相同
    assert not torch.equal(*epochs) and torch.equal(epochs[0].sort().values, X)


# ---------------------------------------------------------------- torch 的各种用法

# 每一种都与同样的 TensorDataset 比：torch 的约定是什么，由 torch 自己说
WAYS = {
    "遍历": lambda data: list(data),
    "留出验证集": lambda data: [*random_split(data, [7, 3])[1]],
    "子集": lambda data: [*DataLoader(Subset(data, range(5)), 2)],
    "子集的下标是张量": lambda data: [*DataLoader(Subset(data, torch.tensor([4, 2, 9])), 2)],
    "子集的子集": lambda data: [*DataLoader(Subset(Subset(data, [1, 3, 5, 7]), [0, 2]), 2)],
    "首尾相接": lambda data: [*DataLoader(ConcatDataset([data, data]), 8, shuffle=True)],
    "相加": lambda data: [(data + data)[-1]],
    "并排": lambda data: [X for pair in DataLoader(StackDataset(data, data), 4) for X in pair],
    "换个批量": lambda data: [*DataLoader(data, 3, shuffle=True, drop_last=True)],
    "不分批": lambda data: [*DataLoader(data, batch_size=None)],
    "加权抽样": lambda data: [*DataLoader(data, 4, sampler=WeightedRandomSampler(range(1, 11), 20))],
    "分组的采样器": lambda data: [*DataLoader(data, batch_sampler=[(0, 1), [2], np.array([3, 4])])],
}
ARRAYS = torch.arange(20.0).reshape(10, 2), torch.arange(10)


def flat(value):
    """嵌套的列表与元组里的张量，依次列出。"""
    return [value] if isinstance(value, torch.Tensor) else [tensor for item in value for tensor in flat(item)]


@pytest.mark.parametrize("way", WAYS)
def test_torch_can_do_everything_with_our_dataset(way):
    results = []
    for kind in (helpers.InMemoryDataset, TensorDataset):
        torch.manual_seed(0)
        results.append(flat(WAYS[way](kind(*ARRAYS))))
    assert same(*results) and results[0]


def test_collate_fn_of_our_loader_can_be_borrowed():
    ours = helpers.load_array(ARRAYS, 4, is_train=False)
    borrowed = DataLoader(ours.dataset, 4, collate_fn=ours.collate_fn)
    assert all(same(a, b) for a, b in zip(borrowed, ours, strict=True))


def test_samples_come_as_a_list_of_tuples():
    samples = helpers.InMemoryDataset(*ARRAYS).__getitems__(range(4))
    assert type(samples) is list and all(type(sample) is tuple and len(sample) == 2 for sample in samples)
    samples.sort(key=lambda sample: -sample[1])  # 自己写的 collate_fn 会这样排
    assert [y.item() for _, y in samples] == [3, 2, 1, 0]


@pytest.mark.parametrize("resize", [None, 20])
def test_loaders_can_be_sent_to_another_process(resize):
    test_iter = helpers.load_data_fashion_mnist(5000, resize=resize)[1]
    assert all(same(a, b) for a, b in zip(pickle.loads(pickle.dumps(test_iter)), test_iter, strict=True))


@pytest.mark.parametrize("part", [lambda data: data, lambda data: Subset(data, range(2, 9)), lambda data: [*data]])
def test_load_array_of_a_dataset(part):
    """分出来的一份也能整批取；别的数据集照常。"""
    data = part(helpers.InMemoryDataset(*ARRAYS))
    data = data if isinstance(data, Dataset) else TensorDataset(*(torch.stack(each) for each in zip(*data)))
    ours, theirs = helpers.load_array(data, 3), DataLoader(data, 3, shuffle=True)
    for _ in range(2):
        torch.manual_seed(1)
        batches = [*ours]
        torch.manual_seed(1)
        assert same(flat(batches), flat([*theirs]))
    assert ours.batch_size == 3 and ours.dataset is data and isinstance(ours.sampler, RandomSampler)


def test_load_array_of_an_empty_dataset():
    with raises_chinese(ValueError, "样本"):
        helpers.load_array(Subset(helpers.InMemoryDataset(*ARRAYS), []), 3)


@pytest.mark.parametrize("part", [lambda data: data, lambda data: random_split(data, [6, 4])[0]])
def test_our_loader_asks_for_whole_batches(part, monkeypatch):
    """快就快在这里：一批只取一次，不逐个取、不拼。torch 改了内部的名字，这个测试会说。"""
    asked, get = [], helpers.InMemoryDataset.__getitem__
    monkeypatch.setattr(
        helpers.InMemoryDataset, "__getitem__", lambda self, index: asked.append(index) or get(self, index)
    )
    monkeypatch.setattr(helpers.InMemoryDataset, "__getitems__", None)
    batches = [*helpers.load_array(part(helpers.InMemoryDataset(*ARRAYS)), 4)]
    assert [len(index) for index in asked] == [len(y) for _, y in batches] and len(asked) in (2, 3)


# ---------------------------------------------------------------- 房屋成交


@pytest.fixture
def copied(tmp_path):
    """数据的一份副本：(root, 文件)。"""
    shutil.copytree(ROOT / "data" / "real_estate", tmp_path / "real_estate")
    return tmp_path, tmp_path / "real_estate" / "real_estate.csv"


def test_real_estate_is_the_published_data():
    X, y = helpers.load_real_estate()
    assert (X.shape, y.shape, X.dtype, y.dtype) == ((414, 5), (414, 1), torch.float64, torch.float64)
    assert X[0].tolist() == [32, 84.87882, 10, 24.98298, 121.54024] and y[0].item() == 37.9
    # 发布的数据各列的最小值与最大值
    assert X.amin(dim=0).tolist() == [0, 23.38284, 0, 24.93207, 121.47353]
    assert X.amax(dim=0).tolist() == [43.8, 6488.021, 10, 25.01459, 121.56627]
    assert (y.min().item(), y.max().item(), round(y.mean().item(), 4)) == (7.6, 117.5, 37.9802)


def test_real_estate_saved_by_a_spreadsheet(copied):
    """表格软件存的：开头多一个标记，换行是 CRLF。"""
    root, path = copied
    text = path.read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8-sig", newline="\r\n")
    assert all(map(torch.equal, helpers.load_real_estate(root), helpers.load_real_estate()))


DAMAGES = {
    "空的": (lambda text: "", "表头应为 house_age_years"),
    "列的次序变了": (lambda text: text.replace("latitude,longitude", "longitude,latitude", 1), "表头", "longitude,lat"),
    "少一行": (lambda text: text[: text.rindex("\n", 0, -1) + 1], "414 行", "413"),
    "多一行": (lambda text: text + text.splitlines()[-1], "414 行", "415"),
    "缺一个数": (lambda text: text.replace("306.5947,9", ",9", 1), "第 3 行", "19.5,,9"),
    "少一列": (lambda text: text.replace("306.5947,9", "9", 1), "第 3 行"),
    "写着文字": (lambda text: text.replace("306.5947", "约三百", 1), "第 3 行", "约三百"),
    "不是有限的数": (lambda text: text.replace("306.5947", "nan", 1), "第 3 行", "nan"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_real_estate_is_told(copied, name):
    """说出哪里不对；照它说的重新复制，或者不写 root，就好了。"""
    root, path = copied
    change, *words = DAMAGES[name]
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    with raises_chinese(RuntimeError, *words, "重新复制", "不写 root"):
        helpers.load_real_estate(root)
    shutil.copytree(helpers.data.DATA_ROOT / "real_estate", root / "real_estate", dirs_exist_ok=True)
    assert len(helpers.load_real_estate(root)[0]) == 414


def test_unreadable_real_estate_is_told(copied, monkeypatch):
    """不是文本、不见了；在仓库里，用 git 恢复。"""
    root, path = copied
    path.write_bytes(path.read_bytes().replace(b"37.9", b"\xff\xfe", 1))
    with raises_chinese(RuntimeError, "UTF-8", "重新复制"):
        helpers.load_real_estate(root)
    path.unlink()
    with raises_chinese(RuntimeError, "缺少", "real_estate.csv"):
        helpers.load_real_estate(root)
    path.mkdir()  # 同名的文件夹，读不了
    with raises_chinese(RuntimeError, "无法读取"):
        helpers.load_real_estate(root)
    monkeypatch.setattr(helpers.data, "DATA_ROOT", root / "nowhere")
    with raises_chinese(RuntimeError, "缺少", "git checkout -- data"):
        helpers.load_real_estate()


# ---------------------------------------------------------------- Fashion-MNIST 的内容


@pytest.fixture(scope="module")
def loaders():
    """仓库里的真数据，全部 60,000 + 10,000 幅。"""
    return helpers.load_data_fashion_mnist(256)


@pytest.fixture(scope="module")
def official():
    """torchvision 自己读的数据集：两个子集的 (train, test)。"""
    root = helpers.fashion_mnist_root()
    return [FashionMNIST(root, train=train, transform=ToTensor()) for train in (True, False)]


def test_loaders_are_plain_dataloaders(loaders):
    assert all(isinstance(loader, DataLoader) and loader.num_workers == 0 for loader in loaders)
    assert [len(loader) for loader in loaders] == [235, 40]
    assert [loader.batch_size for loader in loaders] == [256, 256]
    assert [len(loader.dataset) for loader in loaders] == [60_000, 10_000]
    assert all(loader.dataset.tensors[0].dtype == torch.uint8 for loader in loaders)  # 存 float32 要占四倍的内存


@pytest.mark.parametrize("part", [0, 1])
def test_items_are_bit_identical_to_torchvision(loaders, official, part):
    for i in range(0, 300):
        X, y = loaders[part].dataset[i]
        X_tv, y_tv = official[part][i]
        assert torch.equal(X, X_tv) and X.dtype == X_tv.dtype and y == y_tv and y.dtype == torch.int64


def test_test_batches_are_bit_identical_and_in_order(loaders, official):
    batches = iter(loaders[1])
    for start in (0, 256):
        X, y = next(batches)
        items = [official[1][i] for i in range(start, start + 256)]
        assert torch.equal(X, torch.stack([x for x, _ in items])) and y.tolist() == [label for _, label in items]
    assert torch.equal(torch.cat([y for _, y in loaders[1]]), official[1].targets)


def image_sums(images, labels):
    """每幅图一个整数指纹：各像素（0–255）按位置加权求和，末位是标签。(n, …) → (n,)"""
    weights = torch.arange(1.0, 28 * 28 + 1, dtype=torch.float64)  # 整数远小于 2⁵³，双精度的和没有舍入
    return images.reshape(-1, 28 * 28).double() @ weights * 10 + labels


def test_train_is_shuffled_and_each_image_comes_once(loaders, official):
    torch.manual_seed(0)
    seen = torch.cat([image_sums((X * 255).round(), y) for X, y in loaders[0]])
    expected = image_sums(official[0].data, official[0].targets)
    assert not torch.equal(seen, expected)  # 次序打乱了
    assert torch.equal(seen.sort().values, expected.sort().values)  # 但每幅图与它的标签恰好各来一次
    torch.manual_seed(0)
    first, second = (next(iter(loaders[0]))[1] for _ in range(2))
    assert not torch.equal(first, second)  # 每一轮的次序不同


@pytest.mark.parametrize(("resize", "size"), [(14, (14, 14)), (64, (64, 64)), ((20, 30), (20, 30))])
def test_resize(loaders, official, resize, size):
    X, y = next(iter(helpers.load_data_fashion_mnist(32, resize=resize)[1]))
    assert X.shape == (32, 1, *size) and X.dtype == torch.float32
    assert X.min() >= 0 and X.max() <= 1
    to_tensor = Compose([Resize(size), ToTensor()])  # 另一条路：先把 PIL 图像缩放，再转成张量
    pil = FashionMNIST(helpers.fashion_mnist_root(), train=False, transform=to_tensor)
    expected = torch.stack([pil[i][0] for i in range(32)])
    assert (X - expected).abs().max() <= 2 / 255 and y.equal(official[1].targets[:32])


def test_resizing_to_the_same_size_changes_nothing(loaders):
    (X, _), (expected, _) = (
        next(iter(test)) for test in (helpers.load_data_fashion_mnist(256, resize=28)[1], loaders[1])
    )
    assert torch.equal(X, expected)


def test_numpy_integers_are_integers(arrays):
    """批量大小来自 NumPy（例如 np.arange）也能用，或在调用时用中文拒绝；不能漏到 torch 里才报英文。"""
    for make in (lambda n: helpers.data_iter(n, *arrays), lambda n: helpers.load_array(arrays, n)):
        try:
            batches = make(np.int64(4))
        except (TypeError, ValueError) as error:
            assert "batch_size 要是" in str(error)
        else:
            assert [len(X) for X, _ in batches] == [4, 4, 2]


@pytest.mark.parametrize(("language", "first", "last"), [("zh", "T 恤", "短靴"), ("en", "t-shirt", "ankle boot")])
@pytest.mark.parametrize("kind", [torch.tensor, list])
def test_labels(language, first, last, kind):
    assert helpers.get_fashion_mnist_labels(kind([0, 9, 0]), language) == [first, last, first]
    names = helpers.FASHION_MNIST_LABELS[language]
    assert len(set(names)) == 10


def test_english_labels_match_torchvision():
    plain = [name.lower().replace("t-shirt/top", "t-shirt") for name in FashionMNIST.classes]
    assert helpers.FASHION_MNIST_LABELS["en"] == plain


def test_the_repository_carries_the_official_files():
    """默认的 root 是仓库的 data/，四个 .gz 的 MD5 与 torchvision 所列的一致。"""
    raw = ROOT / "data" / "FashionMNIST" / "raw"
    assert helpers.data.DATA_ROOT == raw.parent.parent
    assert [name for name, md5 in FashionMNIST.resources if not tv_utils.check_integrity(raw / name, md5)] == []
