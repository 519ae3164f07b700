"""离线阅读：网站放在 https 上时，可以装到手机的主屏幕，不联网也能读（见 templates/service-worker.js）。"""

import base64
import hashlib
import json
from pathlib import Path

WORKER = Path(__file__).parent / "templates" / "service-worker.js"
READ = {".html", ".css", ".js", ".woff2", ".png", ".jpg", ".webp", ".svg", ".webmanifest"}
# 下载用的笔记本，主题带来而书里用不到的
UNUSED = ("_sources/", "_static/locales/", "_static/scripts/", "_static/vendor/")


def write(site, title, first_page):
    """网站的文件都写好以后，写下应用的说明与 service worker。"""
    site = Path(site)
    manifest = {
        "name": title,
        "short_name": title,
        "lang": "zh-CN",
        "start_url": first_page,
        "scope": "./",  # 不写就只到首页所在的文件夹，搜索页不算在内
        "display": "standalone",
        "background_color": "#fdfcf9",
        "theme_color": "#0b5c7f",
        "icons": [
            {"src": "_static/icon.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any"},
            {"src": "_static/icon.png", "sizes": "512x512", "type": "image/png", "purpose": "any"},
            {"src": "_static/icon.png", "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
        ],
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=1)
    (site / "manifest.webmanifest").write_text(text, encoding="utf-8", newline="\n")
    files = json.dumps(contents(site), indent=0)
    worker = WORKER.read_text(encoding="utf-8").replace("const FILES = {};", f"const FILES = {files};")
    (site / WORKER.name).write_text(worker, encoding="utf-8", newline="\n")


def contents(site):
    """{文件: 内容的 SHA-256}，读书时会用到的各个。"""
    names = {path.relative_to(site).as_posix(): path for path in sorted(site.rglob("*")) if path.suffix in READ}
    return {
        name: base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode()
        for name, path in names.items()
        if not name.startswith(UNUSED) and name != WORKER.name
    }
