"""各项比较；每项由 ``__main__`` 在单独的进程里运行，把结果打印成一行 JSON。"""

import functools
import json
import os
import sys
import time
from unittest import mock

import torch

from benchmarks import measure, variants
from helpers import training

# 各轮流几遍；空闲的机器上一共几分钟
ROUNDS = {"softmax": 7, "breakdown": 15, "linear": 25, "quiet": 15, "busy": 3}


machine = measure.machine


def names():
    """训练一轮的各种写法。"""
    return [*variants.LOADERS, *variants.FLOORS]


def once(name):
    """一种写法在全新的进程里：读入数据的用时，导入之后与跑完一轮之后的内存峰值。"""
    imported, start = measure.peak_memory(), time.perf_counter()
    epoch = variants.softmax_variant(name)
    seconds = round(time.perf_counter() - start, 6)
    epoch()
    return {"prepare_seconds": seconds, "imported_mb": imported, "peak_mb": measure.peak_memory()}


def softmax():
    """一轮训练与评价：我们的、torchvision 的（0、2、4 个工作进程）与下限。"""
    epochs = {name: variants.softmax_variant(name) for name in names()}
    return measure.alternate(epochs, ROUNDS["softmax"])


def breakdown():
    """我们的一轮里，各部分各用多少秒。运行的就是 helpers 本身，只在各部分的入口记下时刻。"""
    watch = measure.Stopwatch(closed={"evaluate"})
    train_iter, test_iter = variants.LOADERS["ours"]()
    dataset = train_iter.dataset
    dataset.__getitems__ = watch.timed("gather", dataset.__getitems__)
    dataset.transform = watch.timed("convert", dataset.transform)
    loaders = measure.TimedLoader(watch, "order", train_iter), test_iter
    kind = type(dataset)
    with mock.patch.object(kind, "__getitem__", watch.timed("gather", kind.__getitem__)):
        records = [_timed_epoch(watch, loaders) for _ in range(ROUNDS["breakdown"] + 1)][1:]  # 第一遍是预热
    return {part: [round(record[part], 6) for record in records] for part in records[0]}


def _timed_epoch(watch, loaders):
    net, loss, optimizer = variants.softmax_parts()
    optimizer.zero_grad = watch.timed("step", optimizer.zero_grad)
    optimizer.step = watch.timed("step", optimizer.step)
    parts = watch.timed("forward", net), watch.timed("loss", loss), optimizer
    with (
        mock.patch.object(variants, "softmax_parts", lambda: parts),
        mock.patch.object(torch.Tensor, "backward", watch.timed("backward", torch.Tensor.backward)),
        mock.patch.object(training, "evaluate_accuracy", watch.timed("evaluate", training.evaluate_accuracy)),
    ):
        watch.reset()
        variants.softmax_epoch(*loaders)
        return watch.reset()


def linear():
    """线性回归：训练几轮，与只取数不训练。"""
    actions = {"train": variants.linear_epochs, "fetch": variants.fetch_only}
    results = {}
    for what, action in actions.items():
        epochs = {name: functools.partial(action, batches) for name, batches in variants.linear_batches().items()}
        results[what] = measure.alternate(epochs, ROUNDS["linear"])
    return results


def threads(load):
    """一个线程与默认的线程数，机器空闲（quiet）或忙碌（busy，每个核另有一个空转的进程）。"""
    counts = sorted({1, torch.get_num_threads()})
    names = ("ours", "floor") if load == "quiet" else ("ours",)  # 忙碌时一轮可能要几十秒，只测本书的
    epochs = {name: variants.softmax_variant(name) for name in names}

    def run(name, count):
        torch.set_num_threads(count)
        epochs[name]()

    actions = {f"{name}_{count}": functools.partial(run, name, count) for name in epochs for count in counts}
    with measure.busy(os.cpu_count() if load == "busy" else 0):
        return measure.alternate(actions, ROUNDS[load])


if __name__ == "__main__":
    part, *args = sys.argv[1:]
    print(json.dumps(globals()[part](*args)))
