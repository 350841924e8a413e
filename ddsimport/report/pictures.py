"""Pictures on a terminal: by the protocol of kitty, of iTerm2, as sixels, else as half blocks.

Which one a terminal takes is told by its variables; of sixels it is asked, since terminals that
show them say so when asked what they are.
"""

from __future__ import annotations

import os
import sys
from base64 import b64encode
from typing import Literal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

Way = Literal["kitty", "iterm", "sixel", "blocks"]

_PATIENCE = 0.3
"""Seconds that a terminal has to say what it is."""
_PIXELS = 800, 600
"""The most that is shown as sixels."""


def way_of(environ: Mapping[str, str]) -> Way | None:
    """How this terminal shows pictures, as far as its variables tell."""
    term, program = environ.get("TERM", ""), environ.get("TERM_PROGRAM", "")
    if term.startswith(("screen", "tmux")) or environ.get("TMUX"):
        return None  # which hands on no picture but sixels, and says so itself
    if "kitty" in term or "KITTY_WINDOW_ID" in environ or "ghostty" in (term + program).lower():
        return "kitty"
    if program in ("iTerm.app", "WezTerm") or environ.get("LC_TERMINAL") == "iTerm2":
        return "iterm"
    return None


def on_terminal(image: bytes) -> str | None:
    """A PNG or JPEG as what standard output must be sent to show it; None if it cannot be shown."""
    way = way_of(os.environ)
    size = os.get_terminal_size(sys.stdout.fileno())
    if way == "kitty":
        return _kitty(image, size.columns)
    if way == "iterm":
        return _iterm(image)
    opened = _opened(image)
    if opened is None:
        return None
    if _takes_sixels():
        return sixels(opened)
    return blocks(opened, min(size.columns, 100), max(size.lines - 4, 10), _has_all_colours())


def _has_all_colours() -> bool:
    return os.environ.get("COLORTERM", "") in ("truecolor", "24bit")


def _opened(image: bytes) -> Any:
    """The picture, without what is transparent; None without PIL, or if it cannot be read."""
    try:
        from io import BytesIO

        from PIL import Image
    except ImportError:
        return None
    try:
        picture = Image.open(BytesIO(image)).convert("RGBA")
    except (OSError, ValueError):
        return None
    ground = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(ground, picture).convert("RGB")


def _kitty(image: bytes, columns: int) -> str:
    """https://sw.kovidgoyal.net/kitty/graphics-protocol/: PNG, in pieces of 4096 letters."""
    if not image.startswith(b"\x89PNG"):
        opened = _opened(image)
        if opened is None:
            return ""
        from io import BytesIO

        buffer = BytesIO()
        opened.save(buffer, "PNG")
        image = buffer.getvalue()
    wide = int.from_bytes(image[16:20], "big")  # of its header
    fit = f",c={columns}" if wide > columns * 8 else ""
    data = b64encode(image).decode()
    pieces = [data[place : place + 4096] for place in range(0, len(data), 4096)]
    sent = []
    for number, piece in enumerate(pieces):
        more = int(number < len(pieces) - 1)
        keys = f"f=100,a=T,q=2{fit},m={more}" if number == 0 else f"m={more}"
        sent.append(f"\x1b_G{keys};{piece}\x1b\\")
    return "".join(sent) + "\n"


def _iterm(image: bytes) -> str:
    """https://iterm2.com/documentation-images.html"""
    data = b64encode(image).decode()
    return f"\x1b]1337;File=inline=1;size={len(image)};preserveAspectRatio=1:{data}\x07\n"


def blocks(picture: Any, columns: int, lines: int, all_colours: bool) -> str:
    """Half blocks: each letter shows two pixels, one by its colour, one by that behind it."""
    scale = min(columns / picture.width, 2 * lines / picture.height, 1.0)
    wide, high = max(1, round(picture.width * scale)), max(2, round(picture.height * scale))
    high += high % 2
    small = picture.resize((wide, high))
    pixels = small.load()
    code = _of_all_colours if all_colours else _of_256_colours
    drawn = []
    for y in range(0, high, 2):
        line = "".join(
            f"\x1b[38;{code(pixels[x, y])};48;{code(pixels[x, y + 1])}m▀" for x in range(wide)
        )
        drawn.append(line + "\x1b[0m\n")
    return "".join(drawn)


def _of_all_colours(pixel: tuple[int, int, int]) -> str:
    return "2;{};{};{}".format(*pixel)


def _of_256_colours(pixel: tuple[int, int, int]) -> str:
    """Of the cube of 6 x 6 x 6 colours that terminals have from 16 on."""
    red, green, blue = (round(each / 255 * 5) for each in pixel)
    return f"5;{16 + 36 * red + 6 * green + blue}"


def sixels(picture: Any) -> str:
    """https://vt100.net/docs/vt3xx-gp/chapter14.html: six lines at a time, colour by colour."""
    picture = picture.copy()
    picture.thumbnail(_PIXELS)
    indexed = picture.quantize(64)
    palette = indexed.getpalette()[: 64 * 3]
    sent = [f'\x1bPq"1;1;{indexed.width};{indexed.height}']
    for number in range(len(palette) // 3):
        red, green, blue = (
            round(each * 100 / 255) for each in palette[3 * number : 3 * number + 3]
        )
        sent.append(f"#{number};2;{red};{green};{blue}")
    pixels = list(indexed.tobytes())
    for top in range(0, indexed.height, 6):
        bands: dict[int, list[int]] = {}
        for line in range(min(6, indexed.height - top)):
            start = (top + line) * indexed.width
            for x, colour in enumerate(pixels[start : start + indexed.width]):
                bands.setdefault(colour, [0] * indexed.width)[x] |= 1 << line
        for colour, bits in bands.items():
            sent.append(f"#{colour}{_run_lengths(bits)}$")
        sent.append("-")
    return "".join(sent) + "\x1b\\\n"


def _run_lengths(bits: list[int]) -> str:
    found: list[str] = []
    start = 0
    for place in range(1, len(bits) + 1):
        if place == len(bits) or bits[place] != bits[start]:
            letter, count = chr(63 + bits[start]), place - start
            found.append(f"!{count}{letter}" if count > 3 else letter * count)
            start = place
    return "".join(found)


def _takes_sixels() -> bool:
    """Ask the terminal what it is; among what it answers, a 4 means sixels."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    try:
        import select
        import termios
        import tty
    except ImportError:
        return False
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    answer = b""
    try:
        tty.setcbreak(terminal)
        sys.stdout.write("\x1b[c")
        sys.stdout.flush()
        while not answer.endswith(b"c") and select.select([terminal], [], [], _PATIENCE)[0]:
            answer += os.read(terminal, 64)
    finally:
        termios.tcsetattr(terminal, termios.TCSANOW, before)
    return b"4" in answer.strip(b"\x1b[?c").split(b";")[1:]
