"""一本小书：公式、练习、解答、图、长的输出、术语、文献、表、函数说明各有一处，用本书自己的 _config.yml 构建。"""

import base64
import io
import shutil
import sys
from pathlib import Path

import pytest
from jupyter_book.config import get_final_config
from nbformat import v4 as nb
from nbformat import write
from PIL import Image
from sphinx.testing.util import SphinxTestApp

from tests.common import ROOT

# Sphinx 的扩展与主题里的旧写法，与本书无关；有的扩展还把内存里的对象看一遍，碰到 torch 的旧名字
OLD_STYLE = ("DeprecationWarning", "PendingDeprecationWarning", "FutureWarning")
IGNORE_OLD_STYLE = [pytest.mark.filterwarnings(f"ignore::{warning}") for warning in OLD_STYLE]
LONG = "\n".join(map(str, range(20)))
SOURCES = {
    "conf.py": "",
    "_toc.yml": """format: jb-book
root: index
parts:
  - {caption: 正文, numbered: true, chapters: [{file: one}, {file: two}]}
  - caption: 附录
    chapters: [{file: glossary}, {file: references}, {file: api}]
""",
    "index.md": "(sec-index)=\n# 小书\n\n第一段，\n只有一句。见[甲](sec-one)。\n",
    "two.md": """(sec-two)=
# 乙

{eq}`eq-line` 与{numref}`练习 %s <ex-one>`，见{ref}`sec-one-loss`。

(sec-two-empty)=
## 空的一节

(sec-two-inner)=
### 里层

`f(x)`，就是一个{term}`回归`函数。
""",
    "glossary.md": """(sec-glossary)=
# 术语表

```{glossary}
回归
  linear regression。用 $x$ 预测。见{ref}`sec-one`。

分类
  classification。见{ref}`sec-two`。
```
""",
    "references.md": "(sec-references)=\n# 参考文献\n\n```{bibliography}\n```\n",
    "references.bib": """@book{gauss1809, author={Gauss}, title={Theoria motus}, year=1809, publisher={Perthes},
  doi={10.1/a(1809)<1:b>2}}
""",
    "api.md": """(sec-api)=
# 函数

| 函数 |
|---|
| `scale` |

(sec-api-all)=
## 全部

```{eval-rst}
.. autofunction:: small_code.scale
```
""",
    "small_code.py": '''def scale(x, k=2):
    """放大。

    Parameters
    ----------
    x : float
        原来的
        数。
    k : float
        倍数。

    Returns
    -------
    float
        乘积。
    """
    return k * x
''',
    "search/questions.yml": "sec-one-loss: [怎样衡量好坏]\n",
}
EXERCISES = """(sec-one-exercises)=
## 练习

:::{exercise}
:label: ex-one
算一算 $1 + 1$。
:::

:::{exercise}
:label: ex-two
再算一算。
:::

:::{solution-start} ex-one
:label: sol-one
:class: dropdown
:::"""


def picture():
    file = io.BytesIO()
    Image.new("RGB", (6, 4), "blue").save(file, "png")
    return base64.b64encode(file.getvalue()).decode()


def notebook():
    """第一节：学习目标之外的都有。"""
    size = {"image/png": {"width": 600, "height": 40}}
    drawn = nb.new_output("display_data", {"image/png": picture()}, metadata=size)
    cells = [
        nb.new_markdown_cell("(sec-one)=\n# 甲\n\n用{term}`回归`做的第一节{cite}`gauss1809`。"),
        nb.new_markdown_cell("(sec-one-loss)=\n## 损失\n\n$$y = 2 x$$ (eq-line)\n\n其中 $\\mathbf{x}$，是输入。"),
        nb.new_code_cell(
            "print(text)",
            metadata={"tags": ["hide-input"]},
            outputs=[nb.new_output("stream", text=LONG)],
            execution_count=1,
        ),
        nb.new_markdown_cell(EXERCISES),
        nb.new_code_cell("plt.show()", outputs=[drawn, drawn], execution_count=2),
        nb.new_markdown_cell(":::{solution-end}\n:::"),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    return nb.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}})


def write_book(folder):
    for name, text in SOURCES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    write(notebook(), folder / "one.ipynb")
    shutil.copyfile(ROOT / "ext" / "search" / "words.yml", folder / "search" / "words.yml")
    return folder


def build(folder, into="_build", builder="html", repository=None, baseurl=""):
    """构建一次，返回网站的文件夹；有警告就抛出异常。"""
    settings = {"external_toc_path": "_toc.yml", "latex_individualpages": False}
    config, _ = get_final_config(user_yaml=ROOT / "_config.yml", cli_config=settings, sourcedir=folder)
    config |= {"bibtex_bibfiles": ["references.bib"], "locale_dirs": [str(ROOT / "ext" / "locale")]}
    config |= {"html_baseurl": baseurl, "book_search": str(folder / "search"), "templates_path": []}
    if repository:
        (folder / "_config.yml").write_text(f"repository: {{url: {repository}}}", encoding="utf-8")
    config["extensions"] = [*config["extensions"], "sphinx_multitoc_numbering"]
    sys.modules.pop("small_code", None)  # 上一次构建时导入的
    sys.path.insert(0, str(folder))
    app = SphinxTestApp(builder, folder, folder / into, confoverrides=config, keep_going=True, warningiserror=True)
    try:
        app.build()
        if app.statuscode:
            raise RuntimeError(app.warning.getvalue())
    finally:
        app.cleanup()
        sys.path.remove(str(folder))
    return Path(app.outdir)
