"""动手的图：没猜时锁着，猜了才能动；鼠标、手指、键盘都行；算出来的数与 torch 的一样。

前一半是每幅图都要守的规矩；后一半每幅图一项，拿网页脚本里的算术与 torch 比。每一项都弄坏过网页，看着它变红。
"""

import ast
import json
import re
from functools import cache

import pytest
import torch
from torch.nn import functional as F

import helpers
from ext.formulas import MiniRacer
from tests import engines
from tests.book import HTML, notebooks
from tests.test_browser import outside, violations

FIGURES = [
    (page, name)
    for page, notebook in notebooks().items()
    for cell in notebook.cells
    for name in re.findall(r"^`{3,}\{hands-on\} (\S+)", cell.source, re.MULTILINE)
]
PLACES = {name: page for page, name in FIGURES}
each_figure = pytest.mark.parametrize(("page_name", "name"), FIGURES, ids=[name for _, name in FIGURES])


class Figure:
    """打开的一页里的一幅动手图。"""

    def __init__(self, browser, page_name, name, **options):
        options = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light", **options}
        self.context = browser.new_context(**options)
        self.page, self.problems, self.requests = self.context.new_page(), [], []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.name, self.key = page_name, f"{page_name}#{name}"
        self.box = self.page.locator(f"#hands-{name}")
        self.url = (HTML / f"{page_name}.html").as_uri()

    def open(self):
        self.page.goto(self.url, wait_until="load")
        self.box.scroll_into_view_if_needed()
        return self

    def predict(self, wrong=False):
        """选对的（或者最后一个错的），锁定；返回选的是什么。"""
        right = json.loads(self.box.locator("script").text_content())["right"]
        number = self.box.locator(".hands-choice input[type=number]")
        if number.count():
            answer = json.loads(self.box.locator("script").text_content())["data"]["answer"]
            choice = float(number.get_attribute("max")) if wrong else sum(answer) / 2
            number.fill(f"{choice:g}")
        else:
            letters = [each.get_attribute("value") for each in self.box.locator(".hands-choice input").all()]
            choice = next(letter for letter in reversed(letters) if (letter == right) != wrong)
            self.box.locator(f".hands-choice input[value={choice}]").check()
        self.box.locator(".hands-lock").click()
        return choice

    def handles(self):
        """看得见的手柄；只差编号的（第几个点）是同一段程序造的，只取第一个。"""
        shown = [each for each in self.box.locator(".hands-handle").all() if each.is_visible()]
        kinds = {re.sub(r"\d+", "", each.get_attribute("aria-label")): each for each in reversed(shown)}
        return [*reversed(kinds.values())]

    def locked(self):
        return self.box.locator(".hands-controls").evaluate("node => node.disabled")


@pytest.fixture
def figure(browser):
    opened = []

    def make(page_name, name, **options):
        opened.append(Figure(browser, page_name, name, **options))
        return opened[-1]

    yield make
    for each in opened:
        each.context.close()
        assert each.problems == []
        assert outside(each.requests) == []


def spoken(control):
    return control.get_attribute("aria-valuetext")


# 打开以后浏览器才不许存（例如存满了）；一打开就不许的，见 test_quiz.py
FULL = "() => { Storage.prototype.getItem = Storage.prototype.setItem = () => { throw Error(); } }"
AROUND = [(-20, -20), (-20, 20), (20, 20), (20, -20)]  # 像素：不论在哪个角上，总有一个方向走得动


def centre(handle):
    place = handle.locator("circle").last.bounding_box()
    return place["x"] + place["width"] / 2, place["y"] + place["height"] / 2


def moves(it):
    """钟拨快一秒，图动没动；不用真的等。"""
    before = it.box.locator(".hands-plots").inner_html()
    it.page.clock.run_for(1000)
    return it.box.locator(".hands-plots").inner_html() != before


@each_figure
def test_at_a_desk(figure, page_name, name):
    """没猜时什么也不动，键盘也动不了；猜了以后，不要动画的演示一下子到头，键盘与鼠标都动得了，念的值跟着变；再来时记得。"""
    it = figure(page_name, name)
    it.page.clock.install()
    it.open()
    compare, sliders = it.box.locator(".hands-compare"), it.box.locator("input[type=range]")
    assert it.locked() and compare.is_hidden() and not moves(it)
    for handle in it.handles():
        before = spoken(handle)
        handle.dispatch_event("keydown", {"key": "ArrowRight"})
        assert spoken(handle) == before and handle.get_attribute("tabindex") == "-1"

    it.page.emulate_media(reduced_motion="reduce")
    choice = it.predict(wrong=True)
    assert not it.locked() and it.box.locator(".hands-choices input").first.is_disabled() and not moves(it)
    said = it.box.locator(f"#hands-{name}-{choice if isinstance(choice, str) else 'C'}").text_content().strip()
    assert compare.locator("> .hands-wrong").text_content().strip() == said
    assert compare.locator("> .hands-right").count() == 1  # 猜错了，也读得到为什么那样才对
    assert len(compare.locator("> div").nth(1).inner_text()) > len("实际发生的") + 5

    controls = [*it.handles(), *sliders.all()]
    assert controls
    for control in controls:
        assert control.get_attribute("aria-label") or control.locator("xpath=..").inner_text()
        heard = {spoken(control)}
        for key in ("ArrowRight", "ArrowLeft", "ArrowLeft", "ArrowUp", "ArrowDown", "ArrowDown"):
            control.press(key)  # 已经在一头的，往另一头走
            heard.add(spoken(control))
            if len(heard) > 1:
                break
        assert len(heard) > 1 and all(heard), heard
    for handle in it.handles()[:2]:
        handle.scroll_into_view_if_needed()
        (x, y), heard = centre(handle), {spoken(handle)}
        it.page.mouse.move(x, y)
        it.page.mouse.down()
        for dx, dy in AROUND:
            it.page.mouse.move(x + dx, y + dy, steps=3)
            heard.add(spoken(handle))
        it.page.mouse.up()
        assert len(heard) > 2, heard

    stored = it.page.evaluate("localStorage['book-progress']")
    assert json.loads(stored)["predicted"][it.key]["choice"] == choice
    # 机器很忙时，Chromium 有时还没把刚存下的交给重新打开的页面：照样再放一次
    it.page.add_init_script(f"localStorage['book-progress'] = {json.dumps(stored)}")
    it.open()
    assert not it.locked() and compare.is_visible()


@each_figure
@engines.moves_a_finger
def test_on_a_phone_in_the_dark(figure, page_name, name):
    """390 像素宽、深色、手指、不许存东西：照样猜，不撑破屏幕，手柄够大，拖得动，对照与控件没有无障碍的问题。"""
    phone = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "has_touch": True}
    it = figure(page_name, name, **phone, reduced_motion="reduce").open()
    it.page.evaluate(FULL)
    it.predict()
    assert not it.locked() and it.box.locator(".hands-compare > .hands-right").is_visible()
    assert it.key in it.page.evaluate("bookProgress.get().predicted")
    for svg in it.box.locator(".hands-plots > svg").all():
        assert svg.bounding_box()["width"] >= 300
    for handle in it.handles()[:1]:
        handle.evaluate("node => node.scrollIntoView({ block: 'center' })")
        place, heard = handle.bounding_box(), {spoken(handle)}
        assert min(place["width"], place["height"]) >= 40
        x, y = centre(handle)
        client = it.context.new_cdp_session(it.page)
        for kind, (dx, dy) in zip(["Start", *["Move"] * 4], [(0, 0), *AROUND]):
            points = [{"x": x + dx, "y": y + dy}]
            client.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
            heard.add(spoken(handle))
        client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        assert len(heard) > 2
    it.box.locator("details.hands-why summary").click()
    assert it.page.evaluate("document.documentElement.scrollWidth") <= 390
    it.page.add_style_tag(content="* { transition: none !important }")
    assert it.page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert violations(it.page, f"#hands-{name}") == []


def test_without_scripts(figure):
    """没有脚本：问题、选项、静止的图在哪里都看得见，说明与答案打得开；自测的也一样。"""
    it = figure(*FIGURES[0], java_script_enabled=False)
    for page_name, name in FIGURES:
        it.page.goto((HTML / f"{page_name}.html").as_uri())
        box = it.page.locator(f"#hands-{name}")
        for part in (".hands-question", ".hands-choices", ".hands-still"):
            assert box.locator(part).is_visible(), (name, part)
        assert box.locator(".hands-stage").count() == 0, name
        for part in (".hands-verdicts", ".hands-why"):
            box.locator(f"{part} > summary").click()
            assert box.locator(f"{part} > div").first.is_visible(), (name, part)
    for said in it.page.locator(".quiz-said").all():
        assert not said.is_visible()
    for answers in it.page.locator(".quiz summary").all():
        answers.click()
    assert it.page.locator(".quiz-said").count() == it.page.locator(".quiz-said:visible").count() > 0


# ---------------------------------------------------------------- 与 torch 比

# 算术不碰页面，在 V8 里跑就行，不用开浏览器；脚本是网站上的那几份
NO_PAGE = """var window = globalThis, document = { currentScript: { src: "" } }, matchMedia = () => ({});
class MutationObserver { observe() {} }
class IntersectionObserver {}"""
ONLY_MATHS = """hands.figure = (name, { maths }) => (hands.figures[name] = maths);
const tell = (name, f, args) => JSON.stringify(hands.figures[name][f](...args), // JSON 里没有 NaN 与无穷
  (_, each) => typeof each === "number" && !Number.isFinite(each) ? String(each) : each);"""


@pytest.fixture(scope="module")
def maths():
    """maths(图)：call("函数", 参数…) 与那幅图的数据。"""
    racer, folder = MiniRacer(), HTML / "_static" / "hands"
    common, *figures = ((folder / f"{name}.js").read_text(encoding="utf-8") for name in ("common", *PLACES))
    for code in (NO_PAGE, common, ONLY_MATHS, *figures):
        racer.eval(code)

    def of(name):
        page = (HTML / f"{PLACES[name]}.html").read_text(encoding="utf-8")
        box = page[page.index(f'id="hands-{name}"') :]
        known = json.loads(re.search(r'<script type="application/json">(.*?)</script>', box, re.DOTALL)[1])
        return lambda f, *args: json.loads(racer.call("tell", name, f, args)), known["data"]

    yield of
    racer.close()


def close(found, expected, relative=1e-4):
    torch.testing.assert_close(torch.tensor(found).double(), expected.detach().double(), rtol=relative, atol=5e-4)


LOSSES = {
    "平方": lambda y_hat, y: (y_hat - y) ** 2 / 2,
    "绝对值": lambda y_hat, y: 200 * (y_hat - y).abs(),
    "Huber": lambda y_hat, y: F.huber_loss(y_hat, y, delta=200.0, reduction="none"),
}


@pytest.mark.parametrize("kind", LOSSES)
def test_line_bowl(maths, kind):
    call, data = maths("line-bowl")
    x, y = torch.tensor(data["x"], dtype=torch.float64), torch.tensor(data["y"], dtype=torch.float64)
    cases = [(0.0, 600.0, 0.3, [*range(24)]), (300.0, 100.0, 0.1, [3, 17, 5, 23]), (454.0, -41.0, 1.1, [7])]
    for w0, b0, lr, batch in cases:
        point = torch.tensor([w0, b0], dtype=torch.float64, requires_grad=True)
        losses = LOSSES[kind](point[0] * x + point[1], y)
        close(call("loss", kind, data, w0, b0), losses.mean())
        losses[batch].mean().backward()
        close(call("step", kind, data, w0, b0, lr, batch), point - lr * point.grad)
    w, b = call("best", kind, data)
    point = torch.tensor([w, b], dtype=torch.float64)
    bottom = LOSSES[kind](w * x + b, y).mean()
    for by in torch.tensor([[5.0, 0], [-5, 0], [0, 5], [0, -5], [5, -5], [-5, 5]]):
        near = point + by
        assert LOSSES[kind](near[0] * x + near[1], y).mean() > bottom - 1e-6


def test_line_bowl_arrow(figure):
    """负梯度的箭头与等高线垂直，画出来的也是：碗的两根轴要一样密。点拖到一段斜着的等高线上，两样都从图上量。"""
    it = figure(PLACES["line-bowl"], "line-bowl", reduced_motion="reduce").open()
    it.predict()
    bowl = it.box.locator("svg[aria-label*=等高线]")

    def pieces(style):
        """图上每一笔的头一段：(几段, 两头, 横纵)。"""
        drawn = bowl.locator(f"path.{style}").evaluate_all("paths => paths.map((path) => path.getAttribute('d'))")
        ends = re.findall(r"M([\d.]+)[ ,]([\d.]+)L([\d.]+)[ ,]([\d.]+)", " ".join(drawn))
        return torch.tensor([[*map(float, each)] for each in ends]).reshape(-1, 2, 2)

    steps = pieces("s1").diff(dim=1)[:, 0]
    steepest = steps.abs().min(dim=1).values.argmax()
    width, frame = float(bowl.get_attribute("viewBox").split()[2]), bowl.bounding_box()
    x, y = (pieces("s1")[steepest].mean(dim=0) * frame["width"] / width).tolist()
    it.page.mouse.move(*centre(bowl.locator(".hands-handle")))
    it.page.mouse.down()
    it.page.mouse.move(frame["x"] + x, frame["y"] + y)
    arrow = pieces("s2")[0].diff(dim=0)[0]
    assert arrow.norm() > 10 and F.cosine_similarity(arrow, steps[steepest], dim=0).abs() < 0.05


def test_one_ball(maths):
    call, _ = maths("one-ball")
    for lam, lr in [(1.0, 0.3), (1.0, 1.5), (2.0, 1.1), (0.5, 2.9)]:
        w = torch.tensor(1.3, dtype=torch.float64, requires_grad=True)
        optimizer, places = torch.optim.SGD([w], lr=lr), [w.item()]
        for _ in range(8):
            optimizer.zero_grad()
            loss = lam * w**2 / 2
            close(call("loss", lam, w.item()), loss)
            loss.backward()
            optimizer.step()
            places.append(w.item())
        close(call("path", lam, lr, 1.3, 8), torch.tensor(places))


def test_softmax(maths):
    call, data = maths("softmax")
    for o, T, shift in [(data["o"], 0.5, 0), ([4.0, -5.0, 0.3], 0.1, -120), ([1.0, 3.0, 2.0], 100.0, 90)]:
        z = torch.tensor(o, dtype=torch.float64)
        close(call("softmax", o, T, shift), torch.softmax((z + shift) / T, dim=0))
    lost = torch.exp(torch.tensor([1.0, 3.0, 2.0]) + 86)  # 单精度里，鸡的指数溢出
    assert lost.isinf().tolist() == [False, True, False]
    for shift in (0, 85, 86, -120):
        exps = torch.exp(torch.tensor([1.0, 3.0, 2.0]) + shift)
        found = call("direct", [1, 3, 2], 1, shift)
        for name, expected in {"exps": exps, "probs": exps / exps.sum()}.items():
            values = torch.tensor([*map(float, found[name])])
            torch.testing.assert_close(values, expected, rtol=1e-5, atol=1e-45, equal_nan=True)


@pytest.mark.parametrize("y", [[1.0, 0.0, 0.0], [2 / 3, 0.0, 1 / 3], [0.2, 0.5, 0.3]])
def test_triangle(maths, y):
    call, _ = maths("triangle")
    target = torch.tensor(y, dtype=torch.float64)
    for p in ([0.4, 0.3, 0.3], [0.01, 0.98, 0.01], [0.45, 0.549, 0.001]):
        logits = torch.tensor(p, dtype=torch.float64).log().requires_grad_()
        entropy = F.cross_entropy(logits, target)
        square = ((torch.softmax(logits, dim=0) - target) ** 2).sum() / 2
        for name, loss in {"entropy": entropy, "square": square}.items():
            (slope,) = torch.autograd.grad(loss, logits)
            close(call(name, y, p), loss)
            close(call(f"{name}Slope", y, p), slope)
            close(call("step", name, y, p, 0.7), torch.softmax(logits - 0.7 * slope, dim=0))


@pytest.mark.parametrize("case", [(3.0, 2.0, 1.0, 5.0), (-1.5, 0.5, 2.0, 7.5), (2.0, 0.0, -3.0, 1.0)])
def test_passes(maths, case):
    """每条边上的值与梯度；再按一次，新的加在旧的上面。"""
    call, _ = maths("passes")
    w, x, b, y = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in case)
    edges = {"w": w, "b": b}
    edges["wx"] = w * x
    edges["yHat"] = edges["wx"] + b
    edges["e"] = edges["yHat"] - y
    edges["loss"] = edges["e"] ** 2 / 2
    slopes = dict(zip(edges, torch.autograd.grad(edges["loss"], list(edges.values()))))
    for found, expected in [(call("forward", *case), edges), (call("backward", *case), slopes)]:
        for name, value in found.items():
            close(value, expected[name])


def test_passes_add_up(figure):
    """不清零，每一遍都加上去；清零以后从头加。浏览器不许存，也一样。"""
    it = figure(PLACES["passes"], "passes", reduced_motion="reduce").open()
    it.page.evaluate(FULL)
    it.predict()  # 演示走了两遍
    w, total = torch.tensor(3.0, requires_grad=True), []
    for _ in range(3):
        ((w * 2 + 1 - 5) ** 2 / 2).backward()
        total.append(f"{w.grad.item():g}")
    words = it.box.locator(".hands-words")
    assert f"= {total[1]}，" in words.text_content()
    it.box.get_by_role("button", name="backward").click()
    assert f"= {total[2]}，" in words.text_content()
    it.box.get_by_role("button", name="清零").click()
    assert "None" in words.text_content()
    it.box.get_by_role("button", name="backward").click()
    assert f"w.grad = {total[0]}，" in words.text_content()


def test_passes_pressed_while_walking(figure):
    """走到一半再按，先把这一遍走完，一遍也不丢。"""
    it = figure(PLACES["passes"], "passes").open()
    it.predict()
    it.box.get_by_role("button", name="清零").click()
    for _ in range(3):
        it.box.get_by_role("button", name="backward").click()
    it.box.locator(".hands-words", has_text="w.grad = 4 + 4 + 4 = 12，").wait_for()


def test_broadcast(maths):
    """各种形状两两相减：撑成的形状、报错的那一维、每一格的数，都与 torch 的一样。"""
    call, _ = maths("broadcast")
    shapes = [(), (3,), (4,), (1,), (3, 1), (1, 4), (3, 4), (1, 3), (2, 3, 4), (2, 1, 4), (3, 1, 1)]
    for a in shapes:
        for b in shapes:
            A, B = (1 + torch.arange(float(torch.Size(shape).numel())).reshape(shape) for shape in (a, b))
            found = call("broadcast", a, b)
            try:
                expected = A - B
            except RuntimeError as error:
                sizes = re.findall(r"\d+", str(error))
                assert [*map(str, found["pair"]), str(found["dim"])] == sizes, (a, b)
                continue
            assert found["shape"] == list(expected.shape), (a, b)
            flat = [A.ravel().tolist(), a, B.ravel().tolist(), b]
            close(call("subtract", *flat), expected.ravel())


@pytest.mark.parametrize("times", [(1.0, 1.0), (1.0, 4.0), (2.5, 1.5)])
def test_units(maths, times):
    call, data = maths("units")
    S = torch.diag(torch.tensor(times, dtype=torch.float64))
    H = S @ torch.tensor(data["H"], dtype=torch.float64) @ S
    bowl = call("bowl", data["H"], times)
    close(bowl, H)
    eigenvalues = torch.linalg.eigvalsh(H)
    close(call("curvatures", bowl), eigenvalues)
    lr = call("fastest", bowl)
    sizes = (1 - lr * eigenvalues).abs()
    close(sizes[0].item(), sizes[1])
    start = (6.0 / torch.tensor(times)).tolist()
    place = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer, goal, count = torch.optim.SGD([place], lr=lr), 0.01 * torch.tensor(start).norm(), 0
    while place.norm() > goal:
        optimizer.zero_grad()
        loss = place @ H @ place / 2
        close(call("loss", bowl, place.tolist()), loss)
        loss.backward()
        moved = call("step", bowl, lr, place.tolist())
        optimizer.step()
        close(moved, place)
        count += 1
    assert call("steps", bowl, lr, start) == count


def glued(page_name, key):
    """笔记本里存下的一项，写成 JSON 的。"""
    for cell in notebooks()[page_name].cells:
        for output in cell.get("outputs", []):
            if output.get("metadata", {}).get("scrapbook", {}).get("name") == key:
                return json.loads(ast.literal_eval(output.data["application/papermill.record/text/plain"]))
    raise KeyError(key)


def fashion(indices):
    """训练集里的几幅，灰度取成 16 级：像素 (n, 784)，类别 (n,)。"""
    images, labels = training_set()[indices]
    return (images.reshape(-1, 784).double() * 15).round() / 15, labels


@cache
def training_set():
    return helpers.load_data_fashion_mnist(256)[0].dataset


# 像素一个字符：16 级的第几级；不是哪一级的是 x
READ_IMAGES = """name => hands.images(name).then(({ X, y }) => [y.join(""), Array.from(X, (value) => {
  const level = Math.round(15 * value);
  return Math.fround(level / 15) === value ? level.toString(16) : "x";
}).join("")])"""


def test_images_travel_unharmed(figure):
    """写成脚本的图像解开以后，就是数据集里的那几幅。"""
    it = figure(PLACES["train-here"], "train-here").open()
    groups = glued(it.name, "hands-train-images") | glued(it.name, "hands-confusion-images")
    for group, indices in groups.items():
        X, y = fashion(indices)
        wanted = ["".join(map(str, y.tolist())), "".join(map("{:x}".format, (X * 15).round().int().ravel().tolist()))]
        assert it.page.evaluate(READ_IMAGES, group) == wanted, f"{group} 的图像变了"


def test_train_here(figure):
    """没要就不取图像；要了，练一轮，写出的损失与精度就是 torch 的；从头来，换了批量与学习率，也一样。"""
    it = figure(PLACES["train-here"], "train-here", reduced_motion="reduce").open()
    it.predict()
    assert not [url for url in it.requests if "hands-train.js" in url]
    first = it.page.evaluate("document.querySelector('#hands-train-here').hand.data.first")
    words, sliders = it.box.locator(".hands-words"), it.box.locator("input[type=range]")
    parts = {group: fashion(indices) for group, indices in glued(it.name, "hands-train-images").items()}

    def press(button, shown):
        it.box.locator(".hands-controls button", has_text=button).first.click()
        words.filter(has_text=shown).wait_for()

    press("取", "图像取来了")
    for size, exponent in [(256, -1), (32, -1.3)]:
        press("从头来", "图像取来了")
        sliders.first.fill(str([1, 8, 32, 256, 2000].index(size)))
        sliders.last.fill(str(exponent))
        W, b = torch.zeros(784, 10, dtype=torch.float64), torch.zeros(10, dtype=torch.float64)
        optimizer = torch.optim.SGD([W.requires_grad_(), b.requires_grad_()], lr=10**exponent)
        batches = list(zip(*(each.split(size) for each in parts["train"])))
        for X, y in batches:
            optimizer.zero_grad()
            F.cross_entropy(X @ W + b, y).backward()
            optimizer.step()
        said = []
        for X, y in parts.values():
            o = X @ W + b
            said.append(f"损失 {F.cross_entropy(o, y):.3f}，精度 {(o.argmax(dim=1) == y).double().mean():.3f}")
        assert size != 256 or said[1].endswith(f"{first:.3f}")  # 锁定以后说的
        walked = f"走了 {len(batches)} 步，看过 1.0 轮。"
        press("练一轮", f"{walked}2,000 幅训练图像：{said[0]}；400 幅验证图像：{said[1]}。")
    press("走一步", f"走了 {len(batches) + 1} 步")


def test_confusion(maths):
    """问的一类，最多的错与答案相符；一格里的图像，真实类别就是这一行。"""
    call, data = maths("confusion")
    counts = torch.tensor(data["counts"])
    assert counts.sum() == 10_000
    for true in range(10):
        others = counts[true].clone()
        others[true] = -1
        assert call("worst", data["counts"], true) == [others.argmax().item(), others.max().item()]
    _, labels = fashion(glued(PLACES["confusion"], "hands-confusion-images")["confusion"])
    assert [place // 10 for place in data["places"]] == labels.tolist()
    shown = torch.bincount(torch.tensor(data["places"]), minlength=100)
    assert shown.tolist() == counts.flatten().clamp(max=10).tolist()


def test_confusion_shows_the_images(figure):
    """猜之前，认错的各盖着几幅；猜了，选到哪一格，就看见那一格的图像。"""
    it = figure(PLACES["confusion"], "confusion", reduced_motion="reduce").open()
    it.box.locator(".hands-plots svg, .hands-plots canvas").first.wait_for()
    counts = it.box.locator(".hands-count")
    assert sum(words.isdigit() for words in counts.all_text_contents()) == 10  # 只有对角线
    it.predict()
    assert all(words.isdigit() for words in counts.all_text_contents())
    it.handles()[0].press("ArrowRight")  # 从“衬衫认成套头衫”到“衬衫认成连衣裙”
    pictures = it.box.locator(".hands-pictures canvas")
    pictures.nth(9).wait_for()
    assert {"认成连衣裙" in each.get_attribute("aria-label") for each in pictures.all()} == {True}
    ink = "node => node.getContext('2d').getImageData(0, 0, 28, 28).data.some((value) => value > 0)"
    assert all(each.evaluate(ink) for each in pictures.all())


@pytest.mark.parametrize(("dx", "dy", "flipped"), [(0, 0, False), (4, 0, False), (-6, 3, True), (2, -5, False)])
def test_drag_image(maths, dx, dy, flipped):
    call, data = maths("drag-image")
    W, b = torch.tensor(data["weights"]).reshape(10, 784) / 100, torch.tensor(data["bias"])
    for c, text in enumerate(data["images"]):
        image = torch.tensor([int(level, 16) / 15 for level in text]).reshape(28, 28)
        close(call("image", text), image.flatten())
        moved = F.pad(image.flip(1) if flipped else image, (dx, -dx, -dy, dy))
        found = call("flip", call("image", text)) if flipped else call("image", text)
        found = call("shift", found, dx, dy)
        close(found, moved.flatten())
        o = W @ moved.flatten() + b
        close(call("product", data, found, c), W[c] * moved.flatten())
        close(call("logits", data, found), o)
        close(call("softmax", o.tolist()), torch.softmax(o, dim=0))
        assert (dx, dy, flipped) != (0, 0, False) or o.argmax() == c  # 没有移动时都认得对


@pytest.mark.parametrize("classes", [2, 3])
def test_by_hand(maths, classes):
    call, _ = maths("by-hand")
    points = [[0.3, 1.8, 0], [-1.5, -1.0, 1], [1.7, -0.8, classes - 1], [2.5, 0.4, 0]]
    X, y = torch.tensor(points, dtype=torch.float64)[:, :2], torch.tensor([point[2] for point in points])
    net, lr = call("zeros", classes), 0.5
    for _ in range(20):
        W = torch.tensor(net["W"], dtype=torch.float64, requires_grad=True)
        b = torch.tensor(net["b"], dtype=torch.float64, requires_grad=True)
        loss = F.cross_entropy(X @ W + b, y)
        close(call("loss", net, points), loss)
        loss.backward()
        (one,) = torch.autograd.grad(F.cross_entropy(X[:1] @ W + b, y[:1]), W)
        close(call("push", net, points[0], lr), -lr * one)
        net = call("step", net, points, lr)
        close(net["W"], W - lr * W.grad)
        close(net["b"], b - lr * b.grad)


def test_by_hand_undecided(figure):
    """异或：走过以后，权重只剩舍入的误差；分不出就不涂色，也不算分对，滑块说的是新的类。"""
    it = figure(PLACES["by-hand"], "by-hand", reduced_motion="reduce").open()
    it.predict(wrong=True)
    assert it.box.locator(".hands-compare > .hands-right").count() == 1  # 猜错了，也读得到为什么那样才对
    assert it.box.locator("polygon").count() == 3
    for button in ("异或", "走 100 步"):
        it.box.get_by_role("button", name=button).click()
    assert "分不出" in it.box.locator(".hands-words").inner_text() and it.box.locator("polygon").count() == 0
    assert it.box.locator("caption").inner_text()[-5:].strip() in it.box.locator("output").inner_text()
