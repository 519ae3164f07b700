"""动手的图要的图像：从书里带的 Fashion-MNIST 取几幅，压小，写成脚本，读者要时才加载（见 hands/common.js）。"""

import base64
import gzip
import zlib
from pathlib import Path

from . import pages

SIDE = 28
RAW = Path("data", "FashionMNIST", "raw")


def read(path, header):
    """IDX 文件去掉开头之后的内容；构建不要 torch，所以自己读。"""
    with gzip.open(path) as file:
        return file.read()[header:]


def pack(pixels):
    """一幅 28 × 28 的图，压成 392 个字节：256 级灰度取成 16 级，记与上一行的差，两个一字节。"""
    levels = [(value * 15 + 127) // 255 for value in pixels]
    above = [0] * SIDE + levels
    steps = [(value - up) % 16 for value, up in zip(levels, above)]
    return bytes(16 * first + second for first, second in zip(steps[::2], steps[1::2]))


def write(site, book, groups):
    """groups 是 {组名: 训练集里的编号}，一组一个脚本 hands-组名.js。"""
    if not groups:
        return
    folder = Path(book) / RAW
    images = read(folder / "train-images-idx3-ubyte.gz", 16)
    labels = read(folder / "train-labels-idx1-ubyte.gz", 8)
    for name, indices in groups.items():
        packed = b"".join(pack(images[i * SIDE**2 : (i + 1) * SIDE**2]) for i in indices)
        value = {
            "pixels": base64.b64encode(zlib.compress(packed, 9)).decode(),
            "labels": "".join(str(labels[i]) for i in indices),
        }
        pages.write_script(site, f"hands-{name}.js", f"bookImages_{name}", value)
