"""The style in use is the last one that somebody has chosen."""

from types import SimpleNamespace


class Plain:
    width = 8
    mark = "*"
    least = 1
    separator = "\n"


STYLE = SimpleNamespace(width=10, mark="#", least=2, separator="; ")
if Plain.width < STYLE.width:
    STYLE = Plain
