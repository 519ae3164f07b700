"""打卡：一节里要做的预测与自测都做完，才算读完。要做哪些写进 checkin-data.js，做过哪些只存在读者的浏览器里。

见 static/progress.js（存）、static/quiz.js（自测）、static/hands/（预测）与 static/checkin.js（哪里做完了、打卡图）。
"""

from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive

from . import pages

WITHOUT_SCRIPTS = "做完一部分各节的预测与自测，这里就能得到一张打卡图。打卡要用到脚本，现在没有开启；别的都照常。"


class CheckIn(Directive):
    """``{checkin}``：首页上的打卡图与读者的记录，内容由 static/checkin.js 填。"""

    def run(self):
        words = nodes.paragraph("", WITHOUT_SCRIPTS, classes=["checkin-off"])
        return [nodes.container("", words, classes=["checkin-desk"])]


def tasks(doctree):
    """一节里要做的：{"predicted": 动手图的名字, "answered": 自测题的名字}。"""
    boxes = list(doctree.findall(nodes.container))
    predicted = [box["hands"] for box in boxes if "hands" in box]
    return {"predicted": predicted, "answered": [name for box in boxes for name in box.get("quiz", [])]}


def write(site, app, found):
    """found 是 {文档名: 要做的}；按 _toc.yml 的次序写出各部各节，没有自测的不写。"""
    parts = []
    for part in app.env.external_site_map.root.subtrees:
        docs = [str(item) for item in part.items if part.numbered and found.get(str(item), {}).get("answered")]
        sections = [_section(doc, app, found[doc]) for doc in docs]
        if sections:
            parts.append({"title": part.caption, "sections": sections})
    home = Path(app.builder.get_outfilename(app.config.root_doc)).relative_to(app.outdir).as_posix()
    value = {"book": app.config.html_title, "home": home, "parts": parts}
    pages.write_script(site, "checkin-data.js", "bookTasks", value)


def _section(doc, app, wanted):
    url = Path(app.builder.get_outfilename(doc)).relative_to(app.outdir).as_posix()
    return {"doc": doc, "title": app.env.titles[doc].astext(), "url": url, **wanted}
