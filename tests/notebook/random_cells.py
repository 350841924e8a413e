"""Cells as people write, edit, delete and run again, drawn at random from a seed."""

import random

_NAMES = ("f", "g", "h")


def _function(draw, name):
    others = [other for other in _NAMES if other != name]
    other = draw.choice(others)
    number = draw.randint(1, 3)
    return draw.choice(
        (
            f"def {name}(n):\n    return n + {number}",
            f"def {name}(n):\n    return n * K + {number}",
            f"def {name}(n):\n    return {other}(n - 1) + {number} if n > 0 else {number}",
            f"def {name}(n, k={number}):\n    return C().m(n) + k",
            f"{name} = lambda n: n - {number}",
            f"{name} = {other}",
            "def make(k):\n    def inner(n):\n        return n + k + K\n    return inner\n"
            f"{name} = make({number})",
            f"{name} = {name}",
            f"if K > 1:\n    def {name}(n):\n        return {number}",
            f"def {name}(n):\n    return {number}\nraise ValueError",
            f"raise ValueError\ndef {name}(n):\n    return {number}",
            f"def twice(function):\n    return lambda n: function(function(n)) + {number}\n"
            f"{name} = twice({name})",
            f"import functools\n@functools.lru_cache\ndef {name}(n):\n    return n + K + {number}",
            f"del {name}",
            f"%%time\ndef {name}(n):\n    return {number} - n",
            f"%%capture out\ndef {name}(n):\n    return {number} - n * 2",
        )
    )


def _class(draw):
    number = draw.randint(1, 3)
    return draw.choice(
        (
            f"class C:\n    k = {number}\n    def m(self, n):\n        return n + self.k",
            f"class C:\n    def m(self, n):\n        return n + {number}",
            f"class B:\n    def p(self):\n        return {number}\n"
            "class C(B):\n    def m(self, n):\n        return n + self.p()",
            f"C.k = {number}",
            f"C.m = lambda self, n: {number}",
            "c = C()",
            "from dataclasses import dataclass\n@dataclass\nclass C:\n"
            f"    k: int = {number}\n    def m(self, n):\n        return self.k - n",
        )
    )


def _step(draw):
    number = draw.randint(0, 2)
    name = draw.choice(_NAMES)
    return draw.choice(
        (
            f"x = {name}({number})  # dds: /x",
            f"x = {name}({number}) + {draw.choice(_NAMES)}(1)  # dds: /x",
            f"y = [each.m({number}) for each in [c, C()]]  # dds: /y",
            "y = c.m(1)  # dds: /y",
            "z = (x, K)  # dds: /z",
            f"# dds: /s/{{n}}\ndef s(n):\n    return {name}(n) + {number}",
            f"x = s({number})",
            f"z = list(map({name}, range(3)))  # dds: /z",
            f"%%time\nx = {name}({number})  # dds: /x",
        )
    )


def session(seed):
    """The cells of one session."""
    draw = random.Random(seed)
    cells = ["K = 1", "def f(n):\n    return n", "g = h = f", "class C:\n    def m(self, n):\n"
             "        return n", "c = C()", "x = y = z = 0"]  # fmt: skip
    for _ in range(24):
        kind = draw.random()
        if kind < 0.3:
            cells.append(_function(draw, draw.choice(_NAMES)))
        elif kind < 0.4:
            cells.append(_class(draw))
        elif kind < 0.45:
            cells.append(f"K = {draw.randint(1, 3)}")
        elif kind < 0.55:
            cells.append(draw.choice(cells))
        else:
            cells.append(_step(draw))
        cells.append("x, y, z")
    return cells
