"""装的东西与写的相符：每个需要的包都钉住了版本，装着的就是钉住的；说明里提到的文件与任务都在。"""

import re
import sys
from importlib.metadata import PackageNotFoundError, distribution

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.book import settle
from tests.common import ROOT

LICENSES = "(MIT|MIT-CMU|BSD|ISC|PSF|Apache-2.0|MPL-2.0)"  # 都准许与 MIT 许可的代码一起使用
DOCUMENTS = [
    path for name in ("README", "STYLE", "CONTRIBUTING", "LICENSE") for path in ROOT.glob(f"{name}*") if path.is_file()
]


def lines(name):
    """去掉空行、注释与 -e、-r 之后的各行，连同行号。"""
    for number, line in enumerate((ROOT / name).read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip() and not line.startswith(("#", "-")):
            yield f"{name} 第 {number} 行", line


REQUIREMENTS = [*lines("requirements-book.txt"), *lines("requirements.txt")]


def installed(name):
    """装着的版本；没有装的是 None。"""
    try:
        return distribution(name).version
    except PackageNotFoundError:
        return None


def test_requirements_are_pinned_installed_and_explained():
    pins = {}
    for place, line in lines("constraints.txt"):
        name, _, version = line.split("#")[0].strip().partition("==")
        assert version and canonicalize_name(name) not in pins, f"{place} 要写成 名字==版本，一个包一行"
        pins[canonicalize_name(name)] = version
    problems = []
    for place, line in [*REQUIREMENTS, *lines("requirements-dist.txt")]:
        wanted, reason = Requirement(line.split("#")[0]), line.partition("#")[2]
        pin = pins.get(canonicalize_name(wanted.name))
        if pin is None or not wanted.specifier.contains(pin):
            problems.append(f"{place}：要 {wanted}，constraints.txt 里是 {pin}")
        if ">=" not in [bound.operator for bound in wanted.specifier]:
            problems.append(f"{place}：没有写下限；oldest 会装最新的，等于没试")
        if not re.search("[\u4e00-\u9fff]", reason):
            problems.append(f"{place}：没有写为什么要它")
        if "dist" in place:  # 用到时才装，也不必能与本书一起分发
            continue
        if not re.search(rf"（{LICENSES}）$", reason):
            problems.append(f"{place}：末尾要在括号里写它的许可，并且是与本书相容的一种：{LICENSES}")
        if installed(wanted.name) is None:
            problems.append(f"{place}：{wanted.name} 没有装上")
    wrong = {name: have for name, pin in pins.items() if (have := installed(name)) not in (None, pin)}
    problems += [f"constraints.txt 里 {name}=={pins[name]}，装着的是 {have}" for name, have in wrong.items()]
    settle(problems, "重新安装：删去 .venv 里的 installed.txt，再运行 python3 make.py book。")


def dependencies(name, seen):
    """一个包与它连带要装的各个包，只看这台机器上要的。"""
    if (name := canonicalize_name(name)) in seen or installed(name) is None:
        return seen
    seen.add(name)
    for each in map(Requirement, distribution(name).requires or []):
        if each.marker is None or each.marker.evaluate({"extra": ""}):
            dependencies(each.name, seen)
    return seen


@pytest.mark.skipif(sys.platform != "linux", reason="别的系统连带的包不同，例如 Windows 上的 colorama")
def test_what_comes_along_is_pinned_too():
    """连带装上的也要钉住，否则同样的命令过几个月装出另一套。"""
    pinned = {canonicalize_name(line.split("==")[0]) for _, line in lines("constraints.txt")}
    needed = set()
    for _, line in REQUIREMENTS:
        dependencies(Requirement(line.split("#")[0]).name, needed)
    # 装包用的工具不算；CUDA 的各个包由 torch 自己限定
    loose = {name for name in needed - pinned - {"setuptools", "wheel"} if not re.match("nvidia|cuda|triton", name)}
    settle(f"constraints.txt 里没有 {name}=={installed(name)}" for name in sorted(loose))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_files_named_in_the_documents_exist(path):
    """反引号里的路径，在仓库里都有；make.py 的任务也都有。"""
    text = path.read_text(encoding="utf-8")
    named = re.findall(r"`((?:[\w-]+/)+[\w.-]*|[\w-]+\.(?:md|py|yml|toml|txt|ipynb|bib))`", text)
    made = ("_build/", ".venv/", ".git/", "my-notebooks/")  # 运行时才有
    settle(f"{path.name}：没有 {name}" for name in named if not name.startswith(made) and not (ROOT / name).exists())
    tasks = set(re.findall(r"make\.py (\w+)", text)) | set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    code = (ROOT / "make.py").read_text(encoding="utf-8")
    settle(f"{path.name}：make.py 里没有任务 {task}" for task in tasks if f"\ndef {task}(" not in code)
