"""Tables for terminals: drawn by `rich` where that is installed and somebody looks, else columns of
plain text that programs can cut apart.

Imports nothing but `os`, `re` and `sys` where it draws by itself: the summary of each run does.
"""

from __future__ import annotations

import os
import re
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import TextIO

    Row = Sequence[str]

GOOD, BAD, WEAK, STRONG, REMOVED, ADDED = "32", "1;31", "2", "1", "31", "32"
"""Colours, as terminals take them."""

_OBEYED = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""What a terminal obeys in place of showing it (escape codes, other directions of writing), and
what is no character; but for tabs and the ends of lines."""

_NARROWEST = 8
"""Columns that one which is cut keeps at least."""


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a stream goes to a terminal that takes escape codes."""
    try:
        looks = stream is not None and stream.isatty()
    except ValueError:  # closed
        return False
    return looks and os.environ.get("TERM", "dumb") != "dumb"


def is_coloured(stream: TextIO | None) -> bool:
    """Whether colours are wanted there (see no-color.org)."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


def width_of(stream: TextIO | None) -> int | None:
    """How many columns a terminal has; None for what is none: there nothing is cut."""
    if stream is None or not is_terminal(stream):
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def coloured(text: str, colour: str, stream: TextIO | None) -> str:
    """The text in a colour, if the stream takes it."""
    return f"\x1b[{colour}m{text}\x1b[0m" if text and colour and is_coloured(stream) else text


def harmless(text: str) -> str:
    """A text of others, such as a value, with what would command the terminal spelt out."""
    return _OBEYED.sub(lambda found: repr(found[0])[1:-1], text)


def shown(
    head: Row,
    rows: Sequence[Row],
    *,
    right: Collection[int] = (),
    colours: Sequence[str] = (),
    stream: TextIO | None = None,
    quickly: bool = False,
) -> str:
    """A table for a stream.

    Args:
        right: columns of numbers.
        colours: of each row; by default none has one.
        stream: by default standard output.
        quickly: `rich` takes a tenth of a second to import, which is too much now.
    """
    stream = sys.stdout if stream is None else stream
    if is_coloured(stream) and not quickly:
        drawn = _by_rich(head, rows, right, colours, width_of(stream))
        if drawn is not None:
            return drawn
    colours = colours if is_coloured(stream) else ()
    return plain(head, rows, right=right, colours=colours, width=width_of(stream))


def plain(
    head: Row,
    rows: Sequence[Row],
    *,
    right: Collection[int] = (),
    colours: Sequence[str] = (),
    width: int | None = None,
) -> str:
    """A table as plain text, a line for each row.

    Args:
        width: columns that there are; the widest is cut so that it fits.
    """
    lines = [head, *rows] if head else list(rows)
    if not lines:
        return ""
    widths = [max(len(row[column]) for row in lines) for column in range(len(lines[0]))]
    if width is not None:
        while sum(widths) + 2 * (len(widths) - 1) > width and max(widths) > _NARROWEST:
            widths[widths.index(max(widths))] -= 1
    drawn = []
    for number, row in enumerate(lines):
        cells = [
            cell.rjust(size) if column in right else cell.ljust(size)
            for column, (cell, size) in enumerate(zip(map(_cut, row, widths), widths, strict=True))
        ]
        line = "  ".join(cells).rstrip()
        place = number - bool(head)
        colour = colours[place] if colours and place >= 0 else STRONG if colours else ""
        drawn.append(f"\x1b[{colour}m{line}\x1b[0m" if colour else line)
    return "\n".join(drawn)


def _cut(cell: str, size: int) -> str:
    return cell if len(cell) <= size else cell[: size - 1] + "…"


_OF_RICH = {GOOD: "green", BAD: "bold red", WEAK: "dim", STRONG: "bold", "": ""}


def _by_rich(
    head: Row,
    rows: Sequence[Row],
    right: Collection[int],
    colours: Sequence[str],
    width: int | None,
) -> str | None:
    """None: it is not installed."""
    try:
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        return None
    table = Table(
        box=box.SIMPLE_HEAD if head else None,
        show_header=bool(head),
        show_edge=False,
        pad_edge=False,
    )
    for column in range(len(head or rows[0])):
        table.add_column(
            head[column] if head else "",
            justify="right" if column in right else "left",
            overflow="fold",
        )
    for place, row in enumerate(rows):
        style = _OF_RICH.get(colours[place] if colours else "", "")
        table.add_row(*(Text(cell, style=style) for cell in row))
    console = Console(width=width, force_terminal=True, highlight=False)
    with console.capture() as captured:
        console.print(table)
    return "\n".join(line.rstrip() for line in captured.get().strip("\n").splitlines())


def coloured_diff(text: str) -> str:
    """A unified diff, for standard output."""
    text = harmless(text)
    if not is_coloured(sys.stdout):
        return text
    colours = {"+": ADDED, "-": REMOVED, "@": "36"}
    return "\n".join(
        coloured(line, STRONG if line.startswith(("+++", "---")) else colours.get(line[:1], ""),
                 sys.stdout)
        for line in text.splitlines()
    )  # fmt: skip


def indented_diff(text: str) -> str:
    """The same below what it belongs to, its last line ended."""
    return "".join(f"    {line}\n" for line in coloured_diff(text).splitlines())
