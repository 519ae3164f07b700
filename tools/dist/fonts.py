"""PDF 里的汉字。Noto 与思源的字形是 CFF 的，Chromium 嵌不进去，会拆成几百个没有名字的 Type 3 字体。

所以印之前取出书里用到的字，字形换成 TrueType 的：看不出差别，嵌进去的有名字，文件也小。
Windows 与 macOS 自带的中文字体本来就是 TrueType 的，不用换。
"""

import shutil
import subprocess
import sys

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

FAMILIES = ("Noto Serif CJK SC", "Noto Sans CJK SC", "Noto Sans Mono CJK SC", "Source Han Serif SC", "Source Han Sans SC")
WEIGHTS = {"Regular": 400, "Bold": 700}
MISSING = """这台机器上没有中文字体，印不出汉字。装上再运行：
  apt install fontconfig fonts-noto-cjk     Debian 与 Ubuntu；别的 Linux 上装 fontconfig 与 Noto（思源）的宋体、黑体"""
MAX_ERROR = 0.5  # 两种曲线最多差多少，以千分之一个字为单位


def problem():
    """印不出汉字的原因与办法；印得出就是空的。"""
    return MISSING if sys.platform == "linux" and not _installed(":lang=zh-cn") else ""


def _installed(pattern):
    """[(文件, 文件里的第几个, 格式)]"""
    if not shutil.which("fc-list"):
        return []
    command = ["fc-list", "-f", "%{file}|%{index}|%{fontformat}\n", pattern]
    lines = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout.splitlines()
    return sorted({tuple(line.split("|")) for line in lines})


def faces(characters, folder):
    """要换的字体换好放进 folder；返回 CSS，里面的名字就是原来的，于是样式表里写的换成了它们。"""
    rules = []
    for family in FAMILIES:
        for style, weight in WEIGHTS.items():
            for file, index, kind in _installed(f"{family}:style={style}")[:1]:
                if kind == "CFF":
                    path = folder / f"{family}-{weight}.ttf"
                    _write(file, int(index), characters, path)
                    source = f'font-family: "{family}"; font-weight: {weight}; src: url("{path.as_uri()}")'
                    rules.append(f"@font-face {{ {source} }}")
    return "\n".join(rules)


def _write(file, index, characters, path):
    font = TTFont(file, fontNumber=index, recalcTimestamp=False)
    subsetter = Subsetter(Options(layout_features=["*"], name_IDs=["*"], notdef_outline=True))
    subsetter.populate(text=characters)
    subsetter.subset(font)
    glyphs, outlines = font.getGlyphSet(), {}
    for name in font.getGlyphOrder():
        pen = TTGlyphPen(None)
        glyphs[name].draw(Cu2QuPen(pen, MAX_ERROR, reverse_direction=True))
        outlines[name] = pen.glyph()
    del font["CFF "], font["VORG"]
    builder = FontBuilder(font=font)
    builder.isTTF, font.sfntVersion = True, "\0\1\0\0"
    builder.setupGlyf(outlines)
    builder.setupMaxp()
    builder.setupPost(keepGlyphNames=False)
    font.save(path)
