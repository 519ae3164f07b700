"""网站上的图存成无损的 WebP：像素一个不差，字节不到 PNG 的一半，手机上先到。笔记本里存的仍是 PNG。"""

import re
import shutil
from pathlib import Path

from PIL import Image

LINK = re.compile(r"(?<=_images/)([0-9a-f]{64})\.png")  # myst-nb 以内容的 SHA-256 给图起名


def compress(site, pages):
    """pages 是 {文件: 网页}；返回图的后缀换过的。压缩过的按名字留在网站旁边，下次直接用。"""
    folder, kept = Path(site) / "_images", Path(site).parent / "webp"
    kept.mkdir(exist_ok=True)
    for name in {name for html in pages.values() for name in LINK.findall(html)}:
        if not (made := kept / f"{name}.webp").exists():
            with Image.open(folder / f"{name}.png") as image:
                image.save(made.with_suffix(".tmp"), "WEBP", lossless=True, exact=True, method=2, quality=50)
            made.with_suffix(".tmp").replace(made)
        shutil.copyfile(made, folder / made.name)
        (folder / f"{name}.png").unlink(missing_ok=True)
    return {path: LINK.sub(r"\1.webp", html) for path, html in pages.items()}
