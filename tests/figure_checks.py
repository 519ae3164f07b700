"""图的比对：nbval 只比对文字，比对完之后由这里比对每一格存下的与新画的图（conftest.py 调用）。"""

import base64
import io

from PIL import Image, ImageChops, ImageStat

# 两幅图之差的均方根（0–255）最多这么大。量过：同样的设置分毫不差；换线程数不变，换指令集最多 0.22
# （训练曲线挪动不到 0.02 像素）；写错一个字、少一个散点是 2 以上，图像坏一个像素是 1.05（见 test_figures.py）。
TOLERANCE = 0.8
# 每次运行都不同的图不比对：单元格带这个开头的标签，后面写明理由，如 figure-varies：用时因机器而异
VARIES = "figure-varies："


def varying_reason(cell):
    """这一格的图为什么不比对；要比对的为 None。"""
    tags = cell.metadata.get("tags", [])
    return next((tag.removeprefix(VARIES) for tag in tags if tag.startswith(VARIES)), None)


def pictures(outputs):
    """各输出里的 PNG，次序不变。"""
    return [base64.b64decode(out.data["image/png"]) for out in outputs if "image/png" in out.get("data", {})]


def on_paper(png):
    """铺在白纸上：图的底是透明的，几乎透明的像素记着什么颜色，看不见也不算。"""
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def difference(stored, new):
    """两幅 PNG 之差；大小不同时，在大的那个画布上靠左上角对齐，没有的地方算全黑。"""
    images = [on_paper(png) for png in (stored, new)]
    size = [max(lengths) for lengths in zip(*(image.size for image in images))]
    return ImageChops.difference(*(image.crop((0, 0, *size)) for image in images))


def problem(stored, new):
    """两幅 PNG 有何不同，一句话；在容差之内为 None。"""
    if stored == new:
        return None
    sizes = [Image.open(io.BytesIO(png)).size for png in (stored, new)]
    if sizes[0] != sizes[1]:
        return "大小由 {}×{} 变成 {}×{} 像素".format(*sizes[0], *sizes[1])
    rms = max(ImageStat.Stat(difference(stored, new)).rms)
    return f"两图之差的均方根为 {rms:.2f}，多于 {TOLERANCE}" if rms > TOLERANCE else None


def keep(stored, new, files):
    """留下存下的图、新画的图、两者之差；差放大十倍，细微处才看得见。"""
    files[0].parent.mkdir(parents=True, exist_ok=True)
    files[0].write_bytes(stored)
    files[1].write_bytes(new)
    difference(stored, new).point(lambda level: min(255, 10 * level)).save(files[2])


def compare(item):
    """比对 nbval 的一格，有图不同就让它失败；通过时删去上次失败留下的文件。"""
    if not item.options["check"]:
        return
    stored, new = pictures(item.cell.outputs), pictures(item.test_outputs)
    if len(stored) != len(new):
        item.raise_cell_error("图的幅数变了", f"存下 {len(stored)} 幅，重跑得到 {len(new)} 幅。")
    if varying_reason(item.cell):
        return
    notebook = item.path.relative_to(item.config.rootpath).with_suffix("")
    folder = item.config.rootpath / "_build" / "figures" / notebook
    problems = []
    for number, pair in enumerate(zip(stored, new), start=1):
        name = f"{item.cell_num}" if len(stored) == 1 else f"{item.cell_num}-{number}"
        files = [folder / f"{name}-{kind}.png" for kind in ("stored", "new", "difference")]
        if found := problem(*pair):
            keep(*pair, files)
            kinds = ("存下的图", "新画的图", "两者之差")
            problems += [f"{found}："] + [f"  {kind} {file}" for kind, file in zip(kinds, files)]
        else:
            for file in files:
                file.unlink(missing_ok=True)
    if problems:
        hint = f"如果这正是要改的，运行 python -m tools.refresh {notebook.as_posix()}.ipynb 重存输出。"
        item.raise_cell_error("重画的图与存下的不同", "\n".join([*problems, hint]))
