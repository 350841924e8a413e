"""What a step shows by `display()`: part of its output, which a hit shows again.

Whoever shows something in IPython calls the shell's publisher, or the one that `%%capture` puts in
its place: their classes are told to say so. What is shown is kept as a line of JSON. A widget is no
such thing: what it shows lives in this kernel, so a step that shows one is not kept.
"""

from __future__ import annotations

import base64
import json

from ddsimport.runtime import output, recorder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_METHODS = ("publish", "clear_output")
_WIDGET = "application/vnd.jupyter.widget-view+json"
_BYTES = "ddsimport bytes"
_CALLS = {"publish": ("data", "metadata", "source"), "clear_output": ("wait",)}
"""The positional parameters of these methods."""

_own: dict[tuple[type, str], Any] = {}  # (class, method) -> its own, `_INHERITED` if it has none
_INHERITED = object()


def follow(shell: Any) -> None:
    """See what is shown from now on, and be ready to show it again."""
    from IPython.core.displaypub import CapturingDisplayPublisher

    for kind in (type(shell.display_pub), CapturingDisplayPublisher):
        for method in _METHODS:
            if (kind, method) not in _own and hasattr(kind, method):
                _own[kind, method] = vars(kind).get(method, _INHERITED)
                setattr(kind, method, _noting(getattr(kind, method), method))
    output.show = lambda text: _show(shell, text)


def leave() -> None:
    """Undo `follow`."""
    for (kind, method), own in _own.items():
        if own is _INHERITED:
            delattr(kind, method)
        else:
            setattr(kind, method, own)
    _own.clear()
    output.show = None


def _noting(own: Callable[..., Any], method: str) -> Callable[..., Any]:
    def shown(publisher: Any, *args: Any, **kwargs: Any) -> Any:
        _note(method, {**dict(zip(_CALLS[method], args, strict=False)), **kwargs})
        with recorder.unrecorded():  # a terminal prints what it is to show
            return own(publisher, *args, **kwargs)

    return shown


def _note(method: str, arguments: dict[str, Any]) -> None:
    """Tell whoever records what is about to be shown."""
    recordings = recorder.doers()
    if not recordings:
        return
    arguments.pop("source", None)  # of no meaning any more
    data = arguments.get("data")
    effect = ""
    text = ""
    try:
        text = json.dumps([method, arguments], default=_plain)
    except (TypeError, ValueError):
        effect = "displayed something that is no data"
    if isinstance(data, dict) and _WIDGET in data:
        effect = "displayed a widget (`replay=off` in its pragma has a hit show none)"
    for recording in recordings:
        if effect:
            recording.unshown[effect] = None
        else:
            recording.add_text(output.DISPLAY, text + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {_BYTES: base64.b64encode(value).decode()}
    raise TypeError


def _as_it_was(value: dict[str, Any]) -> Any:
    return base64.b64decode(value[_BYTES]) if _BYTES in value else value


def _show(shell: Any, text: str) -> None:
    """Show again what `_note` has told."""
    for line in text.splitlines():
        method, arguments = json.loads(line, object_hook=_as_it_was)
        getattr(shell.display_pub, method)(**arguments)
