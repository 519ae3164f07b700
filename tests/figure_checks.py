"""图的比对：nbval 只比对文字，比对完之后由这里比对每一格存下的与新画的图（conftest.py 调用）。"""

import base64
import io

from matplotlib.testing.compare import compare_images
from matplotlib.testing.exceptions import ImageComparisonFailure
from PIL import Image

# 各像素各颜色之差的均方根（0–255）最多这么大。量过：同样的设置分毫不差，换线程数不变，换指令集最多 0.22
# （训练曲线挪动不到 0.02 像素）；写错一个字是 2 以上，图像坏一个像素是 1 以上。
TOLERANCE = 0.5
# 每次运行都不同的图不比对：单元格带这个开头的标签，后面写明理由，如 figure-varies：用时因机器而异
VARIES = "figure-varies："


def varying_reason(cell):
    """这一格的图为什么不比对；要比对的为 None。"""
    tags = cell.metadata.get("tags", [])
    return next((tag.removeprefix(VARIES) for tag in tags if tag.startswith(VARIES)), None)


def pictures(outputs):
    """各输出里的 PNG，次序不变。"""
    return [base64.b64decode(out.data["image/png"]) for out in outputs if "image/png" in out.get("data", {})]


def save_on_paper(png, path):
    """铺在白纸上存下：图的底是透明的，几乎透明的像素记着什么颜色，看不见也不算。"""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB").save(path)


def problem(stored, new, folder, name):
    """两幅 PNG 有何不同；没有就是 None。不同时，两幅图与两者之差（放大十倍）留在 folder 里。"""
    files = [folder / f"{name}{kind}.png" for kind in ("-stored", "-new", "-new-failed-diff")]
    for path in files:
        path.unlink(missing_ok=True)  # 上次失败留下的
    if stored == new:
        return None
    for png, path in zip((stored, new), files):
        save_on_paper(png, path)
    try:
        found = compare_images(*files[:2], TOLERANCE)
    except ImageComparisonFailure:  # 大小不同，没有两者之差
        sizes = [Image.open(path).size for path in files[:2]]
        found = "大小由 {}×{} 变成 {}×{} 像素：{} {}".format(*sizes[0], *sizes[1], *files)
    if found is None:
        for path in files[:2]:
            path.unlink()
    return found


def compare(item):
    """比对 nbval 的一格，有图不同就让它失败。"""
    if not item.options["check"]:
        return
    stored, new = pictures(item.cell.outputs), pictures(item.test_outputs)
    if len(stored) != len(new):
        item.raise_cell_error("图的幅数变了", f"存下 {len(stored)} 幅，重跑得到 {len(new)} 幅。")
    if varying_reason(item.cell):
        return
    notebook = item.path.relative_to(item.config.rootpath).with_suffix("")
    folder = item.config.rootpath / "_build" / "figures" / notebook
    found = [problem(*pair, folder, f"{item.cell_num}-{i}") for i, pair in enumerate(zip(stored, new))]
    if any(found):
        hint = f"如果这正是要改的，运行 python3 make.py refresh {notebook.as_posix()}.ipynb 重存输出。"
        item.raise_cell_error("重画的图与存下的不同", "\n".join([*filter(None, found), hint]))
