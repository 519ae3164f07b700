"""自测：题目写在笔记本旁边的文字文件里（basics.ipynb 的在 basics.quiz.txt），由指令 ``{quiz}`` 排成静态的表单。

一题的写法（名字是小写英文，一本里不重复；目标写学习目标里某一条的开头几个字，回看写标签，可以用“、”写几个）::

    ## 名字
    目标：用平方损失比较两条直线
    回看：sec-linear-basics-loss

    问题，可以分几段。

    - [ ] 错的选项
      为什么错
    - [x] 对的选项
      为什么对

没有脚本时、在纸上与普通的笔记本里，答案与说明折在每题下面；有脚本时，选了就出现那一项的说明（static/quiz.js）。
"""

import re
from collections import namedtuple
from pathlib import Path

from docutils import nodes

from .choices import LETTERS, ChoiceDirective, html

ANSWERS = "答案与说明"
HEAD = re.compile(r"\s*目标：(.+)\n回看：(.+)\n")
CHOICE = re.compile(r"^- \[([ x])\] (.+)\n((?:  .+\n?|\n)*)", re.MULTILINE)

Question = namedtuple("Question", "name goal places text choices")
Choice = namedtuple("Choice", "letter right words said")


def path_of(notebook):
    return Path(notebook).with_suffix(".quiz.txt")


def read(text):
    """文件的内容 → 各题；问题、选项与说明都还是 Markdown。"""
    before, *parts = re.split(r"^## (.*)\n", text, flags=re.MULTILINE)
    if before.strip() or not parts:
        raise ValueError("要从“## 名字”写起，一题一段。")
    questions = [_question(name.strip(), body) for name, body in zip(parts[::2], parts[1::2])]
    names = [question.name for question in questions]
    if repeated := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"有两题都叫 {repeated[0]}；读者的答案按名字存，名字不能重复。")
    return questions


def _question(name, body):
    head, found = HEAD.match(body), list(CHOICE.finditer(body))
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise ValueError(f"题目的名字要用小写英文、数字与连字符；收到 {name!r}。")
    if not head or not found:
        raise ValueError(f"{name}：先写一行“目标：”，再写一行“回看：”，然后是问题与选项。")
    text, rest = body[head.end() : found[0].start()].strip(), CHOICE.sub("", body[found[0].start() :]).strip()
    choices = [
        Choice(LETTERS[i], mark == "x", words.strip(), " ".join(said.split()))
        for i, (mark, words, said) in enumerate(match.groups() for match in found)
    ]
    if rest:
        raise ValueError(f"{name}：选项下面的说明要缩进两格：{rest[:20]}")
    if not text or text.startswith("```"):
        raise ValueError(f"{name}：选项的前面要有问题，先写一句话，再写代码。")
    if sum(choice.right for choice in choices) != 1 or len(choices) < 2:
        raise ValueError(f"{name}：要有两个以上的选项，恰有一个是 [x]。")
    if empty := [choice.words for choice in choices if not choice.said]:
        raise ValueError(f"{name}：选项“{empty[0]}”没有说明。")
    return Question(name, head[1].strip(), head[2].split("、"), text, choices)


def verdict(choice):
    return f"{choice.letter}，{'对' if choice.right else '不对'}。{choice.said}"


def where(question):
    """标题可能以问号结尾，所以后面不加标点。"""
    return "见 " + " 与 ".join(f"{{ref}}`{place.strip()}`" for place in question.places)


class Quiz(ChoiceDirective):
    """``{quiz}``：这一本笔记本的自测。"""

    def run(self):
        env = self.state.document.settings.env
        path = path_of(env.doc2path(env.docname))
        env.note_dependency(str(path))  # 改了题目，这一页也要重读
        try:
            questions = read(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise self.error(f"没有自测的题目：请写 {path.name}，放在笔记本旁边。") from None
        except ValueError as error:
            raise self.error(f"{path.name}：{error}") from None
        box = nodes.container(classes=["quiz"], quiz=[question.name for question in questions])
        for number, question in enumerate(questions, start=1):
            box += self.question(number, question, env.docname)
        return [box]

    def question(self, number, question, docname):
        name = f"quiz-{question.name}"
        right = next(choice.letter for choice in question.choices if choice.right)
        key = f'data-key="{docname}#{question.name}" data-right="{right}"'
        yield html(f'<fieldset class="quiz-question" id="{name}" {key} aria-labelledby="{name}-text">')
        yield self.markdown(f"**{number}.** {question.text}", ids=[f"{name}-text"], classes=["quiz-text"])
        for choice in question.choices:
            yield self.radio(name, choice, "quiz-choice")
        yield html(f'<details class="quiz-answers"><summary>{ANSWERS}</summary>')
        for choice in question.choices:
            yield self.markdown(verdict(choice), ids=[f"{name}-{choice.letter}"], classes=["quiz-said"])
        yield self.markdown(where(question), ids=[f"{name}-where"], classes=["quiz-where"])
        yield html("</details></fieldset>")


def plain(questions, markdown):
    """普通的笔记本里：问题与选项照写，答案折起来；markdown 把 MyST 换成标准的写法。"""
    parts = []
    for number, question in enumerate(questions, start=1):
        choices = [f"- {choice.letter}. {markdown(choice.words)}" for choice in question.choices]
        parts += [f"**{number}.** {markdown(question.text)}", "\n".join(choices)]
        parts.append(f"<details><summary>{ANSWERS}</summary>")
        parts += [markdown(verdict(choice)) for choice in question.choices]
        parts += [markdown(where(question)), "</details>"]
    return "\n\n".join(parts)
