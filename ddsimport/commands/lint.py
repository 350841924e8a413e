"""`python -m ddsimport lint script.py`: what the text of a program already tells."""

from __future__ import annotations

import json
import os
import sys

from ddsimport.commands import common
from ddsimport.lint import CODES, lint
from ddsimport.report.table import STRONG, coloured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    parser = common.parser_of(
        "lint",
        "What the text of programs tells without running them: pragmas that can never hit, values "
        "that rest on chance or the clock, steps that nothing reads, globals that are changed. "
        "Marked modules that a script imports are looked at, too.",
        found="there is something to say",
        more="codes:\n" + "\n".join(f"  {code}  {said}" for code, said in CODES.items()),
    )
    parser.add_argument("scripts", metavar="SCRIPT", nargs="+", help="a script")
    parser.add_argument(
        "--ignore",
        metavar="CODES",
        default="",
        help="what is not to be told, such as DDS301,DDS2 (all that begin with it)",
    )
    options = parser.parse_args(arguments)
    common.no_notebooks(parser, options.scripts)
    ignored = tuple(filter(None, map(str.strip, options.ignore.split(","))))
    for code in ignored:
        if not any(each.startswith(code) for each in CODES):
            parser.error(f"there is no code {code}; there are: {', '.join(CODES)}")
    facts = os.path.join(common.configured(options).store, "facts")
    found = lint(options.scripts, facts if os.path.isdir(facts) else None)
    found = [each for each in found if not (ignored and each.code.startswith(ignored))]
    for each in found:
        if options.json:
            sys.stdout.write(json.dumps(each.as_dict()) + "\n")
            continue
        where = coloured(f"{each.file}:{each.line}:", STRONG, sys.stdout)
        path = f" {each.path}" if each.path else ""
        sys.stdout.write(f"{where} {each.code}{path}: {each.said}; {each.remedy}\n")
    if not found and not options.json:
        sys.stdout.write("nothing to say\n")
    return common.FOUND if found else common.DONE
