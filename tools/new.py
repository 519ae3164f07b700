"""加一节：照模板（tools/section.ipynb 与 section.quiz.txt）造一本笔记本与它的自测，记进 _toc.yml。

用法：python -m tools.new 文件夹/名字，例如 softmax/margin；名字也用作各个标签的开头，所以只用小写字母、数字与下划线。
"""

import re
import sys

from tools import ROOT

SUFFIXES = (".ipynb", ".quiz.txt")


def main(name):
    if not re.fullmatch(r"[a-z_]+/[a-z][a-z0-9_]*", name):
        sys.exit(f"名字要写成 文件夹/名字，只用小写字母、数字与下划线，例如 softmax/margin；收到 {name}。")
    folder, short = name.split("/")
    path = ROOT / "chapters" / f"{name}.ipynb"
    if path.exists():
        sys.exit(f"{path} 已经在了，没有动它。")
    path.parent.mkdir(exist_ok=True)
    for suffix in SUFFIXES:
        text = (ROOT / "tools" / f"section{suffix}").read_text(encoding="utf-8")
        path.with_suffix(suffix).write_text(text.replace("NAME", short.replace("_", "-")), encoding="utf-8")
    add_to_toc(folder, name)
    print(f"写好了 chapters/{name}.ipynb 与它的自测 {short}.quiz.txt，并记进 _toc.yml；次序不合适就在那里挪动。")


def add_to_toc(folder, name):
    """排在同一个文件夹的最后一节之后；新的文件夹要自己在 _toc.yml 里加一部。"""
    toc = ROOT / "_toc.yml"
    lines = toc.read_text(encoding="utf-8").splitlines()
    same = [number for number, line in enumerate(lines) if f"file: chapters/{folder}/" in line]
    if not same:
        sys.exit(f"_toc.yml 里还没有 chapters/{folder}/ 的部分。请在那里加一部，写上 file: chapters/{name}。")
    indent = lines[same[-1]].partition("-")[0]
    lines.insert(same[-1] + 1, f"{indent}- file: chapters/{name}")
    toc.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("要写一个名字，例如：python3 make.py new softmax/margin")
    main(sys.argv[1])
