"""Codecs: what a predicate proves comes back, and what none proves comes back through pickle."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import traps
from digest_table import Plain, coded, simple
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ddsimport.errors import CodecError
from ddsimport.values.codecs import Codec, codec_for, codec_named, verify
from ddsimport.values.digest import digest

pytestmark = pytest.mark.filterwarnings("ignore:the matrix subclass")
_CODECS = [codec_named(name) for name in ("npy", "text", "bytes", "json", "pickle")]
_TRAPS: dict[str, Callable[[], Any]] = {
    **{f"array {name}": make for name, make in traps.ARRAYS.items()},
    **{f"frame {name}": make for name, make in traps.FRAMES.items()},
    **{f"json {name}": make for name, make in traps.JSON.items()},
}
# What no codec may claim, though pickle keeps it.
_PICKLED = {
    *("array broadcast", "array big endian", "array objects", "array structured", "array aligned"),
    *("array nested struct", "array record", "array matrix", "array metadata", "array masked"),
    *("array read-only", "array long double", "array scalar", "array permuted"),
    *("json huge int", "json nan", "json infinite", "json tuple", "json tuple inside"),
    *("json int keys", "json none key", "json true key", "json ordered dict", "json default dict"),
    *("json named tuple", "json int enum", "json numpy float", "json str subclass"),
    *("json str subclass key", "json set", "json bytes", "json surrogate", "json surrogate pair"),
    *("json surrogate key", "json date", "json decimal", "json str surrogate", "json bytearray"),
}


class _Pipe:
    """A file that can only be written to, like the store's."""

    def __init__(self) -> None:
        self.content = b""

    def write(self, data: Any) -> int:
        self.content += bytes(data)
        return len(bytes(data))


def encoded(value: object, codec: Codec) -> bytes:
    pipe = _Pipe()
    codec.encode(value, pipe)
    return pipe.content


def _same(value: Any, back: Any) -> bool:
    return type(value) is type(back) and digest(value) == digest(back)


def _returned(value: object, codec: Codec, folder: Path) -> list[Any]:
    """A value by every way back: from a file, from memory of ours, from memory that is not."""
    content = encoded(value, codec)
    path = folder / "blob"
    path.write_bytes(content)
    back = codec.decode(str(path))
    return [back, codec.decode_bytes(bytearray(content)), codec.decode_bytes(content)]


@pytest.mark.parametrize("name", _TRAPS)
def test_traps_come_back_exactly(name: str, tmp_path: Path) -> None:
    value = _TRAPS[name]()
    codec = codec_for(value)
    if name in _PICKLED:
        assert codec.name == "pickle"
    for back in _returned(value, codec, tmp_path):
        assert _same(value, back)
        if isinstance(value, np.ndarray):
            assert back.flags.writeable == value.flags.writeable or name == "array broadcast"
            assert back.flags.c_contiguous >= value.flags.c_contiguous
    assert verify(value, codec)


@pytest.mark.parametrize(
    "name", ["floats", "text", "datetime", "fortran", "large fortran", "empty"]
)
def test_simple_arrays_are_npy(name: str) -> None:
    value = traps.ARRAYS[name]()
    assert codec_for(value).name == "npy"
    loaded = np.load(io.BytesIO(encoded(value, codec_for(value))), allow_pickle=False)
    np.testing.assert_array_equal(loaded, value)
    assert loaded.flags.f_contiguous == value.flags.f_contiguous


def test_values_of_the_standard_library_come_back(tmp_path: Path) -> None:
    for name, value in simple().items():
        codec = codec_for(value)
        if name == "memoryview":
            with pytest.raises(CodecError):
                encoded(value, codec)
        elif "deep" in name:  # how deep pickle goes depends on the version of Python
            with contextlib.suppress(CodecError):
                assert verify(value, codec)
        elif name == "slotted":  # frozen, with slots by hand: pickles, and does not load
            assert not verify(value, codec)
        else:
            for back in _returned(value, codec, tmp_path):
                assert _same(value, back), name


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters()), inner, max_size=4)
        | st.tuples(inner)
        | st.dictionaries(st.integers() | st.none(), inner, max_size=2)
    ),
    max_leaves=10,
)
_dtypes = (
    hnp.scalar_dtypes()
    | hnp.unicode_string_dtypes(max_len=3)
    | hnp.byte_string_dtypes(max_len=3)
    | hnp.array_dtypes(max_size=2)
)
_shapes = hnp.array_shapes(max_dims=3, min_side=0)
_arrays = _dtypes.flatmap(lambda dtype: hnp.arrays(dtype, _shapes)) | hnp.arrays(
    object, _shapes, elements=_json
)


def _layouts(array: Any) -> list[Any]:
    views = [array, array.T, np.asfortranarray(array), np.broadcast_to(array, (2, *array.shape))]
    return [*views, array[::-1], array[..., :1], np.moveaxis(array, 0, -1)] if array.ndim else views


_simple_arrays = _arrays.flatmap(lambda array: st.sampled_from(_layouts(array)))
_anything = _json | _simple_arrays | st.binary() | st.text(st.characters())


@given(_anything)
def test_a_predicate_that_says_exact_is_right(value: Any) -> None:
    for codec in _CODECS:
        if codec.restores(value):
            content = encoded(value, codec)
            for back in (codec.decode_bytes(bytearray(content)), codec.decode_bytes(content)):
                assert _same(value, back)
                if isinstance(value, np.ndarray):
                    assert back.flags.writeable
                    assert back.dtype == value.dtype


@given(_anything)
def test_whatever_is_chosen_restores_the_value(value: Any) -> None:
    assert verify(value, codec_for(value))


@given(_json)
def test_json_is_read_by_everyone(value: Any) -> None:
    codec = codec_named("json")
    if codec.restores(value):
        content = encoded(value, codec)
        assert content.endswith(b"\n")
        assert repr(json.loads(content)) == repr(value)


def test_a_list_met_twice_stays_one_list() -> None:
    row = [1]
    for value in ([row, row], {"a": row, "b": {"c": row}}):
        assert codec_for(value).name == "pickle"
    back: Any = codec_for([row, row]).decode_bytes(encoded([row, row], codec_for([row, row])))
    assert back[0] is back[1]
    knot: list[Any] = []
    knot.append(knot)
    assert codec_for(knot).name == "pickle"


def test_much_data_is_not_json() -> None:
    assert codec_for([0] * 9_000).name == "json"
    assert codec_for([0] * 20_000).name == "pickle"


def test_mapped_arrays_are_copied_on_write(tmp_path: Path) -> None:
    array = np.arange(1_000_000.0)
    for value in (array, array.reshape(1000, 1000).T, {"a": array}, pd.DataFrame({"a": array})):
        codec = codec_for(value)
        path = tmp_path / codec.name
        path.write_bytes(encoded(value, codec))
        before = path.read_bytes()
        back: Any = codec.decode(str(path))
        inner = back if isinstance(back, np.ndarray) else back["a"]
        assert type(inner) is type(value if isinstance(value, np.ndarray) else value["a"])
        if isinstance(back, pd.DataFrame):
            back.loc[0, "a"] = -1.0
        else:
            inner[(0,) * inner.ndim] = -1.0
        assert digest(back) != digest(value)
        assert path.read_bytes() == before
        path.unlink()  # the mapping outlives the name
        assert digest(back) != digest(value)


def test_large_buffers_are_aligned_and_apart() -> None:
    value = {"a": np.arange(100_000), "b": bytearray(200_000), "c": "x", "d": np.arange(3)}
    content = encoded(value, codec_named("pickle"))
    back: Any = codec_named("pickle").decode_bytes(bytearray(content))
    assert back["a"].ctypes.data % 16 == 0
    assert verify(value, codec_named("pickle"))
    place = content.index(np.arange(100_000).tobytes())
    assert place % 64 == 0
    back["d"].resize(5)  # small arrays own their memory


def test_small_values_are_ordinary_pickles() -> None:
    content = encoded({1: {2, 3}}, codec_named("pickle"))
    assert pickle.loads(content) == {1: {2, 3}}


def test_a_pickle_that_ends_like_our_mark_is_a_pickle() -> None:
    for value in (b"dds-buf1", {"x": b"dds-buf1" * 10}):
        assert verify(value, codec_named("pickle"))


@pytest.mark.parametrize(
    ("value", "where"),
    [
        (threading.Lock(), "the value"),
        ({"a": [1, threading.Lock()]}, "['a'][1]"),
        (Plain(parts=[Plain(lock=threading.Lock())]), ".parts[0].lock"),
        ((n for n in ()), "the value"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_place(value: object, where: str) -> None:
    with pytest.raises(CodecError, match="cannot pickle") as caught:
        encoded(value, codec_for(value))
    assert str(caught.value).startswith(f"{where}: ")


def test_instances_of_local_classes_are_refused() -> None:
    class Local:
        pass

    with pytest.raises(CodecError, match="define it at module level"):
        encoded([Local()], codec_for([Local()]))


_SCALE = 2


def test_functions_without_a_name_come_back_in_their_module(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    value = {"f": lambda x: x * _SCALE, "g": Plain}
    back: Any = codec_for(value).decode_bytes(encoded(value, codec_for(value)))
    assert back["f"](3) == 6
    monkeypatch.setattr(sys.modules[__name__], "_SCALE", 5)
    assert back["f"](3) == 15
    assert back["g"] is Plain


def test_closures_come_back_with_cells_defaults_and_themselves() -> None:
    def make(n: int) -> Any:
        def count(k: int, more: int = 1) -> int:
            return n + more if k == 0 else count(k - 1)

        count.label = "x"  # type: ignore[attr-defined]  # functions may have attributes
        return count

    back: Any = codec_for(make(5)).decode_bytes(encoded(make(5), codec_for(make(5))))
    assert (back(2), back.label, back.__qualname__) == (6, "x", make(5).__qualname__)
    assert verify(coded()["lambda"], codec_named("pickle"))


def test_classes_of_the_script_stay_those_of_the_script(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import io\n"
        "from ddsimport.values.codecs import codec_for\n"
        "class Model:\n"
        "    def __init__(self):\n"
        "        self.score = lambda x: x + OFFSET\n"
        "OFFSET = 1\n"
        "model = Model()\n"
        "file = io.BytesIO()\n"
        "codec_for(model).encode(model, file)\n"
        "back = codec_for(model).decode_bytes(file.getvalue())\n"
        "OFFSET = 10\n"
        "assert isinstance(back, Model) and back.score(1) == 11\n"
    )
    root = str(Path(__file__).parent.parent.parent)
    environment = {**os.environ, "PYTHONPATH": root}
    assert subprocess.run([sys.executable, str(script)], env=environment).returncode == 0


class Forgetful:
    """Pickles without a word, and comes back as less."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __reduce__(self) -> Any:
        return Forgetful, (0,), {"m": self.n}

    def __setstate__(self, state: Any) -> None:
        pass


def test_verify_notices_what_does_not_come_back() -> None:
    assert not verify(Forgetful(1), codec_named("pickle"))
    assert not verify(np.ma.array([1], hard_mask=True), codec_named("pickle"))
    assert verify(Plain(a=1), codec_named("pickle"))


def test_damaged_and_foreign_bytes_are_codec_errors() -> None:
    for codec in _CODECS:
        if codec.name == "bytes":
            continue
        for content in (b"\xff\xfe\x00", b"\x93NUMPY\x01\x00", b"\xff" * 300_000):
            with pytest.raises(CodecError):
                codec.decode_bytes(bytearray(content))
    missing = b"\x80\x04\x8c\x0bdigest_gone\x8c\x01X\x93."
    with pytest.raises(CodecError, match="does not load"):
        codec_named("pickle").decode_bytes(missing)


def test_npy_never_unpickles() -> None:
    file = io.BytesIO()
    np.save(file, np.array([Plain()], dtype=object), allow_pickle=True)
    for content in (file.getvalue(), bytearray(file.getvalue() + bytes(300_000))):
        with pytest.raises(CodecError):
            codec_named("npy").decode_bytes(content)


def test_unknown_codecs_are_named() -> None:
    with pytest.raises(CodecError, match="no codec is named 'nyp'; there are npy, text"):
        codec_named("nyp")


def test_codecs_import_nothing_heavy() -> None:
    program = (
        "import sys; import ddsimport.values.codecs, ddsimport.values.digest as d;"
        "d.digest({'a': [1, 2.5, None]});"
        "heavy = {'numpy', 'pandas', 'pyarrow', 'cloudpickle', 'json', 'pickle', 'dataclasses',"
        " 'inspect', 'logging', 'pathlib', 'datetime', 'tempfile'};"
        "sys.exit((heavy & set(sys.modules) or 0))"
    )
    root = str(Path(__file__).parent.parent.parent)
    done = subprocess.run(
        [
            sys.executable,
            "-S",
            "-c",
            "import sys; sys.path[:0] = eval(sys.argv[1]); " + program,
            repr([root, *sys.path]),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
