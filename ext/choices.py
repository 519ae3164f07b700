"""选择题的公共部分：动手的图（hands_on.py）与自测（quiz.py）的指令都由它派生。"""

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

LETTERS = "ABCDEFGH"


def html(text):
    return nodes.raw("", text, format="html")


class ChoiceDirective(Directive):
    def markdown(self, text, **attributes):
        """一段 Markdown 排成的框。"""
        box = nodes.container(**attributes)
        self.state.nested_parse(StringList(text.splitlines(), ""), self.content_offset, box)
        return box

    def radio(self, group, choice, kind):
        """一个选项：单选钮与它的话。"""
        button = f'<label><input type="radio" name="{group}" value="{choice.letter}"> <span>'
        words = self.markdown(f"{choice.letter}\\. {choice.words}")[0].children
        return nodes.paragraph("", "", html(button), *words, html("</span></label>"), classes=[kind])
