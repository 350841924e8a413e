"""What an attack on the replay of files, output and settings found."""

from __future__ import annotations

import os

import pytest


def test_what_lies_in_a_folder_that_is_made_if_missing(project):
    project.write(
        main="""
        import json, os
        def load():
            os.makedirs("out", exist_ok=True)
            if os.path.exists("out/c.json"):
                with open("out/c.json") as file:
                    return json.load(file), sorted(os.listdir("out"))
            with open("out/c.json", "w") as file:
                json.dump([1], file)
            return [1]
        x = load()  # dds: /x
        print(x)
        """
    )
    assert project.run().stdout == "[1]\n"
    assert project.run().stdout == "([1], ['c.json'])\n"
    assert project.run().evaluated() == set()
    (project.root / "out" / "c.json").write_text("[7]")
    assert project.run().stdout == "([7], ['c.json'])\n"
    assert (project.root / "out" / "c.json").read_text() == "[7]"
    (project.root / "out" / "new").mkdir()
    assert project.run().stdout == "([7], ['c.json', 'new'])\n"


def test_nothing_is_removed_if_something_cannot_be_put_back(project):
    project.write(
        main="""
        import os
        def work():
            with open("in.txt") as file:
                text = file.read()
            os.remove("in.txt")
            try:
                with open("o.txt", "w") as file:
                    file.write(text)
            except OSError:
                with open("o2.txt", "w") as file:
                    file.write(text)
        x = work()  # dds: /x
        """
    )
    (project.root / "in.txt").write_text("data")
    project.run()
    (project.root / "in.txt").write_text("data")
    (project.root / "o.txt").unlink()
    (project.root / "o.txt").mkdir()
    ended = project.run()
    assert (ended.code, ended.stderr) == (0, "")
    assert (project.root / "o2.txt").read_text() == "data"


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_what_was_renamed_to_a_name_replaces_what_is_there(project, link):
    project.write(
        main="""
        import os
        def work():
            with open("t.tmp", "w") as file:
                file.write("new")
            os.replace("t.tmp", "b.txt")
        x = work()  # dds: /x
        """
    )
    project.run()
    (project.root / "b.txt").unlink()
    (project.root / "k.txt").write_text("keep")
    link(project.root / "k.txt", project.root / "b.txt")
    assert project.run().evaluated() == set()
    assert (project.root / "k.txt").read_text() == "keep"
    assert (project.root / "b.txt").read_text() == "new"
    assert not (project.root / "b.txt").is_symlink()


def test_a_folder_that_is_cleaned(project):
    project.write(
        main="""
        import os, shutil
        def work():
            shutil.rmtree("out", ignore_errors=True)
            os.makedirs("out")
            with open("out/a", "w") as file:
                file.write("1")
        x = work()  # dds: /x
        print(os.listdir("out"))
        """
    )
    for _ in range(3):
        ended = project.same()
    assert ended.evaluated() == set()
    (project.root / "out" / "zz").touch()
    assert project.run().stdout == "['a']\n"


@pytest.mark.parametrize(
    "add", ["open('o.txt', 'a').write('x')", "os.write(os.open('o.txt', FLAGS), b'x')"]
)
def test_added_to_a_file_that_was_not_there(project, add):
    project.write(
        main=f"""
        import os
        FLAGS = os.O_CREAT | os.O_APPEND | os.O_WRONLY
        def work():
            {add}
        x = work()  # dds: /x
        """
    )
    for number in (1, 2, 3):
        project.run()
        assert (project.root / "o.txt").read_text() == "x" * number


def test_arguments_that_a_library_reads(project):
    project.write(
        main="""
        import argparse
        def work():
            parser = argparse.ArgumentParser()
            parser.add_argument("--n", type=int)
            return parser.parse_args().n
        x = work()  # dds: /x
        print(x)
        """
    )
    assert project.same("main.py", "--n", "1").stdout == "1\n"
    assert project.same("main.py", "--n", "5").stdout == "5\n"
    assert project.same("main.py", "--n", "1").evaluated() == set()


@pytest.mark.parametrize(
    "read",
    ["sys.stdin.read()", "next(iter(sys.stdin))", "open(0).read()", "open('/dev/stdin').read()"],
)
def test_standard_input(project, read):
    project.write(main=f"import sys\ndef f():\n    return {read}\nx = f()  # dds: /x\nprint(x)\n")
    for text in ("a\n", "b\n"):
        assert project.same(input=text).stdout == f"{text}\n"


def test_two_steps_that_use_os(project):
    project.write(
        main="""
        import os
        def g(n):
            os.makedirs("out", exist_ok=True)
            return n
        def h():
            return os.path.join("a", "b"), os.getenv("HOME") is None
        a = g(1)  # dds: /a
        b = h()  # dds: /b
        """
    )
    assert project.same().statuses == {"/a": "computed", "/b": "computed"}
    assert project.same().evaluated() == set()


def test_a_stream_that_passes_on_to_another(project):
    project.write(
        main="""
        import sys
        class Tee:
            def __init__(self, stream):
                self.stream = stream
            def write(self, text):
                self.stream.write(text)
            def flush(self):
                self.stream.flush()
        sys.stderr = Tee(sys.stdout)
        def work():
            print("inside", file=sys.stderr)
            print("too")
        x = work()  # dds: /x
        """
    )
    project.same()
    assert project.same().evaluated() == set()


@pytest.mark.parametrize(
    "change",
    [
        "os.umask(0o077)",
        "sys.setrecursionlimit(5000)",
        "decimal.getcontext().prec = 5",
        "signal.signal(signal.SIGUSR1, signal.SIG_IGN)",
        "locale.setlocale(locale.LC_ALL, 'C.UTF-8')",
        "logging.handlers.RotatingFileHandler('a').close(); log.warning('m')",
    ],
)
def test_settings_of_the_process(project, change):
    project.write(
        main=f"""
        import decimal, locale, logging.handlers, os, signal, sys
        log = logging.getLogger("own")
        log.addHandler(logging.handlers.RotatingFileHandler("own.log", maxBytes=4, backupCount=3))
        def work():
            {change}
            return 1
        x = work()  # dds: /x
        """
    )
    for _ in range(2):
        steps = project.run().steps
        assert steps[0]["status"] == "uncached"


def test_infinity_of_numpy(project):
    pytest.importorskip("numpy")
    project.write(main="import numpy as np\nx = {'a': np.float64('inf')}  # dds: /x\nprint(x)\n")
    project.same()
    assert project.same().evaluated() == set()


def test_links_and_modes(project):
    project.write(
        main="""
        import os
        from pathlib import Path
        def work():
            return (os.path.basename(os.path.realpath("l")), os.readlink("l"),
                    oct(os.stat("a").st_mode), Path("l").resolve().name)
        x = work()  # dds: /x
        print(x)
        """
    )
    for name in "ab":
        (project.root / name).touch()
    (project.root / "l").symlink_to("a")
    project.same()
    assert project.same().evaluated() == set()
    (project.root / "l").unlink()
    (project.root / "l").symlink_to("b")
    project.same()
    (project.root / "a").chmod(0o600)
    project.same()


def test_the_status_of_entries(project):
    project.write(
        main="""
        import os
        def size():
            with os.scandir("d") as entries:
                return sum(entry.stat().st_size for entry in entries if entry.is_file())
        def kinds():
            return sorted((len(a), b, c) for a, b, c in os.walk("d"))
        x = size()  # dds: /x
        y = kinds()  # dds: /y
        print(x, y)
        """
    )
    (project.root / "d").mkdir()
    (project.root / "d" / "a").write_text("1")
    project.same()
    assert project.same().evaluated() == set()
    (project.root / "d" / "a").write_text("123")
    assert project.same().evaluated() == {"/x"}
    (project.root / "d" / "a").unlink()
    (project.root / "d" / "a").mkdir()
    assert project.same().evaluated() == {"/x", "/y"}
