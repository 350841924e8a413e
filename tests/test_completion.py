"""Shell completion, by the shells that are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.projects import ROOT

if sys.platform == "win32":
    pytest.skip("no bash", allow_module_level=True)

needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")


@pytest.fixture
def used(project):
    """A project with values and scripts, and a command `ddsimport` to be found."""
    project.write(
        main="""
        model = 1 + 1  # dds: /wine/model
        raw = 2 + 2  # dds: /wine/raw
        print(model, raw)
        """,
        other="pass",
    )
    project.run("main.py")
    (project.root / "folder").mkdir()
    (project.root / "text.txt").touch()
    command = project.root.parent / "bin" / "ddsimport"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ddsimport "$@"\n')
    command.chmod(0o755)
    return project


def environment(project):
    path = f"{project.root.parent / 'bin'}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}


def completed(project, line):
    """What bash makes of `line` and Tab, asked of the function that completes."""
    script = r"""
    source <(ddsimport --completion bash)
    COMP_LINE="$1"; COMP_POINT=${#1}
    # Words as bash itself tells them: parted at `=` and `@`, too.
    mapfile -t COMP_WORDS < <(sed 's/\([=@]\)/\n\1\n/g; s/ /\n/g' <<< "$1" | sed '/^$/d')
    [[ "$1" == *" " ]] && COMP_WORDS+=("")
    COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
    _ddsimport
    printf '%s\n' "${COMPREPLY[@]}"
    """
    ended = subprocess.run(
        ["bash", "-c", script, "bash", line],
        cwd=project.root,
        env=environment(project),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stderr == "", ended.stderr
    return set(ended.stdout.split())


CASES = {
    "ddsimport --rep": {"--report"},
    "ddsimport --comp": {"--completion"},
    "ddsimport --completion z": {"zsh"},
    "ddsimport graph --format s": {"svg"},
    "ddsimport sta": {"status"},
    "ddsimport oth": {"other.py"},
    "ddsimport -q ma": {"main.py"},
    "ddsimport main.py tex": {"text.txt"},
    "ddsimport show /w": {"/wine/model", "/wine/raw"},
    "ddsimport show /wine/m": {"/wine/model"},
    "ddsimport diff /wine/raw /wine/m": {"/wine/model"},
    "ddsimport show --js": {"--json"},
    "ddsimport gc --bud": {"--budget"},
    "ddsimport key tr": {"trust"},
    "ddsimport key trust --n": {"--name"},
    "ddsimport --store fol": {"folder"},
    "ddsimport show --store fol": {"folder"},
    "ddsimport --namespace g": {"git"},
    "ddsimport lint ma": {"main.py"},
    "ddsimport ls --namespace=g": {"git"},
    "ddsimport show /nothing": set(),
    "ddsimport status x": set(),
}


@needs_bash
def test_bash(used):
    assert {line: completed(used, line) for line in CASES} == CASES


SHELLS = {
    "bash": (["--norc", "--noprofile"], 'eval "$(ddsimport --completion bash)"'),
    "zsh": (["-d"], "autoload -U compinit; compinit -u -D; source <(ddsimport --completion zsh)"),
}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_key_tab(used, shell):
    """A real shell on a real terminal."""
    import pty
    import select
    import time

    if shutil.which(shell) is None:
        pytest.skip(f"no {shell}")
    options, start = SHELLS[shell]
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [shell, *options, "-i"],
        cwd=used.root,
        env={**environment(used), "PS1": "$ ", "TERM": "dumb", "HISTFILE": ""},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)

    def until(wanted):
        seen, end = b"", time.monotonic() + 30
        while wanted not in seen:
            assert time.monotonic() < end, seen
            if select.select([master], [], [], 0.1)[0]:
                seen += os.read(master, 4096)

    try:
        os.write(master, f'{start}; echo re""ady\n'.encode())
        until(b"ready")
        for typed, completed in (
            ("ddsimport show /wine/m", "/wine/model "),
            ("ddsimport oth", "other.py "),
            ("ddsimport --store=fol", "=folder/"),
            ("ddsimport --force=/wine/m", "=/wine/model "),
        ):
            os.write(master, b"\x15" + typed.encode() + b"\t")
            until(completed.encode())
    finally:
        process.kill()
        process.wait()
        os.close(master)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_scripts_are_texts_of_their_shells(project, shell):
    ended = project.python("-m", "ddsimport", "--completion", shell)
    assert ended.returncode == 0 and "--complete --" in ended.stdout
    if shutil.which(shell) is not None:
        checked = subprocess.run([shell, "-n"], input=ended.stdout, text=True, check=False)
        assert checked.returncode == 0


def test_no_such_shell(project):
    ended = project.python("-m", "ddsimport", "--completion", "tcsh")
    assert ended.returncode == 2 and "bash, zsh, fish" in ended.stderr
    assert project.python("-m", "ddsimport", "--completion").returncode == 2


def test_where_there_is_no_store_none_is_made(project):
    ended = project.python("-m", "ddsimport", "--complete", "--", "show", "/")
    assert ended.stdout == "nothing\n" and ended.returncode == 0
    assert not (project.root / ".dds").exists()
