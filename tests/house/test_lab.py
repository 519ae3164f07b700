"""make.py lab：发给读者的笔记本改过就不覆盖；真的 JupyterLab 里，读得通、折得起、跑得出存下的输出。"""

import json
import os
import re
import subprocess
import sys
import time

import nbformat
import pytest

from ext.plain_notebooks import ANSWER_BELOW
from tests.common import ROOT, UTF8
from tests.test_plain_notebooks import cells, page, plain
from tools import lab

# ---------------------------------------------------------------- 发笔记本


def write(folder, code, output="", name="a.ipynb"):
    new = nbformat.v4
    cell = new.new_code_cell(code, outputs=[new.new_output("stream", text=output)] if output else [])
    folder.mkdir(exist_ok=True)
    nbformat.write(new.new_notebook(cells=[cell], metadata={"saved": output}), folder / name)


@pytest.fixture
def editions(tmp_path):
    """书出一版、发一次；返回读者的文件夹、出版的函数、读者手里的代码。"""
    mine = tmp_path / "mine"

    def publish(code):
        write(tmp_path / "book", code)
        return lab.hand_out(tmp_path / "book", mine)

    def held():
        return {path.name: nbformat.read(path, as_version=4).cells[0].source for path in mine.glob("*.ipynb")}

    assert publish("第一版") == [] and held() == {"a.ipynb": "第一版"}
    return mine, publish, held


def test_an_untouched_copy_is_replaced(editions):
    """只是运行、存盘，不算改动。"""
    mine, publish, held = editions
    write(mine, "第一版", output="运行过")
    assert publish("第一版") == [] and "运行过" in (mine / "a.ipynb").read_text(encoding="utf-8")
    (message,) = publish("第二版")
    assert "没有改过" in message and held() == {"a.ipynb": "第二版"}


def test_a_changed_copy_stays(editions):
    mine, publish, held = editions
    write(mine, "我的")
    assert publish("第一版") == []  # 没有新版
    (message,) = publish("第二版")
    assert "a（新版）.ipynb" in message and held() == {"a.ipynb": "我的", "a（新版）.ipynb": "第二版"}
    assert publish("第二版") == [] and len(held()) == 2  # 只说一次，只放一次
    publish("第三版")
    assert held() == {"a.ipynb": "我的", "a（新版）.ipynb": "第三版"}  # 上次的新版没有动过，换掉
    write(mine, "也改了", name="a（新版）.ipynb")
    publish("第四版")
    assert held() == {"a.ipynb": "我的", "a（新版）.ipynb": "也改了", "a（新版2）.ipynb": "第四版"}


@pytest.mark.parametrize("record", [None, "{坏了"])
def test_without_a_record_nothing_is_overwritten(editions, record):
    """也包括读者自己早就有的同名文件。"""
    mine, publish, held = editions
    (mine / lab.RECORD).write_text(record, encoding="utf-8") if record else (mine / lab.RECORD).unlink()
    publish("第二版")
    assert held() == {"a.ipynb": "第一版", "a（新版）.ipynb": "第二版"}


def test_a_broken_file_stays_and_a_deleted_one_comes_back(editions):
    mine, publish, held = editions
    (mine / "a.ipynb").write_text("{存到一半", encoding="utf-8")
    publish("第二版")
    assert (mine / "a.ipynb").read_text(encoding="utf-8") == "{存到一半"
    (mine / "a.ipynb").unlink()
    publish("第二版")
    assert held()["a.ipynb"] == "第二版"


# ---------------------------------------------------------------- 真的 JupyterLab

LESSON = "chapters/linear_regression/basics"
RAW = re.compile(r"\{[a-z:]+\}|\([a-z]+-[\w-]+\)=|:::|\\tag|\$")  # 排好之后不该还看得见的
START = """
import pathlib, sys
from tools import lab
lab.MINE = pathlib.Path(sys.argv[1])
lab.main(sys.argv[2:])
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """照 make.py lab 的样子启动，用一个从来没有用过 JupyterLab 的人的设置；返回读者的文件夹与网址。"""
    home = tmp_path_factory.mktemp("lab")
    settings = home / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)  # 看不见的格子也都排好，测试才读得到全文
    (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}', encoding="utf-8")
    names = ["CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR"]
    env = {**os.environ, **{f"JUPYTER_{name}": str(home / name) for name in names}, **UTF8}
    env |= {"JUPYTERLAB_SETTINGS_DIR": str(home / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces")}
    options = ["--no-browser", "--allow-root", "--ServerApp.port=0", "--IdentityProvider.token="]
    command = [sys.executable, "-c", START, home / "mine", *options]
    with (home / "log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stderr=log, stdout=log)
    try:
        yield (
            home / "mine",
            wait_for(lambda: re.search(r"http://127\.0\.0\.1:\d+", (home / "log").read_text("utf-8")))[0],
        )
    finally:
        process.terminate()
        process.wait(60)


def wait_for(condition, seconds=180):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.2)
    pytest.fail(f"{seconds} 秒之内没有等到。")


@pytest.fixture
def notebook(browser, server):
    """打开一本笔记本；返回页面与它发出的请求。"""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(90_000)
    tab, requests = context.new_page(), []
    tab.on("request", lambda request: requests.append(request.url))
    tab.goto(f"{server[1]}/lab/tree/{LESSON.removeprefix('chapters/')}.ipynb")
    tab.wait_for_selector(".jp-MarkdownOutput h2 >> text=参考文献")
    yield tab, requests
    context.close()


def outputs(notebook):
    """各格的输出；图只看有没有，像素由 nbval 比对。"""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            yield output.get("text") or {**output.data, "image/png": "image/png" in output.data}


def test_in_jupyterlab(notebook, server):
    tab, requests = notebook
    folder, url = server
    assert {"文件", "编辑", "运行", "内核"} <= set(tab.locator(".lm-MenuBar-itemLabel").all_inner_texts())
    equations = sum(cell.source.count("\\tag{") for cell in cells(LESSON, "markdown"))
    tab.wait_for_selector(f".jp-Notebook mjx-container[display=true]:visible >> nth={equations - 1}")
    text = tab.locator(".jp-Notebook").inner_text()
    prose = "\n".join(tab.locator(".jp-MarkdownOutput").all_inner_texts())
    assert len(prose) > 5000 and RAW.findall(prose) == []

    exercises, codes = len(page(LESSON).select(".exercise")), cells(LESSON, "code")
    answers = len(page(LESSON).select(".solution .cell_input"))
    buttons, shown = tab.locator(".jp-showHiddenCellsButton:visible"), tab.locator(".jp-CodeCell:visible")
    assert exercises >= 5 and text.count(ANSWER_BELOW) == buttons.count() == exercises
    assert shown.count() == len(codes) - answers
    buttons.first.click()
    assert shown.count() > len(codes) - answers and buttons.count() == exercises - 1

    tab.get_by_text("运行", exact=True).click()
    tab.get_by_text("运行所有单元格", exact=True).click()
    tab.wait_for_selector(".jp-InputPrompt >> text='[*]:'", state="attached")
    tab.wait_for_function("() => ![...document.querySelectorAll('.jp-InputPrompt')].some(n => n.innerText == '[*]:')")
    tab.keyboard.press("Control+s")
    file = folder / f"{LESSON.removeprefix('chapters/')}.ipynb"
    saved = wait_for(lambda: '"version"' in file.read_text("utf-8") and nbformat.read(file, as_version=4))
    assert list(outputs(saved)) == list(outputs(plain(LESSON)))

    tab.locator(".jp-MarkdownOutput a", has_text="从一个特征到许多特征").first.click()
    tab.wait_for_selector(".lm-TabBar-tab >> text=features.ipynb")
    assert tab.locator(".jp-Dialog, .Toastify__toast").all_inner_texts() == []  # 不问新闻，不报错
    assert [each for each in requests if not each.startswith((url, "data:", "blob:"))] == []
    assert json.loads((folder / lab.RECORD).read_text(encoding="utf-8")).keys() >= {"errors.ipynb"}
