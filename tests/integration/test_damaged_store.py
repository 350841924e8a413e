"""Whatever is damaged in the store, the program gives what plain Python gives, and goes on."""

from __future__ import annotations

import os
import random
import shutil

import pytest

_PROGRAM = {
    "main.py": """
import sys
from helper import numbers, total
import ddsimport
n = int(open("n.txt").read())
x = numbers(n)  # dds: /x
y = total(x)  # dds: /deep/y
z = {"a", n}  # dds: /z
print(len(x), y, sorted(map(str, z)))
""",
    "helper.py": """
def numbers(n):
    print("numbers")
    with open("left.txt", "w") as file:
        file.write("left" * n)
    return list(range(n * 1000)) + [b"bytes" * 400_000]
def total(x):
    return sum(x[:-1])
""",
    "n.txt": "7",
}


@pytest.fixture
def used(project):
    project.write_files(_PROGRAM)
    for number in ("7", "8"):
        (project.root / "n.txt").write_text(number)
        project.run()
    project.python("-m", "ddsimport", "ls")  # the index, too
    return project


def checked(project, what):
    """Both ways the same, and again, and nothing is damaged once it was mended."""
    for _ in range(2):
        plainly = project.plain()
        left = (project.root / "left.txt").read_text()
        under = project.run()
        assert (under.stdout, under.code) == (plainly.stdout, plainly.code), what
        assert (project.root / "left.txt").read_text() == left, what
        assert "Traceback" not in under.stderr, what
    ended = project.python("-m", "ddsimport", "verify")
    assert ended.returncode in (0, 1) and ended.stderr == "", (what, ended.stderr)
    assert project.python("-m", "ddsimport", "verify").returncode == 0, what
    assert project.run().stdout == plainly.stdout, what
    assert project.run().evaluated() == set(), what


@pytest.mark.parametrize("seed", range(20))
def test_one_byte_of_any_file(used, seed):
    chance = random.Random(seed)
    store = used.root / ".dds"
    # Each folder of the store as often as any other: most files are facts.
    top = chance.choice(sorted(path for path in store.iterdir() if any(path.rglob("*"))))
    path = chance.choice(sorted(path for path in top.rglob("*") if path.is_file()))
    data = bytearray(path.read_bytes())
    if not data:
        return
    place = chance.randrange(len(data))
    data[place] ^= 1 << chance.randrange(8)
    path.chmod(0o600)
    path.write_bytes(data)
    checked(used, f"byte {place} of {path.relative_to(store)}")


@pytest.mark.parametrize(
    "folder",
    ["blobs", "entries", "views", "data", "history", "facts", "index", "locks", "tmp", "checked"],
)
@pytest.mark.parametrize("how", ["removed", "a file", "read-only"])
def test_a_folder_that_is_gone_or_cannot_be_used(used, folder, how):
    place = used.root / ".dds" / folder
    if not place.exists():
        place.mkdir()
    if how == "read-only":
        if os.geteuid() == 0:
            pytest.skip("root may write everywhere")
        place.chmod(0o500)
    else:
        shutil.rmtree(place)
        if how == "a file":
            place.write_text("in the way")
    for _ in range(2):
        assert used.run().stdout == used.plain().stdout
    if how == "removed":
        checked(used, folder)
    elif how == "read-only":
        place.chmod(0o700)
