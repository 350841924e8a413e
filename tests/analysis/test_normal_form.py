"""Texts that mean the same have one normal form, others do not; on every Python alike."""

from __future__ import annotations

import ast
import glob
import json
import os
import random
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ddsimport
from ddsimport.analysis.facts import DEF_DIGEST, DEF_EXTRAS, TOP_DIGEST, Facts, facts_of

ROOT = os.path.dirname(os.path.dirname(ddsimport.__file__))
LIBRARY = os.path.dirname(os.__file__)
PYTHONS = [
    path for v in ("3.10", "3.12", "3.13") if os.path.exists(path := f"/opt/v{v}/bin/python")
]


def form(text: str) -> Any:
    """What hashes see of a text: digests without positions."""
    facts = facts_of(text)
    assert not facts.whole, facts.note
    return (
        [definition[:2] + definition[4:8] for definition in facts.definitions],
        [top[:2] for top in facts.top],
        facts.stars,
        facts.exports,
    )


SAME = [
    ("x = 'a'", 'x = "a"'),
    ("x = 'a' 'b'", 'x = """ab"""'),
    ("x = 'a' f'{y}' 'b' 'c'", "x = f'a{y}bc'"),
    ("x = f'{{{y}}}'", "x = f'{{' f'{y}' f'}}'"),
    ("x = f'{y=}'", "x = f'y={y!r}'"),
    ("x = f'{y=!s}'", "x = f'y={y!s}'"),
    (r"x = '\x41\u0042\103\n'", 'x = """ABC\n"""'),
    (r"x = '\N{LATIN SMALL LETTER A}'", "x = 'a'"),
    (r"x = r'\d'", r"x = '\\d'"),
    (r"x = '\d'", r"x = r'\d'"),
    (r"x = b'\x00\101'", r"x = b'\0A'"),
    ("x = 'a\\\nb'", "x = 'ab'"),
    ("x = 0xFF", "x = 2_55"),
    ("x = 1e3", "x = 1000.0"),
    ("x = 1_0J", "x = 10.0j"),
    ("x = (1)", "x = 1"),
    ("x = (1, 2)", "x = 1, 2,"),
    ("x[(1, 2)]", "x[1, 2]"),
    ("f((x for x in y))", "f(x for x in y)"),
    ("a = b and c and d", "a = (b and c) and (d)"),
    ("if x:\n    pass\n    f()", "if x: f()"),
    ("try:\n    f()\nfinally:\n    g()", "try: f()\nfinally: g()"),
    ("with (a as b, c as d,):\n    f()", "with a as b, c as d:\n    f()"),
    ("def f(a, b,): return (a)", "def f(a, b):\n\treturn a"),
    ("class A(): x = 1", "class A:\n    'doc'\n    x = 1"),
    ("match x:\n    case [a, b]: f()", "match x:\n    case (a, b):\n        f()"),
    ("x: int = 3", "x = 3"),
    ("f(a)  # why", "f(a)"),
    ("def f():\n    'doc'", "def f():\n    pass"),
    ("x = 'a'\r\ny = 1\r\n", "x = 'a'\ny = 1\n"),
    ("@ d\ndef f(): pass", "@d\n\n# why\n\ndef f(): pass"),
]

DIFFERENT = [
    ("x = 1", "x = 1.0"),
    ("x = 1", "x = True"),
    ("x = 0.0", "x = -0.0"),
    ("x = 1.0", "x = 1j"),
    ("x = 'a'", "x = b'a'"),
    ("x = 'a'", "x = a"),
    ("x = 'ab'", "x = 'a', 'b'"),
    ("x = 'None'", "x = None"),
    ("x = ...", "x = None"),
    ("x = (1,)", "x = 1"),
    ("x[1,]", "x[1]"),
    ("x[*a]", "x[a]"),
    ("x[1:2]", "x[1, 2]"),
    ("x[1:]", "x[:1]"),
    ("x = [1]", "x = (1,)"),
    ("x = {1}", "x = {1: 1}"),
    ("a < b < c", "(a < b) < c"),
    ("a - (b - c)", "a - b - c"),
    ("a and b or c", "a and (b or c)"),
    ("not a == b", "(not a) == b"),
    ("-a ** b", "(-a) ** b"),
    ("f(a, b)", "f((a, b))"),
    ("f(*a)", "f(a)"),
    ("f(**a)", "f(*a)"),
    ("f(a=b)", "f(a == b)"),
    ("f'{x}'", "f'{x!r}'"),
    ("f'{x:>3}'", "f'{x:<3}'"),
    ("f'{x:{y}}'", "f'{x:y}'"),
    ("f'{x}{y}'", "f'{x} {y}'"),
    ("f'{x}'", "'{x}'"),
    ("f'{x=}'", "f'{x = }'"),
    (r"x = rb'\n'", r"x = b'\n'"),
    ("def f(a, b): pass", "def f(a, *, b): pass"),
    ("def f(a, b): pass", "def f(a, /, b): pass"),
    ("def f(*a): pass", "def f(**a): pass"),
    ("def f(a=1): pass", "def f(a): pass"),
    ("def f(a): pass", "def f(b): pass"),
    ("def f(): pass", "async def f(): pass"),
    ("def f(): pass", "def g(): pass"),
    ("def f(): pass", "@d\ndef f(): pass"),
    ("@d\ndef f(): pass", "@d()\ndef f(): pass"),
    ("def f(): return", "def f(): return 1"),
    ("def f(): yield x", "def f(): yield from x"),
    ("def f(): x = 1", "def f():\n    global x\n    x = 1"),
    ("def f(): x: int", "def f(): pass"),
    ("class A:\n    x: int", "class A:\n    x: str"),
    ("class A:\n    x: int = 1", "class A:\n    x = 1"),
    ("class A(B): pass", "class A: pass"),
    ("class A(x=B): pass", "class A(B): pass"),
    ("[a for b in c if d]", "[a for b in c for d in e]"),
    ("[a for b in c]", "(a for b in c)"),
    ("{a: b for c in d}", "{a for c in d}"),
    ("for x in y: f()", "for x in y:\n    f()\nelse:\n    g()"),
    ("for x in y: f()", "for x in y: pass"),
    ("while x: break", "while x: continue"),
    ("if a: f()\nelif b: g()", "if a: f()\nif b: g()"),
    ("with a as b: f()", "with a, b: f()"),
    ("try: f()\nexcept A: g()", "try: f()\nexcept A as e: g()"),
    ("try: f()\nexcept A: g()", "try: f()\nexcept A: g()\nelse: h()"),
    ("try: f()\nexcept* A: g()", "try: f()\nexcept A: g()"),
    ("raise A", "raise A from B"),
    ("assert a", "assert a, b"),
    ("del a", "a"),
    ("x = y = z", "x, y = z"),
    ("x += 1", "x -= 1"),
    ("x = 1", "x: y = 1; z"),
    ("lambda: x", "lambda x: x"),
    ("lambda *x: x", "lambda x: x"),
    ("match x:\n    case A(b): f()", "match x:\n    case A(b=c): f()"),
    ("match x:\n    case a | 1: f()", "match x:\n    case 1: f()"),
    ("match x:\n    case {1: a}: f()", "match x:\n    case {1: a, **r}: f()"),
    ("match x:\n    case [a, *_]: f()", "match x:\n    case [a, *b]: f()"),
    ("match x:\n    case a if b: f()", "match x:\n    case a: f()"),
    ("match x:\n    case None: f()", "match x:\n    case A.none: f()"),
    ("def f():\n    import a", "def f():\n    import a as b"),
    ("def f():\n    from a import b", "def f():\n    from .a import b"),
    ("def f():\n    f(1)\n    pass", "def f():\n    f(1)\n    ..."),
    ("(x := 1)", "(y := 1)"),
    ("x.y", "x.z"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same(one: str, other: str) -> None:
    assert form(one) == form(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different(one: str, other: str) -> None:
    if "except*" in one and sys.version_info < (3, 11):
        pytest.skip("syntax of 3.11")
    if "[*a]" in one and sys.version_info < (3, 11):
        pytest.skip("syntax of 3.11")
    assert form(one) != form(other)


def test_all_different_forms_are_different() -> None:
    texts = {text for pair in DIFFERENT for text in pair}
    forms: dict[str, str] = {}
    for text in sorted(texts):
        if sys.version_info < (3, 11) and ("except*" in text or "[*a]" in text):
            continue
        seen = forms.setdefault(json.dumps(form(text)), text)
        assert seen == text


def test_docstrings_and_annotations_are_kept_apart() -> None:
    plain, noted = (
        facts_of(text).definitions[0]
        for text in ("def f(x): pass", "def f(x: int) -> str:\n    'doc'")
    )
    assert plain[DEF_DIGEST] == noted[DEF_DIGEST]
    assert plain[DEF_EXTRAS] == "" != noted[DEF_EXTRAS]


def corpus(count: int, seed: int = 0) -> list[str]:
    paths = sorted(glob.glob(f"{LIBRARY}/*.py") + glob.glob(f"{LIBRARY}/*/*.py"))
    paths = [path for path in paths if "site-packages" not in path and "test" not in path]
    chosen = random.Random(seed).sample(paths, count)
    texts = []
    for path in chosen:
        with open(path, encoding="utf-8", errors="ignore") as file:
            texts.append(file.read())
    return texts


@pytest.mark.skipif(sys.version_info < (3, 12), reason="older unparse mangles nested f-strings")
def test_unparsed_library_has_the_same_form() -> None:
    for text in corpus(40):
        assert form(text) == form(ast.unparse(ast.parse(text)))


def test_black_and_narrow_black_change_nothing() -> None:
    black = pytest.importorskip("black")
    for text in corpus(40, seed=1):
        if len(text) > 12_000:
            continue
        for width in (40, 120):
            formatted = black.format_str(text, mode=black.Mode(line_length=width))
            assert form(text) == form(formatted)


@given(
    st.recursive(
        st.one_of(
            st.integers(),
            st.floats(allow_nan=False, allow_infinity=False),
            st.text(),
            st.binary(),
            st.booleans(),
            st.none(),
        ),
        lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    ),
    st.integers(min_value=0, max_value=2**32),
)
@settings(max_examples=150, deadline=None)
def test_a_literal_is_known_by_its_value(value: Any, seed: int) -> None:
    """However a literal is spelled, two texts agree exactly if `repr` of their values does."""
    text = f"x = {value!r}"
    spelled = f"x = ({_spelled(value, random.Random(seed))})"
    assert repr(ast.literal_eval(spelled[4:])) == repr(value)
    assert form(text) == form(spelled)
    other = f"x = {[value, value]!r}"
    assert form(text) != form(other)


def _spelled(value: Any, chance: random.Random) -> str:
    if type(value) is int and value >= 0:
        return chance.choice([hex, oct, bin, "{:_}".format, repr])(value)
    if type(value) is str:
        escaped = "".join(
            chance.choice([f"\\U{ord(c):08x}", c])
            if c.isprintable() and c not in "\\'\""
            else f"\\U{ord(c):08x}"
            for c in value
        )
        cut = chance.randint(0, value.count("") - 1) if escaped == value else 0
        return f"'{escaped[:cut]}' \"{escaped[cut:]}\"" if cut else f'"""{escaped}"""'
    if type(value) is bytes:
        return "b'" + "".join(f"\\x{byte:02x}" for byte in value) + "'"
    if type(value) is list:
        return "[" + "".join(f"({_spelled(item, chance)}),\n" for item in value) + "]"
    if type(value) is tuple:
        return "(" + "".join(f"{_spelled(item, chance)}," for item in value) + ")"
    return repr(value)


def _digests(facts: Facts) -> list[str]:
    return [d[DEF_DIGEST] for d in facts.definitions] + [t[TOP_DIGEST] for t in facts.top]


_ASK = """
import json, sys
from ddsimport.analysis.facts import facts_of
print(json.dumps([facts_of(text).record for text in json.load(sys.stdin)]))
"""


@pytest.mark.parametrize("python", PYTHONS)
def test_every_python_makes_the_same_facts(python: str) -> None:
    """Of texts that all of them can parse."""
    texts = [text for text in corpus(20, seed=2) if "except*" not in text and "type " not in text]
    done = subprocess.run(
        [python, "-c", _ASK],
        input=json.dumps(texts),
        env={**os.environ, "PYTHONPATH": ROOT},
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = json.loads(done.stdout)
    compared = 0
    for text, their in zip(texts, theirs, strict=True):
        ours = json.loads(json.dumps(facts_of(text).record))
        if not ours["whole"] and not their["whole"]:
            assert ours == their
            compared += 1
    assert compared >= 10
