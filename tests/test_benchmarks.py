"""性能比较：存下的结果完整、损失相同，程序能跑；不断言任何用时。"""

import json
import os
from datetime import date
from types import SimpleNamespace

import pytest
import torch

import helpers
from benchmarks import __main__ as bench
from benchmarks import measure, parts, variants
from tests.common import ROOT, raises_chinese
from tests.notebook_checks import documents_in_toc

EPOCHS = {"ours", "torchvision_0", "torchvision_2", "torchvision_4", "floor", "textbook_floor"}
PARTS = {"order", "gather", "convert", "forward", "loss", "backward", "step", "rest", "evaluate"}
BATCHES = {"data_iter", "classic", "load_array", "dataloader"}

# ---------------------------------------------------------------- 存下的结果


def problems(results):
    """结果里缺的、多的与不对的；空列表就是合格。"""
    rounds = parts.ROUNDS
    timed = [
        ("softmax", results["softmax"], EPOCHS, rounds["softmax"]),
        *((f"linear.{what}", results["linear"][what], BATCHES, rounds["linear"]) for what in ("train", "fetch")),
        *((f"threads.{load}", results["threads"][load], None, rounds[load]) for load in ("quiet", "busy")),
        ("breakdown", {part: {"seconds": each} for part, each in results["breakdown"].items()}, PARTS, None),
    ]
    found = [f"{name} 里是 {sorted(each)}" for name, each, keys, _ in timed if keys and set(each) != keys]
    for name, each, _, count in timed:
        for key, record in each.items():
            seconds = record["seconds"]
            if len(seconds) != (count or rounds["breakdown"]) or min(seconds) <= 0:
                found.append(f"{name}.{key} 的用时不对：{seconds}")
    losses = [loss for record in results["softmax"].values() for loss in record.get("loss", [])]
    if len(losses) != 4 * rounds["softmax"] or max(losses) - min(losses) >= 1e-6:
        found.append(f"损失不同，比的不是同样的训练：{losses}")
    for load, each in results["threads"].items():
        counts = sorted(int(key.removeprefix("ours_")) for key in each if key.startswith("ours_"))
        names = ("ours", "floor") if load == "quiet" else ("ours",)
        if counts[:1] != [1] or set(each) != {f"{name}_{count}" for name in names for count in counts}:
            found.append(f"threads.{load} 里是 {sorted(each)}")
    if set(results["once"]) != EPOCHS or not all(
        set(each) == {"prepare_seconds", "imported_mb", "peak_mb"} for each in results["once"].values()
    ):
        found.append("once 不全")
    if set(results["machine"]) != {"cpu", "cores", "instructions", "system", "python", "torch", "torchvision"}:
        found.append(f"machine 里是 {sorted(results['machine'])}")
    return found


def stored():
    return json.loads(bench.RESULTS.read_text(encoding="utf-8"))


def test_stored_results_are_complete():
    results = stored()
    assert problems(results) == []
    assert date.fromisoformat(results["date"])


@pytest.mark.parametrize(
    "change",
    [
        lambda results: results["softmax"].pop("torchvision_4"),
        lambda results: results["softmax"]["ours"]["seconds"].pop(),
        lambda results: results["softmax"]["torchvision_2"]["loss"].append(0.5),
        lambda results: results["linear"]["fetch"].pop("classic"),
        lambda results: results["breakdown"].pop("gather"),
        lambda results: results["threads"]["busy"].pop("ours_1"),
        lambda results: results["once"].pop("floor"),
        lambda results: results["machine"].update(node="host"),
    ],
)
def test_incomplete_results_are_caught(change):
    results = stored()
    change(results)
    assert problems(results) != []


def test_the_page_is_in_the_book():
    assert bench.PAGE.removesuffix(".ipynb") in documents_in_toc() and (ROOT / bench.PAGE).is_file()


# ---------------------------------------------------------------- 比的是同样的训练


def test_same_seed_gives_the_same_batches():
    pairs = [variants.LOADERS[name]() for name in ("ours", "torchvision_0")]
    for part in (0, 1):
        batches = []
        for loaders in pairs:
            torch.manual_seed(variants.SEED)
            batches.append(next(iter(loaders[part])))
        assert all(torch.equal(a, b) for a, b in zip(*batches))


def test_floor_multiplies_the_same_batches():
    images = torch.rand(10, 1, 28, 28)
    (first, last) = variants.in_memory(helpers.load_array((images, torch.zeros(10)), 6, is_train=False))
    assert torch.equal(torch.cat([first, last]), images.reshape(10, 784)) and len(first) == 6


def test_every_way_is_measured():
    assert {*variants.LOADERS, *variants.FLOORS} == set(bench.EPOCHS) == EPOCHS


def test_classic_data_iter_gives_every_example_once():
    X = torch.arange(10.0)
    seen, labels = (torch.cat(each) for each in zip(*variants.classic_data_iter(4, X, X)))
    assert torch.equal(seen.sort().values, X) and torch.equal(seen, labels)


# ---------------------------------------------------------------- 程序能跑


@pytest.fixture
def tiny(monkeypatch):
    """40 幅随机图像顶替 Fashion-MNIST；线程数用完恢复。"""
    images, labels = torch.randint(256, (40, 28, 28), dtype=torch.uint8), torch.arange(40) % 10

    def load():
        dataset = helpers.InMemoryDataset(images, labels, transform=helpers.data._to_unit_interval)
        return [helpers.data._make_loader(dataset, 16, shuffle) for shuffle in (True, False)]

    monkeypatch.setattr(variants, "LOADERS", dict.fromkeys(variants.LOADERS, load))
    monkeypatch.setattr(variants, "NUM_EXAMPLES", 40)
    num_threads = torch.get_num_threads()
    yield
    torch.set_num_threads(num_threads)


def test_every_part_runs(tiny, monkeypatch):
    """跑出来的与存下的是同一种样子。"""
    monkeypatch.setattr(parts, "ROUNDS", dict.fromkeys(parts.ROUNDS, 2))
    results = {
        "machine": parts.machine(),
        "once": {name: parts.once(name) for name in bench.EPOCHS},
        "softmax": parts.softmax(),
        "breakdown": parts.breakdown(),
        "linear": parts.linear(),
        "threads": {load: parts.threads(load) for load in ("quiet", "busy")},
    }
    assert problems(results) == []
    assert results.keys() | {"date"} == stored().keys()


def test_variants_take_turns():
    calls = []
    results = measure.alternate({"a": lambda: calls.append("a"), "b": lambda: calls.append("b") or 0.5}, 2)
    assert calls == ["a", "b"] * 3  # 预热一遍，再两遍
    assert len(results["a"]["seconds"]) == 2 and "loss" not in results["a"] and results["b"]["loss"] == [0.5, 0.5]


def test_stopwatch_counts_every_moment_once(monkeypatch):
    clock = SimpleNamespace(now=0)
    monkeypatch.setattr(measure.time, "perf_counter", lambda: clock.now)

    def spend(seconds, inner=lambda: None):
        clock.now += seconds
        inner()
        clock.now += seconds

    watch = measure.Stopwatch(closed={"closed"})
    inner = watch.timed("inner", lambda: spend(10))
    watch.timed("outer", lambda: spend(1, inner))()
    watch.timed("closed", lambda: spend(100, inner))()
    clock.now += 1000
    assert watch.reset() == {"rest": 1000, "outer": 2, "inner": 20, "closed": 220}
    assert watch.reset() == {"rest": 0}


def test_busy_processes_end_with_the_block(monkeypatch):
    started, start = [], measure.subprocess.Popen
    monkeypatch.setattr(measure.subprocess, "Popen", lambda *args: started.append(start(*args)) or started[-1])
    with measure.busy(2):
        assert [process.poll() for process in started] == [None, None]
    assert None not in [process.poll() for process in started]


def test_peak_memory():
    peak = measure.peak_memory()
    assert peak is None if os.name == "nt" else 50 < peak < 100_000  # MB；单位弄错会差一千倍


def test_failed_part_leaves_the_results_alone(monkeypatch):
    before = bench.RESULTS.read_bytes()
    monkeypatch.setattr(bench.subprocess, "run", lambda *args, **kwargs: SimpleNamespace(returncode=1))
    with raises_chinese(SystemExit, "没有跑完"):
        bench.main()
    assert bench.RESULTS.read_bytes() == before
