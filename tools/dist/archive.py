"""book.zip 与校验和。压缩包里的次序与时间固定：内容相同，文件就逐字节相同。"""

import hashlib
import zipfile

# 网站用不到的：构建的记录、各国语言的译文、调试用的
UNUSED = ("_static/locales/", ".buildinfo", "objects.inv", ".map", ".txt")
README = """《{title}》，可以离线读：解压到任何地方，双击 index.html。
搜索、公式、图、自测都不用联网。解压之后再打开，不要在压缩包里直接打开。
{rights}
"""


def write(book, site, path):
    """整个网站，放在一个与书同名的文件夹里。"""
    folder = book.title
    files = {f"{folder}/先读我.txt": README.format(title=book.title, rights=book.rights)}
    for source in site.rglob("*"):
        name = source.relative_to(site).as_posix()
        if source.is_file() and not (name.startswith(UNUSED[0]) or name.endswith(UNUSED[1:])):
            files[f"{folder}/{name}"] = source.read_bytes()
    write_zip(path, dict(sorted(files.items())))


def write_zip(path, files, stored=()):
    """files 是 {名字: 内容}；stored 里的不压缩。"""
    with zipfile.ZipFile(path, "w") as target:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            kind = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            target.writestr(entry, content, kind)


def describe(folder, book, names):
    """CONTENTS.txt：各个文件是什么，压缩包里有哪些；SHA256SUMS：用 sha256sum -c 核对。"""
    lines = [f"《{book.title}》", *(f"{name}  {what}" for name, what in sorted(names.items()))]
    with zipfile.ZipFile(folder / "book.zip") as site:
        lines += ["", "book.zip 里有：", *(f"{each.file_size:>9}  {each.filename}" for each in site.infolist())]
    _write(folder / "CONTENTS.txt", lines)
    _write(folder / "SHA256SUMS", [f"{digest(folder / name)}  {name}" for name in sorted([*names, "CONTENTS.txt"])])


def _write(path, lines):
    path.write_text("\n".join([*lines, ""]), encoding="utf-8", newline="\n")


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()
