"""helpers.data：人造数据、小批量、DataLoader 与 Fashion-MNIST。"""

import pytest
import torch
import torchvision.datasets.utils as tv_utils
from torch.utils.data import DataLoader, TensorDataset
from torchvision.datasets import FashionMNIST
from torchvision.transforms import Compose, Resize, ToTensor

import helpers
from tests.common import BAD_POSITIVE_INTS, ROOT, raises_chinese


@pytest.fixture
def arrays():
    """10 个样本；标签由特征算出，配错一对就看得出来。"""
    X = torch.arange(20.0).reshape(10, 2)
    return X, X.sum(dim=1, keepdim=True)


# ---------------------------------------------------------------- 人造数据


@pytest.mark.parametrize(("w", "n"), [([2, -3.4], 1000), ([1.5], 3), ([0.0] * 5, 1)])
def test_synthetic_data_shapes(w, n):
    X, y = helpers.synthetic_data(torch.tensor(w), 4.2, n)
    assert (X.shape, y.shape) == ((n, len(w)), (n, 1))
    assert X.dtype == y.dtype == torch.float32


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


@pytest.mark.parametrize("w", [[2, -3.4], torch.tensor([2, 3]), torch.ones(2, 1), torch.tensor(2.0), torch.ones(0)])
def test_synthetic_data_rejects_bad_weights(w):
    with raises_chinese(TypeError, "w "):
        helpers.synthetic_data(w, 4.2, 10)


@pytest.mark.parametrize(("n", "error"), BAD_POSITIVE_INTS)
def test_synthetic_data_rejects_bad_counts(n, error):
    with raises_chinese(error, "num_examples"):
        helpers.synthetic_data(torch.ones(2), 4.2, n)


@pytest.mark.parametrize("noise_std", [-0.1, float("nan")])
def test_synthetic_data_rejects_bad_noise(noise_std):
    with raises_chinese(ValueError, "noise_std"):
        helpers.synthetic_data(torch.ones(2), 4.2, 10, noise_std=noise_std)


# ---------------------------------------------------------------- 小批量


@pytest.mark.parametrize("batch_size", [1, 3, 5, 10, 64])
def test_data_iter_gives_every_example_once(arrays, batch_size):
    X, y = arrays
    batches = list(helpers.data_iter(batch_size, X, y))
    full, short = divmod(len(X), batch_size)
    assert [len(a) for a, _ in batches] == [batch_size] * full + [short] * bool(short)
    assert torch.cat([a for a, _ in batches])[:, 0].sort().values.equal(X[:, 0])
    for a, b in batches:
        assert a.shape[1:] == X.shape[1:] and torch.equal(b, a.sum(dim=1, keepdim=True))  # 特征与标签没有配错


def test_data_iter_shuffles_anew_each_time():
    X = torch.arange(100.0)
    torch.manual_seed(0)
    orders = [torch.cat([a for a, _ in helpers.data_iter(7, X, X)]) for _ in range(3)]
    assert not any(torch.equal(a, b) for a, b in [(orders[0], orders[1]), (orders[1], orders[2]), (orders[0], X)])


@pytest.mark.parametrize(("batch_size", "error"), BAD_POSITIVE_INTS)
def test_data_iter_checks_the_batch_size_when_called(arrays, batch_size, error):
    with raises_chinese(error, "batch_size"):
        helpers.data_iter(batch_size, *arrays)  # 没有 next：错误在调用处，不在循环里


@pytest.mark.parametrize(("n", "m"), [(10, 9), (0, 0)])
def test_data_iter_checks_the_lengths_when_called(n, m):
    with raises_chinese(ValueError, "样本"):
        helpers.data_iter(2, torch.ones(n, 2), torch.ones(m))


# ---------------------------------------------------------------- 从内存取数


def test_in_memory_dataset_agrees_with_tensor_dataset(arrays):
    plain, ours = TensorDataset(*arrays), helpers.InMemoryDataset(*arrays)
    assert len(ours) == len(plain)
    for i in [0, 3, -1]:
        assert all(torch.equal(a, b) for a, b in zip(plain[i], ours[i]))
    X, y = ours.__getitems__([7, 0, 0])
    assert torch.equal(X, arrays[0][[7, 0, 0]]) and torch.equal(y, arrays[1][[7, 0, 0]])


def test_in_memory_dataset_transforms_one_item_and_a_batch_alike(arrays):
    dataset = helpers.InMemoryDataset(*arrays, transform=lambda X: X.flip(1) * 2)
    X, y = dataset.__getitems__([4, 9])
    for row, i in enumerate([4, 9]):
        x, label = dataset[i]
        assert torch.equal(x, X[row]) and torch.equal(label, y[row])
    assert torch.equal(X, arrays[0][[4, 9]].flip(1) * 2) and torch.equal(y, arrays[1][[4, 9]])  # 标签不变换


def test_load_array_is_a_plain_dataloader(arrays):
    loader = helpers.load_array(arrays, 4)
    assert isinstance(loader, DataLoader) and loader.num_workers == 0 and len(loader) == 3
    X, y = next(iter(loader))
    assert isinstance(X, torch.Tensor) and X.shape == (4, 2) and y.shape == (4, 1)


def test_load_array_keeps_order_when_not_training(arrays):
    loader = helpers.load_array(arrays, 4, is_train=False)
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


@pytest.mark.parametrize(("batch_size", "error"), BAD_POSITIVE_INTS)
def test_load_array_rejects_bad_batch_sizes(arrays, batch_size, error):
    with raises_chinese(error, "batch_size"):
        helpers.load_array(arrays, batch_size)


@pytest.mark.parametrize("shapes", [[3, 4], [0, 0]])
def test_load_array_rejects_bad_lengths(shapes):
    with raises_chinese(ValueError, "样本"):
        helpers.load_array([torch.ones(n) for n in shapes], 2)


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
    assert [len(loader.dataset) for loader in loaders] == [60_000, 10_000]
    assert all(loader.dataset.tensors[0].dtype == torch.uint8 for loader in loaders)  # 存 float32 要占四倍的内存


@pytest.mark.parametrize("part", [0, 1])
def test_first_batch(loaders, part):
    X, y = next(iter(loaders[part]))
    assert (X.shape, y.shape) == ((256, 1, 28, 28), (256,))
    assert (X.dtype, y.dtype) == (torch.float32, torch.int64)
    assert X.min() == 0 and X.max() == 1 and 0 <= y.min() and y.max() <= 9


@pytest.mark.parametrize("part", [0, 1])
def test_items_are_bit_identical_to_torchvision(loaders, official, part):
    for i in range(0, 300):
        X, y = loaders[part].dataset[i]
        X_tv, y_tv = official[part][i]
        assert torch.equal(X, X_tv) and X.dtype == X_tv.dtype and y == y_tv


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


@pytest.mark.parametrize(("part", "count"), [(0, 6000), (1, 1000)])
def test_class_counts(loaders, part, count):
    assert loaders[part].dataset.tensors[1].bincount(minlength=10).tolist() == [count] * 10


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


@pytest.mark.parametrize(("batch_size", "error"), BAD_POSITIVE_INTS)
def test_loader_rejects_bad_batch_sizes(batch_size, error, tmp_path):
    with raises_chinese(error, "batch_size"):  # 先于读数据：root 是空的也报批量大小
        helpers.load_data_fashion_mnist(batch_size, root=tmp_path)


@pytest.mark.parametrize(
    ("resize", "error"),
    [(0, ValueError), (-28, ValueError), (True, TypeError), ("28", TypeError), ((28, 0), ValueError)]
    + [(2.5, TypeError), ((), (TypeError, ValueError)), ((8, 9, 10), (TypeError, ValueError))],
    ids=str,
)
def test_loader_rejects_bad_sizes(resize, error, tmp_path):
    with raises_chinese(error, "resize"):
        helpers.load_data_fashion_mnist(32, resize=resize, root=tmp_path)


def test_numpy_integers_are_integers(arrays):
    """批量大小来自 NumPy（例如 np.arange）也能用，或在调用时用中文拒绝；不能漏到 torch 里才报英文。"""
    np = pytest.importorskip("numpy")
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


@pytest.mark.parametrize("labels", [[10], [-1], [0, 99]])
def test_labels_out_of_range(labels):
    with raises_chinese(ValueError, "0 到 9", str(labels[-1])):
        helpers.get_fashion_mnist_labels(labels)


def test_labels_unknown_language():
    with raises_chinese(ValueError, "language", "fr"):
        helpers.get_fashion_mnist_labels([0], "fr")


def test_the_repository_carries_the_official_files():
    """默认的 root 是仓库的 data/，四个 .gz 的 MD5 与 torchvision 所列的一致。"""
    raw = ROOT / "data" / "FashionMNIST" / "raw"
    assert helpers.data.DATA_ROOT == raw.parent.parent
    assert [name for name, md5 in FashionMNIST.resources if not tv_utils.check_integrity(raw / name, md5)] == []


def test_single_numbers_are_not_samples():
    with raises_chinese(ValueError, "样本"):
        helpers.load_array([torch.tensor(1.0), torch.tensor(2.0)], 2)
