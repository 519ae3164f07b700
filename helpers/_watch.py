"""训练途中的检查：预测、损失、梯度与参数有没有按训练该有的样子变化。都在更新参数之前，不另外遍历数据。"""

import math

import torch

from helpers._check import shown

# ---------------------------------------------------------------- 预测与损失


def predict(net, X):
    y_hat = net(X)
    if not isinstance(y_hat, torch.Tensor):
        advice = "请只取要用的那一个：lambda X: net(X)[0]。" if isinstance(y_hat, tuple | list) else _forgotten(y_hat)
        raise TypeError(f"net(X) 要给出一个张量；收到 {shown(y_hat)}。{advice}")
    return y_hat


def _forgotten(value):
    return "函数里是不是忘了写 return？" if value is None else ""


def per_example(l, y_hat, y):
    """``loss`` 返回的 ``l`` 要是每个样本一个数；换成 (批量,)。"""
    if not isinstance(l, torch.Tensor):
        advice = "不要用 .item() 取出数来。" if isinstance(l, float) else _forgotten(l)
        raise TypeError(f"loss 要返回张量，每个样本一个数；收到 {shown(l)}。{advice}")
    if l.numel() != len(y) or l.dim() == 0:
        raise ValueError(
            f"loss 要返回每个样本的损失（这一批应有 {len(y)} 个数）；收到形状 {tuple(l.shape)}。"
            f"{_why_not_per_example(l, y_hat, y)}"
        )
    return l.reshape(len(y))


def _why_not_per_example(l, y_hat, y):
    n = len(y)
    if l.numel() == 1:
        return (
            '它已经求和或取平均了：nn 的损失请写 reduction="none"，自己写的函数不要 .sum() 或 .mean()。'
            "由训练循环取平均，才说得清除以谁。"
        )
    if l.numel() == n * n and y_hat.numel() == y.numel() == n:
        shapes = f"y_hat 的形状是 {tuple(y_hat.shape)}，y 的形状是 {tuple(y.shape)}，相减时广播开了。"
        shape = ", ".join(["-1", *map(str, y_hat.shape[1:])])
        return f"{shapes}请把标签改成与预测同形：y = y.reshape({shape})。" if y.shape != y_hat.shape else shapes
    if len(l) == n:
        return (
            f"每个样本有 {l.numel() // n} 个数，要先合成一个，例如 "
            "lambda y_hat, y: loss(y_hat, y).flatten(start_dim=1).mean(dim=1)。"
        )
    return f"y_hat 的形状是 {tuple(y_hat.shape)}，y 的形状是 {tuple(y.shape)}。"


def finite_sum(l, epoch, X, y_hat, y, updated):
    """这一批损失之和；不是有限数就报错，此时参数还没有更新。``updated``：之前更新过没有。"""
    total = l.detach().sum().item()
    if not math.isfinite(total):
        reason = _why_not_finite(X, y_hat.detach(), y, updated)
        raise FloatingPointError(f"第 {epoch} 轮的损失变成了 nan 或 inf。{reason}参数停在这一步之前。")
    return total


def _why_not_finite(X, y_hat, y, updated):
    for name, tensor in [("X", X), ("y", y)]:
        if not is_finite(tensor):
            return f"数据里就有：这一批的 {name} 有 nan 或 inf，请用 {name}.isfinite() 找出来，改好或去掉。"
    if is_finite(y_hat) and (y_hat >= 0).all() and (y_hat <= 1).all():
        return "预测是概率，对 0 取了对数：请让 net 输出未规范化的数，损失改用 nn.CrossEntropyLoss。"
    if updated:
        return "多半是学习率太大，参数已经走偏：请重新建立模型，学习率除以 10 再试；特征的数值很大时先归一化。"
    return "常见原因：学习率太大、输入里有 nan、对概率 0 取了对数（改用 nn.CrossEntropyLoss）。"


# ---------------------------------------------------------------- 梯度


def check_differentiable(l):
    if not l.requires_grad:
        raise RuntimeError(
            "损失与任何参数都无关，求不出梯度：参数的 requires_grad 都是 False（全冻结了），"
            "或者中途用了 .item()、.detach()、torch.no_grad()。"
        )


def is_finite(tensor):
    """没有 nan 与 inf。有的话和必定不是有限的数，所以先只求和，快得多；和也可能上溢，那时才逐个看。"""
    return math.isfinite(tensor.sum()) or bool(tensor.isfinite().all())


def check_finite_gradients(params):
    """损失有限时梯度也可能是 nan（例如 √0 的导数）；更新之前发现，参数才保得住。"""
    if not all(is_finite(param.grad) for param in params if param.grad is not None):
        raise FloatingPointError(
            "梯度里有 nan 或 inf，参数停在这一步之前。常见原因：对 0 开方或取对数、除以 0，或学习率太大。"
        )


def with_gradient(params):
    """有梯度的参数。没有的若是模型里的层，是冻结了或没有用到；若是自己写的张量，就是写错了。"""
    reached = [param for param in params if param.is_leaf and param.grad is not None]
    if len(reached) < len(params):
        _check_missing(params, reached)
    return reached


def _check_missing(params, reached):
    for i, param in enumerate(params):
        if not param.is_leaf:
            raise RuntimeError(
                f"params[{i}] 是由别的张量算出来的，反向传播不给它存梯度。"
                f"请在建好之后写 params[{i}] = params[{i}].detach().requires_grad_()。"
            )
        if param.grad is None and not (reached and isinstance(param, torch.nn.Parameter)):
            raise RuntimeError(f"params[{i}] 还没有梯度。{_why_no_gradient(i, param, reached)}")


def _why_no_gradient(i, param, reached):
    if not param.requires_grad:
        return f"它的 requires_grad 是 False：请写 params[{i}].requires_grad_()，再重新算损失。"
    if reached:
        return "损失与它无关：算 y_hat 时没有用到它。"
    return "请先对损失调用 backward()。"


# ---------------------------------------------------------------- 训练改动了参数没有


def check_optimizer(net, params):
    """反向传播之后、更新之前：优化器里的参数要得到梯度，否则训练什么也改不了。"""
    own = dict(net.named_parameters()) if isinstance(net, torch.nn.Module) else {}
    kept, updated = set(map(id, own.values())), set(map(id, params))
    without = [param for param in params if param.grad is None]
    renew = "请在建立模型之后重新写 optimizer = torch.optim.SGD(net.parameters(), lr=0.1)。"
    if len(without) == len(params):
        raise ValueError(f"优化器里的参数没有一个得到梯度，训练改不了这个模型。{_why_no_update(params, kept)}{renew}")
    # 换过一层：优化器里留着已经不在模型里的参数，而模型里新的参数有梯度却没有人更新
    new = [name for name, param in own.items() if param.grad is not None and id(param) not in updated]
    if new and any(id(param) not in kept for param in without):
        raise ValueError(
            f"优化器里有已经不在模型里的参数，而模型里的 {'、'.join(new)} 它不更新，多半是换过一层。{renew}"
        )


def _why_no_update(params, kept):
    if not any(param.requires_grad for param in params):
        return "它们都冻结了（requires_grad 是 False）。"
    if any(id(param) in kept for param in params):
        return "它们在模型里，但 net(X) 没有用到。"
    return "多半是重新建立了模型，而优化器还是旧的。"


class StartingPoint:
    """损失所依赖的参数与它们开头的值。见到有一个变了就不再比，所以通常只比一批。"""

    def __init__(self):
        self.values, self.pulled, self.num_steps = [], False, 0

    def remember(self, l):
        """走第一步之前记下参数。"""
        if self.num_steps == 0:
            self.values = [(param, param.detach().clone()) for param in _leaves(l)]
        self.num_steps += 1

    def look_at_gradients(self):
        """梯度全是 0 的，本来就不该变（例如已经在最低点）。"""
        self.pulled = self.pulled or any(bool(p.grad.any()) for p, _ in self.values if p.grad is not None)

    def look_at_params(self):
        if any(not torch.equal(param, value) for param, value in self.values):
            self.values = []

    def left_alone(self):
        return bool(self.values) and self.pulled


def _leaves(l):
    """计算图里需要梯度的叶子：损失用到的参数。net 是函数时，也只有从这里看得出是哪些。"""
    leaves, seen, nodes = [], set(), [l.grad_fn]
    while nodes:
        node = nodes.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            leaves.append(node.variable)
        nodes += [parent for parent, _ in node.next_functions]
    return leaves
