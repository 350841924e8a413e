"""Codecs and views of the user's own types."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, BinaryIO

import pytest

import ddsimport
from ddsimport import plugins
from ddsimport.errors import CodecError
from ddsimport.values.codecs import _registered, codec_for, codec_named, verify, view_for

ROOT = Path(__file__).resolve().parents[2]


class Note:
    def __init__(self, text: str, colour: str = "red") -> None:
        self.text = text
        self.colour = colour

    def save(self, file: BinaryIO) -> None:
        file.write(self.text.encode())


class Coloured(Note):
    pass


def read(file: BinaryIO) -> Note:
    return Note(file.read().decode())


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_registered, "codecs", {})
    monkeypatch.setattr(_registered, "views", {})
    monkeypatch.setattr(plugins, "formats", set())
    monkeypatch.setattr(plugins, "_looked", True)


def shown(value: object, *asked: Any) -> tuple[str, bool, bytes]:
    view = view_for(value, *asked)
    file = io.BytesIO()
    view.write(value, file)
    return view.name, view.exact, file.getvalue()


def test_a_registered_codec_keeps_and_shows_its_type() -> None:
    assert codec_for(Note("x")).name == "pickle"
    ddsimport.register_codec(Note, ".note", Note.save, read)
    codec = codec_for(Note("x"))
    assert not codec.proves and codec_named(codec.name) is codec
    assert verify(Note("x"), codec)
    assert shown(Note("x")) == ("note", False, b"x")
    assert shown(Note("x"), ".note") == shown(Note("x"), "", "note") == ("note", False, b"x")
    assert shown(Note("x"), ".pkl")[0] == "pickle"
    assert view_for(Note("x")).codec == codec.name, "the view is the same file"


def test_what_a_codec_loses_is_noticed() -> None:
    ddsimport.register_codec(Note, ".note", Note.save, read)
    assert not verify(Note("x", "blue"), codec_for(Note("x", "blue")))


def test_subclasses_need_their_own_codec_but_share_views() -> None:
    ddsimport.register_codec(Note, ".note", Note.save, read)
    ddsimport.register_view(Note, ".md", Note.save)
    assert codec_for(Coloured("x")).name == "pickle"
    assert shown(Coloured("x"), ".md") == ("md", False, b"x")


def test_a_view_may_take_the_suffix_of_a_format_that_is_built_in() -> None:
    ddsimport.register_view(Note, ".png", lambda note, file: file.write(b"PNG"), exact=True)
    assert shown(Note("x"), ".PNG") == ("png", True, b"PNG")
    with pytest.raises(CodecError, match="only matplotlib"):
        view_for(1, ".png")


def test_a_registered_codec_goes_before_a_built_in_one() -> None:
    ddsimport.register_codec(
        list, ".lines", lambda v, f: f.write("\n".join(v).encode()),
        lambda f: f.read().decode().split("\n"),
    )  # fmt: skip
    assert codec_for(["a"]).suffix == ".lines"


def test_edited_functions_are_another_codec() -> None:
    ddsimport.register_codec(Note, ".note", Note.save, read)
    before = codec_for(Note("x")).name
    ddsimport.register_codec(Note, ".note", Note.save, lambda file: Note(""))
    assert codec_for(Note("x")).name != before
    with pytest.raises(CodecError, match=r"Note\.note was changed, or is not registered"):
        codec_named(before)


def test_failures_of_their_code_are_codec_errors() -> None:
    ddsimport.register_codec(Note, ".note", Note.save, lambda file: 1)  # type: ignore[arg-type,return-value]
    with pytest.raises(CodecError, match="gives a int"):
        codec_for(Note("x")).decode_bytes(b"x")
    ddsimport.register_codec(Note, ".note", Note.save, lambda file: 1 // 0)  # type: ignore[arg-type,return-value]
    with pytest.raises(CodecError, match="ZeroDivisionError"):
        codec_for(Note("x")).decode_bytes(b"x")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((1, ".x", len, len), TypeError),
        ((Note, 1, len, len), TypeError),
        ((Note, "x", len, len), ValueError),
        ((Note, ".", len, len), ValueError),
        ((Note, ".a/b", len, len), ValueError),
        ((Note, ".x", len, None), TypeError),
    ],
)
def test_wrong_arguments_are_said_at_once(arguments: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        ddsimport.register_codec(*arguments)


def test_formats_are_known_to_pragmas_once_registered() -> None:
    from ddsimport.errors import PragmaError
    from ddsimport.source.grammar import said, source_of, words_of

    def options(text: str) -> Any:
        source = source_of(text, "<test>")
        return said(words_of(text, 0, 1, source)[0], 1, source)[1]

    with pytest.raises(PragmaError, match="there is no such format"):
        options("/a format=note")
    ddsimport.register_view(Note, ".note", Note.save)
    assert options("/a format=note") == (("format", "note"),)
    with pytest.raises(CodecError, match="no view as note is registered for int"):
        view_for(1, "", "note")


def run(program: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{folder}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def install(folder: Path, module: str, body: str) -> None:
    (folder / f"{module}.py").write_text(body)
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[ddsimport]\n{module} = {module}:register\n")


PLUGIN = """
import ddsimport
class Thing:
    def __eq__(self, other):
        return type(other) is Thing
def register():
    ddsimport.register_codec(Thing, ".thing", lambda t, f: f.write(b"thing"), lambda f: Thing())
    ddsimport.register_view(Thing, ".png", lambda t, f: f.write(b"PNG"))
"""


def test_installed_packages_bring_theirs(tmp_path: Path) -> None:
    install(tmp_path, "things", PLUGIN)
    install(tmp_path, "broken", "raise OSError('no')")
    output = run(
        "import sys\n"
        "from ddsimport import plugins\n"
        "from ddsimport.values.codecs import codec_for, view_for, codec_named\n"
        "codec_for({'a': [1, 'x']}); codec_for(b'x'); codec_named('json')\n"
        "assert 'importlib.metadata' not in sys.modules, 'nothing is looked for in vain'\n"
        "from things import Thing\n"
        "codec = codec_for(Thing())\n"
        "print(codec.suffix, codec_named(codec.name) is codec, view_for(Thing(), '.png').name)\n"
        "print(plugins.failures)\n",
        tmp_path,
    )
    first, second = output.splitlines()
    assert first == ".thing True png"
    assert "broken:register (entry point 'broken') failed" in second and "OSError" in second


def test_an_entry_of_an_installed_codec_is_read(tmp_path: Path) -> None:
    install(tmp_path, "things", PLUGIN)
    name = run(
        "from things import Thing\n"
        "from ddsimport.values.codecs import codec_for\n"
        "print(codec_for(Thing()).name, end='')",
        tmp_path,
    )
    assert name.startswith("things.Thing.thing@")
    run(
        "from ddsimport.values.codecs import codec_named\n"
        f"assert type(codec_named({name!r}).decode_bytes(b'thing')).__name__ == 'Thing'",
        tmp_path,
    )
