"""For oracles that know nothing of names in strings: which ones a piece of code has."""

from __future__ import annotations

import ast

from ddsimport.source.quoted import names_in
from ddsimport.source.reads import text_of


def quoted_names(tree: ast.AST) -> set[str]:
    """The first parts of all names that strings in it may read."""
    texts = [text for node in ast.walk(tree) if (text := text_of(node)) is not None]
    return {name.partition(".")[0] for text in texts for name in names_in(text)}
