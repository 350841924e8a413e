"""`ddsimport ui`: who is answered, what, and what it shows of a run that goes on."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from urllib.parse import urlsplit

import pytest
from browser import Visit, chromium
from projects import ROOT

from ddsimport.report import livefile
from ddsimport.report.events import Run
from ddsimport.report.watch import live_runs
from ddsimport.store.store import Store
from ddsimport.ui import Shown

# The second step goes on when it gets a signal; with an argument, the program sends it to itself.
PROGRAM = """
import os, signal, sys

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
if len(sys.argv) > 1:
    os.kill(os.getpid(), signal.SIGUSR1)

def wait(rows):
    signal.sigwait([signal.SIGUSR1])
    return len(rows)

early = [1, 2]  # dds: /early
waits = wait(early)  # dds: /waits
late = waits + 1  # dds: /late
"""


def started(project, *words):
    variables = {key: each for key, each in os.environ.items() if not key.startswith("DDSIMPORT_")}
    variables["PYTHONPATH"] = str(ROOT)
    return subprocess.Popen(
        [sys.executable, "-m", "ddsimport", *words],
        cwd=project.root,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process):
    process.kill()
    process.communicate()


class Ui:
    def __init__(self, project, *words):
        self.process = started(project, "ui", *words)
        self.url = self.process.stdout.readline().strip()
        parts = urlsplit(self.url)
        self.port, self.path = parts.port, parts.path

    def ask(self, path, method="GET", host=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, headers={"Host": host} if host else {})
            answer = connection.getresponse()
            return answer.status, answer.read(), dict(answer.getheaders())
        finally:
            connection.close()

    def steps(self):
        """{path: status}"""
        status, content, _ = self.ask(f"{self.path}api/graph")
        assert status == 200
        nodes = json.loads(content)["nodes"]
        return {each["label"]: each["status"] for each in nodes if each["kind"] == "step"}

    def wait_for(self, wanted):
        limit = time.monotonic() + 30
        while (found := self.steps()) != wanted:
            assert time.monotonic() < limit, found
            time.sleep(0.05)


@pytest.fixture
def ui(project):
    project.write(main=PROGRAM)
    assert project.run("main.py", "go").code == 0
    found = Ui(project, "main.py")
    yield found
    ended(found.process)


def test_it_answers_this_machine_and_who_knows_the_address(ui):
    assert ui.url.startswith("http://127.0.0.1:")
    status, content, headers = ui.ask(ui.path)
    assert status == 200
    assert content.startswith(b"<!DOCTYPE html>")
    assert headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    for path in ("/", "/api/graph", "/wrong-token/", "/wrong-token/api/graph", f"{ui.path}x"):
        assert ui.ask(path)[0] == 404, path
    assert ui.ask(ui.path, host=f"localhost:{ui.port}")[0] == 200
    for host in ("evil.example", f"evil.example:{ui.port}", "127.0.0.1", "127.0.0.1:1"):
        assert ui.ask(ui.path, host=host)[0] == 403, host


def test_it_changes_nothing(ui, project):
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert ui.ask(ui.path, method)[0] == 501
    before = {
        file: file.stat().st_mtime_ns
        for file in (project.root / ".dds").rglob("*")
        if file.is_file()
        and file.parent.name not in ("live", "index", "facts", "answers")
        and "facts" not in file.parts
    }
    ui.ask(ui.path)
    for path in ("/early", "/no/such", "../../etc/passwd", "/..%2f..%2fetc", "", "a\0b"):
        status, content, _ = ui.ask(f"{ui.path}api/step?path={path.replace(chr(0), '%00')}")
        assert status in (200, 404)
        assert b"root:" not in content
    assert ui.ask(ui.path, "HEAD")[1] == b""
    assert {file: file.stat().st_mtime_ns for file in before} == before


def test_details_and_versions(ui):
    _, content, _ = ui.ask(f"{ui.path}api/step?path=/early")
    told = json.loads(content)
    assert told["step"]["source"] == "early = [1, 2]  # dds: /early"
    _, content, _ = ui.ask(f"{ui.path}api/graph")
    version = json.loads(content)["version"]
    assert ui.ask(f"{ui.path}api/graph?version={version}")[0] == 204


def test_a_run_that_goes_on_is_seen_and_leaves_nothing(ui, project):
    ui.wait_for({"/early": "computed", "/waits": "computed", "/late": "computed"})
    project.edit("main.py", "[1, 2]", "[1, 2, 3]")
    run = started(project, "main.py")
    try:
        ui.wait_for({"/early": "computed", "/waits": "running", "/late": ""})
        assert len(list((project.root / ".dds" / "live").iterdir())) == 2
        run.send_signal(signal.SIGUSR1)
        assert run.wait(30) == 0
        ui.wait_for({"/early": "computed", "/waits": "computed", "/late": "computed"})
    finally:
        ended(run)
    assert [each.name for each in (project.root / ".dds" / "live").iterdir()] == ["asked"]


def test_a_page_that_is_opened_later_and_a_run_that_is_killed(project):
    project.write(main=PROGRAM)
    run = started(project, "main.py")
    ui = None
    try:
        limit = time.monotonic() + 30
        while not (project.root / ".dds" / "data" / "early").exists():
            assert time.monotonic() < limit
            time.sleep(0.02)
        ui = Ui(project)  # the run has begun to wait: it tells when its next step begins or ends
        assert ui.steps() == {}
        run.send_signal(signal.SIGUSR1)
        assert run.wait(30) == 0
        ui.wait_for({"/early": "computed", "/waits": "computed", "/late": "computed"})
        project.edit("main.py", "[1, 2]", "[1, 2, 3, 4]")
        ended(run)
        run = started(project, "main.py")
        ui.wait_for({"/early": "computed", "/waits": "running", "/late": ""})
        run.kill()
        run.wait(30)
        # It is as it was before that run, whose edit is still there to be run.
        ui.wait_for({"/early": "stale", "/waits": "unknown", "/late": "unknown"})
    finally:
        ended(run)
        if ui is not None:
            ended(ui.process)


def test_what_has_not_changed_is_not_made_again(project):
    project.write(main="a = [1]  # dds: /a\n")
    project.run()
    store = Store.open(str(project.root / ".dds"))
    shown = Shown(store, str(project.root), None, lambda past, run: {})
    shown.data()
    known = shown.data()
    assert shown.data() is known
    project.run()
    assert shown.data() is not known
    assert [each["status"] for each in shown.data()["nodes"]] == ["hit"]


def test_of_two_runs_at_once_the_page_stays_with_one(project):
    """The one that began last, not the one that spoke last: it went to and fro between them."""
    root = str(project.root / ".dds")
    livefile.ask(root)
    spoken = []
    for second, program in ((1, "early.py"), (2, "late.py")):
        head = {
            "program": program, "arguments": [], "namespace": "", "python": "3.11.0",
            "started": f"2026-01-01T00:00:0{second}.000Z",
        }  # fmt: skip
        spoken.append(livefile.Live(root, Run(quiet=True), head))
    early, late = spoken
    for one in (late, early, late, early):
        one.begins("/a", "__main__", 1)
        assert live_runs(root, "")[0].run.program == ("late.py" if late.is_watched else "early.py")
    early.close()
    late.close()


def test_to_be_watched_changes_nothing(project):
    """What is told to those who watch is nothing that a step around did."""
    project.write(
        main="""
        import os

        def inner(n):  # dds: /inner/{n}
            return n * 2

        def outer(n):  # dds: /outer
            return inner(n) + inner(n + 1), os.path.exists("no such file")

        print(outer(3))
        part = inner(7)  # dds: /part
        """
    )
    livefile.ask(str(project.root / ".dds"))
    (project.root / ".dds").chmod(0o700)
    cold = project.same()
    assert cold.evaluated() == {"/inner/3", "/inner/4", "/inner/7", "/outer", "/part"}
    os.remove(project.root / ".dds" / "live" / "asked")
    assert project.same().evaluated() == set()
    assert not list((project.root / ".dds" / "live").iterdir())


def test_who_hangs_up_at_any_moment_is_no_error(ui):
    asks = f"GET {ui.path} HTTP/1.1\r\nHost: 127.0.0.1:{ui.port}\r\n\r\n"
    for sent in ("", "GET ", asks):
        with socket.create_connection(("127.0.0.1", ui.port)) as connection:
            connection.sendall(sent.encode())
            # It is reset, not closed.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert ui.ask(ui.path)[0] == 200
    ui.process.send_signal(signal.SIGINT)
    assert ui.process.wait(30) == 0
    assert ui.process.stderr.read() == ""


def test_a_port_that_is_taken(ui, project):
    process = started(project, "ui", "--port", str(ui.port))
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2 and f"port {ui.port} cannot be listened on: Address" in said


def test_an_interrupt_ends_it(ui):
    ui.process.send_signal(signal.SIGINT)
    assert ui.process.wait(30) == 0
    assert ui.process.stderr.read() == ""


def test_before_the_first_run_it_waits(project):
    ui = Ui(project)
    try:
        assert ui.steps() == {}
    finally:
        ended(ui.process)


def test_the_head_of_the_page_goes_with_what_runs(project):
    ui = Ui(project)
    try:
        with chromium() as browser, Visit(browser, ui.url) as visit:
            assert visit.page.locator("#program").inner_text() == "No run yet"
            assert visit.page.locator("#summary").inner_text() == ""
            for name in ("one", "two"):
                project.write(**{name: "a = [1]  # dds: /a"})
                assert project.run(f"{name}.py").code == 0
                visit.page.locator("#program", has_text=f"{name}.py").wait_for()
                assert visit.page.title() == f"{name}.py · ddsimport"
    finally:
        ended(ui.process)


def test_a_script_that_is_not_there(project):
    process = started(project, "ui", "gone.py")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2 and "there is no file gone.py" in said


@pytest.mark.parametrize("end", ["/", ""])
def test_the_page_follows_a_run(ui, project, end):
    with chromium() as browser, Visit(browser, ui.url.rstrip("/") + end) as visit:
        page = visit.page
        page.wait_for_selector('[data-id="step:/late"]')
        page.locator('[data-id="step:/early"]').click()
        page.locator("#panel", has_text="early = [1, 2]").wait_for()
        project.edit("main.py", "[1, 2]", "[5, 6, 7]")
        run = started(project, "main.py")
        try:
            page.wait_for_selector('[data-id="step:/waits"].running')
            assert "under way" in page.locator("#summary").inner_text()
            page.locator("#panel", has_text="early = [5, 6, 7]").wait_for()
            run.send_signal(signal.SIGUSR1)
            page.wait_for_selector('[data-id="step:/waits"].computed')
            page.wait_for_selector('[data-id="step:/late"].computed')
        finally:
            ended(run)
        assert visit.wrong == []
        assert all(each.startswith(ui.url.rstrip("/")) for each in visit.requests)


LOOP = """
def make(n):
    return [n] * 9

for i in range(10):
    part = make(i)  # dds: /part/{i}
early ="""


def test_what_one_reads_stays_as_it_is_while_a_run_goes_on(ui, project):
    """All news of a run showed the details anew: from their top, with all code folded, the list of
    many values for the one that was chosen; and moved the graph to where their step is."""
    project.edit("main.py", "early =", LOOP.lstrip())
    assert project.run("main.py", "go").code == 0
    with (
        chromium() as browser,
        Visit(browser, ui.url, viewport={"width": 900, "height": 300}) as visit,
    ):
        page = visit.page
        panel = page.locator("#panel")
        page.locator('[data-id="step:/part/*"]').click()
        panel.get_by_role("button", name="/part/7").click()
        panel.locator("summary", has_text="make").click()
        panel.evaluate("panel => { panel.scrollTop = 40; }")
        page.keyboard.press("+")
        moved = page.locator("#world").get_attribute("transform")
        project.edit("main.py", "[1, 2]", "[5, 6, 7]")
        run = started(project, "main.py", "go")
        try:
            page.wait_for_selector('[data-id="step:/late"].computed')
            assert run.wait(30) == 0
            page.locator("#summary", has_text="10 hits").wait_for()
            panel.locator(".badge", has_text="hit").wait_for()
        finally:
            ended(run)
        assert panel.locator("h2").inner_text() == "/part/7"
        assert panel.locator("details[open]").count() == 1
        assert panel.evaluate("panel => panel.scrollTop") == 40
        assert page.locator("#world").get_attribute("transform") == moved
        assert visit.wrong == []


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_is_none(project, port):
    ended = project.python("-m", "ddsimport", "ui", "--port", port)
    assert ended.returncode == 2 and "argument --port" in ended.stderr
    assert "Traceback" not in ended.stderr
