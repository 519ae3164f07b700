"""自测与打卡：题目齐全，数算得对，链接到得了；在浏览器里选、记住、打勾、做图、导出与导入。

每一条都弄坏过，看着它变红。
"""

import json
import math
import re
from collections import Counter

import autocorrect_py
import pytest
import torch
from torch import nn

from ext import quiz
from tests.book import HTML, label_of, notebooks, open_book, settle, title
from tests.common import ROOT, raises_chinese
from tests.test_browser import violations
from tests.test_laws_site import COMMON, told_at, words

GOALS = re.compile(r"^## 学习目标\n(.*)", re.MULTILINE | re.DOTALL)
NOT_TAUGHT = ("学习目标", "小结", "自测", "练习")
NEAREST = 3
MOST_IN_ONE_PLACE = 0.5  # 对的答案有这么多排在同一个位置，就猜得出来了


def goals(name):
    """一节的学习目标，一条一项。"""
    found = [GOALS.search(cell.source) for cell in notebooks()[name].cells if cell.cell_type == "markdown"]
    return re.findall(r"^- (.*)", "".join(each[1] for each in found if each), re.MULTILINE)


LESSONS = [name for name in notebooks() if goals(name)]


def questions(name):
    return quiz.read(quiz.path_of(ROOT / f"{name}.ipynb").read_text(encoding="utf-8"))


# ---------------------------------------------------------------- 题目


@pytest.mark.parametrize("name", LESSONS)
def test_every_goal_has_a_question(name):
    """三到五题；每题考的是这一节的一条目标，每条目标都有题考。"""
    place, asked = f"{name}.quiz.txt", questions(name)
    assert 3 <= len(asked) <= 5, place
    owners = {each.name: [goal for goal in goals(name) if each.goal in goal] for each in asked}
    settle(f"{place} 的 {key}：目标对上了 {len(found)} 条" for key, found in owners.items() if len(found) != 1)
    met = {goal for each in owners.values() for goal in each}
    settle(f"{place}：没有一题考“{goal}”" for goal in goals(name) if goal not in met)


def rare_words():
    """各小节自己的文字里的词，去掉到处都有的。"""
    anchors = [(page, anchor) for page in open_book().chapters for anchor in page.ids if anchor.startswith("sec-")]
    told = {place: words(told_at(*place)) for place in anchors}
    counts = Counter(word for text in told.values() for word in text)
    common = {word for word, count in counts.items() if count > COMMON * len(told)}
    return {place: text - common for place, text in told.items()}


def test_a_question_sends_the_reader_to_the_right_place():
    """要回看的第一处，是这一节里与题目共同的词最多的几处之一：写错标签，链接照样通。"""
    told, problems = rare_words(), []
    for name in LESSONS:
        page = open_book().pages[name]
        taught = [label_of(part) for part in page.sections[1:] if title(part) not in NOT_TAUGHT]
        for question in questions(name):
            said = words(" ".join([question.text, *(f"{each.words} {each.said}" for each in question.choices)]))
            nearest = sorted(taught, key=lambda label: len(said & told[page, label]), reverse=True)[:NEAREST]
            link = page.soup.select_one(f"#quiz-{question.name}-where a[href]")
            there, node = open_book().target(page, link["href"])
            if (there, label_of(node)) not in [(page, label) for label in nearest]:
                problems.append(f"{name}.quiz.txt 的 {question.name}：说的更像是 {'、'.join(nearest)}")
    settle(problems, "改“回看：”，或者改题目。")


@pytest.mark.parametrize("name", LESSONS)
def test_questions_are_typeset(name):
    text = (ROOT / f"{name}.quiz.txt").read_text(encoding="utf-8")
    assert [(line.old, line.new) for line in autocorrect_py.lint_for(text, "md").lines] == []


def test_the_right_answers_are_not_all_in_one_place():
    letters = Counter(
        each.letter for name in LESSONS for question in questions(name) for each in question.choices if each.right
    )
    assert max(letters.values()) < MOST_IN_ONE_PLACE * letters.total()


def accumulated():
    w = torch.tensor(2.0, requires_grad=True)
    (w**2).backward()
    (3 * w).backward()
    return f"{w.grad:.0f}"


def median():
    return f"{torch.tensor([9.1, 1.2, 1.1, 1.3, 1.2]).median():.1f}"


def views():
    a = torch.zeros(3)
    b = a[:2]
    b += 1
    b = b + 1
    return str(a.tolist()).replace(".0", ".")


def code_length():
    P, Q = torch.tensor([1 / 2, 1 / 4, 1 / 4]), torch.tensor([1 / 4, 1 / 2, 1 / 4])
    length, entropy = -(P * Q.log2()).sum(), -(P * P.log2()).sum()
    return f"{length:.2f} 位，比熵多 {length - entropy:.2f}"


def slopes():
    probabilities = torch.tensor([0.2, 0.5, 0.3])
    logits = probabilities.log().requires_grad_()
    nn.functional.cross_entropy(logits, torch.tensor(2)).backward()
    return "({:.1f}, {:.1f}, −{:.1f})".format(*logits.grad.abs())


def half_rate():
    """要几倍的学习率，nn.MSELoss 与带 1/2 的平方损失走得一样。"""
    y_hat, y = torch.tensor([3.0, 1.0], requires_grad=True), torch.zeros(2)
    (ours,) = torch.autograd.grad(((y_hat - y) ** 2 / 2).sum() / 2, y_hat)
    (theirs,) = torch.autograd.grad(nn.MSELoss()(y_hat, y), y_hat)
    return f"{(0.03 * ours / theirs)[0]:.3f}"


def hidden_parameters():
    net = nn.Sequential(nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))
    return f"{sum(param.numel() for param in net.parameters()):,}"


def shape(tensor):
    return str(tuple(tensor.shape))


# 对的选项里要有的数
FACTS = {
    ("linear_regression/preliminaries", "shapes"): lambda: shape(torch.stack([torch.ones(5)] * 2, dim=1).sum(dim=1)),
    ("linear_regression/preliminaries", "accumulate"): accumulated,
    ("linear_regression/basics", "residual"): lambda: str(1090 - (300 * 2 + 100)),
    ("linear_regression/basics", "reduction"): lambda: f"{24 * 2} 倍",
    ("linear_regression/features", "linear-shapes"): lambda: shape(torch.ones(100, 3) @ torch.ones(3)),
    ("linear_regression/vectorization", "rules"): lambda: shape(torch.ones(4, 1, 3) + torch.ones(5, 1)),
    ("linear_regression/vectorization", "five-times"): median,
    ("linear_regression/vectorization", "in-place"): views,
    ("linear_regression/scratch", "how-close"): lambda: f"{0.5 / math.sqrt(2500)}",
    ("linear_regression/concise", "linear-weight"): lambda: shape(nn.Linear(3, 2).weight),
    ("linear_regression/concise", "half-rate"): half_rate,
    ("softmax/cross_entropy", "telegram"): code_length,
    ("softmax/cross_entropy", "three-slopes"): slopes,
    ("softmax/cross_entropy", "softmax-twice"): lambda: f"{math.e / (math.e + 9):.2f}",
    ("softmax/fashion_mnist", "last-batch"): lambda: f"4 批，最后一批 {1000 - 3 * 256} 个",
    ("softmax/scratch", "uneven-batches"): lambda: str((8 * 1.0 + 2 * 0.5) / 10),
    ("softmax/scratch", "recall"): lambda: str(600 / 1000),
    ("softmax/deep", "count"): hidden_parameters,
}  # fmt: skip


@pytest.mark.parametrize(("name", "asked"), FACTS, ids=lambda value: value.split("/")[-1])
def test_the_right_answer_is_right(name, asked):
    right = [
        each
        for question in questions(f"chapters/{name}")
        if question.name == asked
        for each in question.choices
        if each.right
    ]
    assert FACTS[name, asked]() in right[0].words + right[0].said


GOOD = "## a\n目标：甲\n回看：sec-a\n\n问\n\n- [x] 对\n  因为\n- [ ] 错\n  不然\n"
BAD = {
    "写过两遍": (GOOD + GOOD, "两题都叫 a"),
    "没有对的": (GOOD.replace("[x]", "[ ]"), "恰有一个"),
    "没有说明": (GOOD.replace("  不然\n", ""), "错.*没有说明"),
    "没有缩进": (GOOD.replace("  不然", "不然"), "缩进两格"),
    "没有目标": (GOOD.replace("目标：甲\n", ""), "目标"),
    "没有问题": (GOOD.replace("问\n", ""), "要有问题"),
    "先写代码": (GOOD.replace("问\n", "```\n1\n```\n"), "先写一句话"),
    "中文名字": (GOOD.replace("## a", "## 甲"), "小写英文"),
    "什么也没有": ("", "## 名字"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_badly_written_question_is_reported(kind):
    assert quiz.read(GOOD)[0].choices[0].right
    text, wanted = BAD[kind]
    with raises_chinese(ValueError, wanted):
        quiz.read(text)


# ---------------------------------------------------------------- 在浏览器里

LESSON = "chapters/softmax/cross_entropy"
ALL = """parts => bookProgress.update(all => { for (const { doc, answered, predicted } of parts.flatMap(p => p.sections)) {
  for (const name of answered) all.answered[`${doc}#${name}`] = { choice: "A", right: true, time: "2026-01-02T03:04:05Z" };
  for (const name of predicted) all.predicted[`${doc}#${name}`] = { choice: "A", time: "2026-01-02T03:04:05Z" };
} })"""  # noqa: E501
REFUSE = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })"


@pytest.fixture
def reader(browser):
    """一位读者：同一个浏览器里的几页，记录是连着的。"""
    contexts, errors = [], []

    def new(script="", **options):
        context = browser.new_context(viewport={"width": 390, "height": 900}, accept_downloads=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        if script:
            page.add_init_script(script)
        return page

    yield new
    for context in contexts:
        context.close()
    assert errors == []


def visit(page, name):
    page.goto((HTML / f"{name}.html").as_uri())
    return page


def answered(page):
    return page.evaluate("bookProgress.get().answered")


def pick(page, question, right=True):
    """点一项的文字：第一个对的，或者第一个错的。"""
    letter = next(each.letter for each in question.choices if each.right == right)
    page.locator(f"#quiz-{question.name} label:has([value={letter}])").click()
    return letter


def test_a_choice_is_answered_at_once(reader):
    """选错，说明为什么、去哪里看；选对，记住，下次还在。键盘上用方向键走过的不算选，回车才算。"""
    page, (first, second, third, *_) = visit(reader(), LESSON), questions(LESSON)
    key = f"{LESSON}#{first.name}"
    feedback = page.locator(f"#quiz-{first.name} .quiz-feedback")
    assert feedback.inner_text() == "" and not page.locator(f"#quiz-{first.name} details").is_visible()
    letter = pick(page, first, right=False)
    assert feedback.inner_text().startswith(f"{letter}，不对。")
    assert open_book().target(open_book().pages[LESSON], feedback.locator("a").last.get_attribute("href"))[1]
    assert answered(page)[key]["right"] is False
    letter = pick(page, first)
    assert feedback.inner_text().startswith(f"{letter}，对。") and answered(page)[key]["right"] is True
    pick(page, first, right=False)  # 答对以后还可以看别的说明
    page.reload()
    assert feedback.inner_text().startswith(f"{letter}，对。")
    assert page.locator(f"#quiz-{first.name} [value={letter}]").is_checked()

    radio = page.locator(f"#quiz-{second.name} input").first
    radio.focus()
    page.keyboard.press("Space")
    assert answered(page)[f"{LESSON}#{second.name}"]["choice"] == "A"
    page.locator(f"#quiz-{third.name} input").first.focus()
    page.keyboard.press("ArrowDown")
    assert f"{LESSON}#{third.name}" not in answered(page)
    page.keyboard.press("Enter")
    assert answered(page)[f"{LESSON}#{third.name}"]["choice"] == "B"
    assert violations(page, ".quiz") == []


def test_what_is_done_is_marked_and_becomes_a_picture(reader):
    """做完一节（自测答对，预测猜过），末尾、目录、首页都打勾；一部都做完，才做得成打卡图，话在替代文字里。"""
    page = visit(reader(), LESSON)
    for question in questions(LESSON):
        assert "打卡还差" in page.locator(".checkin-end").inner_text() and page.locator(".checkin-mark").count() == 0
        pick(page, question)
    assert re.fullmatch(r"打卡还差：预测( \d)*", page.locator(".checkin-end").inner_text())
    page.evaluate(ALL, [{"sections": [{"doc": LESSON, "answered": [], "predicted": predicted(page)}]}])
    assert "✓ 这一节已打卡" in page.locator(".checkin-end").inner_text()
    done = ".bd-links a:has(.checkin-mark)"
    assert [LESSON in each.evaluate("link => link.href") for each in page.locator(done).all()] == [True]
    visit(page, "chapters/index")
    marks = page.locator(".book-part a:has(.checkin-mark)")
    marks.first.wait_for()
    assert [LESSON in each.evaluate("link => link.href") for each in marks.all()] == [True]
    card = page.locator(".checkin-card").first
    assert card.is_visible() and card.get_by_role("button").count() == 0
    page.evaluate(ALL, page.evaluate("bookTasks.parts.slice(0, 1)"))
    card.locator("textarea").fill("误差乘以输入")
    card.get_by_role("button").click()
    picture = card.locator("img")
    picture.wait_for()
    assert picture.evaluate("image => image.decode().then(() => [image.naturalWidth, image.naturalHeight])") == [
        1080,
        1440,
    ]
    assert all(word in picture.get_attribute("alt") for word in ("第一部分", "误差乘以输入", "2026 年 1 月 2 日"))
    assert page.locator(".checkin-card").nth(1).get_by_role("button").count() == 0
    assert violations(page) == []
    page.reload()
    assert card.locator("textarea").input_value() == "误差乘以输入"


def predicted(page):
    return page.evaluate("doc => bookTasks.parts.flatMap(p => p.sections).find(s => s.doc === doc).predicted", LESSON)


def test_records_are_kept_merged_and_cleared(reader, tmp_path):
    """导出的文件，别的浏览器能导入；已有的不覆盖；不是记录的文件说清楚；清空一下就行，可以反悔。"""
    page = visit(reader(), "chapters/index")
    buttons = page.locator(".checkin-buttons")
    page.locator(".checkin-record > summary").click()
    page.evaluate(
        """bookProgress.update(all => {
          all.answered = { "a#x": { choice: "B", right: true }, "a#y": { choice: "C", right: false } };
          all.sentences = { 1: "我的话" }; all.later = { kept: true } })"""
    )
    with page.expect_download() as download:
        buttons.get_by_text("导出记录").click()
    download.value.save_as(tmp_path / "打卡记录.json")
    before = page.evaluate("bookProgress.get()")
    assert json.loads((tmp_path / "打卡记录.json").read_text(encoding="utf-8")) == before
    buttons.get_by_text("清空记录").click()
    assert answered(page) == {}
    page.get_by_text("撤销").click()
    assert page.evaluate("bookProgress.get()") == before

    other = visit(reader(), "chapters/index")
    other.locator(".checkin-record > summary").click()
    mine = {"a#y": {"choice": "A", "right": True}, "b#z": {"choice": "A", "right": False}}
    other.evaluate("mine => bookProgress.update(all => { all.answered = mine })", mine)
    other.locator("input[type=file]").set_input_files(tmp_path / "打卡记录.json")
    other.get_by_text("导入了 1 条").wait_for()
    assert answered(other) == mine | {"a#x": {"choice": "B", "right": True}}
    assert other.locator("textarea").first.input_value() == "我的话"
    for number, text in enumerate(["不是 JSON", "[]", '{"v": 1, "predicted": {}, "answered": {"a#x": 1}}', '{"v": 2}']):
        (tmp_path / f"坏{number}.json").write_text(text, encoding="utf-8")
        other.locator("input[type=file]").set_input_files(tmp_path / f"坏{number}.json")
        other.get_by_text(f"坏{number}.json 不是这本书导出的记录").wait_for()
        assert answered(other) == mine | {"a#x": {"choice": "B", "right": True}}


def test_refused_storage_breaks_nothing(reader):
    page, question = visit(reader(REFUSE), LESSON), questions(LESSON)[0]
    letter = pick(page, question)
    assert page.locator(f"#quiz-{question.name} .quiz-feedback").inner_text().startswith(f"{letter}，对。")
    assert page.locator(f".checkin-end a[href='#quiz-{question.name}']").count() == 0
    assert page.locator(".checkin-end a[href^='#quiz-']").count()
    visit(page, "chapters/index")
    page.get_by_text("不让网页存东西").wait_for()
