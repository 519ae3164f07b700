"""给搜索引擎与转发用的：简介，站点地图，标题与图。后几样要知道网址（_config.yml 的 html.baseurl），没写就没有。"""

from html import escape
from pathlib import Path
from urllib.parse import urljoin

CARD = "_static/card.png"  # 转发时显示的图


def address(config, pagename=""):
    base = config.html_baseurl
    return urljoin(base.rstrip("/") + "/", f"{pagename}.html" if pagename else "") if base else ""


def description(config, pagename, title, summary):
    """给搜索引擎与转发用的标记。"""
    tag = f'<meta name="description" content="{escape(summary)}" />'
    if not config.html_baseurl:
        return tag
    tags = {"title": title, "description": summary, "type": "article", "locale": config.language}
    tags |= {"url": address(config, pagename), "image": address(config) + CARD, "site_name": config.html_title}
    lines = [f'<meta property="og:{name}" content="{escape(value)}" />' for name, value in tags.items()]
    return "\n".join([tag, *lines, '<meta name="twitter:card" content="summary_large_image" />'])


def write_sitemap(site, config, docnames):
    if config.html_baseurl:
        places = "".join(f"<url><loc>{escape(address(config, name))}</loc></url>\n" for name in sorted(docnames))
        head = '<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        Path(site, "sitemap.xml").write_text(f"{head}{places}</urlset>\n", encoding="utf-8")


def write_front_door(site, config, builder):
    """打开网站的根就到首页；sphinx-external-toc 写的那一份不是完整的网页。"""
    home = builder.get_target_uri(config.root_doc)
    if config.root_doc == "index":  # 它自己就在根上
        return
    Path(site, "index.html").write_text(
        f'''<!doctype html>
<html lang="zh-CN">
  <meta charset="utf-8" />
  <title>{escape(config.html_title)}</title>
  <meta http-equiv="refresh" content="0; url={home}" />
  <p><a href="{home}">{escape(config.html_title)}</a></p>
</html>
''',
        encoding="utf-8",
    )
