"""向数据集一次要一整批的 DataLoader。"""

import torch.utils.data
from torch.utils.data import default_collate


class DataLoader(torch.utils.data.DataLoader):
    """取一批时把整列下标交给数据集：``dataset[indices]`` 给出的已是一批，不必逐个取再拼。

    torch 的文档里，这件事写作 ``DataLoader(dataset, batch_size=None, sampler=BatchSampler(…))``，
    但那样 ``loader.batch_size`` 是 None，``loader.sampler`` 也不是读者预期的。所以只改两个内部的名字；
    将来 torch 里没有了它们，取出的数仍然对，只是变慢，tests/test_data.py 会说。
    """

    _auto_collation = False
    _index_sampler = property(lambda self: self.batch_sampler)


def keep_batch(samples):
    """整批取出的（元组）不必再拼；是一列样本时照 torch 的办法拼，所以别的 DataLoader 也能借用。"""
    return default_collate(samples) if isinstance(samples, list) else samples
