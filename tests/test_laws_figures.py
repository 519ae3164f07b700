"""图处处成立的定律：说到的颜色在深色模式里还是那种颜色，图在画它的代码之前，首页借用的与原处的相同。"""

import base64
import io
import json
import re

import numpy as np
from matplotlib.colors import rgb_to_hsv
from PIL import Image

from tests.book import notebooks, open_book, settle, where
from tests.common import ROOT, code_cells

STYLE = (ROOT / "ext" / "static" / "figures.css").read_text(encoding="utf-8")
PAPER = np.array([0xFD, 0xFC, 0xF9]) / 255
# 颜色的名字 → 色相的范围（度）
HUES = {
    "红": (340, 20),
    "橙": (12, 50),
    "赭": (12, 50),
    "黄": (45, 70),
    "绿": (80, 175),
    "蓝": (185, 260),
    "紫": (260, 335),
}
DEPTH = re.compile(r"颜色[^，。；]{0,3}[深浅淡]|越[^，。；]{0,6}[深浅淡]|[深浅]色")
# 由颜色铺成的图：有颜色的、不透明的像素各占这么多，而且有这么多种颜色；不透明的更多，就是照片
COLOURED, OPAQUE, MANY, PHOTO = 0.15, 0.25, 12, 0.8


def figures():
    """每幅画出来的图：(页, 编号, 垫不垫纸, 说到它的话, 像素，隔一个取一个)。"""
    for page, notebook in notebooks().items():
        cells = notebook.cells
        for number, cell in enumerate(cells):
            for output in cell.get("outputs", []):
                if png := output.get("data", {}).get("image/png"):
                    figure, image = cell.metadata["mystnb"]["figure"], cell.metadata["mystnb"]["image"]
                    near = [cells[number - 1].source.split("\n\n")[-1]] if number else []
                    near += [cells[number + 1].source.split("\n\n")[0]] if number + 1 < len(cells) else []
                    named = [line for each in cells for line in each.source.splitlines() if figure["name"] in line]
                    words = "\n".join([figure["caption"], image["alt"], *near, *named])
                    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA"))[::2, ::2] / 255
                    yield page, figure["name"], "paper" in image.get("classes", ""), words, pixels


def on_paper(image):
    return PAPER + (image[..., :3] - PAPER) * image[..., 3:]


def in_the_dark(colours):
    """样式里给不垫纸的图的滤镜，照 CSS 的定义算。"""
    amount, degrees = re.search(r"filter: invert\(([\d.]+)\)(?: hue-rotate\((\d+)deg\))?", STYLE).groups()
    c, s = np.cos(np.radians(int(degrees or 0))), np.sin(np.radians(int(degrees or 0)))
    light = np.array([0.213, 0.715, 0.072])
    rotate = np.array([[-0.213, -0.715, 0.928], [0.143, 0.140, -0.283], [-0.787, 0.715, 0.072]])
    matrix = light + c * (np.eye(3) - light) + s * rotate
    inverted = float(amount) * (1 - colours) + (1 - float(amount)) * colours
    return np.clip(inverted @ matrix.T, 0, 1)


def named(colours, name):
    """哪些颜色叫这个名字：色相在范围里，而且不是灰的。"""
    hue, saturation, value = rgb_to_hsv(colours).T
    (low, high), hue = HUES[name], hue * 360
    inside = (hue >= low) & (hue <= high) if low < high else (hue >= low) | (hue <= high)
    return inside & (saturation > 0.3) & (value > 0.25)


def painted(image):
    """由颜色铺成的图，或者照片。"""
    opaque, pixels = (image[..., 3] > 250 / 255).mean(), on_paper(image)
    is_coloured = np.ptp(pixels, axis=-1) > 0.1
    coarse = (pixels[is_coloured] * 15).astype(int) @ [256, 16, 1]
    many = (np.unique(coarse, return_counts=True)[1] > 2e-4 * is_coloured.size).sum() > MANY
    return opaque > PHOTO or opaque > OPAQUE and is_coloured.mean() > COLOURED and many


def survives(image, colour):
    """图里有这种颜色，反过来还是。"""
    pixels = on_paper(image).reshape(-1, 3)
    pixels = pixels[np.ptp(pixels, axis=-1) > 0.1]
    before = named(pixels, colour)
    return before.sum() > 25 and named(in_the_dark(pixels[before]), colour).mean() > 0.9


def test_colours_mean_the_same_in_the_dark():
    """深浅有意思的、由颜色铺成的图与照片要垫纸；其余的图，话里说到的颜色，反过来还是那种颜色。"""
    problems = []
    for page, name, on_mat, words, image in figures():
        if on_mat:
            continue
        place = f"{where(page, json.dumps(name))}：{name}"
        if painted(image):
            problems.append(f"{place} 由颜色铺成")
        if depth := DEPTH.search(words):
            problems.append(f"{place} 的文字说“{depth[0]}”")
        for colour in sorted(set(re.findall("|".join(HUES), words))):
            if not survives(image, colour):
                problems.append(f"{place} 的文字说“{colour}”，深色模式里不是，或者图里本来就没有")
    settle(problems, "在单元格的元数据 mystnb 的 image 里写 classes: paper，图在深色模式里就垫上纸。")


def test_a_figure_comes_before_the_code_that_draws_it():
    """只画图的代码（hide-input）折在图的下面。"""
    for name, notebook in notebooks().items():
        page = open_book().pages[name]
        for code in code_cells(notebook):
            if "hide-input" in code.metadata.get("tags", []) and "mystnb" in code.metadata:
                label = code.metadata["mystnb"]["figure"]["name"]
                cell = page.ids[label].find_parent("div", class_="cell")
                first, second = cell.select("figure, details.hide")
                assert (first.name, second.name) == ("figure", "details"), f"{where(name, label)}：代码在图的上面"


def test_the_front_page_shows_what_the_book_has():
    """借用的图与所指的一页上的是同一个文件，代码与输出一字不差；各节的时间就是那一节写的。"""
    book = open_book()
    front = book.chapters[0]
    pictures = front.article.select(".excerpt a:has(img)")
    assert len(pictures) >= 3
    for link in pictures:
        there, figure = book.target(front, link["href"])
        assert book.resolve(front, link.img["src"]) == book.resolve(there, figure.img["src"]), link["href"]
    blocks = [block.get_text() for page in book.chapters[1:] for block in page.article.select("pre")]
    samples = front.article.select(".excerpt pre")
    assert samples and [block.get_text() for block in samples if block.get_text() not in blocks] == []
    for entry in front.article.select(".book-part li"):
        there, _ = book.target(front, entry.a["href"])
        minutes = re.search(r"读(约 \d+ 分钟)", there.article.select_one(".reading-time").get_text())[1]
        assert entry.select_one(".minutes").get_text() == minutes, there.name
