"""The page of the graph, served to this machine's browser, as runs change it.

Read-only: it answers GET and HEAD, and changes nothing but the time of `live/asked` in the store,
by which runs know that somebody watches (see `report.livefile`). It listens on the loopback alone.
Whoever may connect there (other users of the machine, pages of other sites in the browser) must
know a random token in the address; and a name that another site has made to mean the loopback (DNS
rebinding) is told by the `Host` header.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from blake3 import blake3

from ddsimport.report import livefile
from ddsimport.report.details import Details
from ddsimport.report.graph import Graph, graph_of
from ddsimport.report.page import html, page_data
from ddsimport.report.past import Past
from ddsimport.report.watch import LiveRun, live_files, live_graph, live_runs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ddsimport.report.outlook import Outlook
    from ddsimport.report.past import PastRun
    from ddsimport.store.store import Store

    Stale = Callable[[Past, PastRun], dict[str, Outlook]]

_ASK_AGAIN = 5.0  # seconds


class Server:
    """Serves until it is told to stop.

    Args:
        store: what is looked at.
        project: the folder that names of files are relative to.
        program: whose runs are shown, relative to the project; None: whatever runs, or ran last.
        port: 0 takes a free one.
        stale: forecasts for a run that has ended.

    Raises:
        OSError: the port is taken.
    """

    def __init__(
        self, store: Store, project: str, program: str | None, port: int, stale: Stale
    ) -> None:
        self.shown = Shown(store, project, program, stale)
        self._token = secrets.token_urlsafe(16)
        self._server = _Listener(("127.0.0.1", port), self._handler())
        self._root = store.root
        self._stopped = threading.Event()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_port}/{self._token}/"

    def serve(self) -> None:
        """Answer until `close`, or a KeyboardInterrupt."""
        threading.Thread(target=self._ask, daemon=True).start()
        self._server.serve_forever(poll_interval=0.1)

    def close(self) -> None:
        """Stop answering."""
        self._stopped.set()
        self._server.server_close()

    def stop(self) -> None:
        """Have `serve` return, from another thread."""
        self._server.shutdown()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self) -> None:
        while not self._stopped.is_set():
            with suppress(OSError):  # a store that cannot be written: what has ended is shown
                livefile.ask(self._root)
            self._stopped.wait(_ASK_AGAIN)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            server_version = "ddsimport"
            sys_version = ""

            def do_GET(self) -> None:
                self._answer(with_body=True)

            def do_HEAD(self) -> None:
                self._answer(with_body=False)

            def _answer(self, *, with_body: bool) -> None:
                try:
                    status, kind, content = server.answer(self.path, self.headers.get("Host", ""))
                except Exception as error:  # the page asks again, and perhaps the store is mended
                    said = f"ddsimport failed: {type(error).__name__}: {error}\n"
                    status, kind, content = 500, "text/plain", said.encode("utf-8", "replace")
                self.send_response(status)
                for name, value in (
                    ("Content-Type", f"{kind}; charset=utf-8"),
                    ("Content-Length", str(len(content))),
                    ("Cache-Control", "no-store"),
                    ("X-Content-Type-Options", "nosniff"),
                    ("Referrer-Policy", "no-referrer"),
                    ("Cross-Origin-Resource-Policy", "same-origin"),
                    ("Content-Security-Policy", "frame-ancestors 'none'"),
                ):
                    self.send_header(name, value)
                self.end_headers()
                if with_body:
                    self.wfile.write(content)

            def log_message(self, format: str, *arguments: object) -> None:
                """Nothing: the page polls."""

        return Handler

    def answer(self, target: str, host: str) -> tuple[int, str, bytes]:
        """(status, media type, content) for a request."""
        port = self._server.server_port
        if host not in (f"127.0.0.1:{port}", f"localhost:{port}"):
            return 403, "text/plain", b"This is served to this machine only.\n"
        parts = urlsplit(target)
        token, _, place = parts.path.lstrip("/").partition("/")
        if not hmac.compare_digest(token.encode("utf-8", "replace"), self._token.encode()):
            return 404, "text/plain", b"Nothing is here.\n"
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if place == "":
            return 200, "text/html", self.shown.page().encode("utf-8", "replace")
        if place == "api/graph":
            data = self.shown.data()
            if data["version"] == asked.get("version"):
                return 204, "application/json", b""
            return 200, "application/json", json.dumps(data).encode()
        if place == "api/step" and "path" in asked:
            return 200, "application/json", json.dumps(self.shown.step(asked["path"])).encode()
        return 404, "text/plain", b"Nothing is here.\n"


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing of a page that was closed meanwhile, at whatever moment."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Shown:
    """What the page shows now; made again when something in the store has changed.

    Arguments are those of `Server`.
    """

    def __init__(self, store: Store, project: str, program: str | None, stale: Stale) -> None:
        self._store = store
        self._project = project
        self._program = program
        self._stale = stale
        self._lock = threading.Lock()
        self._state: object = None
        self._graph = Graph(program or "", "", (), ())
        self._forecasts: dict[str, Outlook] = {}
        self._data: dict[str, Any] = {}
        self._details: Details | None = None
        self._files: tuple[str, ...] = ()

    def page(self) -> str:
        """The page, with what there is now."""
        with self._lock:
            self._renew()
            return html(self._graph, forecasts=self._forecasts, live=True)

    def data(self) -> dict[str, Any]:
        """What the page draws, with its `version`."""
        with self._lock:
            self._renew()
            return self._data

    def step(self, path: str) -> dict[str, Any]:
        """What is known of a step, with the texts that it names."""
        with self._lock:
            self._renew()
            if self._details is None:
                return {"step": {"path": path}, "texts": {}}
            return {"step": self._details.of(path), "texts": self._details.texts}

    def _renew(self) -> None:
        state = self._looked_at()
        index = f"{self._store.root}/index/cache.db"
        if (state, _status(index)) == self._state:
            return
        past = Past(self._store, self._project)
        live, run = self._chosen(past)
        if live is not None:
            self._graph, self._forecasts = live_graph(past, live)
            self._details = Details(past, live.run)
        elif run is not None:
            self._graph, self._forecasts = graph_of(past, run), self._stale(past, run)
            self._details = Details(past, run)
        self._files = tuple(run.files) if run is not None else ()
        data = page_data(self._graph, self._forecasts)
        version = blake3(json.dumps(data).encode()).hexdigest(16)
        self._data = {**data, "version": version}
        # As of before: what has changed meanwhile is looked at next time. But for the index, which
        # to read changes; a run that ends meanwhile is in the journal first.
        self._state = (state, _status(index)) if self._files == state[-1] else None

    def _chosen(self, past: Past) -> tuple[LiveRun | None, PastRun | None]:
        lives = live_runs(self._store.root, self._store.namespace)
        if self._program is None:
            live = next(iter(lives), None)
            program = live.run.program if live is not None else None
            runs = past.runs if program is None else past.runs_of(program)
        else:
            live = next((each for each in lives if each.run.program == self._program), None)
            runs = past.runs_of(self._program)
        return live, next(iter(runs), None)

    def _looked_at(self) -> tuple[object, ...]:
        """What would be different if anything had changed."""
        root = self._store.root
        watched = [f"{root}/index/journal"]
        watched += live_files(root)
        watched += [os.path.join(self._project, file) for file in self._files]
        return (*map(_status, watched), self._files)


def _status(file: str) -> tuple[str, int, int]:
    try:
        status = os.stat(file)
    except OSError:
        return file, 0, 0
    return file, status.st_mtime_ns, status.st_size
