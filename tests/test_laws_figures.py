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
BOOK_STYLE = (ROOT / "helpers" / "book.mplstyle").read_text(encoding="utf-8")
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
DEPTH = re.compile(r"颜色[^，。；]{0,3}[深浅]|越[^，。；]{0,6}[深浅]|[深浅]色")
DARK_GROUND = 0.5  # 不透明的像素有一半以上比它暗，就是照片
READABLE = 9.5  # 像素：手机上图里最小的字
PHONE, SWIPED = 357, 576  # 像素：手机上的一栏，与左右滑着看的图（figures.css 的 36rem）


def figures():
    """每幅画出来的图：(页, 单元格, 说到它的话, 像素，隔一个取一个)。"""
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
                    yield page, cell, words, pixels


def on_paper(image):
    return PAPER + (image[..., :3] - PAPER) * image[..., 3:]


def in_the_dark(colours):
    """样式里给图（不是照片）的滤镜，照 CSS 的定义算。"""
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


def is_photo(image):
    opaque = image[image[..., 3] > 0.98, :3]
    return len(opaque) > 0.5 * image[..., 0].size and (opaque.mean(axis=-1) < DARK_GROUND).mean() > 0.5


def test_colours_mean_the_same_in_the_dark():
    """照片不反；其余的图反过来，各种颜色还是那种颜色，话里说到的都在图里。滤镜是线性的，所以越淡的仍越近底色。"""
    problems = []
    for page, cell, words, image in figures():
        name, marked = cell.metadata["mystnb"]["figure"]["name"], cell.metadata["mystnb"]["image"].get("classes", "")
        place = f"{where(page, json.dumps(name))}：{name}"
        if is_photo(image) != (marked == "photo"):
            problems.append(f"{place} 是不是照片，与写的 classes 不同")
        if marked == "photo":
            continue
        if depth := DEPTH.search(words):
            problems.append(f"{place} 的文字说“{depth[0]}”：深色模式里反过来，写成浓、淡")
        pixels = on_paper(image).reshape(-1, 3)
        pixels = pixels[np.ptp(pixels, axis=-1) > 0.1]
        for colour in HUES:
            before = named(pixels, colour) if len(pixels) else np.zeros(0, bool)
            if before.sum() <= 25:
                if colour in words:
                    problems.append(f"{place} 的文字说“{colour}”，图里没有")
            elif "viridis" in cell.source and colour not in words:
                continue  # 各种颜色都有的一条色标，跟着图一起反
            elif not named(in_the_dark(pixels[before]), colour).mean() > 0.9:
                problems.append(f"{place} 里的{colour}，深色模式里变成了别的颜色")
    settle(problems, "用书的配色（C0 至 C6，淡的铺到白）；照片在单元格的元数据 mystnb 的 image 里写 classes: photo。")


def test_figures_are_readable_on_a_phone():
    """缩到手机的一栏，最小的字仍看得清；并排几格的左右滑着看。"""
    default = float(re.search(r"font.size: ([\d.]+)", BOOK_STYLE)[1])
    problems = []
    for page, cell, _, image in figures():
        width, marked = image.shape[1], cell.metadata["mystnb"]["image"].get("classes", "")
        shown = min(width, SWIPED if width >= 700 or marked == "wide" else PHONE)
        points = min([default, *map(float, re.findall(r"fontsize\W+([\d.]+)", cell.source))])
        if points * 100 / 72 * shown / width < READABLE:
            name = cell.metadata["mystnb"]["figure"]["name"]
            problems.append(f"{where(page, json.dumps(name))}：{name} {points * 100 / 72 * shown / width:.1f} 像素")
    settle(problems, f"手机上最小的字要有 {READABLE} 像素：单幅的图至多 5.2 英寸宽，并排几格的见 STYLE.md。")


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
