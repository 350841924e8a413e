"""`python -m benchmarks [hits] [processes] [digests] [values] [recording]`: by default all, in one.

`precision`, `analysis` and `galleries`, which download what they look at, and `scale`, which fills
a disk, run when they are asked for, with options of their own:
`python -m benchmarks analysis --plot cost.png`.
"""

from __future__ import annotations

import sys
from importlib import import_module

SUITES = ("hits", "processes", "digests", "values", "recording")
WITH_OPTIONS = ("precision", "analysis", "galleries", "scale", "forecast")


def main(names: list[str]) -> int:
    if names and names[0] in WITH_OPTIONS:
        import_module(f"benchmarks.{names[0]}").main(names[1:])
        return 0
    unknown = [name for name in names if name not in SUITES]
    if unknown:
        known = ", ".join((*SUITES, *WITH_OPTIONS))
        print(f"unknown: {', '.join(unknown)}; there are: {known}", file=sys.stderr)
        return 2
    print(f"Python {sys.version.split()[0]}; medians, and ratios to the first line of each table")
    for name in names or SUITES:
        import_module(f"benchmarks.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
