"""用最新的 Sphinx、MyST 与主题构建同一本书，逐页比较正文：Jupyter Book 1 不再开发，停在 Sphinx 7。

用法：python -m tools.tomorrow，要先构建网站。另建一个环境（约 350 MB，没有 torch）：装的是构建网站要的那些包，
都取最新的；设置由 jupyter-book 从 _config.yml 算出，去掉它自己这个扩展。都在 _build/tomorrow 里。
"""

import difflib
import os
import subprocess
import sys
import venv
from importlib.metadata import requires

from bs4 import BeautifulSoup
from jupyter_book.config import get_final_config
from packaging.requirements import Requirement

from tools import ROOT, UTF8

TODAY = ROOT / "_build" / "html"
FOLDER = ROOT / "_build" / "tomorrow"
HTML = FOLDER / "html"
PYTHON = FOLDER / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
SHOWN = ("sphinx", "docutils", "myst-parser", "myst-nb", "sphinx-book-theme", "pydata-sphinx-theme", "sphinx-exercise")


# ---------------------------------------------------------------- 构建


def packages():
    """构建网站要的包，只有名字：requirements-book.txt 里的，与 jupyter-book 要的；没有 jupyter-book 自己。"""
    lines = (ROOT / "requirements-book.txt").read_text(encoding="utf-8").splitlines()
    ours = [line for line in (line.partition("#")[0].strip() for line in lines) if line and not line.startswith("-")]
    theirs = [each for each in requires("jupyter-book") if "extra ==" not in each]
    return sorted({Requirement(each).name for each in ours + theirs} - {"jupyter-book"})


def settings():
    """conf.py 的内容。它放在别处，所以里面的路径都写全。"""
    before = len(sys.path)
    config, _ = get_final_config(
        user_yaml=ROOT / "_config.yml", sourcedir=ROOT, cli_config={"latex_individualpages": False}
    )
    config["extensions"].remove("jupyter_book")
    for name in ("locale_dirs", "bibtex_bibfiles"):
        config[name] = [str(ROOT / path) for path in config[name]]
    paths = [str(ROOT), *sys.path[before:]]  # 我们自己的扩展所在的文件夹
    return "\n".join([f"import sys\nsys.path[:0] = {paths!r}", *(f"{name} = {config[name]!r}" for name in config), ""])


def build():
    """返回退出码；警告当作错误，与 make.py book 一样。"""
    venv.create(FOLDER / "venv", clear=True, with_pip=True)
    (FOLDER / "conf.py").write_text(settings(), encoding="utf-8")
    pip = ["pip", "install", "--quiet", *packages()]
    sphinx = ["sphinx", "-b", "html", "-EanW", "--keep-going", "-q", "-c", FOLDER, ROOT, HTML]
    for command in (pip, sphinx):
        env = {**os.environ, **UTF8}
        if status := subprocess.run([PYTHON, "-m", *command], cwd=ROOT, env=env).returncode:
            return status
    return 0


def versions():
    code = f"from importlib.metadata import version\nprint(*(f'{{n}} {{version(n)}}' for n in {SHOWN!r}), sep='、')"
    return subprocess.run([PYTHON, "-c", code], capture_output=True, encoding="utf-8", check=True).stdout.strip()


# ---------------------------------------------------------------- 比较


def split(html):
    """一页里读者看得到的文字：(正文的, 界面的)。"""
    soup = BeautifulSoup(html, "html.parser")
    articles = [article.extract() for article in soup.select("article.bd-article")]
    return [text for article in articles for text in article.stripped_strings], list(soup.stripped_strings)


def read(html_dir):
    paths = [path for path in html_dir.rglob("*.html") if "_static" not in path.relative_to(html_dir).parts]
    return {path.relative_to(html_dir).as_posix(): split(path.read_text(encoding="utf-8")) for path in paths}


def differences(today, tomorrow):
    """正文不同的页面：{页面: 不同之处}。少了或多了一页也算。"""
    found = {name: ["最新的网站里没有这一页"] for name in today.keys() - tomorrow.keys()}
    found |= {name: ["最新的网站里多了这一页"] for name in tomorrow.keys() - today.keys()}
    for name in today.keys() & tomorrow.keys():
        texts = today[name][0], tomorrow[name][0]
        if texts[0] != texts[1]:
            found[name] = list(difflib.unified_diff(*texts, "现在", "最新", lineterm="", n=1))
    return dict(sorted(found.items()))


def interface(site):
    return {text for _, texts in site.values() for text in texts}


def main():
    if not (TODAY / "index.html").is_file():
        sys.exit(f"还没有网站（{TODAY}）。请先运行 python3 make.py book。")
    FOLDER.mkdir(parents=True, exist_ok=True)
    if status := build():
        return status
    today, tomorrow = read(TODAY), read(HTML)
    found = differences(today, tomorrow)
    for name, lines in found.items():
        print(f"\n{name}", *lines, sep="\n")
    # 主题改了菜单、按钮，不算书的不同；列出来，看得见有没有英文
    gone, new = interface(today) - interface(tomorrow), interface(tomorrow) - interface(today)
    print(f"\n{versions()}")
    print(f"界面上少了的文字：{sorted(gone) or '无'}；多了的：{sorted(new) or '无'}")
    print(f"{len(today)} 页里，正文不同的有 {len(found)} 页。")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
