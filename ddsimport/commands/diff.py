"""`python -m ddsimport diff A [B]`: how two values differ, and what they were made from."""

from __future__ import annotations

import argparse
import difflib
import json
import sys

from ddsimport.commands import common
from ddsimport.errors import CodecError, StoreError
from ddsimport.report import table
from ddsimport.report.code import Code
from ddsimport.report.past import Past
from ddsimport.values.difference import difference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ddsimport.commands.common import Artifact
    from ddsimport.store.provenance import Quantity
    from ddsimport.store.store import Store

_MOST_LINES = 200
"""Lines of the diff of two texts."""


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    parser = common.parser_of(
        "diff",
        "How two values differ: shape, types, the first place where they are not the same; and the "
        "code and inputs that they were made from. Without B, what A shows now is compared with "
        "what it showed before.",
        found="they differ",
    )
    parser.add_argument("old", metavar="A", help="such as /wine/model, /wine/model@8bfbe639")
    parser.add_argument(
        "new", metavar="B", nargs="?", help="likewise; @8bfbe639 and @-1 are versions of A"
    )
    return common.run(parser, arguments, _tell)


def _tell(options: argparse.Namespace, store: Store) -> int:
    common.find_modules_here()
    old, new = _both(store, options.old, options.new)
    past = Past(store, common.configured(options).project)
    values = list(_values(store, old, new))
    before, after = (past.provenance(each.signature) for each in (old, new))
    code, inputs, variables = [], [], []
    if before is not None and after is not None:
        code = Code(past).differences(before, after)
        inputs = list(_quantities(before.inputs, after.inputs))
        variables = list(_quantities(before.variables, after.variables))
    same = old.blob == new.blob
    if options.json:
        facts = {
            "old": _facts(old),
            "new": _facts(new),
            "same": same,
            "value": values,
            "inputs": inputs,
            "variables": variables,
            "code": [each.as_dict() for each in code],
        }
        sys.stdout.write(json.dumps(facts) + "\n")
        return common.DONE if same else common.FOUND
    sys.stdout.write(f"--- {old.name}\n+++ {new.name}\n")
    if same:
        sys.stdout.write("the same value\n")
    if values and values[0].startswith("--- "):
        sys.stdout.write(table.coloured_diff("\n".join(values)) + "\n")
    else:
        sys.stdout.write("".join(f"{table.harmless(line)}\n" for line in values))
    sys.stdout.write("".join(f"input {line}\n" for line in inputs))
    sys.stdout.write("".join(f"variable {line}\n" for line in variables))
    for each in code:
        sys.stdout.write(f"\n{each.kind}: {each.name} in {each.file}\n")
        sys.stdout.write(table.coloured_diff(each.diff) + "\n")
    if before is None or after is None:
        sys.stdout.write("of which code they were made was not noted then\n")
    return common.DONE if same else common.FOUND


def _both(store: Store, first: str, second: str | None) -> tuple[Artifact, Artifact]:
    """The older one first, where only one is named. Raises StoreError."""
    one = common.artifact(store, first)
    if second is None:
        if one.version is not None:
            return one, common.artifact(store, one.path)
        return common.artifact(store, f"{one.path}@-1"), one
    return one, common.artifact(store, one.path + second if second[:1] == "@" else second)


def _facts(artifact: Artifact) -> dict[str, object]:
    return {key: value for key, value in artifact.as_dict().items() if key != "version"}


def _values(store: Store, old: Artifact, new: Artifact) -> Iterator[str]:
    if old.blob == new.blob:
        return
    values = []
    for each in (old, new):
        try:
            values.append(_value(store, each))
        except (StoreError, CodecError) as error:
            yield f"{each.name} cannot be loaded here: {error}"
    if len(values) < 2:
        return
    if all(type(value) is str and "\n" in value for value in values):
        before, after = (value.splitlines() for value in values)
        told = list(difflib.unified_diff(before, after, old.name, new.name, lineterm="", n=2))
        yield from told[:_MOST_LINES]
        if len(told) > _MOST_LINES:
            yield f"and {len(told) - _MOST_LINES:,} lines more"
        return
    found = difference(*values)
    yield from found or ["no difference is to be seen: the same value, in other bytes"]


def _value(store: Store, artifact: Artifact) -> Any:
    """What is compared: of a frame of Spark, which itself tells nothing, the table that it is.
    Raises StoreError, CodecError."""
    if artifact.codec != "spark":
        return store.load(artifact.path, artifact.version)
    from ddsimport.values.codecs._spark import table_of

    store.others.check(artifact.path, artifact.signature, artifact.blob)
    return table_of(store.file_content(artifact.blob, artifact.size))[0]


def _quantities(old: tuple[Quantity, ...], new: tuple[Quantity, ...]) -> Iterator[str]:
    before = {each.name: each for each in old}
    after = {each.name: each for each in new}
    for name, quantity in after.items():
        if name not in before:
            yield f"{name}: new ({_said(quantity)})"
        elif before[name].digest != quantity.digest:
            yield f"{name}: {_said(before[name])} -> {_said(quantity)}"
    for name, quantity in before.items():
        if name not in after:
            yield f"{name}: gone (it was {_said(quantity)})"


def _said(quantity: Quantity) -> str:
    return quantity.summary or f"a value with digest {quantity.digest[:8]}"
