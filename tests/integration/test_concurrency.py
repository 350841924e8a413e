"""Processes, threads and tasks on one store: one evaluates, the others wait, none hangs."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

import pytest
from projects import ROOT


def test_processes_evaluate_a_signature_once(project):
    project.write(
        main="""
        import os, time
        def slow():
            time.sleep(1)
            return os.getpid()
        x = slow()  # dds: /x
        print(x)
        """
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "ddsimport", "-q", "main.py"],
            cwd=project.root,
            env={"PYTHONPATH": str(ROOT), "PATH": ""},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    printed = {process.communicate(timeout=60)[0] for process in running}
    assert len(printed) == 1
    assert [process.returncode for process in running] == [0] * 4


def test_threads_evaluate_a_signature_once(project):
    project.write(
        main="""
        import threading, time
        from concurrent.futures import ThreadPoolExecutor
        def slow(v):
            time.sleep(0.3)
            return [v, threading.get_ident()]
        def step(v):
            x = slow(v)  # dds: /x/{v}
            return x
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(step, [1, 2] * 4))
        print(len({tuple(x) for x in found}))
        """
    )
    run = project.run()
    assert run.stdout == "2\n"
    assert sum(step["status"] == "computed" for step in run.steps) == 2


def test_tasks_of_one_thread_do_not_wait_for_each_other(project):
    """The holder is suspended in the very thread that would wait: waiting would never end."""
    project.write(
        main="""
        import asyncio
        async def slow(v):
            await asyncio.sleep(0.1)
            return v * 2
        async def step(v):  # dds: /x
            return await slow(v)
        async def main():
            print(await asyncio.gather(*(step(1) for _ in range(5)), step(2)))
        asyncio.run(main())
        """
    )
    project.same()
    assert project.same().evaluated() == set()


def test_tasks_side_by_side_have_their_own_files_and_output(project):
    project.write(
        main="""
        import asyncio, sys
        async def slow(v):
            with open(f"{v}.txt") as file:
                text = file.read()
            await asyncio.sleep(0.05)
            print("read", v)
            await asyncio.sleep(0.05)
            return text
        async def step(v):
            x = await slow(v)  # dds: /x/{v}
            return x
        async def main():
            print(await asyncio.gather(*(step(v) for v in range(3))))
        asyncio.run(main())
        """
    )
    for v in range(3):
        (project.root / f"{v}.txt").write_text(str(v))
    project.same()
    (project.root / "1.txt").write_text("changed")
    assert project.run().evaluated() == {"/x/1"}
    entries = [
        json.loads(path.read_text())["candidates"]
        for path in (project.root / ".dds" / "entries").rglob("*")
        if path.is_file()
    ]
    files = [candidate["files"] for candidates in entries for candidate in candidates]
    assert all(len(read) == 1 for read in files)


def test_a_killed_holder_frees_its_waiter(project):
    project.write(
        main="""
        import os, time
        def slow():
            print("started", flush=True)
            time.sleep(60 if "HANG" in os.environ else 0)
            return 1
        x = slow()  # dds: /x
        print(x)
        """
    )
    holder = subprocess.Popen(
        [sys.executable, "-m", "ddsimport", "-q", "main.py"],
        cwd=project.root,
        env={"PYTHONPATH": str(ROOT), "HANG": "yes"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout.readline() == "started\n"
    waiter = subprocess.Popen(
        [sys.executable, "-m", "ddsimport", "-q", "main.py"],
        cwd=project.root,
        env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        waiter.wait(timeout=2)
        raise AssertionError("it did not wait")
    except subprocess.TimeoutExpired:
        holder.kill()
    holder.communicate()
    assert waiter.communicate(timeout=30)[0] == "started\n1\n"


def test_pools_of_processes(project):
    project.write(
        work="""
        def f(v):
            x = v * 2  # dds: /x/{v}
            return x
        """,
        main="""
        import multiprocessing, sys
        from work import f
        def g(v):
            y = v * 3  # dds: /y/{v}
            return y
        if __name__ == "__main__":
            with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
                print(pool.map(f, range(4)), pool.map(g, range(4)))
        """,
    )
    for method in ("fork", "spawn"):
        project.same("main.py", method)
    views = {path.relative_to(project.view("/")) for path in project.view("/").rglob("*")}
    assert {str(path) for path in views} >= {f"{name}/{v}" for name in "xy" for v in range(4)}


def _same_lines(project, *arguments):
    """Run both ways; the lines may come in another order, as a hit takes no time."""
    plainly, under = project.plain("main.py", *arguments), project.run("main.py", *arguments)
    assert sorted(under.stdout.splitlines()) == sorted(plainly.stdout.splitlines())
    assert (under.stderr, under.code) == (plainly.stderr, plainly.code)
    return under


def test_what_other_threads_do_meanwhile_is_not_the_steps(project):
    """A hit printed their text again, and put back the files that they had written."""
    project.write(
        main="""
        import sys, threading, time
        def talk(word):
            time.sleep(0.2)
            print("plain", word)
            with open("status.txt", "w") as file:
                file.write(word)
        def slow(n):
            time.sleep(0.8)
            print("step", n)
            return n
        thread = threading.Thread(target=talk, args=(sys.argv[1],))
        thread.start()
        x = slow(3)  # dds: /x
        thread.join()
        print(x, open("status.txt").read())
        """
    )
    assert project.same("main.py", "one").evaluated() == {"/x"}
    assert _same_lines(project, "two").evaluated() == set()
    assert (project.root / "status.txt").read_text() == "two"


def test_what_the_steps_own_threads_do_is(project):
    project.write(
        main="""
        import sys, threading, time
        def talk(word):
            time.sleep(0.2)
            print("plain", word)
        def own(n):
            if n:
                inner = threading.Thread(target=own, args=(n - 1,))
                inner.start()
                inner.join()
            print("own", n)
            with open(f"own{n}.txt", "w") as file:
                file.write("own")
        def slow(n):
            time.sleep(0.8)
            thread = threading.Thread(target=own, args=(1,))
            thread.start()
            thread.join()
            return n
        thread = threading.Thread(target=talk, args=(sys.argv[1],))
        thread.start()
        x = slow(3)  # dds: /x
        thread.join()
        """
    )
    assert project.same("main.py", "one").evaluated() == {"/x"}
    for name in ("own0.txt", "own1.txt"):
        (project.root / name).unlink()
    assert _same_lines(project, "two").evaluated() == set()
    assert (project.root / "own0.txt").read_text() == (project.root / "own1.txt").read_text()


@pytest.mark.parametrize(
    ("before", "call"),
    [
        ("POOL = ThreadPoolExecutor(1)\nPOOL.submit(str).result()", "POOL.submit(say, n).result()"),
        (
            "ASKED, DONE = queue.Queue(), queue.Queue()\n"
            "def serve():\n"
            "    say(ASKED.get())\n"
            "    DONE.put(0)\n"
            "threading.Thread(target=serve).start()",
            "ASKED.put(n)\n    DONE.get()",
        ),
    ],
    ids=["pool", "queue"],
)
def test_what_a_thread_that_was_there_before_may_have_done_for_a_step_is_not_lost(
    project, before, call
):
    program = """
import queue, threading
from concurrent.futures import ThreadPoolExecutor
def say(n):
    print("said", n)
{before}
def f(n):
    {call}
    return n
x = f(3)  # dds: /x
"""
    project.write(main=program.format(before=before, call=call))
    project.same()
    project.same()


def test_what_a_server_in_the_program_does_for_a_step_is_not_lost(project):
    project.write(
        main="""
        import sys, threading
        from http.server import BaseHTTPRequestHandler, HTTPServer
        from urllib.request import urlopen
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                print("asked for", self.path)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"answer")
            def log_message(self, *arguments):
                pass
        server = HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
        threading.Thread(target=server.serve_forever).start()
        def fetch(address):
            with urlopen(address) as answer:
                return answer.read()
        x = fetch(f"http://127.0.0.1:{sys.argv[1]}/here")  # dds: /x
        print(x)
        server.shutdown()
        """
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    project.same("main.py", port)
    project.same("main.py", port)


def test_what_a_thread_that_another_step_started_does_for_a_step(project):
    """A worker of a pool that the program keeps, begun for whichever step came first."""
    project.write(
        main="""
        import sys, threading
        from concurrent.futures import ThreadPoolExecutor
        POOL = ThreadPoolExecutor(1)
        begun, over = threading.Event(), threading.Event()
        def say(word):
            print("said", word, open("wo" + "rd.txt").read())
        def first(n):
            POOL.submit(str).result()
            begun.set()
            over.wait(30)
            return n
        def second(n):
            POOL.submit(say, n).result()
            return n
        def both():
            x = first(sys.argv[1])  # dds: /x
            return x
        thread = threading.Thread(target=both)
        thread.start()
        begun.wait(30)
        y = second(2)  # dds: /y
        over.set()
        thread.join()
        """
    )
    for word, first in [("one", "1"), ("one", "2"), ("two", "2")]:
        (project.root / "word.txt").write_text(word)
        project.same("main.py", first)


def test_what_a_thread_of_a_library_does_may_be_the_steps(project):
    """As zarr and fsspec have theirs, started when they are first used, to read and write."""
    project.write_files(
        {
            "site-packages/writer.py": """
import queue, threading
_asked, _done = queue.SimpleQueue(), queue.SimpleQueue()
def _serve():
    while True:
        name, text = _asked.get()
        with open(name, "w") as file:
            file.write(text)
        print("wrote", name)
        _done.put(name)
threading.Thread(target=_serve, daemon=True).start()
def write(name, text):
    _asked.put((name, text))
    return _done.get()
""",
            "main.py": """
import sys
sys.path.append("site-packages")
import writer
writer.write("before.txt", "b")
def f(n):
    writer.write("step.txt", str(n))
    return n
x = f(3)  # dds: /x
print(open("step.txt").read())
""",
        }
    )
    project.same()
    (project.root / "step.txt").unlink()
    assert project.same().evaluated() == set()


def test_what_other_tasks_do_meanwhile_is_not_the_steps(project):
    project.write(
        main="""
        import asyncio, sys
        from asyncio import sleep
        async def talk(word):
            await sleep(0.2)
            print("plain", word)
        async def slow(n):
            await sleep(0.5)
            print("step", n)
            return n
        async def work():
            x = await slow(3)  # dds: /x
            print(x)
        async def both():
            await asyncio.gather(talk(sys.argv[1]), work())
        asyncio.run(both())
        """
    )
    assert project.same("main.py", "one").evaluated() == {"/x"}
    assert _same_lines(project, "two").evaluated() == set()
