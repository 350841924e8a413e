"""Text to words."""

import re

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
LOWER = True


def tokenize(text):
    if LOWER:
        text = text.lower()
    return _WORD.findall(text)


def sentences(text):
    for part in re.split(r"[.!?]+", text):
        part = part.strip(' "')
        if part:
            yield part
