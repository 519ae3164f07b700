"""make.py everywhere 的几个世界：该试的都试到；有一个失败，退出码就不是 0。这里不真的跑笔记本。"""

from itertools import combinations

import pytest

from tools import everywhere
from tools.everywhere import COPY, TIMEZONE, WORLDS, World

REQUIRED = {
    "threads": {"1", "2"},
    "capability": {"default", "avx2"},
    "language": {"C", "zh_CN.UTF-8"},
    "timezone": {"本机", TIMEZONE},
    "place": {"原处", COPY},
    "cwd": {"项目文件夹", "别的文件夹"},
    "network": {"照旧", "断开"},
    "home": {"可写", "只读"},
    "order": {"倒序", "随机"},
}


@pytest.mark.parametrize("name", REQUIRED)
def test_every_value_occurs(name):
    assert {getattr(world, name) for world in WORLDS} == REQUIRED[name]


@pytest.mark.parametrize("pair", combinations(["threads", "capability", "language"], 2))
def test_every_pair_that_may_change_numbers_occurs(pair):
    assert len({tuple(getattr(world, name) for name in pair) for world in WORLDS}) == 4


def test_the_place_has_spaces_and_chinese():
    assert " " in COPY and not COPY.isascii()


def test_impossible_values_are_left_out_and_the_rest_is_tried():
    reasons = {("network", "断开"): "不能", ("capability", "avx2"): "不能", ("order", "倒序"): "不能"}
    world = everywhere.possible(World("2", "avx2", "C", network="断开", order="随机"), reasons)
    assert world == World("2", "本机", "C", order="随机")


def test_environment_is_what_it_says(monkeypatch, tmp_path):
    monkeypatch.setattr(everywhere, "SCRATCH", tmp_path)
    monkeypatch.setattr(everywhere.os, "name", "posix")
    for name in ("LC_TIME", "LANGUAGE", "PYTHONUTF8"):  # 会盖过 LANG 的
        monkeypatch.setenv(name, "1")
    env = everywhere.environment(World("2", "avx2", "C", timezone=TIMEZONE, home="只读"), tmp_path)
    assert {"LC_TIME", "LANGUAGE", "PYTHONUTF8"} & set(env) == set()
    assert (env["OMP_NUM_THREADS"], env["ATEN_CPU_CAPABILITY"], env["LANG"], env["LC_ALL"]) == ("2", "avx2", "C", "C")
    assert (env["TZ"], env["HOME"], env["PYTHONPATH"]) == (TIMEZONE, str(tmp_path / "home"), str(tmp_path))


def test_a_world_that_is_not_what_it_says_is_caught(monkeypatch):
    """本进程就是一个“什么也没改”的世界：说它改了，就该查出来。"""
    monkeypatch.setattr(everywhere.locale, "setlocale", lambda category, language: "C")  # 不改动本进程的
    monkeypatch.setattr("torch.get_num_threads", lambda: 1)
    monkeypatch.setattr("os.access", lambda path, mode: True)
    monkeypatch.setattr("socket.if_nameindex", lambda: [(1, "lo"), (2, "eth0")])
    monkeypatch.setattr(everywhere.time, "timezone", 0)
    assert everywhere.check(World()) == []
    claims = {"threads": "7", "capability": "avx7", "language": "xx", "timezone": TIMEZONE, "place": COPY}
    claims |= {"cwd": "别的文件夹", "network": "断开", "home": "只读"}
    for name, value in claims.items():
        (found,) = everywhere.check(World(**{name: value}))
        assert value in found


@pytest.mark.parametrize("failing", [[], [2], [0, 1, 2, 3]], ids=str)
def test_a_failing_world_turns_the_exit_status(monkeypatch, tmp_path, capsys, failing):
    ran = []

    def run(world, seed):
        ran.append((world, seed))
        return (1, "第 3 格变了") if len(ran) - 1 in failing else (0, "")

    monkeypatch.setattr(everywhere, "SCRATCH", tmp_path / "everywhere")
    monkeypatch.setattr(everywhere, "run", run)
    monkeypatch.setattr(everywhere, "not_possible", lambda: {("home", "只读"): "没有 unshare"})
    assert everywhere.main(42) == bool(failing)
    out = capsys.readouterr().out
    assert len(ran) == len(WORLDS) and {seed for _, seed in ran} == {42} and "种子是 42" in out
    assert out.count("第 3 格变了") == len(failing) and out.count("没有试：HOME 只读（没有 unshare）") == 1
    rows = out.splitlines()[-len(WORLDS) - 1 : -1]
    assert [row.split()[1] for row in rows] == ["失败" if i in failing else "通过" for i in range(len(WORLDS))]
    assert all("HOME 可写" in row for row in rows)
