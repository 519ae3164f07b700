"""把普通版的笔记本推送到 notebooks 分支：Colab 与 ModelScope 打开的是那里的。

分支上只有一次提交，每次整个换掉：它由 main 构建出来，不必有自己的历史。工作区与当前的分支都不动。
"""

import os
import subprocess
import sys

from ext.launch import BRANCH
from tools import ROOT

BUILT = ROOT / "_build" / "notebooks"


def git(*arguments, **env):
    command = ["git", f"--work-tree={BUILT}", *arguments]
    result = subprocess.run(command, cwd=ROOT, env={**os.environ, **env}, stdout=subprocess.PIPE, text=True)
    if result.returncode:
        sys.exit(f"git {arguments[0]} 没有成功，见上面的输出。")
    return result.stdout.strip()


def main(remote="origin"):
    folder = git("rev-parse", "--absolute-git-dir")
    index = {"GIT_INDEX_FILE": f"{folder}/index-notebooks"}  # 不碰读者自己暂存的改动
    git("read-tree", "--empty", **index)
    git("add", "--all", "--force", ".", **index)  # _build 在 .gitignore 里
    tree, source = git("write-tree", **index), git("rev-parse", "--short", "HEAD")
    name, email = git("log", "-1", "--format=%an%n%ae").splitlines()  # CI 上没有设过名字，用源头那次提交的
    who = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": email, "GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": email}
    commit = git("commit-tree", tree, "-m", f"普通版的笔记本，由 {source} 构建", **who)
    git("push", "--force", remote, f"{commit}:refs/heads/{BRANCH}")


if __name__ == "__main__":
    main(*sys.argv[1:])
