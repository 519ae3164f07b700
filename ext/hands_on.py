"""动手的图：先问、先猜，再动手。指令 ``{hands-on}`` 写成一段没有脚本也读得通的 HTML，脚本在 static/hands/ 里。

正文分三段：问题；各个选项，每个下面缩进一段给选了它的人的话；用自己的话说说为什么，对照的答案。
选项写 ``- [x]``（对）与 ``- [ ]``；要读者猜一个数时，写选项 ``:guess: 最小 最大 步长 单位``，
三个选项是 ``- [<]``、``- [=]``、``- [>]``：猜小了、差不多、猜大了，算“差不多”的范围是数据里的 answer: [小, 大]。
"""

import ast
import json
import re
from collections import namedtuple
from html import escape
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from myst_nb.core.variables import RetrievalError
from myst_nb.ext.glue.utils import retrieve_glue_data

from .choices import LETTERS, ChoiceDirective, html

SCRIPTS = Path(__file__).parent / "static" / "hands"
CHOICE = re.compile(r"- \[([ x<=>])\] (.*)")
STILL = "“{}”在{}上、有脚本时可以动手；静止的样子见{{numref}}`{}`。"
VERDICTS, WHY = "猜好以后打开：每一种猜法的说明", "用自己的话说说为什么，再打开对照"
GUESSED = {"x": "对", " ": "不对", "<": "猜小了", "=": "差不多", ">": "猜大了"}

Text = namedtuple("Text", "question choices answer")
Choice = namedtuple("Choice", "letter mark words said")


def read(lines):
    """正文 → 问题、选项与答案，都还是 Markdown。"""
    starts = [i for i, line in enumerate(lines) if CHOICE.match(line)]
    if not starts:
        raise ValueError("没有选项：写几行 - [x] 与 - [ ]，每行下面缩进一段给选了它的人的话。")
    end = next((i for i in range(starts[-1] + 1, len(lines)) if re.match(r"\S", lines[i])), len(lines))
    choices = []
    for number, (start, stop) in enumerate(zip(starts, [*starts[1:], end])):
        mark, words = CHOICE.match(lines[start]).groups()
        said = "\n".join(line.strip() for line in lines[start + 1 : stop]).strip()
        choices.append(Choice(LETTERS[number], mark, words, said))
    marks = "".join(choice.mark for choice in choices)
    if marks != "<=>" and not re.fullmatch(" *x *", marks):
        raise ValueError("选项里要恰有一个是 [x]，或者依次是 [<]、[=]、[>] 三个。")
    if empty := [choice.words for choice in choices if not choice.said]:
        raise ValueError(f"选项“{empty[0]}”的下面没有给选了它的人的话。")
    text = Text("\n".join(lines[: starts[0]]).strip(), choices, "\n".join(lines[end:]).strip())
    if not text.question or not text.answer:
        raise ValueError("选项的前面要有问题，后面要有“为什么”的答案。")
    return text


def verdict(choice):
    """说明的开头：猜数的没有字母。"""
    return f"{choice.letter}，{GUESSED[choice.mark]}：" if choice.mark in "x " else f"{GUESSED[choice.mark]}："


def guess(option):
    low, high, _, *unit = option.split()
    return f"我猜（{' '.join([f'{low} 到 {high}', *unit])}）："


class HandsOn(ChoiceDirective):
    """``{hands-on} 名字 标题``；名字是 static/hands/ 里的脚本，:figure: 是下面那幅静止的图，:data: 是 glue 的数据。

    :images: 也是 glue 的，{组名: 训练集里的编号}：这几组图像写成脚本，读者要的时候才加载，见 images.py。
    """

    required_arguments, optional_arguments, final_argument_whitespace = 1, 1, True
    has_content = True
    option_spec = {key: directives.unchanged for key in ("figure", "data", "images", "guess")}

    def run(self):
        name, title = self.arguments[0], " ".join(self.arguments[1:])
        try:
            if not title or "figure" not in self.options:
                raise ValueError("写成 {hands-on} 名字 标题，并用 :figure: 写明静止的那幅图。")
            if not (SCRIPTS / f"{name}.js").is_file():
                raise ValueError(f"ext/static/hands/ 里没有 {name}.js。")
            text, data, images = read(list(self.content)), self.data("data"), self.data("images")
            self.check_guess(text.choices, data)
        except ValueError as error:
            raise self.error(f"动手的图 {name}：{error}") from None
        docname = self.state.document.settings.env.docname
        right = next(choice.letter for choice in text.choices if choice.mark in "x=")
        known = {"key": f"{docname}#{name}", "right": right, "data": data}
        script = json.dumps(known, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
        box = nodes.container(classes=["hands-on"], ids=[f"hands-{name}"], hands=name, images=images or {})
        box += nodes.paragraph("", f"动手试：{title}", classes=["hands-title"])
        box += html(f'<script type="application/json">{script}</script>')
        box += html(f'<fieldset aria-labelledby="hands-{name}-question">')
        box += self.markdown(text.question, ids=[f"hands-{name}-question"], classes=["hands-question"])
        box += self.choices(name, text.choices)
        box += html("</fieldset>")
        box += self.markdown(STILL.format(title, "网页", self.options["figure"]), classes=["hands-still"])
        box += html(f'<details class="hands-verdicts"><summary>{VERDICTS}</summary>')
        for choice in text.choices:
            said = self.markdown(f"{verdict(choice)}{choice.said}", classes=["hands-verdict"])
            said["ids"] = [f"hands-{name}-{choice.letter}"]
            box += said
        box += html(f'</details><details class="hands-why"><summary>{WHY}</summary>')
        box += self.markdown(text.answer)
        box += html("</details>")
        box["names"].append(f"hands-{name}")
        self.state.document.note_explicit_target(box, box)  # 别的页链接得到它
        return [box]

    def data(self, option):
        """交给脚本的数据；glue 里是数、文字、列表与字典，或者写成 JSON 的文字。"""
        if option not in self.options:
            return None
        key = self.options[option]
        try:
            found = retrieve_glue_data(self.state.document, key).data["text/plain"]
        except RetrievalError:
            raise ValueError(f"这本笔记本里没有用 glue 存下 {key}；存了，就先 refresh。") from None
        value = ast.literal_eval(found)
        if "Ellipsis" in repr(value):
            raise ValueError("数据太长，存下时被省略了一部分；先用 json.dumps 写成文字，再交给 glue。")
        return json.loads(value) if isinstance(value, str) else value

    def check_guess(self, choices, data):
        """猜数的三样要齐：:guess:、[<] [=] [>] 三个选项、数据里的 answer。"""
        signs = [choices[0].mark == "<", "guess" in self.options, isinstance(data, dict) and "answer" in data]
        if any(signs[:2]) and not all(signs):
            raise ValueError("猜一个数，要写 :guess:，选项是 [<]、[=]、[>]，数据里有 answer: [小, 大]。")
        if "guess" in self.options and len(self.options["guess"].split()) < 3:
            raise ValueError(":guess: 写成 最小 最大 步长 单位，用空格隔开。")

    def choices(self, name, choices):
        box = nodes.container(classes=["hands-choices"])
        if "guess" in self.options:
            low, high, step, *unit = self.options["guess"].split()
            limits = f'min="{low}" max="{high}" step="{step}" data-unit="{escape(" ".join(unit))}"'
            field = f' <input type="number" {limits} aria-label="我猜的数">'
            words = nodes.Text(guess(self.options["guess"]))
            box += nodes.paragraph("", "", words, html(field), classes=["hands-choice"])
            return box
        for choice in choices:
            box += self.radio(f"hands-{name}", choice, "hands-choice")
        return box


def scripts(doctree):
    """这一页的动手图要的脚本，公用的在前；没有动手图，就一个也不要。"""
    boxes = doctree.findall(nodes.container) if doctree else []
    names = [box["hands"] for box in boxes if "hands" in box]
    return [f"hands/{name}.js" for name in ("common", *names)] if names else []


def images(doctree):
    """这一页的动手图要的图像，{组名: 训练集里的编号}。"""
    return {name: found for box in doctree.findall(nodes.container) for name, found in box.get("images", {}).items()}
