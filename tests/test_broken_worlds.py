"""坏掉的世界：数据损坏、缺失、放错，磁盘满，只读，半路被打断，两个进程同时做，.venv 不对。

每一种都要么自己恢复，要么用一句中文说清哪里坏了、该怎么办；什么都不能丢。
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError

import pytest
import torchvision.datasets.utils as tv_utils
from torchvision.datasets import FashionMNIST

import helpers
from tests.common import MAKE_INPUTS, ROOT, one_chinese_sentence, raises_chinese, run_make
from tools import forked

PACKED = [name for name, _ in FashionMNIST.resources]
UNPACKED = [Path(name).stem for name in PACKED]


# ================================================================ 数据


@pytest.fixture(scope="session")
def ready(tmp_path_factory):
    """完好的 .gz 与解包后的文件，各一份；测试只链接它们，不碰仓库里的数据。"""
    root = tmp_path_factory.mktemp("ready")
    raw = root / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for name in PACKED:
        shutil.copyfile(helpers.data.DATA_ROOT / "FashionMNIST" / "raw" / name, raw / name)
    helpers.fashion_mnist_root(root)
    return raw


class World:
    """一个临时的 root；文件都是链接，改动之前先断开。"""

    def __init__(self, root, ready):
        self.root, self.raw, self.ready = root, root / "FashionMNIST" / "raw", ready
        self.raw.mkdir(parents=True)

    def add(self, *names):
        for name in names:
            try:
                os.link(self.ready / name, self.raw / name)
            except OSError:  # 两个文件夹不在同一个盘上
                shutil.copyfile(self.ready / name, self.raw / name)
        return self

    def change(self, name, edit):
        content = edit((self.raw / name).read_bytes())
        (self.raw / name).unlink()
        (self.raw / name).write_bytes(content)

    def names(self):
        return {path.name for path in self.raw.iterdir()}


@pytest.fixture
def world(tmp_path, ready):
    return World(tmp_path, ready)


@pytest.fixture
def no_network(monkeypatch):
    """断网；返回试过的网址。"""
    tried = []

    def fail(url, *args, **kwargs):
        tried.append(url)
        raise URLError("no network")

    monkeypatch.setattr(tv_utils, "download_url", fail)
    return tried


def flip_a_bit(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def truncate(content):
    return content[: len(content) // 2]


def empty(content):
    return b""


def damages(names):
    """每个文件翻转一位，另有一个文件截断、一个文件空了。"""
    return [(name, flip_a_bit) for name in names] + [(names[1], truncate), (names[2], empty)]


def test_unpacks_the_official_files_without_network(world, no_network):
    world.add(*PACKED)
    assert helpers.fashion_mnist_root(world.root) == world.root
    assert no_network == [] and world.names() == {*PACKED, *UNPACKED}
    for name in UNPACKED:
        assert (world.raw / name).read_bytes() == (world.ready / name).read_bytes()


def test_second_call_does_not_unpack(world, no_network, monkeypatch):
    world.add(*PACKED, *UNPACKED)
    monkeypatch.setattr(tv_utils, "extract_archive", lambda *args: pytest.fail("又解包了一次"))
    helpers.fashion_mnist_root(str(world.root))  # 文字路径也可以
    assert no_network == []


def test_root_may_start_with_a_tilde(world, no_network, monkeypatch):
    world.add(*UNPACKED)
    for name in ("HOME", "USERPROFILE"):  # 后者是 Windows 的
        monkeypatch.setenv(name, str(world.root))
    assert helpers.fashion_mnist_root("~") == world.root


def test_unpacked_files_alone_are_enough(world, no_network):
    world.add(*UNPACKED)
    helpers.fashion_mnist_root(world.root)
    assert no_network == []


@pytest.mark.parametrize("missing", PACKED)
def test_missing_and_download_fails(world, no_network, missing):
    world.add(*(name for name in PACKED if name != missing), *UNPACKED)
    (world.raw / Path(missing).stem).unlink()
    with raises_chinese(RuntimeError, "缺少", missing, "https?://[^ ]+" + missing) as error:
        helpers.fashion_mnist_root(world.root)
    assert str(world.raw) in str(error.value)
    assert no_network == [f"{mirror}{missing}" for mirror in FashionMNIST.mirrors]  # 每个镜像都试过


def test_download_error_names_the_folder_when_nothing_exists(tmp_path, no_network):
    with raises_chinese(RuntimeError, PACKED[0]) as error:
        helpers.fashion_mnist_root(tmp_path / "没有")
    assert str(tmp_path / "没有" / "FashionMNIST" / "raw") in str(error.value)


@pytest.mark.parametrize(
    "error", [URLError("down"), ConnectionResetError(), RuntimeError("File not found or corrupted.")], ids=str
)
def test_missing_is_downloaded_from_the_next_mirror(world, monkeypatch, error):
    """连不上、断在半路、下载到的 MD5 不对（torchvision 报 RuntimeError），都换下一个镜像。"""
    missing = PACKED[3]
    world.add(*(name for name in PACKED if name != missing), *UNPACKED[:3])
    monkeypatch.setattr(FashionMNIST, "mirrors", [*FashionMNIST.mirrors, "https://mirror.invalid/"])

    def download(url, root, filename, md5):
        if url.startswith(FashionMNIST.mirrors[0]):
            raise error
        world.add(filename)

    monkeypatch.setattr(tv_utils, "download_url", download)
    helpers.fashion_mnist_root(world.root)
    assert world.names() == {*PACKED, *UNPACKED}


@pytest.mark.parametrize(("name", "damage"), damages(PACKED))
@pytest.mark.parametrize("unpacked_too", [False, True])
def test_packed_damaged(world, no_network, name, damage, unpacked_too):
    others = [other for other in UNPACKED if unpacked_too or other != Path(name).stem]
    world.add(*PACKED, *others)
    world.change(name, damage)
    with raises_chinese(RuntimeError, name, "损坏", "删除") as error:
        helpers.fashion_mnist_root(world.root)
    assert str(world.raw / name) in str(error.value) and no_network == []
    assert world.names() == {*PACKED, *others}  # 没有留下由坏文件解出的东西


@pytest.mark.parametrize(("name", "damage"), damages(UNPACKED))
def test_unpacked_damaged(world, no_network, name, damage):
    world.add(*PACKED, *UNPACKED)
    world.change(name, damage)
    with raises_chinese(RuntimeError, name, "损坏", "删除"):
        helpers.fashion_mnist_root(world.root)
    (world.raw / name).unlink()  # 照提示做就好了
    assert helpers.fashion_mnist_root(world.root) == world.root


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(UNPACKED[0], UNPACKED[2], id="训练与测试的图像"),
        pytest.param(UNPACKED[1], UNPACKED[3], id="训练与测试的标签"),
        pytest.param(UNPACKED[2], UNPACKED[3], id="图像与标签"),
        pytest.param(PACKED[1], PACKED[3], id="gz"),
        pytest.param(PACKED[2], PACKED[3], id="gz 的图像与标签"),
    ],
)
def test_swapped_files(world, no_network, first, second):
    """文件对调：每个都是完好的官方文件，只有 MD5 认得出放错了。"""
    world.add(*PACKED, *UNPACKED)
    first, second, spare = (world.raw / name for name in (first, second, "spare"))
    first.rename(spare)
    second.rename(first)
    spare.rename(second)
    with raises_chinese(RuntimeError, first.name, "损坏"):
        helpers.fashion_mnist_root(world.root)


def test_a_folder_where_a_file_should_be(world, no_network):
    world.add(*PACKED, *UNPACKED[1:])
    (world.raw / UNPACKED[0]).mkdir()
    with raises_chinese(RuntimeError, UNPACKED[0], "损坏", "删除"):
        helpers.fashion_mnist_root(world.root)


def test_files_that_may_not_be_read(world, no_network, monkeypatch):
    world.add(*PACKED)

    def refuse(path, md5):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(tv_utils, "check_integrity", refuse)
    with raises_chinese(RuntimeError, PACKED[0], "权限"):
        helpers.fashion_mnist_root(world.root)


@pytest.mark.parametrize(
    "error",
    [
        PermissionError(13, "Permission denied"),
        OSError(28, "No space left on device"),
        OSError(30, "Read-only file system"),
    ],
    ids=["没有权限", "磁盘满", "只读"],
)
def test_cannot_write(world, no_network, monkeypatch, error):
    world.add(*PACKED)

    def fail(packed, folder):
        raise error

    monkeypatch.setattr(tv_utils, "extract_archive", fail)
    with raises_chinese(RuntimeError, PACKED[0], "写入", error.strerror) as caught:
        helpers.fashion_mnist_root(world.root)
    assert str(world.raw) in str(caught.value) and world.names() == set(PACKED)


def test_the_kernel_stops_writing_half_way(world, no_network):
    """真的写到一半写不下去：限制一个文件的大小，写满 1 MB 后系统拒绝再写。"""
    resource = pytest.importorskip("resource", reason="Windows 没有文件大小的限额")
    world.add(*PACKED)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, limits[1]))
    try:
        with raises_chinese(RuntimeError, PACKED[0], "磁盘"):
            helpers.fashion_mnist_root(world.root)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert world.names() == set(PACKED)  # 没有留下半个文件
    helpers.fashion_mnist_root(world.root)
    assert world.names() == {*PACKED, *UNPACKED}


SMALL_AND_READ_ONLY = """
mount -t tmpfs -o size=60m small "$1" && cp -r "$2/FashionMNIST" "$1" || exit 1
mount --bind "$2" "$2" && mount -o remount,bind,ro "$2" || exit 1
mount --bind "$3" "$3" && mount -o remount,bind,ro "$3" || exit 1
echo ready && exec cat
"""


@pytest.fixture
def mounted(tmp_path_factory, world, ready):
    """一个小盘、两个只读的文件夹：只在另一个进程的名字空间里，不影响这台机器；超级用户也写不进去。"""
    unshare = ["unshare", "--mount", "--map-root-user"]
    if not shutil.which("unshare") or subprocess.run([*unshare, "true"], capture_output=True).returncode:
        pytest.skip("这台机器不能另开名字空间：只有 Linux 能，容器里常被禁止")
    world.add(*PACKED)
    roots = [tmp_path_factory.mktemp("small"), world.root, ready.parent.parent]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([*unshare, "sh", "-c", SMALL_AND_READ_ONLY, "sh", *roots], **pipes) as process:
        if process.stdout.readline() != b"ready\n":
            pytest.skip("这台机器的名字空间里不能挂载")
        yield [Path(f"/proc/{process.pid}/root{root}") for root in roots]  # 从那个进程看到的


def test_real_full_disk_and_read_only_folder(mounted):
    full, read_only, unpacked = mounted
    with raises_chinese(RuntimeError, "No space left", "磁盘", str(full)):
        helpers.fashion_mnist_root(full)
    with raises_chinese(RuntimeError, "Read-only", "写入", str(read_only / "FashionMNIST" / "raw")):
        helpers.fashion_mnist_root(read_only)
    assert helpers.fashion_mnist_root(unpacked) == unpacked  # 已经解好的，只读也能用


# ---------------------------------------------------------------- 打断与并行


def in_another_process(code, root):
    """在另一个进程里运行；用完 wait()。"""
    code = code.format(str(root))
    if forked.POSSIBLE:
        return forked.Forked(code, ROOT, dict(os.environ))
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)


# 解到一半，自己杀死自己：来不及清理
UNPACK_AND_DIE = """
import os, signal
from pathlib import Path
import helpers, torchvision.datasets.utils as utils

def half(packed, folder):
    Path(folder, Path(packed).stem).write_bytes(b"half")
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))

utils.extract_archive = half
helpers.fashion_mnist_root({!r})
"""
UNPACK_TOGETHER = """
import time
from pathlib import Path
import helpers

root = Path({!r})
(root / "ready").touch()
while not (root / "go").exists():
    time.sleep(0.001)
helpers.fashion_mnist_root(root)
(root / "done").touch()
"""


def test_interrupted_unpacking_leaves_nothing(world, no_network, monkeypatch):
    world.add(*PACKED)

    def interrupted(packed, folder):
        Path(folder, Path(packed).stem).write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tv_utils, "extract_archive", interrupted)
        with pytest.raises(KeyboardInterrupt):
            helpers.fashion_mnist_root(world.root)
    assert world.names() == set(PACKED)


def test_killed_unpacking_does_no_harm(world, no_network):
    """真的杀死一个解到一半的进程：留下一个临时文件夹（git 忽略它），再运行一次就好。"""
    world.add(*PACKED)
    in_another_process(UNPACK_AND_DIE, world.root).wait()
    (left,) = world.names() - set(PACKED)
    assert left.startswith("unpacking-") and (world.raw / left / UNPACKED[0]).read_bytes() == b"half"
    helpers.fashion_mnist_root(world.root)
    assert world.names() == {*PACKED, *UNPACKED, left}


def test_two_processes_unpack_at_once(world):
    """另一个进程与本进程同时解包，两边都要成功。"""
    world.add(*PACKED)
    process = in_another_process(UNPACK_TOGETHER, world.root)
    while not (world.root / "ready").exists():
        assert process.poll() is None
        time.sleep(0.001)
    (world.root / "go").touch()
    helpers.fashion_mnist_root(world.root)
    process.wait()
    assert (world.root / "done").exists()
    assert world.names() == {*PACKED, *UNPACKED}


def test_another_process_was_faster(world, no_network, monkeypatch):
    """Windows 上，别的进程刚解好并正在读它时，换名会被拒绝；文件已经在，就不是错误。"""
    world.add(*PACKED)

    def refuse(source, target):
        shutil.copyfile(source, target)
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(helpers.data.os, "replace", refuse)
    assert helpers.fashion_mnist_root(world.root) == world.root


# ================================================================ make.py

STAGES = ("venv", "pip", "jupyter-book", "pytest")


class Killed(BaseException):
    """像被杀死一样：谁也接不住，什么也来不及做。"""


def stop_at(stage, make, fake, monkeypatch, error):
    """让 make.py 在这一步的半路上停下。"""
    if stage == "venv":

        def half(*args, **kwargs):
            (make.VENV / "lib").mkdir(parents=True)
            raise error

        monkeypatch.setattr(make.venv, "create", half)
    else:
        fake.statuses = [0] * (STAGES.index(stage) - 1) + [error]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("error", [KeyboardInterrupt, Killed])
def test_stopped_and_run_again(make, fake, monkeypatch, capsys, stage, error):
    with monkeypatch.context() as patch:
        stop_at(stage, make, fake, patch, error())
        if error is Killed:
            with pytest.raises(Killed):
                make.main(["test"])
        else:
            assert make.main(["test"]) == 130
            assert "中断" in capsys.readouterr().err
    fake.commands.clear()
    assert make.main(["test"]) == 0
    ran = [tool for command in fake.commands for tool in STAGES if tool in command or f"{make.BIN / tool}" in command]
    reinstalled = stage in ("venv", "pip")
    assert ran == (["pip"] if reinstalled else []) + ["jupyter-book", "pytest"]  # 没装完的重装，装好的不重装
    assert ("--all" in fake.commands[-2]) is (stage == "jupyter-book")  # 没建完的全部重建
    assert not make.UNFINISHED.exists()


def test_failed_build_is_built_anew(make, fake):
    """有警告而失败的构建，什么也不改就再运行：Sphinx 自己不会再警告，所以要全部重建。"""
    fake.statuses = [0, 1]
    assert make.main(["book"]) == 1 and make.main(["book"]) == 0
    assert make.main(["book"]) == 0
    assert ["--all" in command for command in fake.commands if "build" in command] == [False, True, False]


STUB = """#!{python}
import os, signal, sys, time
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.default_int_handler)
try:
    print(os.getpid(), *sys.argv[1:], flush=True)
    while "--all" not in sys.argv:
        time.sleep(0.1)
except KeyboardInterrupt:
    time.sleep(0.5)  # 收拾要一点时间
    print("收拾好了", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows 上没有给单个进程发信号的办法，也不能直接运行脚本")
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_really_stopped_while_building(make, number):
    """真的 make.py，假的 jupyter-book：先停下它，并容它收拾完；再运行一次就全部重建。

    SIGINT 像在终端按 Ctrl+C，两个都收到；SIGTERM 只有 make.py 收到；SIGKILL 像断电，一起死。
    """
    make.BIN.mkdir(parents=True)
    make.PYTHON.touch()
    (make.VENV / "installed.txt").write_text(make._fingerprint(make.BOOK), encoding="utf-8")
    stub = make.BIN / "jupyter-book"
    stub.write_text(STUB.format(python=sys.executable), encoding="utf-8")
    stub.chmod(0o755)
    code = "import signal, sys, runpy; signal.signal(signal.SIGINT, signal.default_int_handler);"  # xdist 忽略 SIGINT
    code += "sys.argv = ['make.py', 'book']; runpy.run_path('make.py', run_name='__main__')"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "encoding": "utf-8"}
    env = {**os.environ, "PYTHONUTF8": "1"}
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=make.HERE, env=env, start_new_session=True, **pipes) as process:
        child = int(process.stdout.readline().split()[0])
        for pid in [process.pid] if number == "SIGTERM" else [child, process.pid]:
            os.kill(pid, getattr(signal, number))
        out, err = process.communicate(timeout=30)  # 管道关上了，说明没有留下还在运行的
    assert ("收拾好了" in out) is (number != "SIGKILL")
    assert process.returncode == (-9 if number == "SIGKILL" else 130)
    assert ("中断" in err) is (number != "SIGKILL") and "Traceback" not in err
    again = run_make(make.HERE, "book")
    assert again.returncode == 0 and again.stdout.splitlines()[0].endswith("--all") and "书已建好" in again.stdout


@pytest.mark.parametrize("name", MAKE_INPUTS)
def test_missing_input(make, fake, capsys, name):
    (make.HERE / name).unlink()
    assert make.main(["book"]) == 2
    err = capsys.readouterr().err
    assert one_chinese_sentence(err) and f"git checkout -- {name}" in err
    assert fake.created == fake.commands == [] and not make.VENV.exists()


def test_environment_is_a_file(make, capsys):
    """有些工具的 .venv 是一个写着名字的文件；不动它。"""
    make.VENV.write_text("my-env", encoding="utf-8")
    assert make.main(["book"]) == 2
    err = capsys.readouterr().err
    assert one_chinese_sentence(err) and str(make.VENV) in err and "删除 .venv" in err
    assert make.VENV.read_text(encoding="utf-8") == "my-env"


@pytest.mark.skipif(os.name == "nt", reason="Windows 上建链接要特别的权限，路径里也不能有冒号")
@pytest.mark.parametrize("world", ["断开的链接", "路径里有分隔符"])
def test_environment_that_venv_refuses(make, monkeypatch, capsys, world):
    if world == "断开的链接":
        make.VENV.symlink_to(make.HERE / "没有")
    else:
        monkeypatch.setattr(make, "VENV", make.HERE / "a:b" / ".venv")
    assert make.main(["book"]) == 2
    assert one_chinese_sentence(capsys.readouterr().err)


def test_environment_of_another_tool_is_not_cleared(make, fake, capsys):
    """conda 的环境也可能叫 .venv：里面有别人的东西，不能清空。"""
    precious = make.VENV / "conda-meta" / "history"
    precious.parent.mkdir(parents=True)
    precious.write_text("很久才装好的\n", encoding="utf-8")
    assert make.main(["book"]) == 2
    assert one_chinese_sentence(capsys.readouterr().err) and fake.created == [] and precious.exists()


@pytest.mark.parametrize("leftover", [["bin"], ["pyvenv.cfg"], ["lib", "pyvenv.cfg", "LICENSE"], []], ids=str)
def test_half_made_environment_is_made_anew(make, fake, leftover):
    make.VENV.mkdir()
    for name in leftover:
        (make.VENV / name).mkdir()
    assert make.main(["book"]) == 0
    assert fake.created == [(make.VENV, True, True)]


def test_jupyter_book_is_gone(make, fake, capsys, monkeypatch):
    """有人从 .venv 里卸掉了 jupyter-book：说怎么办；照办之后就好了。"""
    make.install()
    monkeypatch.undo()  # 不再用假的：真的去运行，而文件不在
    assert make.main(["book"]) == 2
    err = capsys.readouterr().err
    assert one_chinese_sentence(err) and "jupyter-book" in err and "删除 .venv" in err


def test_build_folder_is_a_file(make, fake, capsys):
    make.UNFINISHED.parent.write_text("", encoding="utf-8")
    assert make.main(["book"]) == 2
    assert one_chinese_sentence(capsys.readouterr().err)


def test_disk_full_while_stamping(make, fake, monkeypatch, capsys):
    """最后一步写标记时磁盘满了：下次重装，不会以为装好了。"""

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(make.Path, "write_text", full)
        assert make.main(["book"]) == 2
    err = capsys.readouterr().err
    assert one_chinese_sentence(err) and "磁盘" in err
    assert make.main(["book"]) == 0 and len(fake.created) == 2
