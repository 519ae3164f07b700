"""什么时候重写网站：有一处变了就整个重写（读过的源文件不必再读），没有变就一页也不写。

标题、编号、目录都印在别的页面上，只重写改过的那一页，网站就前后不一；整个重写只要几秒，与从头构建的逐字节相同。
"""

import hashlib
import json
import shutil
from pathlib import Path


def digest(paths):
    """这些文件的指纹。"""
    content = hashlib.sha256()
    for path in sorted(path for path in paths if path.is_file()):
        content.update(path.name.encode() + b"\0" + path.read_bytes())
    return content.hexdigest()[:16]


def _stamp(builder):
    """写完网站时记下的：它由哪一次读进来的源文件写成。"""
    return Path(builder.doctreedir) / f"written-{builder.name}.json"


def _sources(env):
    return json.dumps(env.all_docs, sort_keys=True)


def is_current(builder):
    """网站写完之后，没有重读、增加、删去过源文件，网页也都在。"""
    stamp = _stamp(builder)
    same = stamp.exists() and stamp.read_text(encoding="utf-8") == _sources(builder.env)
    return same and not set(builder.get_outdated_docs())


def clear(builder):
    """写之前清空，删去的页面、换掉的图才不会留下来。"""
    _stamp(builder).unlink(missing_ok=True)
    inside = {Path(builder.doctreedir), *Path(builder.doctreedir).parents}  # 文档树也可能放在网站的文件夹里
    for path in Path(builder.outdir).iterdir():
        if path.is_dir() and path not in inside:
            shutil.rmtree(path, ignore_errors=True)
        elif path.is_file():
            path.unlink()


def finish(builder):
    _stamp(builder).write_text(_sources(builder.env), encoding="utf-8")
