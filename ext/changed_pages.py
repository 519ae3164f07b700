"""这次构建重写了哪些页面：``app.changed_pages``。一页也没有重写，建好之后的各步（合成样式、搜索的索引、卡片）就不必再做。

Sphinx 只看源文件变没变；样式、脚本与我们的扩展变了，也要重写。
"""

from pathlib import Path

EXT = Path(__file__).parent


def is_newer(folders, than):
    paths = (path for folder in folders for path in folder.rglob("*"))
    return any(path.stat().st_mtime > than for path in paths if path.is_file() and path.suffix != ".pyc")


def outdated(app, env, added, changed, removed):
    """样式与脚本比网页新：重写一页，它们就会重新复制；扩展比网页新：全部重写。"""
    root = Path(app.outdir) / app.builder.get_target_uri(app.config.root_doc)
    if not root.exists():
        return []
    built = root.stat().st_mtime
    if is_newer([EXT], built):
        return env.found_docs
    static = [Path(app.srcdir) / folder for folder in app.config.html_static_path]
    return [app.config.root_doc] if is_newer(static, built) else []


def remember(app, pagename, templatename, context, doctree):
    app.changed_pages.add(pagename)


def setup(app):
    app.changed_pages = set()
    app.connect("env-get-outdated", outdated)
    app.connect("html-page-context", remember)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
