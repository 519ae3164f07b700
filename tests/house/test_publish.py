"""放到网上：写了仓库与网站的地址，才有云端的链接、站点地图与转发的图；没有 helpers 的地方，第一格把它取来。"""

import re
import subprocess
import sys

import nbformat
import pytest
from bs4 import BeautifulSoup

from ext import launch
from tests.common import ROOT
from tests.house import small_book
from tools import share

pytestmark = small_book.IGNORE_OLD_STYLE
URL = "https://github.com/someone/some-book"
BASE = "https://example.org/book"
# 与 Colab 一样：别的文件夹，没有 helpers（-S：看不到装好的包）；不联网，从这个仓库自己取
ELSEWHERE = "\nimport importlib.util\nprint(importlib.util.find_spec('helpers').origin)"


def page(site, name):
    return BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "html.parser")


@pytest.fixture(scope="module", params=[{}, {"repository": URL, "baseurl": BASE}], ids=["没有写", "写了"])
def site(request, tmp_path_factory):
    """(写了没有, 建好的小书)"""
    folder = tmp_path_factory.mktemp("小书")
    return bool(request.param), small_book.build(small_book.write_book(folder), **request.param)


def test_addresses_appear_only_when_they_are_set(site):
    """链接指向普通版的笔记本；没写地址，就没有点不动的按钮、写错了的地址。"""
    is_set, folder = site
    links = [link["href"] for link in page(folder, "one").select("p.launch a")]
    assert len(links) == 3 * is_set and not page(folder, "two").select("p.launch")
    assert all(f"someone/some-book/blob/{launch.BRANCH}/one.ipynb" in link for link in links)
    found = {tag["property"]: tag["content"] for tag in page(folder, "one").select("meta[property]")}
    assert found.get("og:url") == (f"{BASE}/one.html" if is_set else None)
    assert (folder / found["og:image"].removeprefix(f"{BASE}/")).exists() if is_set else not found
    assert [link["href"] for link in page(folder, "one").select("link[rel=canonical]")] == [f"{BASE}/one.html"] * is_set
    assert (folder / "sitemap.xml").exists() is is_set
    if is_set:
        places = re.findall("<loc>(.*)</loc>", (folder / "sitemap.xml").read_text(encoding="utf-8"))
        assert len(places) == 6 and all((folder / place.removeprefix(f"{BASE}/")).exists() for place in places)


def test_a_wrong_address_leads_home(site):
    is_set, folder = site
    soup = page(folder, "404")
    assert [base["href"] for base in soup.select("base")] == [f"{BASE}/"] * is_set
    assert soup.select_one("article a")["href"] == "index.html" and "没有这一页" in soup.title.get_text()


def fetch(folder, url):
    code = launch.FETCH.format(url=url) + ELSEWHERE
    return subprocess.run([sys.executable, "-I", "-S", "-c", code], cwd=folder, capture_output=True, text=True)


def test_helpers_are_fetched_where_there_are_none(tmp_path):
    failed = fetch(tmp_path, (tmp_path / "没有的仓库").as_uri())
    assert failed.returncode and "没有取到" in failed.stderr
    first, again = fetch(tmp_path, ROOT.as_uri()), fetch(tmp_path, "https://nowhere.invalid/")  # 第二次不再取
    assert [result.returncode for result in (first, again)] == [0, 0], first.stderr + again.stderr
    found = tmp_path / "deep-learning-notes" / "helpers" / "__init__.py"
    assert first.stdout.splitlines()[-1] == again.stdout.strip() == str(found)
    assert "取 helpers 与数据" in first.stdout and len(list(found.parents[1].glob("data/FashionMNIST/raw/*.gz"))) == 4


def git(folder, *arguments):
    result = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return result.stdout.strip()


def test_shared_branch_holds_the_plain_notebooks_alone(tmp_path):
    """工作区、暂存与当前的分支都不动；再推一次，换成新的。"""
    before = git(ROOT, "status", "--porcelain"), git(ROOT, "rev-parse", "HEAD")
    git(tmp_path, "init", "--quiet", "--bare")
    for _ in range(2):
        share.main(str(tmp_path))
    names = git(tmp_path, "ls-tree", "-r", "--name-only", launch.BRANCH).splitlines()
    assert "softmax/scratch.ipynb" in names and not any(name.endswith(".py") for name in names)
    assert nbformat.reads(git(tmp_path, "show", f"{launch.BRANCH}:softmax/scratch.ipynb"), as_version=4).cells
    assert git(tmp_path, "rev-list", "--count", launch.BRANCH) == "1"
    assert (git(ROOT, "status", "--porcelain"), git(ROOT, "rev-parse", "HEAD")) == before
