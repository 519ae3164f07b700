"""打开 JupyterLab：界面是中文，不问要不要看新闻，不查有没有新版；不动读者自己的设置。

``python -m tools.lab``：先把新写好的笔记本（_build/notebooks）发到读者自己的文件夹，再打开它；
``python -m tools.lab chapters``：打开原稿，由 jupyterlab-myst 把 MyST 显示出来。其余的参数交给 JupyterLab。
"""

import hashlib
import json
import os
import shutil
import sys
from itertools import count

from tools import ROOT

SETTINGS = ROOT / "tools" / "lab_settings"
BUILT = ROOT / "_build" / "notebooks"
MINE = ROOT / "my-notebooks"  # 读者自己的文件夹，不进版本库
RECORD = ".handed-out.json"  # 发过的每一份的指纹


def fingerprint(path):
    """读者写下的东西的指纹：笔记本只看各格的代码与文字，打开、运行、存盘改动的输出与元数据不算。"""
    content = path.read_bytes()
    if path.suffix == ".ipynb":
        try:
            cells = [(cell["cell_type"], "".join(cell["source"])) for cell in json.loads(content)["cells"]]
            content = json.dumps(cells).encode()
        except (ValueError, KeyError, TypeError):
            pass  # 存坏了的文件，按全部内容算
    return hashlib.sha256(content).hexdigest()


def copy(source, target):
    """换好了才顶替：中断在半路也不留下残缺的文件。"""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target.with_name(f"{target.name}.tmp"))
    target.with_name(f"{target.name}.tmp").replace(target)


def hand_out(source, target):
    """把 source 里的文件发到 target，返回要告诉读者的话。读者改过的一份留着，新版放在它旁边。"""
    try:
        record = json.loads((target / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        record = {}  # 没有记录：凡是不同的，都当作读者改过
    messages = []
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        name, mark = path.relative_to(source), fingerprint(path)
        offered, record[name.as_posix()] = record.get(name.as_posix()), mark
        mine = target / name
        if not mine.exists():
            copy(path, mine)
        elif fingerprint(mine) in (mark, offered):
            if fingerprint(mine) != mark:
                copy(path, mine)
                messages.append(f"{name} 有新版；你没有改过它，已换成新版。")
        elif offered != mark:  # 这一版还没有发过
            new = place_beside(name, mark, target, record)
            record[new.as_posix()] = mark
            copy(path, target / new)
            messages.append(f"{name} 有新版；你改过它，原样留着，新版放在旁边：{new.name}")
    target.mkdir(exist_ok=True)
    (target / RECORD).write_text(json.dumps(record, indent=1, ensure_ascii=False), encoding="utf-8")
    return messages


def place_beside(name, mark, target, record):
    """放新版的名字；以前放的新版，读者没有改过就换掉，改过就另起一个。"""
    for number in count(1):
        new = name.with_stem(f"{name.stem}（新版{number if number > 1 else ''}）")
        if not (target / new).exists() or fingerprint(target / new) in (mark, record.get(new.as_posix())):
            return new


def main(args):
    draft = args[:1] == ["chapters"]
    folder = ROOT / "chapters" if draft else MINE
    if not draft:
        if not BUILT.exists():
            sys.exit("错误：笔记本还没有写好。请先运行 python3 make.py notebooks。")
        try:
            messages = hand_out(BUILT, MINE)
        except OSError as error:
            sys.exit(f"错误：无法把笔记本发到 {MINE}（{error}）。请检查磁盘空间与写入权限，再运行一次。")
        print(f"你自己的笔记本在 {MINE}，尽管改：书更新时不会覆盖你改过的。", *messages, sep="\n", flush=True)
    settings = [
        SETTINGS,
        *([] if draft else [SETTINGS / "plain"]),
        *filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")]),
    ]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(map(str, settings))

    from jupyterlab.labapp import main as run_lab  # 导入时就读上面的设置

    run_lab([f"--ServerApp.root_dir={folder}", *args[draft:]])


if __name__ == "__main__":
    main(sys.argv[1:])
