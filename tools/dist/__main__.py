"""把建好的网站做成能带走的文件，写进 _build/dist。用法：python -m tools.dist，要先构建网站。"""

import copy
import os
import subprocess
import sys
import time

from tools import ROOT
from tools.browser import found, how_to_install

from . import anki, archive, epub, fonts, pages, pdf

SITE = ROOT / "_build" / "html"
FOLDER = ROOT / "_build" / "dist"
WHAT = {
    "book.zip": "整个网站，解压后双击 index.html",
    "book.epub": "电子书，给手机与阅读器",
    "glossary.apkg": "Anki 的卡片：术语与自测；再导入一次就更新",
    "book.pdf": "印成一本：目录、书签、页码，解答在最后",
}


def when():
    """写进各个文件的时间（秒）：这个版本提交的时候，所以同一个版本做出的文件相同；没有 git 就是现在。"""
    if epoch := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(epoch)
    git = ["git", "log", "-1", "--format=%ct"]
    try:
        return int(subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    except (OSError, ValueError, subprocess.CalledProcessError):
        return int(time.time())


def no_pdf():
    """印不成 PDF 的原因与办法；印得成就是空的。"""
    if "chromium" not in found():
        return f"它由 Chromium 印成，这台机器上没有。装上再运行：\n{how_to_install()}"
    return fonts.problem()


def main():
    if not (SITE / "index.html").is_file():
        sys.exit("还没有网站。请先运行 python3 make.py book。")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in FOLDER.iterdir():
        path.unlink()  # 上次做的，免得与这次的混在一起
    book, now = pages.read(SITE), when()
    make = {
        "book.zip": lambda path: archive.write(book, SITE, path),
        "glossary.apkg": lambda path: anki.write(book, path, now),
        "book.epub": lambda path: epub.write(copy.deepcopy(book), path, now),
        "book.pdf": lambda path: pdf.write(book, SITE, path, now),
    }
    problem = no_pdf()
    made = [name for name in make if not problem or name != "book.pdf"]
    for name in made:
        make[name](FOLDER / name)
        size = (FOLDER / name).stat().st_size / 1e6
        print(f"  {name:14} {size:5.1f} MB  {WHAT[name]}", flush=True)
    archive.describe(FOLDER, book, {name: WHAT[name] for name in made})
    print(f"\n都在 {FOLDER}；校验和在 SHA256SUMS，各个文件是什么在 CONTENTS.txt。")
    if problem:
        print(f"\n没有做 book.pdf：{problem}", file=sys.stderr)
    return bool(problem)


if __name__ == "__main__":
    sys.exit(main())
