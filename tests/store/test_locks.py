from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from store_helpers import run_python, signature, start_python, started

from ddsimport.store import locks
from ddsimport.store.store import Store

SIG = signature(1)

HOLDER = """
import os, sys
from ddsimport.store.store import Store
from store_helpers import signature
lock = Store.open(sys.argv[1]).lock(signature(1))
assert lock.acquire()
print("held", flush=True)
sys.stdin.readline()
lock.release()
print("released", flush=True)
sys.stdin.readline()
"""


def held_by(child: subprocess.Popen[str]) -> None:
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"


def say(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.write("\n")
    child.stdin.flush()


SINGLE_FLIGHT = """
import os, sys
from ddsimport.store.store import Store
from store_helpers import keep, signature
store, me = Store.open(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
order = sorted(range(50), key=lambda number: signature((number, me)))
for number in order:
    sig = signature(number)
    if store.entry(sig) is None:
        lock = store.lock(sig)
        assert lock.acquire()
        if store.entry(sig) is None:
            with open(f"{sys.argv[3]}/{number}", "a") as log:
                log.write(me)
            keep(store, sig, f"value of {number}")
        lock.release()
    assert store.value(store.entry(sig).candidates[0]) == f"value of {number}"
"""


def test_each_signature_is_evaluated_once(store: Store, root: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.mkdir()
    children = [start_python(SINGLE_FLIGHT, root, number, log) for number in range(6)]
    try:
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        for child in children:
            say(child)
        for child in children:
            _, errors = child.communicate(timeout=60)
            assert child.returncode == 0, errors
    finally:
        for child in children:
            child.kill()
            child.communicate()
    evaluated = {path.name: path.read_text() for path in log.iterdir()}
    assert len(evaluated) == 50
    assert all(len(who) == 1 for who in evaluated.values()), evaluated
    assert os.listdir(root / "locks") == []


def test_threads_of_one_process_exclude_each_other(store: Store) -> None:
    inside, most, turns = 0, 0, []

    def work() -> None:
        nonlocal inside, most
        for _ in range(20):
            lock = store.lock(SIG)
            assert lock.acquire()
            inside += 1
            most = max(most, inside)
            time.sleep(0.0005)
            turns.append(1)
            inside -= 1
            lock.release()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1 and len(turns) == 80


def test_a_killed_holder_frees_the_lock(store: Store, root: Path) -> None:
    with started(HOLDER, root) as child:
        held_by(child)
        lock = store.lock(SIG)
        assert not lock.acquire(timeout=0)
        assert lock.holder == child.pid
        killer = threading.Timer(0.1, child.send_signal, [signal.SIGKILL])
        killer.start()
        assert lock.acquire(timeout=20)
        killer.join()
        lock.release()
    assert os.listdir(root / "locks") == []


def test_a_released_lock_is_free(store: Store, root: Path) -> None:
    with started(HOLDER, root) as child:
        held_by(child)
        say(child)
        lock = store.lock(SIG)
        assert lock.acquire(timeout=20)
        lock.release()
        lock.release()


def test_waiting_is_said_once_after_a_second(store: Store, root: Path) -> None:
    heard: list[float] = []
    with started(HOLDER, root) as child:
        held_by(child)
        started_at = time.monotonic()
        lock = store.lock(SIG)
        assert not lock.acquire(
            timeout=2.5, on_wait=lambda: heard.append(time.monotonic() - started_at)
        )
        assert not lock.held
        assert len(heard) == 1 and heard[0] >= 1.0


def test_no_wait_says_nothing(store: Store) -> None:
    lock = store.lock(SIG)
    assert lock.acquire(on_wait=lambda: pytest.fail("said"))
    assert lock.held
    lock.release()
    assert not lock.held


def test_other_signatures_nest(store: Store, root: Path) -> None:
    nested = [store.lock(signature(number)) for number in range(10)]
    for lock in nested:
        assert lock.acquire(timeout=0)
    assert len(os.listdir(root / "locks")) == 10
    for lock in nested:
        lock.release()
    assert os.listdir(root / "locks") == []


def test_the_thread_that_holds_a_lock_does_not_wait_for_itself(store: Store) -> None:
    """Two coroutines of one thread evaluate the same step."""
    one, two = store.lock(SIG), store.lock(SIG)
    assert one.acquire()
    assert not two.acquire()
    two.release()
    assert one.held
    one.release()
    assert two.acquire()
    two.release()


FORKER = """
import os, signal, sys
from ddsimport.store.store import Store
from store_helpers import signature
store = Store.open(sys.argv[1])
lock = store.lock(signature(1))
assert lock.acquire()
into, out = os.pipe()
child = os.fork()
if child == 0:
    assert not lock.held
    lock.release()                      # no effect on the parent's
    os.write(out, b"x")
    signal.pause()                      # outlives its parent
    os._exit(0)
os.close(out)
assert os.read(into, 1) == b"x"
print("held", child, flush=True)
sys.stdin.readline()
{end}
"""


@pytest.mark.parametrize("end", ["lock.release(); print('released', flush=True)", "os._exit(0)"])
def test_a_forked_child_neither_frees_nor_keeps_the_lock(
    store: Store, root: Path, end: str
) -> None:
    with started(FORKER.replace("{end}", end), root) as parent:
        assert parent.stdout is not None
        word, child = parent.stdout.readline().split()
        try:
            assert word == "held"
            lock = store.lock(SIG)
            assert not lock.acquire(timeout=0.1), "the child freed it"
            say(parent)
            assert lock.acquire(timeout=20), "the child kept it"
            os.kill(int(child), 0)  # it lives
            lock.release()
        finally:
            os.kill(int(child), signal.SIGKILL)


def test_a_child_does_not_wait_for_its_parent(root: Path) -> None:
    """Spawned workers import the main module, whose step the parent is still evaluating."""
    output = run_python(
        """
import subprocess, sys
from ddsimport.store.store import Store
from store_helpers import signature
child = '''
import sys
from ddsimport.store.store import Store
from store_helpers import signature
print(Store.open(sys.argv[1]).lock(signature(1)).acquire())
'''
lock = Store.open(sys.argv[1]).lock(signature(1))
assert lock.acquire()
shell = "import subprocess, sys; subprocess.run([sys.executable, '-c', *sys.argv[1:]])"
for command in (["-c", child], ["-c", shell, child]):
    print(subprocess.run([sys.executable, *command, sys.argv[1]], capture_output=True).stdout)
""",
        root,
    )
    assert output.count("False") == 2


CIRCLE = """
import sys
from ddsimport.store.store import Store
from store_helpers import signature
store = Store.open(sys.argv[1])
mine, next = (store.lock(signature(int(number))) for number in sys.argv[2:])
assert mine.acquire()
print("held", flush=True)
sys.stdin.readline()
got = next.acquire()
print("went on", flush=True)
next.release()
mine.release()
"""


@pytest.mark.parametrize("members", [2, 3])
def test_those_who_wait_in_a_circle_go_on(root: Path, store: Store, members: int) -> None:
    """As `asyncio.gather` of the same steps in another order, in several processes."""
    circle = [start_python(CIRCLE, root, n, (n + 1) % members) for n in range(members)]
    try:
        for child in circle:
            held_by(child)
        for child in circle:
            say(child)
        for child in circle:
            output, errors = child.communicate(timeout=30)
            assert output == "went on\n", errors
    finally:
        for child in circle:
            child.kill()
            child.communicate()


def test_an_interrupt_ends_the_wait_and_leaves_nothing(root: Path, store: Store) -> None:
    with started(HOLDER, root) as child:
        held_by(child)
        lock = store.lock(SIG)

        def interrupt() -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            lock.acquire(on_wait=interrupt)
        assert not lock.held and lock not in locks._open


def test_without_flock_everybody_goes_on(
    store: Store, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert not store.lock(SIG).acquire()
    assert not locks._open
    store.sweep()


def test_a_folder_that_cannot_hold_locks_holds_nobody_up(store: Store, root: Path) -> None:
    (root / "locks").rmdir()
    (root / "locks").write_text("in the way")
    assert not store.lock(SIG).acquire()


def test_a_deleted_lock_folder_comes_back(store: Store, root: Path) -> None:
    (root / "locks").rmdir()
    lock = store.lock(SIG)
    assert lock.acquire()
    lock.release()


def test_a_lock_file_replaced_by_a_link_is_not_followed(store: Store, root: Path) -> None:
    outside = root.parent / "outside"
    outside.write_text("precious")
    (root / "locks" / SIG).symlink_to(outside)
    assert not store.lock(SIG).acquire()
    assert outside.read_text() == "precious"


def test_a_holder_whose_file_was_removed_frees_only_its_own(store: Store, root: Path) -> None:
    first, second = store.lock(SIG), store.lock(SIG)
    assert first.acquire()
    (root / "locks" / SIG).unlink()
    outcome: list[bool] = []
    thread = threading.Thread(target=lambda: outcome.append(second.acquire(timeout=5)))
    thread.start()
    thread.join()
    assert outcome == [True]
    first.release()
    assert (root / "locks" / SIG).exists(), "it removed the file of the other"
    second.release()
    assert os.listdir(root / "locks") == []


def test_a_full_disk_does_not_stop_a_lock(
    store: Store, monkeypatch: pytest.MonkeyPatch, root: Path
) -> None:
    def full(*arguments: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    lock = store.lock(SIG)
    assert lock.acquire()
    lock.release()


def test_damaged_notes_only_cost_time(store: Store, root: Path) -> None:
    with started(HOLDER, root) as child:
        held_by(child)
        (root / "locks" / SIG).write_bytes(b"\xff not a note")
        lock = store.lock(SIG)
        assert lock.holder is None
        assert not lock.acquire(timeout=1.2)
        say(child)
        assert lock.acquire(timeout=20)
        lock.release()


def test_sweeping_spares_the_living_and_removes_the_dead(store: Store, root: Path) -> None:
    with started(HOLDER, root) as child:
        held_by(child)
        assert store.sweep() == 0
        assert os.listdir(root / "locks") == [SIG]
        child.kill()
        child.communicate()
        assert os.listdir(root / "locks") == [SIG]
        assert store.sweep() == 1
        assert os.listdir(root / "locks") == []


def test_a_wait_that_is_over_is_not_noted_any_more(store: Store, root: Path) -> None:
    """Else the next one would see a circle where there is none, and evaluate twice."""
    mine = store.lock(signature("mine"))
    assert mine.acquire()
    note = root / "locks" / signature("mine")
    with started(HOLDER, root) as child:
        held_by(child)
        lock = store.lock(SIG)
        seen: list[str] = []
        timer = threading.Timer(1.3, lambda: seen.append(note.read_text()))
        timer.start()
        assert not lock.acquire(timeout=1.6)
        timer.join()
        assert seen == [f"{os.getpid()} {SIG}\n"]
        assert note.read_text() == f"{os.getpid()} \n"
    mine.release()
