"""What a step shows by `display()`: part of its output, shown again by a hit."""

from __future__ import annotations

from ddsimport.runtime import recorder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_own: list[Any] = []


def follow() -> None:
    """See what is shown from now on."""
    from IPython.core import display_functions

    if _own:
        return
    own = display_functions.publish_display_data

    def publish_display_data(*args: Any, **kwargs: Any) -> Any:
        _note()
        return own(*args, **kwargs)

    _own.append(own)
    display_functions.publish_display_data = publish_display_data


def leave() -> None:
    """Undo `follow`."""
    from IPython.core import display_functions

    if _own:
        display_functions.publish_display_data = _own.pop()


def _note() -> None:
    for recording in recorder.recordings():
        recording.effects["displayed something"] = None
