"""Runs cells in fresh sessions of IPython, each in a fork of this process, for `ipython_sessions`.

Reads a request per line, answers with a line: {"cells": [...], "folder": ..., "load": bool} ->
[{"out", "err", "result", "error"}, ...].
"""

import importlib
import json
import os
import re
import sys

_PARTS = re.compile(r"\x1b\[[0-9;]*m")


def _session(request):
    import contextlib
    import io

    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    os.chdir(request["folder"])
    sys.path.insert(0, request["folder"])
    settings = Config()
    settings.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=settings)
    sys.modules["__main__"] = shell.user_module
    said = []
    if request["load"]:
        from ddsimport.report import terminal

        shell.run_cell("%load_ext ddsimport", store_history=False)
        terminal._write_to_session = said.append
    answers = []
    for text in request["cells"]:
        if isinstance(text, dict):  # a file is edited between two cells
            for name, content in text.items():
                with open(name, "w") as file:
                    file.write(content)
                os.utime(name, ns=(request["clock"], request["clock"]))
                request["clock"] += 10**9
            continue
        out, err = io.StringIO(), io.StringIO()
        del said[:]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            result = shell.run_cell(text, store_history=True)
        error = result.error_before_exec or result.error_in_exec
        answers.append(
            {
                "out": _PARTS.sub("", out.getvalue()),
                "err": _PARTS.sub("", err.getvalue()),
                "result": repr(result.result),
                "error": type(error).__name__ if error is not None else "",
                "said": "".join(said),
            }
        )
    if request["load"]:
        from ddsimport import report

        statuses = [(event.path, event.status) for event in report.current().events]
        reasons = [event.reason for event in report.current().events if event.reason]
    else:
        statuses, reasons = [], []
    names = sorted(name for name in shell.user_ns if name[0] != "_")
    return {"answers": answers, "statuses": statuses, "names": names, "reasons": reasons}


def main():
    # Once, for all forks.
    for module in (
        "IPython.core.interactiveshell", "libcst", "ddsimport.analysis.survey",
        "ddsimport.analysis.aliases", "ddsimport.notebook", "ddsimport.runtime.audited",
        "ddsimport.runtime.evaluation", "ddsimport.runtime.figures", "ddsimport.runtime.imports",
        "ddsimport.runtime.native", "ddsimport.runtime.outliving", "ddsimport.runtime.process",
        "ddsimport.runtime.randomness", "ddsimport.runtime.step", "ddsimport.runtime.unforeseen",
        "ddsimport.runtime.witness", "ddsimport.values.codecs",
    ):  # fmt: skip
        importlib.import_module(module)
    for line in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            try:
                answer = _session(json.loads(line))
            except BaseException:
                import traceback

                answer = {"broken": traceback.format_exc()}
            with open(writing, "w") as pipe:
                pipe.write(json.dumps(answer))
                pipe.flush()
            os._exit(0)
        os.close(writing)
        with open(reading) as pipe:
            answer = pipe.read()
        os.waitpid(child, 0)
        sys.stdout.write(answer.replace("\n", " ") + "\n")
        sys.stdout.flush()


main()
