"""A made-up project of any size, for cost against size."""

from __future__ import annotations

from pathlib import Path

_FUNCTION = '''
def f{number}(x, factor={number}, *, scale=1.5):
    """Fold a table, row by row."""
    total = LIMIT * factor
    for index, row in enumerate(x):
        if row is None or index > LIMIT:
            continue
        total += sum(value * scale for value in row if value > {number})
    return {call}(total, [index for index in range(factor)])
'''
LINES_EACH = 10
FUNCTIONS = 20
"""In each module: 200 lines."""

_FANOUT = 4


def write(root: Path, lines: int) -> tuple[Path, list[Path]]:
    """Write `main.py` and a package of about so many lines into `root`; gives their files.

    A module uses four others, those four more, and so on: the step in `main` (line 2) reaches all.
    """
    modules = max(1, lines // (LINES_EACH * FUNCTIONS))
    package = root / "project"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    files = []
    for number in range(modules):
        below = range(number * _FANOUT + 1, min(number * _FANOUT + 1 + _FANOUT, modules))
        text = "".join(f"from project import m{other}\n" for other in below)
        text += f"LIMIT = {number + 10}\n"
        for index in range(FUNCTIONS):
            call = f"f{index - 1}" if index else "print"
            if index < len(below):
                call = f"m{below[index]}.f{FUNCTIONS - 1}"
                if index:
                    text += f"def g{index}(x): return f{index - 1}(x)\n"
                    call = f"g{index}({call})"
            text += _FUNCTION.format(number=index, call=call)
        path = package / f"m{number}.py"
        path.write_text(text)
        files.append(path)
    main = root / "main.py"
    main.write_text(f"from project import m0\nvalue = m0.f{FUNCTIONS - 1}([])  # dds: /value\n")
    return main, files
