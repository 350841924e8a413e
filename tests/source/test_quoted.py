"""Names in strings: what pandas, formulas and duckdb look up in the frame that calls."""

from __future__ import annotations

import pytest

from ddsimport.source.quoted import names_in


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a > @LIMIT and b < @ other", ["LIMIT", "other"]),
        ("a > @conf.limit", ["conf.limit"]),
        ("@f(a, @b)", ["f", "b"]),
        ("me@example.org", []),
        ("y ~ scale(x) + np.log(z)", ["y", "scale", "x", "np.log", "z"]),
        ("~ C(a):b", ["C", "a", "b"]),
        ("~/data/raw.csv", []),
        ("takes ~5 minutes per table", []),
        ("select a from t", ["t"]),
        ("SELECT * FROM t AS u, other o\nJOIN last ON a = b", ["t", "other", "last"]),
        ("with w as (select * from t) select * from w", ["t", "w"]),
        ("  from t", ["t"]),
        ("select the best", []),
        ("numbers from a table", []),
        ("a plain sentence", []),
        ("", []),
    ],
)  # fmt: skip
def test_names_in(text, names):
    assert names_in(text) == names
