"""建网站只要 requirements-book.txt 里的包：没有 torch 也建得成，建完就结束，与装全了建的一模一样。"""

import inspect
import re
import subprocess
import sys
from importlib.metadata import distribution, packages_distributions

from bs4 import BeautifulSoup
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import helpers
from tests.common import ROOT

HTML = ROOT / "_build" / "html"
BUILD = """
import sys
from importlib.abc import MetaPathFinder

class NotInstalled(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, NotInstalled())
from jupyter_book.cli.main import main
main(["build", ".", "--path-output", {output!r}, "-nW", "--keep-going"])
"""


def needed(names, found):
    """这些包与它们要的包，直到没有新的。"""
    for requirement in map(Requirement, names):
        name = canonicalize_name(requirement.name)
        extras = requirement.extras or {""}
        wanted = not requirement.marker or requirement.marker.evaluate()
        if wanted and name not in found:
            found.add(name)
            for more in map(Requirement, distribution(name).requires or []):
                if not more.marker or any(more.marker.evaluate({"extra": extra}) for extra in extras):
                    more.marker = None
                    needed([str(more)], found)
    return found


def not_in_the_light_environment():
    """只装 requirements-book.txt 时没有的模块。"""
    lines = (ROOT / "requirements-book.txt").read_text(encoding="utf-8").splitlines()
    names = [name for line in lines if (name := line.partition("#")[0].strip()) and not name.startswith("-")]
    light = needed(names, {"helpers"})
    return {
        module
        for module, packages in packages_distributions().items()
        if light.isdisjoint(map(canonicalize_name, packages))
    }


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_light_build_ends_with_the_same_site(tmp_path):
    """时限很宽：正常只要十几秒。没关的线程与子进程会让它永远不结束，管道也永远不关。"""
    blocked = not_in_the_light_environment()
    assert {"torch", "torchvision", "numpy", "matplotlib", "pytest"} <= blocked
    code = BUILD.format(blocked=blocked, output=str(tmp_path))
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    full, light = contents(HTML), contents(tmp_path / "_build" / "html")
    assert [name for name in sorted({*full, *light}) if full.get(name) != light.get(name)] == []


def test_reference_shows_the_real_signatures():
    """torch 用替身时，由它的类派生的类会丢掉自己的参数，所以在 api.md 里写明；写明的要与真的一样。"""
    page = BeautifulSoup((HTML / "chapters" / "api.html").read_text(encoding="utf-8"), "html.parser")
    wrong = {}
    for entry in page.select("dl.py.function > dt, dl.py.class > dt"):
        shown = "(" + ", ".join(parameter.get_text() for parameter in entry.select("em.sig-param")) + ")"
        real = str(inspect.signature(getattr(helpers, entry["id"].removeprefix("helpers."))))
        if re.sub(r"\s", "", shown) != re.sub(r"\s", "", real):
            wrong[entry["id"]] = (shown, real)
    assert wrong == {}
