"""`python -m benchmarks [hits] [processes] [digests] [values]`: all by default, in one run."""

from __future__ import annotations

import sys
from importlib import import_module

SUITES = ("hits", "processes", "digests", "values")


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in SUITES]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are: {', '.join(SUITES)}", file=sys.stderr)
        return 2
    print(f"Python {sys.version.split()[0]}; medians, and ratios to the first line of each table")
    for name in names or SUITES:
        import_module(f"benchmarks.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
