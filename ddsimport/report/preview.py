"""A value as people can look at it: the head of a table, an array in numbers, a text, a picture.

A value is looked at only after the store has given it, by the store's rules of whom to believe.
What it says of itself (`repr`) is then asked for; what is shown of it is bounded.
"""

from __future__ import annotations

from typing import Literal

from ddsimport.errors import CodecError, StoreError
from ddsimport.records import Record
from ddsimport.report.shortened import ITEMS, shortened
from ddsimport.values.summary import summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Buffer

    from ddsimport.store.store import Store
    from ddsimport.store.view_records import ViewRecord

ROWS, COLUMNS, LINES, LETTERS = 10, 40, 60, 8000
"""How much of a table and of a text is shown."""

_IN_PART = ("npy", "arrow", "polars", "spark")
"""Codecs of values of which no more is read than is shown."""

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"


class Preview(Record):
    """What is shown of a value.

    Attributes:
        kind: how it is shown: `none` where it cannot be.
        title: what it is, in a few words.
        text: of a text, or an array; why there is nothing.
        head: of a table: (name, dtype) of each column that is shown.
        rows: of it.
        more: what is left out, in words; empty if nothing is.
        image: of a picture, as PNG or JPEG.
    """

    kind: Literal["text", "table", "image", "none"]
    title: str
    text: str = ""
    head: tuple[tuple[str, str], ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    more: str = ""
    image: bytes = b""


def preview_of(
    store: Store, path: str, version: str | int | None = None, most: int | None = None
) -> Preview:
    """What an artifact shows, or has shown.

    Args:
        version: as `Store.load` takes it.
        most: bytes of a value that must be read as a whole to be looked at; larger ones are told
            in a few words. None: there is no limit.

    Raises:
        AbsentArtifactError: there is no such artifact.
        StoreError: its record cannot be read.
    """
    from ddsimport.store.history import Version
    from ddsimport.store.store import AbsentArtifactError

    record: Version | ViewRecord | None
    record = store.past(path, version) if version is not None else store.current(path)
    said = _noted(store, record.signature) if record is not None else ""
    size = 0
    if record is not None:
        size = record.size if isinstance(record, Version) else record.blob_size
        if most is not None and size > most and record.codec not in _IN_PART:
            return Preview("none", said or record.codec, f"too large to be looked at: {size:,} B")
    try:
        if record is not None and record.codec == "spark":
            store.others.check(path, record.signature, record.blob)
            return _of_spark(store.file_content(record.blob, size))
        return preview(store.load(path, version))
    except AbsentArtifactError:
        raise
    except (StoreError, CodecError) as error:
        return Preview("none", said, f"it cannot be loaded here: {error}")


def _of_spark(content: Buffer) -> Preview:
    """A frame of Spark, of which only a session would tell more than its columns. Raises
    CodecError."""
    from ddsimport.values.codecs._spark import table_of

    top, rows = table_of(content, ROWS)
    shape = rows, top.num_columns
    return _arrow(top, "DataFrame " + " x ".join(map(str, shape)), shape)


def _noted(store: Store, signature: str) -> str:
    """What was said of the value when it was made."""
    provenance = store.provenances.read(signature)
    return provenance.value if provenance is not None else ""


def preview(value: Any) -> Preview:
    """What is shown of a value. Never raises."""
    title = summary(value)
    try:
        return _preview(value, title)
    except Exception as error:  # of a library, or of the value's own class
        return Preview("none", title, f"it cannot be shown: {type(error).__name__}: {error}")


def preview_html(value: Any) -> str:
    """What is shown of a value, as a fragment of HTML that holds no script and loads nothing."""
    return as_html(preview(value))


def _preview(value: Any, title: str) -> Preview:
    cls = type(value)
    library, name = cls.__module__.partition(".")[0], cls.__qualname__
    if cls is str:
        return _text(f"str of {len(value):,}", value)
    if cls is bytes:
        return _bytes(value, title)
    if library == "pandas" and name in ("DataFrame", "Series"):
        return _pandas(value if name == "DataFrame" else value.to_frame(), title)
    if library == "polars" and name in ("DataFrame", "Series"):
        frame = value if name == "DataFrame" else value.to_frame()
        top = frame.head(ROWS).select(frame.columns[:COLUMNS])
        head = [(column, str(kind)) for column, kind in top.schema.items()]
        return _table(title, head, top.rows(), frame.shape)
    if library == "pyarrow" and name in ("Table", "RecordBatch"):
        return _arrow(value, title, value.shape)
    if library == "numpy" and name == "ndarray":
        return _array(value, title)
    if library == "torch" and name in ("Tensor", "Parameter"):
        return _tensor(value, title)
    if library == "PIL" and hasattr(value, "save"):
        return Preview("image", f"{name} {value.size[0]} x {value.size[1]}", image=_png_of(value))
    if library == "matplotlib" and hasattr(value, "savefig"):
        return Preview("image", name, image=_drawn(value))
    if cls in (dict, list, tuple, set, frozenset):
        return _container(value, title)
    # The `repr` of an array of Arrow is where it lies.
    said = str(value) if library == "pyarrow" else repr(value)
    return _text("" if title.endswith(said) else title, said)


# --- kinds ----------------------------------------------------------------------------------------


def _text(title: str, text: str) -> Preview:
    lines = text[:LETTERS].splitlines()
    more = ""
    if len(text) > LETTERS or len(lines) > LINES:
        more = f"{len(text):,} characters in all"
    return Preview("text", title, "\n".join(lines[:LINES]), more=more)


def _bytes(value: bytes, title: str) -> Preview:
    if value.startswith((_PNG, _JPEG)):
        return Preview("image", f"bytes of {len(value):,}", image=value)
    lines = []
    for place in range(0, min(len(value), 256), 16):
        row = value[place : place + 16]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{place:08x}  {row.hex(' '):<47}  {letters}")
    more = f"{len(value):,} bytes in all" if len(value) > 256 else ""
    return Preview("text", title, "\n".join(lines), more=more)


def _pandas(frame: Any, title: str) -> Preview:
    top = frame.iloc[:ROWS, :COLUMNS]
    head = [("", str(frame.index.dtype) if frame.index.nlevels == 1 else "index")]
    head += [(str(name), str(kind)) for name, kind in zip(top.columns, top.dtypes, strict=True)]
    rows = [
        (index, *row) for index, row in zip(top.index, top.itertuples(index=False), strict=True)
    ]
    return _table(title, head, rows, frame.shape)


def _arrow(table: Any, title: str, shape: tuple[int, int]) -> Preview:
    fields = list(table.schema)[:COLUMNS]
    columns = [table.column(i).slice(0, ROWS).to_pylist() for i in range(len(fields))]
    head = [(field.name, str(field.type)) for field in fields]
    return _table(title, head, list(zip(*columns, strict=True)), shape)


def _table(title: str, head: Any, rows: Any, shape: tuple[int, int]) -> Preview:
    """What is shown of a table of so many rows and columns: all of `head` and `rows`."""
    count, width = shape
    more = [f"{count:,} rows in all"] if count > len(rows) else []
    more += [f"{width:,} columns in all"] if width > COLUMNS else []
    return Preview(
        "table",
        title,
        head=tuple((_short(name), _short(kind)) for name, kind in head),
        rows=tuple(tuple(map(_cell, row)) for row in rows),
        more=", ".join(more),
    )


def _cell(value: object) -> str:
    text = f"{value:.6g}" if type(value).__name__.startswith("float") else str(value)
    first, more, _ = text.partition("\n")
    return _short(first + "…" * bool(more))


def _short(text: str) -> str:
    return text if len(text) <= 50 else text[:49] + "…"


def _array(value: Any, title: str) -> Preview:
    import numpy as np

    with np.printoptions(threshold=200, edgeitems=3, linewidth=100):
        text = str(value)
    return _text(title, "\n".join([text, *_statistics(value)]))


def _statistics(array: Any) -> list[str]:
    import numpy as np

    if array.dtype.kind not in "iufb" or array.size == 0:
        return []
    with np.errstate(all="ignore"):
        if array.dtype.kind == "b":
            return [f"{int(array.sum()):,} of {array.size:,} are true"]
        missing = int(np.isnan(array).sum()) if array.dtype.kind == "f" else 0
        if missing == array.size:
            return ["all are NaN"]
        low, mean, high = np.nanmin(array), np.nanmean(array, dtype=float), np.nanmax(array)
    nans = f", {missing:,} NaN" if missing else ""
    return [f"min {low:.6g}, mean {mean:.6g}, max {high:.6g}{nans}"]


def _tensor(value: Any, title: str) -> Preview:
    plain = value.detach().cpu()
    floating = plain.float() if plain.dtype.is_floating_point else plain
    return _text(title, "\n".join([str(plain), *_statistics(floating.numpy())]))


def _png_of(image: Any) -> bytes:
    from io import BytesIO

    buffer = BytesIO()
    kept = image.mode in ("1", "L", "LA", "I;16", "P", "RGB", "RGBA")
    (image if kept else image.convert("RGBA")).save(buffer, "PNG")
    return buffer.getvalue()


def _drawn(figure: Any) -> bytes:
    from io import BytesIO

    from matplotlib.backends.backend_agg import FigureCanvasAgg

    buffer = BytesIO()
    canvas = figure.canvas
    try:
        drawn: Any = FigureCanvasAgg(figure)
        drawn.print_png(buffer)
    finally:
        figure.set_canvas(canvas)
    return buffer.getvalue()


def _container(value: Any, title: str) -> Preview:
    import json
    from pprint import pformat

    cut = shortened(value, LETTERS)
    text = ""
    if type(value) in (dict, list):
        try:
            text = json.dumps(cut, indent=2, ensure_ascii=False)
            if json.loads(text) != cut:  # keys that are no texts
                text = ""
        except (TypeError, ValueError):
            text = ""
    text = text or pformat(cut, width=100, sort_dicts=False)
    return _text(title if len(value) > ITEMS or "of" in title else "", text)


# --- for terminals, and for pages -----------------------------------------------------------------


def as_text(shown: Preview, width: int | None = None) -> str:
    """For a terminal; of a picture only what it is (see `pictures`)."""
    from ddsimport.report.table import harmless, plain

    lines = [harmless(shown.title)] if shown.title else []
    if shown.kind == "table":
        head = [_on_a_line(name) for name, _ in shown.head]
        kinds = [kind for _, kind in shown.head]
        rows = [kinds, *(list(map(_on_a_line, row)) for row in shown.rows)]
        count = _fitting(head, rows, width)
        numbers = [i for i, kind in enumerate(kinds) if _is_number(kind)]
        lines.append(plain(head[:count], [row[:count] for row in rows], right=numbers))
        if count < len(head):
            lines.append(f"({len(head) - count} more columns do not fit)")
    elif shown.text:
        lines.append(harmless(shown.text.expandtabs()))
    if shown.more:
        lines.append(f"({shown.more})")
    return "\n".join(lines)


def _on_a_line(text: str) -> str:
    from ddsimport.report.table import harmless

    return harmless(text).replace("\n", "\\n").replace("\t", "\\t")


def _fitting(head: list[str], rows: list[Any], width: int | None) -> int:
    """How many columns fit beside each other."""
    if width is None:
        return len(head)
    used = 0
    for column, name in enumerate(head):
        used += 2 + max(len(name), *(len(row[column]) for row in rows))
        if used - 2 > width and column:
            return column
    return len(head)


def _is_number(kind: str) -> bool:
    return kind.lower().startswith(("int", "uint", "float", "double", "decimal"))


def as_html(shown: Preview) -> str:
    """For a page."""
    from html import escape

    parts = [f"<p>{escape(shown.title)}</p>"] if shown.title else []
    if shown.kind == "table":
        names = "".join(
            f"<th>{escape(name)}<br><small>{escape(kind)}</small></th>" for name, kind in shown.head
        )
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
            for row in shown.rows
        )
        parts.append(f"<table><thead><tr>{names}</tr></thead><tbody>{rows}</tbody></table>")
    elif shown.kind == "image":
        from base64 import b64encode

        kind = "png" if shown.image.startswith(_PNG) else "jpeg"
        data = b64encode(shown.image).decode()
        parts.append(f'<img alt="{escape(shown.title)}" src="data:image/{kind};base64,{data}">')
    elif shown.text:
        parts.append(f"<pre>{escape(shown.text)}</pre>")
    if shown.more:
        parts.append(f"<p><small>{escape(shown.more)}</small></p>")
    return f'<div class="preview preview-{shown.kind}">{"".join(parts)}</div>'
