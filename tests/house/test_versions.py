"""两端的版本（tools/bounds.py、tools/tomorrow.py）：装哪些包，怎样比较两个网站。真的安装要几分钟，不在这里做。"""

import re
import runpy
import sys

import pytest

from tests.common import ROOT
from tools import bounds, tomorrow


def test_lower_bounds_become_pins():
    text = "# 说明 a>=1\n-e .   # 装上\n-r b.txt\njupyter-book>=1.0.4,<2  # 第 2 版>=2\nruff>=0.8\n"
    assert bounds.pinned(text) == text.replace("jupyter-book>=1.0.4,<2", "jupyter-book==1.0.4").replace(
        "ruff>=0.8", "ruff==0.8"
    )


@pytest.mark.parametrize("path", sorted(ROOT.glob("requirements*.txt")), ids=lambda path: path.name)
def test_every_requirement_has_a_lower_bound(path):
    """没有下限的，oldest 会装最新的，等于没试。"""
    lines = [line.partition("#")[0].strip() for line in bounds.pinned(path.read_text(encoding="utf-8")).splitlines()]
    names = [line for line in lines if line and not line.startswith("-")]
    assert names and [line for line in names if not re.fullmatch(r"[\w.-]+==[\d.]+", line)] == []


def test_newest_are_what_the_site_needs():
    names = set(tomorrow.packages())
    assert {"sphinx", "myst-nb", "sphinx-book-theme", "sphinx-exercise", "mini-racer", "tinycss2"} <= names
    assert names & {"jupyter-book", "torch", "matplotlib", "pytest"} == set()


def test_settings_are_the_same_book(tmp_path, monkeypatch):
    """conf.py 读得进来，是这本书的设置，没有 jupyter_book，路径都在。"""
    monkeypatch.setattr(sys, "path", list(sys.path))  # 读它会往里添
    (tmp_path / "conf.py").write_text(tomorrow.settings(), encoding="utf-8")
    config = runpy.run_path(str(tmp_path / "conf.py"))
    assert config["language"] == "zh_CN" and config["nb_execution_mode"] == "off"
    assert "jupyter_book" not in config["extensions"] and "sphinx_external_toc" in config["extensions"]
    for name in ("locale_dirs", "bibtex_bibfiles"):
        assert config[name] and all((ROOT / path).exists() and path.startswith(str(ROOT)) for path in config[name])


PAGE = """<html><head><title>题</title></head><body><nav>目录</nav><article class="bd-article"><h1>一</h1>
<p>正文 <em>强调</em></p></article></body></html>"""


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("<em>强调</em>", "<strong class='a'>强调</strong>", []),
        ("目录", "Contents", []),
        ("强调", "弱调", ["-强调", "+弱调"]),
        ("<em>强调</em>", "", ["-强调"]),
    ],
    ids=["标记", "界面", "改了", "少了"],
)
def test_changed_text_is_found(tmp_path, old, new, found):
    for name, html in {"today": PAGE, "tomorrow": PAGE.replace(old, new)}.items():
        (tmp_path / name / "chapters").mkdir(parents=True)
        (tmp_path / name / "chapters" / "a.html").write_text(html, encoding="utf-8")
    sites = [tomorrow.read(tmp_path / name) for name in ("today", "tomorrow")]
    lines = tomorrow.differences(*sites).get("chapters/a.html", [])
    assert [line for line in lines if re.match(r"[-+][^-+]", line)] == found
    assert (tomorrow.interface(sites[0]) == tomorrow.interface(sites[1])) is (old != "目录")


def test_missing_and_new_pages_are_found():
    one, two = {"a.html": (["一"], []), "b.html": ([], [])}, {"a.html": (["一"], []), "c.html": ([], [])}
    assert set(tomorrow.differences(one, two)) == {"b.html", "c.html"}
