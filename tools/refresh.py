"""重新运行笔记本，把规范化之后的输出存回原处。书中的输出只由它写。

用法：python -m tools.refresh [笔记本…]；不给名字就是 _toc.yml 里的全部笔记本。
"""

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from sphinx_external_toc.parsing import parse_toc_yaml

from tools import ROOT
from tools.kernels import LocalKernelManager

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# 单元格里只留两样：nbval 的标签，图的编号、题注与替代文字
KEPT = ("tags", "mystnb")


def documents_in_toc():
    """_toc.yml 里的各页，按阅读次序，不带后缀。"""
    return list(parse_toc_yaml(ROOT / "_toc.yml"))


def notebooks_in_toc():
    """其中的笔记本。"""
    return [path for name in documents_in_toc() if (path := ROOT / f"{name}.ipynb").exists()]


def refresh(path):
    """在笔记本自己的文件夹里运行它；全部跑完才写回。"""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        kernel_manager_class=LocalKernelManager,
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,  # 时刻因机器而异
        coalesce_streams=True,  # 连续的打印合成一段，与快慢无关
    )
    client.execute()
    normalise(notebook)
    nbformat.validate(notebook)
    temporary = path.with_suffix(".ipynb.tmp")
    nbformat.write(notebook, temporary)
    temporary.replace(path)


def normalise(notebook):
    """去掉与机器有关的东西。"""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({key: value for key, value in cell.metadata.items() if key in KEPT})


def main(names):
    paths = [Path(name).resolve() for name in names] or notebooks_in_toc()
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        sys.exit(f"找不到笔记本：{'、'.join(missing)}")
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # 小批量用多线程反而慢，见 conftest.py
    for path in paths:
        print(path.relative_to(ROOT), flush=True)
        refresh(path)


if __name__ == "__main__":
    main(sys.argv[1:])
