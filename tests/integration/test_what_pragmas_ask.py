"""Options of pragmas that change what is counted, kept and replayed."""

from __future__ import annotations

import os
import time

import pytest


def _age(project, days):
    """Make all that is kept older."""
    from ddsimport.store.seals import sealed, unsealed

    for path in (project.root / ".dds" / "entries").rglob("*"):
        if path.is_file():
            record = unsealed(path.read_bytes())
            record.pop("seal")
            for candidate in record["candidates"]:
                created = time.gmtime(time.time() - days * 86400)
                candidate["created"] = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", created)
                for variable in candidate["variables"]:
                    if variable[0] == "until:":
                        variable[1] = str(float(variable[1]) - days * 86400)
            path.chmod(0o600)
            path.write_bytes(sealed(record))


def test_ttl(project):
    project.write(
        main="""
        def fetch():
            return 1
        def twice():
            a = fetch()  # dds: /fetch ttl=1d
            return 2 * a
        x = twice()  # dds: /x
        print(x)
        """
    )
    project.same()
    assert project.same().evaluated() == set()
    _age(project, 0.5)
    assert project.same().evaluated() == set()
    _age(project, 2)
    assert project.same().evaluated() == {"/fetch", "/x"}
    assert project.same().evaluated() == set()


def test_a_step_around_one_that_was_a_hit_is_as_old(project):
    project.write(
        main="""
        def fetch():
            return 1
        def twice(n):
            a = fetch()  # dds: /fetch ttl=1d
            return 2 * a + n
        a = fetch()  # dds: /first ttl=1d
        x = twice(0)  # dds: /x
        print(x)
        """
    )
    project.same()
    _age(project, 0.7)
    project.edit("main.py", "twice(0)", "twice(1)")
    assert project.same().evaluated() == {"/x"}
    _age(project, 0.4)  # created a moment ago, of something that is older than a day by now
    assert "/x" in project.same().evaluated()


def test_cache_off(project):
    project.write(
        main="""
        n = 0
        def f():
            return 1
        x = f()  # dds: /x cache=off
        print(x)
        """
    )
    for _ in range(2):
        steps = project.same().steps
        assert [(step["status"], step["reason"]) for step in steps] == [
            ("uncached", "its pragma says `cache=off`")
        ]


def test_replay_off(project):
    project.write(
        main="""
        import random
        random.seed(3)
        def f():
            print("working")
            open("out.txt", "w").close()
            return random.random()
        x = f()  # dds: /x replay=off
        """
    )
    assert project.same().stdout == "working\n"
    (project.root / "out.txt").unlink()
    ended = project.run()
    assert (ended.stdout, ended.evaluated()) == ("", set())
    assert not (project.root / "out.txt").exists()
    project.edit("main.py", " replay=off", "")
    assert project.run().evaluated() == {"/x"}


def test_replay_off_for_all(project):
    (project.root / "pyproject.toml").write_text('[tool.ddsimport]\nreplay = "off"\n')
    project.write(main="x = print('hello')  # dds: /x\n")
    assert project.run().stdout == "hello\n"
    assert project.run().stdout == ""
    (project.root / "pyproject.toml").write_text('[tool.ddsimport]\nreplay = "never"\n')
    assert "replay must be one of off, truncated" in project.run().stderr


@pytest.mark.parametrize(("option", "kept"), [("", False), ("replay=truncated", True)])
def test_too_much_output(project, option, kept):
    project.write(main=f"x = print('a' * 3_000_000)  # dds: /x {option}\n")
    first = project.same()
    assert (first.statuses["/x"] == "computed") == kept
    again = project.run()
    assert (again.evaluated() == set()) == kept
    assert len(again.stdout) == (1 << 20 if kept else 3_000_001)


def test_declared_files_and_variables(project):
    project.write(
        main="""
        import os
        def f():
            return 1
        x = f()  # dds: /x files=data/*.csv,other.txt env=LEVEL
        print(x)
        """
    )
    data = project.root / "data"
    data.mkdir()
    (data / "a.csv").write_text("1")
    project.same()
    assert project.same().evaluated() == set()
    changes = [
        lambda: (data / "a.csv").write_text("2"),
        lambda: (data / "b.csv").touch(),
        lambda: (data / "b.csv").unlink(),
        lambda: (project.root / "other.txt").touch(),
    ]
    for number, change in enumerate(changes):
        change()
        # What was there before is still kept.
        assert project.same().evaluated() == (set() if number == 2 else {"/x"})
        assert project.same().evaluated() == set()
    (data / "no.txt").touch()
    os.utime(data / "a.csv", (1, 1))
    assert project.same().evaluated() == set()
    assert project.same(environment={"LEVEL": "3"}).evaluated() == {"/x"}
    assert project.same(environment={"LEVEL": "3"}).evaluated() == set()
    project.edit("main.py", " env=LEVEL", "")
    assert project.same().evaluated() == {"/x"}


def test_what_is_not_reproducible_is_said(project):
    project.write(
        main="""
        import random, time, uuid
        from datetime import datetime as moment
        def f():
            return time.time(), moment.now(), uuid.uuid4(), random.random()
        x = f()  # dds: /x
        """
    )
    spoken = project.python("-m", "ddsimport", "main.py").stderr
    assert "its code reads the clock (datetime.datetime.now, time.time)" in spoken
    assert "its code draws random bits of the system (uuid.uuid4)" in spoken
    assert "it drew from the global random numbers of random" in spoken
    assert spoken.count("reads the clock") == 1
    again = project.python("-m", "ddsimport", "main.py").stderr
    assert "clock" not in again


def test_a_connection_asks_for_ttl(project):
    project.write(
        main="""
        import socket
        def f(port):
            socket.create_connection(("127.0.0.1", port)).close()
            return 1
        server = socket.create_server(("127.0.0.1", 0))
        port = server.getsockname()[1]
        x = f(port)  # dds: /x
        y = f(port)  # dds: /y ttl=1h
        """
    )
    steps = {step["path"]: step["reason"] for step in project.run().steps}
    assert "with `ttl=1d` in its pragma it is evaluated again when older" in steps["/x"]
    assert "it connected" not in steps["/y"]


def test_what_is_dearer_to_keep_than_to_evaluate(project):
    """The value takes its time to be written, whatever machine this is."""
    project.write(
        main="""
        import time
        class Slow:
            def __init__(self, number):
                self.number = number
            def __reduce__(self):
                time.sleep(1.2)
                return Slow, (self.number,)
        def make(number):
            return Slow(number)
        x = make(3)  # dds: /x
        y = make(4)  # dds: /y cache=always
        print(x.number, y.number)
        """
    )
    for _ in range(2):
        ended = project.same()
        reason = next(step["reason"] for step in ended.steps if step["path"] == "/x")
        assert "`cache=always` in its pragma keeps it all the same" in reason
        assert not project.view("/x").exists()
    assert ended.statuses == {"/x": "uncached", "/y": "hit"}
