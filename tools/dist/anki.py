"""glossary.apkg：术语与自测做成 Anki 的卡片。

卡片的编号取自术语的锚点与题目的名字，牌组的编号是定下的数：再导入一次，更新原来的卡片，学习的进度还在。
"""

import copy
from html import escape

import genanki

DECK, TERM_MODEL, QUIZ_MODEL = 1_726_400_101, 1_726_400_102, 1_726_400_103  # 定下就不再改
CSS = """.card { font: 20px/1.7 sans-serif; max-width: 32em; margin: auto; text-align: left; }
.term { font-size: 1.3em; font-weight: bold; text-align: center; }"""


def write(book, path, when):
    """when 是写进文件里的时间（秒）；Anki 只更新时间更早的卡片。"""
    deck = genanki.Deck(DECK, book.title)
    for note in [*_terms(book), *_questions(book)]:
        deck.add_note(note)
    genanki.Package(deck).write_to_file(path, timestamp=when)


def _model(key, name, fields, front, back, *more):
    templates = [{"name": "卡片 1", "qfmt": front, "afmt": f"{{{{FrontSide}}}}<hr id=answer>{back}"}, *more]
    return genanki.Model(key, name, fields=[{"name": each} for each in fields], templates=templates, css=CSS)


def _terms(book):
    """两张卡片：看中文说意思，看英文说中文。"""
    backwards = {"name": "卡片 2", "qfmt": '<p class="term">{{英文}}</p>', "afmt": "{{FrontSide}}<hr id=answer>{{术语}}"}
    front, back = '<p class="term">{{术语}}</p>', "<p>{{英文}}</p>{{释义}}"
    model = _model(TERM_MODEL, f"{book.title}：术语", ["术语", "英文", "释义"], front, back, backwards)
    for section in book.sections:
        for term in section.body.select("dl.glossary dt"):
            english, _, meaning = _html(term.find_next_sibling("dd")).partition("。")
            fields = [_html(term), english.strip(), meaning.strip()]
            yield genanki.Note(model=model, fields=fields, guid=genanki.guid_for(term["id"].split("--")[1]))


def _questions(book):
    """自测：题目与选项在正面，答案与各个选项的说明在背面。"""
    model = _model(QUIZ_MODEL, f"{book.title}：自测", ["题目", "答案"], "{{题目}}", "{{答案}}")
    answers = {node["id"]: node for node in book.sections[-1].body.select("div.answer[id]")}
    for section in book.sections:
        for question in section.body.select(".quiz-question"):
            front = [_html(node) for node in question.select(".quiz-text, .quiz-choice")]
            back = [_html(node) for node in answers[f"{question['id']}--answer"].select(".quiz-said")]
            right = question["data-right"]
            fields = ["<br>".join(front), "<br>".join([f"<b>{right}</b>", *back, f"出自“{escape(section.title)}”"])]
            yield genanki.Note(model=model, fields=fields, guid=genanki.guid_for(question["data-key"]))


def _html(node):
    """卡片里的一段：公式写成 MathJax 的，链接只留文字。"""
    node = copy.copy(node)
    for formula in node.select(".katex"):
        left, right = ("\\[", "\\]") if formula.parent.get("class") == ["katex-display"] else ("\\(", "\\)")
        formula.replace_with(f"{left}{formula.annotation.string}{right}")
    for code in node.select("code"):
        code.attrs = {}
    for other in node.find_all(lambda tag: tag.name not in ("code", "strong", "em")):
        other.unwrap()
    return " ".join(node.decode_contents().split())
