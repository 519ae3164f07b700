"""helpers 处处成立的定律：图像各就各位，说明里的默认值属实；题注、公式、报错改了就再看一眼。"""

import ast
import inspect
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import helpers
from helpers import plt
from tests import pins
from tests.book import open_book, settle
from tests.common import CHINESE

PUBLIC = {name: value for name in helpers.__all__ if callable(value := getattr(helpers, name))}


@pytest.fixture(autouse=True)
def quiet_plots(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda: None)
    with plt.rc_context():
        yield
    plt.close("all")


# ---------------------------------------------------------------- 图像各就各位


@settings(max_examples=12, deadline=None, derandomize=True, database=None)
@given(st.integers(1, 4), st.integers(1, 4), st.data())
def test_picture_i_stands_at_row_i_by_columns(rows, columns, data):
    """第 i 幅在第 i // 列数 行、第 i % 列数 列，标题是它自己的；从左到右，从上到下。"""
    count = data.draw(st.integers(1, rows * columns))
    images = torch.arange(count * 6.0).reshape(count, 1, 2, 3)
    axes = helpers.show_images(images, rows, columns, titles=[str(i) for i in range(count)])
    corners = [ax.get_position() for ax in axes]
    for i, ax in enumerate(axes):
        spec = ax.get_subplotspec()
        assert (spec.rowspan.start, spec.colspan.start) == divmod(i, columns)
        if i < count:
            assert ax.get_title() == str(i) and ax.images[0].get_array().tolist() == images[i, 0].tolist()
    assert sorted(range(len(axes)), key=lambda i: (-round(corners[i].y0, 3), corners[i].x0)) == [*range(len(axes))]
    plt.close()


# ---------------------------------------------------------------- 说明属实


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_documented_defaults_are_the_defaults(name):
    """说明是中文的，各个参数都写了；“默认 V”就是签名里的默认值；写成 optional 的，默认是 None。"""
    function = PUBLIC[name]
    assert re.search(CHINESE, (inspect.getdoc(function) or "").splitlines()[0])
    parameters = inspect.signature(function).parameters
    section = re.search(r"Parameters\n-+\n(.*?)(?:\n\n|\Z)", inspect.getdoc(function) or "", re.DOTALL)
    entries = re.findall(r"^([*\w, ]+) : (.*)\n((?: .*\n?)*)", section[1] + "\n" if section else "", re.MULTILINE)
    told = {each.strip(" *") for names, *_ in entries for each in names.split(",")}
    assert not section or told == parameters.keys(), f"helpers.{name} 的说明写了 {told}"
    for names, kind, text in entries:
        for parameter in (parameters[each.strip(" *")] for each in names.split(",")):
            said = re.search(r"默认(?:为|是)?\s*(\([^)]*\)|[^，。；（\s]+)", text)
            try:
                said = said and [ast.literal_eval(said[1].strip("`"))]
            except (SyntaxError, ValueError):  # “默认是仓库里的 data”：用话说的，签名里是 None
                said = [None]
            assert not said or parameter.default == said[0], f"helpers.{name} 的说明：{parameter} 的默认值"
            assert ("optional" in kind) == (parameter.default is None), f"helpers.{name} 的说明：{parameter} 可以不写吗"


def test_reference_shows_the_real_signatures():
    """构建时 torch 用替身，由它的类派生的类会丢掉自己的参数，所以在 api.md 里写明；写明的要与真的一样。"""
    wrong = {}
    for entry in open_book().pages["chapters/api"].article.select("dl.py.function > dt, dl.py.class > dt"):
        shown = "(" + ", ".join(parameter.get_text() for parameter in entry.select("em.sig-param")) + ")"
        real = str(inspect.signature(PUBLIC[entry["id"].removeprefix("helpers.")]))
        if re.sub(r"\s", "", shown) != re.sub(r"\s", "", real):
            wrong[entry["id"]] = (shown, real)
    assert wrong == {}


@pytest.mark.parametrize("kind", pins.PINNED)
def test_changed_ones_are_looked_at_again(kind):
    settle(pins.problems(kind), "看过了，仍然相符、说得对，就运行 python -m tests.pins 更新，与改动一起提交。")
