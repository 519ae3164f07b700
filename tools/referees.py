"""请不认识这本书的程序来看：W3C 的 HTML 检查（vnu，要 Java 与 npm）、链接检查（lychee）、许可检查（reuse）。

有一处不对就失败。
"""

import json
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from tools import ROOT

HTML = ROOT / "_build" / "html"
FOLDER = ROOT / "_build" / "referees"
VNU = "vnu-jar@26.9.27"
LYCHEE = ["--offline", "--include-fragments", "--no-progress", "--exclude-path=_sources", "--exclude-path=_static"]


def pages():
    return [path for path in sorted(HTML.rglob("*.html")) if not path.is_relative_to(HTML / "_static")]


def html_errors():
    """每种错误一行：几处，第一处在哪里。"""
    subprocess.run([shutil.which("npm"), "install", "--silent", "--prefix", FOLDER, VNU], check=True)
    jar = next(FOLDER.rglob("vnu.jar"))
    options = ["--errors-only", "--format", "json", "--exit-zero-always"]
    command = ["java", "-Xss8m", "-jar", jar, *options, *pages()]
    said = json.loads(subprocess.run(command, stderr=subprocess.PIPE, encoding="utf-8", check=True).stderr)
    kinds = defaultdict(list)
    for message in said["messages"]:
        kinds[re.sub('[“"].*?[”"]', "…", message["message"])].append(message)
    for found in kinds.values():
        yield f"{len(found)} 处：{found[0]['url']} 第 {found[0].get('lastLine')} 行，{found[0]['message'][:200]}"


def broken_links():
    """lychee 自己列出断了的链接。"""
    program = Path(sys.executable).with_name("lychee")
    return subprocess.run([program, *LYCHEE, "--root-dir", HTML, *pages()]).returncode


def main():
    if absent := [program for program in ("java", "npm") if not shutil.which(program)]:
        sys.exit(f"没有 {'、'.join(absent)}。Debian 与 Ubuntu：apt install default-jre-headless npm")
    FOLDER.mkdir(parents=True, exist_ok=True)
    errors = list(html_errors())
    print(*errors, f"HTML：{len(errors)} 种错误", sep="\n", flush=True)
    unlicensed = subprocess.run([Path(sys.executable).with_name("reuse"), "--root", ROOT, "lint", "--quiet"]).returncode
    if unlicensed:
        print("有的文件没有写明许可：.venv/bin/reuse lint 列出它们，写进 REUSE.toml。", flush=True)
    sys.exit(1 if broken_links() or errors or unlicensed else 0)


if __name__ == "__main__":
    main()
