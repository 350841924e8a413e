"""For oracles that know nothing of names in strings: which ones a piece of code has."""

from __future__ import annotations

import ast

from ddsimport.source.quoted import names_in, with_gaps


def quoted_names(tree: ast.AST) -> set[str]:
    """The first parts of all names that strings in it may read."""
    texts: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.append(node.value)
        elif isinstance(node, ast.JoinedStr):
            texts.append(with_gaps(getattr(part, "value", None) for part in node.values))
    return {name.partition(".")[0] for text in texts for name in names_in(text)}
