"""性能比较：比的是同样的训练，计时不重不漏，程序能跑；不断言任何用时。"""

import json
import os
from types import SimpleNamespace

import pytest
import torch

import helpers
from benchmarks import __main__ as bench
from benchmarks import measure, parts, variants

STORED = json.loads(bench.RESULTS.read_text(encoding="utf-8"))


@pytest.fixture
def tiny(monkeypatch):
    """40 幅随机图像顶替 Fashion-MNIST；线程数用完恢复。"""
    images, labels = torch.randint(256, (40, 28, 28), dtype=torch.uint8), torch.arange(40) % 10

    def load():
        dataset = helpers.InMemoryDataset(images, labels, transform=helpers.data._to_unit_interval)
        return [helpers.data._make_loader(dataset, 16, shuffle) for shuffle in (True, False)]

    monkeypatch.setattr(variants, "LOADERS", dict.fromkeys(variants.LOADERS, load))
    monkeypatch.setattr(variants, "NUM_EXAMPLES", 40)
    monkeypatch.setattr(parts, "ROUNDS", dict.fromkeys(parts.ROUNDS, 2))
    num_threads = torch.get_num_threads()
    yield
    torch.set_num_threads(num_threads)


def outline(results):
    """结果里有哪些项、各是哪种值；线程数因机器而异，Windows 上没有内存的峰值。"""
    if isinstance(results, dict):
        return {key: outline(value) for key, value in results.items() if key not in ("quiet", "busy")}
    return float if results is None else type(results)


def test_every_part_runs(tiny):
    """跑出来的与存下的是同一种样子：“性能”一页照着它画。"""
    results = {
        "machine": parts.machine(),
        "once": {name: parts.once(name) for name in parts.names()},
        "softmax": parts.softmax(),
        "breakdown": parts.breakdown(),
        "linear": parts.linear(),
        "threads": {load: parts.threads(load) for load in ("quiet", "busy")},
    }
    assert outline(results) | {"date": str} == outline(STORED)


def test_the_same_training_was_compared():
    losses = [loss for record in STORED["softmax"].values() for loss in record.get("loss", [])]
    assert len(losses) == len(variants.LOADERS) * parts.ROUNDS["softmax"] and max(losses) - min(losses) < 1e-6


def test_same_seed_gives_the_same_batches():
    pairs = [variants.LOADERS[name]() for name in ("ours", "torchvision_0")]
    for part in (0, 1):
        batches = []
        for loaders in pairs:
            torch.manual_seed(variants.SEED)
            batches.append(next(iter(loaders[part])))
        assert all(torch.equal(a, b) for a, b in zip(*batches))


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


def test_peak_memory():
    peak = measure.peak_memory()
    assert peak is None if os.name == "nt" else 50 < peak < 100_000  # MB；单位弄错会差一千倍
