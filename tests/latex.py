"""把书里的公式算出来：认得书里用到的那一部分 LaTeX。sympy 的 parse_latex 要另装 antlr，也不认得上标 (i)。

两个向量或矩阵相乘是矩阵乘法；下标里的数字从 1 数起，字母是循环的编号或已知的量；上标 (i) 是第 i 个样本。
"""

import math
import re

import torch

TOKEN = re.compile(r"\\[A-Za-z]+|\d+(?:\.\d+)?|[A-Za-z]+_hat|ones|\S")
DROPPED = re.compile(
    r"\\text\{[^}]*\}|\\left|\\right|\\[,;]|\\quad\b|\{\}|&|\\(?:begin|end)\{aligned\}|\(\s*w\s*,\s*b\s*\)"
)
FUNCTIONS = {r"\exp": torch.exp, r"\log": torch.log, r"\sigma": torch.sigmoid}
LOOPS = {r"\sum": sum, r"\prod": math.prod}


def parts(latex):
    """一个公式里并列的几个式子，每个是等号连起来的几段。"""
    latex = re.sub(
        r"\\(?:mathbf|boldsymbol)\{(\w)\}", lambda bold: " ones " if bold[1] == "1" else f" {bold[1]} ", latex
    )
    latex = DROPPED.sub(" ", re.sub(r"\\hat\{\s*(\w)\s*\}", r" \1_hat ", latex))
    rows = re.split(r"\\\\(?=\s*(?:[a-zA-Z]|\\frac|\\nabla))|\\qquad|\\Longrightarrow", latex)
    return [[part.strip().rstrip(" .,\\") for part in re.split(r"(?<![a-z])=(?!\d)", row)] for row in rows]


class Reader:
    """递归下降：每个方法读一段记号，返回由各个量（字典）算出值的函数。"""

    def __init__(self, latex):
        self.tokens = [*TOKEN.findall(latex.replace(r"\\", " ")), None]

    def take(self, *wanted):
        return self.tokens.pop(0) if not wanted or self.tokens[0] in wanted else None

    def expression(self):
        total = self.product()
        while sign := self.take("+", "-"):
            total = combined(total, torch.add if sign == "+" else torch.sub, self.product())
        return total

    def product(self):
        if self.take("-"):
            value = self.product()
            return lambda env: -value(env)
        value = self.factor()
        while self.tokens[0] not in ("+", "-", ")", "}", None):
            value = combined(value, torch.div if self.take("/") else multiply, self.factor())
        return value

    def braced(self):
        if not self.take("{"):
            return self.atom()
        value = self.expression()
        self.take("}")
        return value

    def factor(self):
        value = self.atom()
        while mark := self.take("_", "^"):
            value = self.subscript(value) if mark == "_" else self.superscript(value)
        return value

    def subscript(self, value):
        digits, index = self.tokens[self.tokens[0] == "{"], self.braced()
        if digits.isdigit():
            return lambda env: value(env)[tuple(int(digit) - 1 for digit in digits)]
        return lambda env: value(env)[int(index(env))]

    def superscript(self, value):
        if self.take(r"\top"):
            return lambda env: value(env).T if value(env).dim() > 1 else value(env)
        if self.tokens[:4] == ["{", "-", "1", "}"]:
            del self.tokens[:4]
            return lambda env: torch.linalg.inv(value(env))
        sample = self.tokens[1] == "("
        index = self.braced()
        return lambda env: value(env)[int(index(env))] if sample else value(env) ** index(env)

    def atom(self):
        token = self.take()
        if token == "(":
            value = self.expression()
            self.take(")")
            return value
        if token == r"\frac":
            return combined(self.braced(), torch.div, self.braced())
        if token in LOOPS:
            return self.loop(LOOPS[token])
        if token in FUNCTIONS and (token != r"\sigma" or self.tokens[0] == "("):
            argument = self.factor()
            return lambda env: FUNCTIONS[token](argument(env))
        if re.match(r"\d", token):
            return lambda env: torch.tensor(float(token)).double()
        return lambda env: env[token.lstrip("\\")]

    def loop(self, combine):
        """Σ 与 ∏：各个编号有几个，由 env["各有几个"] 给出。"""
        self.take("_")
        braced, index = self.take("{"), self.take()
        while braced and self.take() != "}":  # 从 1 起，不必看
            pass
        if self.take("^"):
            self.braced()
        body = self.product()
        return lambda env: combine(body(env | {index: i}) for i in range(env["各有几个"][index]))


def combined(a, operation, b):
    return lambda env: operation(*(torch.as_tensor(each(env), dtype=torch.float64) for each in (a, b)))


def multiply(a, b):
    return a @ b if a.dim() and b.dim() else a * b


def evaluate(latex, env):
    reader = Reader(latex)
    value = reader.expression()
    assert reader.tokens == [None], f"读到 {reader.tokens[0]} 就读不下去了：{latex}"
    return value(env)
