"""一点就能运行：_config.yml 里写了 repository.url，每节的标题下就有在云端打开它的链接；没写，就没有点不动的按钮。

打开的是普通版的笔记本：make.py share 把它们推送到仓库的 notebooks 分支。那里没有 helpers，第一格先把它取来。
"""

import posixpath
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from docutils import nodes

BRANCH = "notebooks"
PLACES = {
    "Colab": "https://colab.research.google.com/github/{repository}/blob/{branch}/{path}.ipynb",
    "ModelScope": "https://modelscope.cn/notebook/share/github/{repository}/blob/{branch}/{path}.ipynb",
    "GitHub": "https://github.com/{repository}/blob/{branch}/{path}.ipynb",
}
FETCH = """\
# 这台机器上没有 helpers 时（例如在 Colab 里），从本书的仓库取来它与数据，约 35 MB；已经有了，就什么也不做
import importlib.util
import subprocess
import sys
from pathlib import Path

if importlib.util.find_spec("helpers") is None:
    book = Path("deep-learning-notes").resolve()
    if not book.exists():
        print("从 {url} 取 helpers 与数据……")
        if subprocess.run(["git", "clone", "--quiet", "--depth=1", "{url}", str(book)]).returncode:
            raise RuntimeError("没有取到，原因见上面；网络通了，再运行这一格")
    sys.path.insert(0, str(book))"""


def repository(source):
    """书的设置里仓库的地址。不经过主题的设置：那里只许写 GitHub 等几家的，别处的（如 cnb.cool）会构建失败。"""
    path = Path(source, "_config.yml")
    settings = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    return ((settings.get("repository") or {}).get("url") or "").rstrip("/")


def links(doctree, docname, app):
    """在标题下面加一行链接；只给笔记本，三处都只能从 GitHub 打开。"""
    url = urlsplit(app.config.book_repository)
    if url.hostname != "github.com" or not app.env.doc2path(docname).endswith(".ipynb"):
        return
    place = {"repository": url.path.strip("/").removesuffix(".git"), "branch": BRANCH}
    place["path"] = posixpath.relpath(docname, posixpath.dirname(app.config.root_doc))
    line = nodes.paragraph("", "在云端运行：", classes=["launch"])
    for name, pattern in PLACES.items():
        line += [nodes.reference("", name, refuri=pattern.format(**place)), nodes.Text(" · ")]
    line.pop()
    title = next(doctree.findall(nodes.title))
    title.parent.insert(title.parent.index(title) + 1, line)
