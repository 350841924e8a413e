"""`python -m ddsimport`, and what `ddsimport.activate` starts as a plain file."""

from __future__ import annotations

import sys

if __package__:
    from ddsimport.cli import main
else:
    # Started as a file: the interpreter put this very folder first in sys.path, where our `config`
    # and `report` would shadow others; or, told to keep to safe paths, nothing.
    from os.path import abspath, dirname

    above = dirname(dirname(abspath(__file__)))
    if getattr(sys.flags, "safe_path", sys.flags.isolated):
        sys.path.insert(0, above)
        from ddsimport.cli import main

        sys.path.remove(above)
    else:
        sys.path[0] = above  # until the runner puts the program's folder there
        from ddsimport.cli import main

# No SystemExit where plain Python has none: under -i it would be printed.
if status := main():
    sys.exit(status)
