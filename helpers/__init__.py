"""本书公用的零件：数据（data）、训练（training）、画图（plotting）。

``import helpers`` 与 ``import helpers as d2l`` 都可用。名字沿用《动手学深度学习》，按含义取名，不按章号取名。
导入本身不联网，也不改动任何全局设置；图的样式要显式调用 :func:`use_book_style` 才生效。
"""

import sys

from helpers.data import (
    FASHION_MNIST_LABELS,
    InMemoryDataset,
    data_iter,
    fashion_mnist_root,
    get_fashion_mnist_labels,
    load_array,
    load_data_fashion_mnist,
    load_real_estate,
    synthetic_data,
)
from helpers.plotting import (
    learning_curve,
    plot,
    plt,
    set_figsize,
    show_fashion_mnist,
    show_images,
    use_book_style,
)
from helpers.training import (
    accuracy,
    cross_entropy,
    evaluate_accuracy,
    evaluate_loss,
    linreg,
    sgd,
    softmax,
    squared_loss,
    train,
)

__all__ = [
    "FASHION_MNIST_LABELS",
    "InMemoryDataset",
    "accuracy",
    "cross_entropy",
    "data_iter",
    "evaluate_accuracy",
    "evaluate_loss",
    "fashion_mnist_root",
    "get_fashion_mnist_labels",
    "learning_curve",
    "linreg",
    "load_array",
    "load_data_fashion_mnist",
    "load_real_estate",
    "plot",
    "plt",
    "set_figsize",
    "sgd",
    "show_fashion_mnist",
    "show_images",
    "softmax",
    "squared_loss",
    "synthetic_data",
    "train",
    "use_book_style",
]

# 原书里有、本书换了名字或不需要的函数：告诉读者改用什么，而不是只说“没有”。
_RENAMED = {
    "train_ch3": "train(net, train_iter, test_iter, loss, num_epochs, updater)",
    "train_epoch_ch3": "train(net, train_iter, None, loss, 1, updater)",
    "train_ch6": "train(net, train_iter, test_iter, loss, num_epochs, updater)",
    "predict_ch3": "show_fashion_mnist(images, titles)，写法见“softmax 从零开始实现”的“预测”一节",
    "evaluate_accuracy_gpu": "evaluate_accuracy(net, data_iter)",
    "Animator": "learning_curve(history)：train 返回 history，训练完画一次",
    "Accumulator": "total += l.sum().item() 与 count += len(y) 这样的普通变量",
    "Timer": "time.perf_counter()：前后各取一次，相减就是秒数",
    "try_gpu": 'torch.device("cuda" if torch.cuda.is_available() else "cpu")',
    "try_all_gpus": "[torch.device(i) for i in range(torch.cuda.device_count())]；本书不需要显卡",
    "set_axes": "plot(X, Y, xlabel, ylabel, legend, xlim, ylim, xscale, yscale)",
    "semilogy": 'plot(X, Y, xlabel, ylabel, legend, yscale="log")',
    "FlattenLayer": "torch.nn.Flatten()",
    "use_svg_display": "use_book_style()",
    "get_dataloader_workers": "0（本书从内存读数据，不需要工作进程）",
    # 英文第 1 版的类
    "Module": "torch.nn.Module，写法见“线性回归的简洁实现”的“模型也可以写成类”一节",
    "Trainer": "train(net, train_iter, test_iter, loss, num_epochs, updater)",
    "DataModule": "load_array((X, y), batch_size)：它返回的 DataLoader 直接交给 train",
    "FashionMNIST": "load_data_fashion_mnist(batch_size)：返回训练与测试两个 DataLoader",
    "SyntheticRegressionData": "synthetic_data(w, b, num_examples)：返回特征与标签",
    "ProgressBoard": "learning_curve(history)：train 返回 history，训练完画一次",
    "HyperParameters": "普通的参数：写在 __init__ 里，用 self.lr = lr 存下来",
    "add_to_class": "普通的类：方法直接写在 class 里",
}


def __getattr__(name):
    hint = f"请改用 {_RENAMED[name]}" if name in _RENAMED else "全部名字可用 dir(helpers) 查看"
    message = f"helpers 里没有 {name}。{hint}。"
    # from helpers import … 先由 importlib 来问有没有这个名字；那时报 AttributeError，Python 会换成它自己的一句英文。
    if sys._getframe(1).f_code.co_name == "_handle_fromlist":
        raise ImportError(message, name="helpers")
    raise AttributeError(message)
