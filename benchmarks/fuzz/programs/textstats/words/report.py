"""The figures as lines."""

from .tokens import LOWER


def _line(label, value, *, width=18):
    return f"{label:<{width}}{value}\n"


def render(*, counts, score, lengths):
    lines = [_line("words", len(counts)), _line("score", round(score, 1))]
    if lengths:
        lines.append(_line("longest sentence", max(lengths)))
    lines.append(_line("case", "folded" if LOWER else "kept", width=20))
    return "".join(lines)
