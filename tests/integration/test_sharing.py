"""Two checkouts of one project as two users, with a remote between them."""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import servers
from blake3 import blake3
from projects import Outcome, Project

pytest.importorskip("cryptography")

PROGRAM = """
import sys, time

class Model:
    def __init__(self, weight):
        self.weight = weight

def read():
    print("reading", open("data.csv").read().strip())
    return {"rows": [1, 2, 3]}

def fit(raw):
    return Model(sum(raw["rows"]))

def write(model):
    with open("report.txt", "w") as file:
        file.write(f"weight {model.weight}")
    return "done"

raw = read()  # dds: /raw
model = fit(raw)  # dds: /model
said = write(model)  # dds: /report
print(model.weight, said, open("report.txt").read())
"""


class User:
    """Somebody with a checkout, a store and keys of his own."""

    def __init__(self, folder: Path, remote: str, environment: dict[str, str], more: str) -> None:
        self.project = Project(folder / "project")
        self.keys = folder / "keys"
        self.environment = {**environment, "DDSIMPORT_KEYS": str(self.keys)}
        self.project.write(main=PROGRAM)
        (self.project.root / "data.csv").write_text("1,2,3\n")
        settings = f'[tool.ddsimport]\nremote = "{remote}"\n{more}'
        (self.project.root / "pyproject.toml").write_text(settings)

    def run(self, *arguments: str) -> Outcome:
        return self.project.run(*arguments, environment=self.environment)

    def says(self, *arguments: str) -> tuple[int, str, str]:
        """A subcommand, or a run that is not quiet: its code and what it says."""
        ended = self.project.python("-m", "ddsimport", *arguments, environment=self.environment)
        return ended.returncode, ended.stdout, ended.stderr

    def makes_a_key(self) -> str:
        code, key, errors = self.says("key", "create")
        assert code == 0, errors
        return key.strip()

    def trusts(self, key: str) -> None:
        assert self.says("key", "trust", key, "--name", "Ann")[0] == 0

    def forgets(self) -> None:
        shutil.rmtree(self.project.root / ".dds", ignore_errors=True)


def _users(tmp_path: Path, remote: str, environment: dict[str, str] | None = None, more: str = ""):
    return [
        User(tmp_path / name, remote, environment or {}, more if name == "ann" else "")
        for name in ("ann", "bob")
    ]


@pytest.fixture(scope="module")
def seaweedfs(tmp_path_factory) -> Iterator[servers.Server]:
    pytest.importorskip("obstore")
    with servers.seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as server:
        yield server


@pytest.fixture(scope="module")
def rclone(tmp_path_factory) -> Iterator[servers.Server]:
    pytest.importorskip("obstore")
    with servers.rclone(tmp_path_factory.mktemp("rclone")) as server:
        yield server


@pytest.fixture
def folder(tmp_path) -> Path:
    """A remote that is a folder, which a test can do to what it likes."""
    return tmp_path / "remote"


def _objects(folder: Path, kind: str) -> list[Path]:
    return sorted(path for path in (folder / kind).rglob("*") if path.is_file())


def test_a_second_user_hits_everything(seaweedfs, tmp_path):
    url = f"{seaweedfs.url}/everything"
    ann, bob = _users(tmp_path, url, seaweedfs.environment, "remote_push = true\n")
    bob.trusts(ann.makes_a_key())
    first = ann.run()
    assert first.evaluated() == {"/raw", "/model", "/report"}
    assert first.stderr == ""
    plainly = bob.project.plain()
    (bob.project.root / "report.txt").unlink()
    second = bob.run()
    assert second.evaluated() == set()
    assert (second.stdout, second.stderr) == (plainly.stdout, "")
    assert (bob.project.root / "report.txt").read_text() == "weight 6"
    offline = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    bob.environment.update(offline)
    third = bob.run()  # from his own store, and nobody is asked
    assert (third.evaluated(), third.stdout, third.stderr) == (set(), plainly.stdout, "")


def test_an_edit_that_does_not_matter_hits_the_values_of_another(seaweedfs, tmp_path):
    url = f"{seaweedfs.url}/edits"
    ann, bob = _users(tmp_path, url, seaweedfs.environment, "remote_push = true\n")
    bob.trusts(ann.makes_a_key())
    ann.run()
    bob.project.edit("main.py", "weight = weight", "weight = 0 + weight")
    second = bob.run()  # of Model, which /model and /report run
    assert second.evaluated() == {"/model"} | (second.evaluated() & {"/report"})
    assert second.statuses["/raw"] == "hit"
    (bob.project.root / "data.csv").write_text("4\n")
    assert "/raw" in bob.run().evaluated()


def test_a_pickle_is_refused_without_trust_and_taken_with_it(seaweedfs, tmp_path):
    url = f"{seaweedfs.url}/trust"
    ann, bob = _users(tmp_path, url, seaweedfs.environment, "remote_push = true\n")
    key = ann.makes_a_key()
    ann.run()
    code, output, errors = bob.says("-v", "main.py")
    assert code == 0
    assert "6 done weight 6" in output
    assert f"key trust {key}" in errors
    assert errors.count("which you do not trust") == 1
    assert "hit      /raw" in errors
    assert "computed /model" in errors
    bob.forgets()
    bob.trusts(key)
    assert bob.run().evaluated() == set()
    assert bob.says("key", "distrust", "Ann")[0] == 0
    bob.environment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"
    assert "/model" in bob.run().evaluated()  # what was taken up before is not used any more


def test_push_and_pull_by_hand(seaweedfs, tmp_path):
    ann, bob = _users(tmp_path, f"{seaweedfs.url}/by-hand", seaweedfs.environment)
    bob.trusts(ann.makes_a_key())
    ann.run()
    code, output, errors = ann.says("push", "--json")
    done = json.loads(output)
    assert (code, errors) == (0, "")
    assert done["moved"] == 3  # though each is found by its code that ran, too
    assert done["size"] > 0
    again = json.loads(ann.says("push", "--json")[1])
    assert (again["moved"], again["known"]) == (0, done["moved"])
    code, output, errors = bob.says("pull")
    assert (code, errors) == (0, "")
    assert output.startswith(f"{done['moved']} values pulled from s3://")
    bob.environment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"
    assert bob.run().evaluated() == set()


def test_a_large_value_goes_over_in_pieces(seaweedfs, tmp_path):
    ann, bob = _users(tmp_path, f"{seaweedfs.url}/large", seaweedfs.environment)
    program = """
        import random
        def work():
            return random.Random(1).randbytes(30_000_000)
        x = work()  # dds: /x.bin
        print(len(x), x[-3:])
        """
    for user in (ann, bob):
        user.project.write(main=program)
    first = ann.run()
    assert ann.says("push")[0] == 0
    second = bob.run()
    assert (second.evaluated(), second.stdout) == (set(), first.stdout)
    assert (
        bob.project.view("/x.bin").read_bytes()[-3:] == ann.project.view("/x.bin").read_bytes()[-3:]
    )


def test_a_server_that_ignores_conditions(rclone, tmp_path):
    ann, bob = _users(tmp_path, rclone.url, rclone.environment, "remote_push = true\n")
    key = ann.makes_a_key()
    bob.trusts(key)
    ann.run()
    (note,) = (ann.project.root / ".dds" / "remotes").iterdir()
    assert note.read_text() == "unconditional\n"
    assert bob.run().evaluated() == set()
    # Both evaluate and push at once: nobody's objects get lost.
    bob.makes_a_key()
    ann.trusts(bob.says("key", "show")[1].strip())
    for user, number in ((ann, 4), (bob, 5)):
        user.project.edit("main.py", "[1, 2, 3]", f"[1, 2, {number}]")
        user.run()
    pushing = [threading.Thread(target=user.says, args=("push", "--all")) for user in (ann, bob)]
    for thread in pushing:
        thread.start()
    for thread in pushing:
        thread.join()
    ann.project.edit("main.py", "[1, 2, 4]", "[1, 2, 5]")
    assert ann.run().evaluated() == set()


def test_over_ssh(tmp_path):
    from sftp import serving

    served = tmp_path / "served"
    served.mkdir()
    with serving(served) as url:
        ann, bob = _users(tmp_path, url, more="remote_push = true\n")
        bob.trusts(ann.makes_a_key())
        first = ann.run()
        assert (first.stderr, first.code) == ("", 0)
        second = bob.run()
        assert (second.evaluated(), second.stdout, second.stderr) == (set(), first.stdout, "")
        (served / "home" / ".ssh" / "known_hosts").write_text("")
        bob.forgets()
        code, _, errors = bob.says("main.py")  # whoever answers now may be anybody
        assert code == 0
        assert errors.count("the remote is left out of this run") == 1
        assert "3 computed" in errors


def test_offline_is_said_once_and_pushed_later(folder, tmp_path):
    ann, bob = _users(tmp_path, f"file://{folder}", more="remote_push = true\n")
    bob.trusts(ann.makes_a_key())
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("not a folder: the disk is not mounted")
    code, output, errors = ann.says("main.py")
    assert code == 0
    assert "6 done weight 6" in output
    assert errors.count("the remote is left out of this run") == 1
    assert errors.count("is pushed by a later run") == 1
    folder.unlink()
    assert ann.run().evaluated() == set()  # and pushes what waits
    assert os.listdir(ann.project.root / ".dds" / "outbox") == []
    assert bob.run().evaluated() == set()


def test_a_server_that_does_not_answer_costs_seconds(tmp_path):
    pytest.importorskip("obstore")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "someone",
            "AWS_SECRET_ACCESS_KEY": "hunter2",
        }
        ann, _ = _users(tmp_path, "s3://bucket/prefix", environment, "remote_push = true\n")
        started = time.monotonic()
        code, output, errors = ann.says("main.py")
        assert time.monotonic() - started < 30
    assert code == 0
    assert "6 done weight 6" in output
    assert errors.count("the remote is left out of this run") == 1
    assert "hunter2" not in errors
    assert all(b"hunter2" not in path.read_bytes()
               for path in (ann.project.root / ".dds").rglob("*") if path.is_file())  # fmt: skip


def test_without_what_it_needs_the_remote_is_left_out(tmp_path):
    ann, _ = _users(tmp_path, "s3://bucket/prefix")
    (ann.project.root / "obstore.py").write_text("raise ImportError('not installed')")
    code, output, errors = ann.says("main.py")
    assert code == 0
    assert "6 done weight 6" in output
    assert errors.count("pip install 'ddsimport[remote]'") == 1


def test_a_run_of_hits_imports_nothing_of_it(folder, tmp_path):
    ann, _ = _users(tmp_path, f"file://{folder}", more="remote_push = true\n")
    ann.makes_a_key()
    ann.run()
    ann.project.edit(
        "main.py",
        "print(model.weight",
        "print([n for n in sys.modules if n.startswith('ddsimport.store') and n.rpartition('.')[2]"
        " in ('behind', 'remote', 'sharing', 'exchange', 'transfer', 'keys', 'folder')])\n"
        "print(model.weight",
    )
    again = ann.run()
    assert again.evaluated() == set()
    assert "[]\n" in again.stdout


@pytest.mark.parametrize("kind", ["entries", "blobs"])
def test_changed_objects_are_noticed_and_evaluated(folder, tmp_path, kind):
    ann, bob = _users(tmp_path, f"file://{folder}", more="remote_push = true\n")
    bob.trusts(ann.makes_a_key())
    ann.run()
    for path in _objects(folder, kind):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.chmod(0o600)
        path.write_bytes(content)
    code, output, errors = bob.says("main.py")
    assert code == 0
    assert output == bob.project.plain().stdout
    assert "does not fit its name" in errors or "something else under the name" in errors
    assert "0 hit" not in errors
    assert "3 computed" in errors


def test_a_planted_pickle_never_runs(folder, tmp_path):
    """An enemy who may write to the remote, and has a key of his own."""
    ann, bob = _users(tmp_path, f"file://{folder}", more="remote_push = true\n")
    ann.makes_a_key()
    ann.run()
    bob.trusts(ann.says("key", "show")[1].strip())
    canary = tmp_path / "canary"
    planted = b"cposix\nsystem\n(S'touch %s'\ntR." % str(canary).encode()
    name = blake3(planted).hexdigest()
    (folder / "blobs/v1" / name[:2]).mkdir(exist_ok=True)
    (folder / "blobs/v1" / name[:2] / name).write_bytes(planted)
    for path in _objects(folder, "entries"):
        record: dict[str, Any] = json.loads(path.read_bytes())
        record["candidates"][0].update(blob=name, size=len(planted), codec="pickle")
        for signed in (record["signed"], None):  # the old signature, and none
            if signed is None:
                record.pop("signed", None)
            content = json.dumps(record, sort_keys=True, separators=(",", ":")).encode()
            (path.parent / blake3(content).hexdigest()).write_bytes(content)
        path.unlink()
    code, output, errors = bob.says("main.py")
    assert code == 0
    assert output == bob.project.plain().stdout
    assert not canary.exists()
    assert "forged" in errors
    assert "3 computed" in errors


def test_links_and_odd_names_in_the_remote_lead_nowhere(folder, tmp_path):
    ann, bob = _users(tmp_path, f"file://{folder}", more="remote_push = true\n")
    bob.trusts(ann.makes_a_key())
    ann.run()
    outside = tmp_path / "outside"
    outside.mkdir()
    for place in (folder / "entries/v1").iterdir():
        (place / "..hidden").write_text("x")
        (place / ("n" * 255)).write_text("x")
        for below in place.iterdir():
            if below.is_dir():
                (below / "not-an-id").write_text("{}")
                (below / ("f" * 64)).symlink_to("/etc/passwd")
    assert bob.run().evaluated() == set()
    shutil.rmtree(folder / "blobs")
    (folder / "blobs").symlink_to(outside)
    ann.project.edit("main.py", "[1, 2, 3]", "[1, 2, 30]")
    code, _, errors = ann.says("main.py")
    assert code == 0
    assert "symbolic link" in errors
    assert os.listdir(outside) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_children_by_fork_do_not_wait_for_what_stays_in_the_parent(seaweedfs, tmp_path):
    url = f"{seaweedfs.url}/forks"
    ann, _ = _users(tmp_path, url, seaweedfs.environment, "remote_push = true\n")
    ann.project.write(
        main="""
        import os
        import steps
        print(steps.of(1), flush=True)
        child = os.fork()
        if child == 0:
            print(steps.of(2), flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        """,
        steps="""
        def work(n):
            return n + 1
        def of(n):
            x = work(n)  # dds: /x/{n}
            return x
        """,
    )
    first = ann.run("main.py")
    assert first.stdout.split() == ["2", "3"]
    assert os.listdir(ann.project.root / ".dds" / "outbox") == []


def test_keys_on_the_command_line(tmp_path):
    ann, bob = _users(tmp_path, "file:///nowhere")
    assert ann.says("key", "show")[0] == 2
    key = ann.makes_a_key()
    assert ann.says("key", "show")[1] == f"{key}\n"
    assert ann.says("key", "create")[0] == 2
    bob.trusts(key)
    assert bob.says("key", "list")[1] == f"{key} Ann\n"
    assert json.loads(bob.says("key", "list", "--json")[1].splitlines()[0])["own"] is False
    code, _, errors = bob.says("key", "trust", "nonsense")
    assert (code, errors.count("not a public key")) == (2, 1)
    assert bob.says("key", "distrust", key)[0] == 0
    assert bob.says("key", "list")[1] == ""
    assert bob.says("key", "distrust", key)[0] == 2


def test_push_and_pull_say_what_they_lack(tmp_path):
    ann, bob = _users(tmp_path, "file:///nowhere")
    (ann.project.root / "pyproject.toml").write_text("")
    ann.run()
    code, _, errors = ann.says("push")
    assert (code, errors.count("there is no remote")) == (2, 1)
    code, _, errors = bob.says("push")
    assert (code, errors.count("there is no store")) == (2, 1)
    code, _, errors = bob.says("pull", "not/absolute")
    assert (code, errors.count("must start with '/'")) == (2, 1)
