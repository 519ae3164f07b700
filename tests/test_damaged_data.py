"""Fashion-MNIST 的文件损坏、缺失、放错、写不进去，或两个进程同时解包。

每一种都要么自己恢复，要么用一句中文说清哪里坏了、该怎么办；什么都不能丢。
"""

import os
import shutil
from pathlib import Path
from urllib.error import URLError

import pytest
import torchvision.datasets.utils as tv_utils
from torchvision.datasets import FashionMNIST

import helpers
from tests.common import raises_chinese

PACKED = [name for name, _ in FashionMNIST.resources]
UNPACKED = [Path(name).stem for name in PACKED]


@pytest.fixture(scope="session")
def ready(tmp_path_factory):
    """完好的 .gz 与解包后的文件，各一份；测试只链接它们，不碰仓库里的数据。"""
    raw = tmp_path_factory.mktemp("ready") / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for name in PACKED:
        shutil.copyfile(helpers.data.DATA_ROOT / "FashionMNIST" / "raw" / name, raw / name)
    helpers.fashion_mnist_root(raw.parent.parent)
    return raw


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "FashionMNIST" / "raw"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def add(raw, ready):
    """把完好的文件放进这个测试的文件夹；都是链接，改动之前先断开。"""

    def link(*names):
        for name in names:
            try:
                os.link(ready / name, raw / name)
            except OSError:  # 两个文件夹不在同一个盘上
                shutil.copyfile(ready / name, raw / name)

    return link


@pytest.fixture
def tried(monkeypatch):
    """断网；返回试过的网址。"""
    urls = []

    def fail(url, *args, **kwargs):
        urls.append(url)
        raise URLError("no network")

    monkeypatch.setattr(tv_utils, "download_url", fail)
    return urls


def names(raw):
    return {path.name for path in raw.iterdir()}


def flip_a_bit(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


DAMAGES = [flip_a_bit, lambda content: content[: len(content) // 2], lambda content: b""]


def damage(path, how):
    content = how(path.read_bytes())
    path.unlink()
    path.write_bytes(content)


# ---------------------------------------------------------------- 完好的


def test_unpacks_once_without_network(tmp_path, raw, ready, add, tried, monkeypatch):
    add(*PACKED)
    assert helpers.fashion_mnist_root(tmp_path) == tmp_path
    assert names(raw) == {*PACKED, *UNPACKED}
    for name in UNPACKED:
        assert (raw / name).read_bytes() == (ready / name).read_bytes()
    monkeypatch.setattr(tv_utils, "extract_archive", lambda *args: pytest.fail("又解包了一次"))
    helpers.fashion_mnist_root(str(tmp_path))  # 文字路径也可以
    assert tried == []


def test_unpacked_files_alone_are_enough(tmp_path, add, tried, monkeypatch):
    add(*UNPACKED)
    for name in ("HOME", "USERPROFILE"):  # 后者是 Windows 的
        monkeypatch.setenv(name, str(tmp_path))
    assert helpers.fashion_mnist_root("~") == tmp_path and tried == []


# ---------------------------------------------------------------- 缺失


@pytest.mark.parametrize("there", [[], PACKED[1:]], ids=["什么都没有", "缺一个"])
def test_missing_and_download_fails(tmp_path, raw, add, tried, there):
    add(*there)
    with raises_chinese(RuntimeError, "缺少", PACKED[0], "no network", "https?://[^ ]+" + PACKED[0]) as error:
        helpers.load_data_fashion_mnist(256, root=tmp_path)
    assert str(raw) in str(error.value)
    assert "去掉参数 root" in str(error.value) and "git" not in str(error.value)  # 读者自己的文件夹不在 git 里
    assert tried == [f"{mirror}{PACKED[0]}" for mirror in FashionMNIST.mirrors]  # 每个镜像都试过


def test_missing_in_the_repository_comes_back_from_git(tmp_path, raw, tried, monkeypatch):
    monkeypatch.setattr(helpers.data, "DATA_ROOT", tmp_path)
    with raises_chinese(RuntimeError, "缺少", "git checkout -- data") as error:
        helpers.load_data_fashion_mnist(256)
    assert "root" not in str(error.value).replace(str(raw), "")


@pytest.mark.parametrize("error", [ConnectionResetError(), RuntimeError("File not found or corrupted.")], ids=repr)
def test_missing_is_downloaded_from_the_next_mirror(tmp_path, raw, add, monkeypatch, error):
    """断在半路、下载到的 MD5 不对（torchvision 报 RuntimeError），都换下一个镜像。"""
    add(*PACKED[:3], *UNPACKED[:3])
    monkeypatch.setattr(FashionMNIST, "mirrors", [*FashionMNIST.mirrors, "https://mirror.invalid/"])

    def download(url, root, filename, md5):
        if url.startswith(FashionMNIST.mirrors[0]):
            raise error
        assert Path(root) == raw and (filename, md5) == FashionMNIST.resources[3]  # 给了 MD5，torchvision 才核对
        add(filename)

    monkeypatch.setattr(tv_utils, "download_url", download)
    helpers.fashion_mnist_root(tmp_path)
    assert names(raw) == {*PACKED, *UNPACKED}


# ---------------------------------------------------------------- 损坏、放错


@pytest.mark.parametrize(("name", "how"), zip(PACKED, DAMAGES))
def test_packed_damaged(tmp_path, raw, add, tried, name, how):
    add(*PACKED, *(other for other in UNPACKED if other != Path(name).stem))
    damage(raw / name, how)
    with raises_chinese(RuntimeError, name, "损坏", "删除") as error:
        helpers.fashion_mnist_root(tmp_path)
    assert str(raw / name) in str(error.value) and tried == []
    assert "去掉参数 root" in str(error.value) and "git" not in str(error.value)
    assert Path(name).stem not in names(raw)  # 没有留下由坏文件解出的东西


@pytest.mark.parametrize(("name", "how"), zip(UNPACKED, DAMAGES))
def test_unpacked_damaged(tmp_path, raw, add, tried, name, how):
    add(*PACKED, *UNPACKED)
    damage(raw / name, how)
    with raises_chinese(RuntimeError, name, "损坏", "删除"):
        helpers.fashion_mnist_root(tmp_path)
    (raw / name).unlink()  # 照提示做就好了
    assert helpers.fashion_mnist_root(tmp_path) == tmp_path


@pytest.mark.parametrize("kind", [UNPACKED, PACKED], ids=["解包后的", "gz"])
def test_swapped_files(tmp_path, raw, add, tried, kind):
    """训练与测试的标签对调：每个都是完好的官方文件，只有 MD5 认得出放错了。"""
    add(*PACKED, *UNPACKED)
    first, second, spare = raw / kind[1], raw / kind[3], raw / "spare"
    first.rename(spare)
    second.rename(first)
    spare.rename(second)
    with raises_chinese(RuntimeError, first.name, "损坏"):
        helpers.fashion_mnist_root(tmp_path)


# ---------------------------------------------------------------- 读不了、写不了


def test_files_that_may_not_be_read(tmp_path, add, tried, monkeypatch):
    add(*PACKED)

    def refuse(path, md5):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(tv_utils, "check_integrity", refuse)
    with raises_chinese(RuntimeError, PACKED[0], "权限"):
        helpers.fashion_mnist_root(tmp_path)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(30, "Read-only file system"), raises_chinese(RuntimeError, PACKED[0], "写入", "Read-only")),
        (KeyboardInterrupt(), pytest.raises(KeyboardInterrupt)),
    ],
    ids=["只读", "被打断"],
)
def test_unpacking_stopped_half_way_leaves_nothing(tmp_path, raw, add, tried, monkeypatch, error, expected):
    add(*PACKED)

    def stop(packed, folder):
        Path(folder, Path(packed).stem).write_bytes(b"half")
        raise error

    monkeypatch.setattr(tv_utils, "extract_archive", stop)
    with expected:
        helpers.fashion_mnist_root(tmp_path)
    assert names(raw) == set(PACKED)


def test_the_kernel_stops_writing_half_way(tmp_path, raw, add, tried):
    """真的写到一半写不下去：限制一个文件的大小，写满 1 MB 后系统拒绝再写；之后再运行一次就好。"""
    resource = pytest.importorskip("resource", reason="Windows 没有文件大小的限额")
    add(*PACKED)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, limits[1]))
    try:
        with raises_chinese(RuntimeError, PACKED[0], "磁盘"):
            helpers.fashion_mnist_root(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert names(raw) == set(PACKED)  # 没有留下半个文件
    helpers.fashion_mnist_root(tmp_path)
    assert names(raw) == {*PACKED, *UNPACKED}


# ---------------------------------------------------------------- 并行


def test_two_unpack_at_once(tmp_path, raw, ready, add, monkeypatch):
    """第二个趁第一个刚解出一半时来解：两个都要成功，都不留下半个文件；上次被杀死时留下的不碍事。"""
    add(*PACKED)
    left = raw / "unpacking-left" / UNPACKED[0]
    left.parent.mkdir()
    left.write_bytes(b"half")
    extract, others = tv_utils.extract_archive, []

    def slowly(packed, folder):
        unpacked = Path(folder, Path(packed).stem)
        unpacked.write_bytes((ready / unpacked.name).read_bytes()[:1000])
        if not others:
            others.append(unpacked)
            helpers.fashion_mnist_root(tmp_path)
        return extract(packed, folder)

    monkeypatch.setattr(tv_utils, "extract_archive", slowly)
    helpers.fashion_mnist_root(tmp_path)
    assert names(raw) == {*PACKED, *UNPACKED, left.parent.name}


def test_another_process_was_faster(tmp_path, add, tried, monkeypatch):
    """Windows 上，别的进程刚解好并正在读它时，换名会被拒绝；文件已经在，就不是错误。"""
    add(*PACKED)

    def refuse(source, target):
        shutil.copyfile(source, target)
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(helpers.data.os, "replace", refuse)
    assert helpers.fashion_mnist_root(tmp_path) == tmp_path
