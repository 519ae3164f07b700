"""有编号的公式与代码相符：把网页上的 LaTeX 直接算出来，与 helpers、torch 的结果比。算不了的由 pins.json 钉住。"""

import math

import pytest
import torch
from torch.nn import functional as F

import helpers
from tests.book import open_book, where
from tests.latex import evaluate, parts

torch.manual_seed(0)
N, D, Q, I, J, C = 5, 2, 2, 4, 1, 1  # 样本数、特征数、类别数；看第几个样本、第几个输出；正确的是第几类
FEATURES, TARGET = torch.randn(N, D, dtype=torch.float64), torch.randn(N, dtype=torch.float64)
WEIGHT, BIAS = torch.randn(D, dtype=torch.float64, requires_grad=True), torch.tensor(0.7, dtype=torch.float64)
PREDICTION = helpers.linreg(FEATURES, WEIGHT.detach().reshape(-1, 1), BIAS).reshape(-1)
LOSSES = helpers.squared_loss(PREDICTION, TARGET)
INPUTS = torch.randn(N, 4, dtype=torch.float64)
WEIGHTS = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
BIASES = torch.randn(3, dtype=torch.float64, requires_grad=True)
SCORES, LABELS = torch.randn(N, Q, dtype=torch.float64, requires_grad=True), torch.tensor([0, 1, 1, 0, 1])
PROBABILITIES, ONE_HOT = helpers.softmax(SCORES.detach()), F.one_hot(LABELS, Q).double()
CROSS_ENTROPY = helpers.cross_entropy(PROBABILITIES, LABELS)
SIGMA, Z = torch.tensor(1.3, dtype=torch.float64), torch.tensor(0.4, dtype=torch.float64)


def gradient(loss, of):
    return torch.autograd.grad(loss, of)[0]


def mean_loss(w):
    return helpers.squared_loss(FEATURES @ w + BIAS, TARGET).mean()


def regression(**more):
    """回归里的各个量；一个样本时 x 是它的特征，几个样本时 x 的第 i 行是第 i 个的。"""
    known = {"X": FEATURES, "x": FEATURES, "y": TARGET, "w": WEIGHT.detach(), "b": BIAS, "y_hat": PREDICTION}
    sizes = {"各有几个": {"i": N}, "n": N, "i": I, "ell": LOSSES, "sigma": SIGMA, "pi": math.pi}
    return known | sizes | more


def classification(**more):
    """分类里的各个量；一个样本的 o、y_hat 是一行，c 是正确的类别。"""
    known = {"o": SCORES[I].detach(), "y_hat": PROBABILITIES[I], "y": ONE_HOT[I], "c": C, "j": J}
    return known | {"各有几个": {"i": N, "j": Q, "k": Q}, "n": N, "a": Z, "T": SIGMA, "z": Z} | more


NO_BIAS = regression(y=TARGET - BIAS)
BATCH = {"y_hat": PROBABILITIES, "c": LABELS, "L": CROSS_ENTROPY.mean()}
LINEAR = {"X": FEATURES, "Y_hat": PROBABILITIES, "Y": ONE_HOT, "ones": torch.ones(N, dtype=torch.float64)}
NET = torch.zeros(D, Q, dtype=torch.float64, requires_grad=True)
OFFSET = SCORES.detach()  # 让 XW + b 在 W = 0 处正好是 SCORES：梯度里的概率就是 PROBABILITIES
MANY = F.cross_entropy(FEATURES @ NET + OFFSET, LABELS, reduction="sum")
NLL = -torch.distributions.Normal(PREDICTION, SIGMA).log_prob(TARGET).sum()
BINARY = [F.binary_cross_entropy_with_logits(Z, torch.tensor(y, dtype=torch.float64)) for y in (0.0, 1.0)]

# 标签 → 各个并列的式子：(各个量, 代码算出的)；等号右边的每一段都要等于它。None 是不算的式子
FORMULAS = {
    "eq-linear-scalar": [(regression(x=FEATURES[I]), PREDICTION[I])],
    "eq-linear-vector": [(regression(x=FEATURES[I]), PREDICTION[I])],
    "eq-linear-matrix": [(regression(), PREDICTION)],
    "eq-squared-loss": [(regression(), LOSSES[I])],
    "eq-mean-loss": [(regression(), LOSSES.mean())],
    "eq-normal": [(NO_BIAS, gradient(mean_loss(WEIGHT), WEIGHT)), None],
    "eq-closed-form": [(NO_BIAS, torch.linalg.lstsq(FEATURES, (TARGET - BIAS).reshape(-1, 1)).solution.reshape(-1))],
    "eq-linear-gradient": [
        (
            regression(x=FEATURES[:, 0]),
            gradient(helpers.squared_loss(FEATURES[I] @ WEIGHT + BIAS, TARGET[I]), WEIGHT)[0],
        ),
        (regression(), PREDICTION[I] - TARGET[I]),
    ],
    "eq-nll": [(regression(), NLL)],
    "eq-logits-scalar": [
        ({"x": INPUTS[I], "w": WEIGHTS.detach(), "b": BIASES.detach()}, (INPUTS[I] @ WEIGHTS + BIASES)[j].detach())
        for j in range(3)
    ],
    "eq-logits-matrix": [
        ({"X": INPUTS, "W": WEIGHTS.detach(), "b": BIASES.detach()}, helpers.linreg(INPUTS, WEIGHTS, BIASES).detach())
    ],
    "eq-softmax": [(classification(), PROBABILITIES[I, J]), None],
    "eq-shift": [(classification(e=torch.tensor(math.e).double()), PROBABILITIES[I, J])],
    "eq-temperature": [(classification(), helpers.softmax(SCORES.detach() / SIGMA)[I, J])],
    "eq-logistic": [(classification(), PROBABILITIES[I, 1])],
    "eq-cross-entropy": [(classification(), CROSS_ENTROPY[I])],
    "eq-cross-entropy-c": [(classification(c=LABELS[I]), CROSS_ENTROPY[I])],
    "eq-cross-entropy-mean": [(classification(**BATCH), CROSS_ENTROPY.mean())],
    "eq-ce-likelihood": [(classification(**BATCH), CROSS_ENTROPY.sum())],
    "eq-ce-logits": [(classification(c=LABELS[I]), CROSS_ENTROPY[I])],
    "eq-ce-gradient": [
        (classification(), gradient(F.cross_entropy(SCORES, LABELS, reduction="none")[I], SCORES)[I, J])
    ],
    "eq-softmax-gradient": [(LINEAR, gradient(MANY, NET)), (LINEAR, (PROBABILITIES - ONE_HOT).sum(dim=0))],
    "eq-logsumexp": [(classification(m=SCORES[I].max().detach()), torch.logsumexp(SCORES[I], 0).detach()), None],
    "eq-bce": [(classification(y=float(y)), BINARY[y]) for y in (0, 1)],
}


@pytest.mark.parametrize("label", FORMULAS)
def test_formula_is_what_the_code_computes(label):
    page = next(page for page in open_book().chapters if f"equation-{label}" in page.ids)
    rows, cases = parts(page.ids[f"equation-{label}"].select_one(".katex").get_text()), FORMULAS[label]
    place = where(page.name, label)
    assert len(cases) % len(rows) == 0, f"{place}：并列的式子有 {len(rows)} 个，FORMULAS 里写了 {len(cases)} 个"
    for (_, *right), case in zip(rows * (len(cases) // len(rows)), cases):
        for part in right if case else []:
            if not part.startswith(r"\operatorname") and part != "0":
                message = f"{place}：{part} 与代码算出的不同"
                torch.testing.assert_close(evaluate(part, case[0]), case[1], msg=message)
