"""The suite of edits itself: it must be able to find fault, and with nobody but the guilty."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.soundness.__main__ import main
from benchmarks.soundness.cases import Case, CaseError, cases
from benchmarks.soundness.judge import BrokenCaseError, judge, truth
from benchmarks.soundness.tools import Tool

_PEER = "from soundness_peer import STORE"
_KEPT = (
    "(open(STORE).read() if __import__('os').path.exists(STORE) else"
    " (lambda v: (open(STORE, 'w').write(v), v)[1])({f}({arguments})))"
)
NEVER_KEEPS = Tool("never", "", imports=_PEER, call="{f}({arguments})")
NEVER_LOOKS = Tool("always", "", imports=_PEER, call=_KEPT)
RAISES = Tool("raises", "", imports=_PEER, call="1 / 0")
BY_THE_TEXT_OF_MAIN = Tool(
    "text", "", imports=_PEER + "; STORE += str(len(open('main.py').read()))", call=_KEPT
)
BY_THE_HASH_SEED = Tool(
    "seed", "", imports=_PEER + "; STORE += str(hash('unstable'))", call=_KEPT
)  # fmt: skip

CASE = """
=== body
--- main.py
def run(v):
    return 'one'
x = run(1)  # dds: /x
print(x)
+++ main.py: 'one' -> {after}
"""


@pytest.fixture
def case(tmp_path: Path):
    def make(after: str) -> Case:
        return read(tmp_path, CASE.format(after=after))

    return make


def read(folder: Path, text: str) -> Case:
    (folder / "cases.txt").write_text(text)
    (found,) = cases(folder / "cases.txt")
    return found


@pytest.mark.parametrize(
    ("tool", "after", "word"),
    [
        (NEVER_KEEPS, "'two'", "needless"),
        (NEVER_KEEPS, "('one')", "needless"),
        (NEVER_LOOKS, "'two'", "STALE"),
        (NEVER_LOOKS, "('one')", "ok"),
        (RAISES, "'two'", "error"),
        (BY_THE_TEXT_OF_MAIN, "'three'", "ok"),
        (BY_THE_TEXT_OF_MAIN, "'two'", "STALE"),
        (BY_THE_TEXT_OF_MAIN, "('one')", "needless"),
        (BY_THE_HASH_SEED, "'two'", "needless"),
        (BY_THE_HASH_SEED, "('one')", "needless"),
    ],
)
def test_a_tool_is_judged_by_what_it_does(case, tool, after, word):
    edited = case(after)
    must = "one" not in after
    verdict = judge(edited, tool, truth(edited, must=must), must=must)
    assert verdict.word == word, verdict


def test_a_case_that_says_nothing_is_broken(case):
    with pytest.raises(BrokenCaseError, match="prints the same"):
        truth(case("('one')"), must=True)
    with pytest.raises(BrokenCaseError, match=r"'one\\n' before and 'two\\n' after"):
        truth(case("'two'"), must=False)
    with pytest.raises(BrokenCaseError, match="ZeroDivisionError"):
        truth(case("1 / 0"), must=True)


def test_every_kind_of_edit(tmp_path):
    case = read(
        tmp_path,
        """
=== all of them
: python 3.99
: needs nothing_at_all
: arguments one
: environment A=1
--- main.py
a
b
--- old.py
--- here.py
x
+++ main.py: a -> c
d
+++ main.py: b
 ->
+++ new.py
n
+++ old.py deleted
+++ here.py moved to there/it.py
+++ arguments two three
+++ environment B=2
+++ directory work
+++ folder
""",
    )
    assert case.before.files == {"main.py": "a\nb\n", "old.py": "\n", "here.py": "x\n"}
    assert case.after.files == {"main.py": "c\nd\n", "new.py": "n\n", "there/it.py": "x\n"}
    assert (case.before.arguments, case.after.arguments) == (("one",), ("two", "three"))
    assert (case.before.environment, case.after.environment) == ({"A": "1"}, {"A": "1", "B": "2"})
    assert (case.before.directory, case.after.directory) == (".", "work")
    assert (case.python, case.needs, case.is_moved) == ((3, 99), ("nothing_at_all",), True)


def test_an_edit_that_changes_nothing_is_an_error(tmp_path):
    with pytest.raises(CaseError, match="all: 'b' is not in main"):
        read(tmp_path, "=== all\n--- main.py\na\n+++ main.py: b -> c\n")


def test_the_command_fails_if_and_only_if_ddsimport_does(capsys, monkeypatch):
    wanted = ["--only", "ddsimport", "-j", "1", "--case", "must: own body"]
    assert main(wanted) == 0
    assert "own body" in capsys.readouterr().out
    monkeypatch.setattr("benchmarks.soundness.__main__.truth", _wrong_truth)
    assert main(wanted) == 1
    assert "ddsimport: error: own body" in capsys.readouterr().out


def _wrong_truth(case, *, must):
    from benchmarks.soundness.judge import Truth

    return Truth("nobody prints this", "nor this")
