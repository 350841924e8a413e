"""What an evaluation changes: files that it writes, renames or removes, folders, links, modes."""

from __future__ import annotations

import os
import sys

from ddsimport.runtime import asked, recorder
from ddsimport.runtime.names import (
    LOGGING,
    absolute,
    caller,
    followed,
    is_ours_or_the_systems,
    key_of,
)
from ddsimport.runtime.recorder import Recording, Written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def on_open_to_write(key: str, name: str, flags: int) -> None:
    if caller() == LOGGING:
        for recording in recorder.doers():
            recording.effects[f"opened the log {name}"] = None
    else:
        new = bool(flags & os.O_EXCL)
        _on_write(name, key, afresh=bool(flags & os.O_TRUNC), new=new)


def _on_write(name: str, key: str, *, afresh: bool = False, new: bool = False) -> None:
    """A file is about to be written to.

    Args:
        afresh: all that it holds is what is written now.
        new: there must be none before.
    """
    existed = os.path.lexists(name)
    random = new and os.path.basename(caller()) == "tempfile.py"  # such names are nobody's
    for recording in recorder.doers():
        if name in recording.writes:
            continue
        if not afresh and not new:
            recording.note_before(key, name)  # also that there is none yet, to add to
        elif existed and (key in recording.reads or name in recording.reads):
            recording.note_before(key, name)
        if new and not random:
            _count_kind(recording, key, name)
        recording.writes[name] = Written(existed, key)


def _count_kind(recording: Recording, key: str, name: str) -> None:
    """Whether there is something of that name, and what, counts."""
    token = asked.token_of_path(name, asked.KIND)
    recording.conditions.setdefault(asked.label_of_kind(key), token)


def on_rename(source: Any, target: Any, source_folder: Any = -1, folder: Any = -1) -> None:
    old, new = absolute(source, source_folder), absolute(target, folder)
    if old is None or new is None:
        return
    old_key, key = key_of(source, old, source_folder), key_of(target, new, folder)
    for recording in recorder.doers():
        if not is_ours_or_the_systems(old):
            made = recording.writes.pop(old, None)
            if made is None and os.path.isdir(old):
                recording.effects[f"renamed the folder {old}"] = None
            elif made is None:
                recording.note_before(old_key, old)
            if made is None or made.existed:
                recording.removals[old] = old_key
        if not is_ours_or_the_systems(new):
            existed = os.path.lexists(new)
            if os.path.isdir(old):  # which fails where there is a folder with something in it
                _count_kind(recording, key, new)
            recording.writes[new] = recording.writes.get(new, Written(existed, key)).replace(
                moded=True, moved=True
            )
            for below in [each for each in recording.writes if each.startswith(old + os.sep)]:
                inner = recording.writes.pop(below)
                rest = below[len(old) :]
                recording.writes[new + rest] = inner.replace(key=key + rest)


def on_make_folder(path: Any, _: Any = None, folder: Any = -1) -> None:
    name = followed(path, folder)
    if name is None:
        return
    key = key_of(path, name, folder)
    before = asked.token_of_path(name, asked.KIND)
    random = os.path.basename(caller()) == "tempfile.py"
    if_missing = asked.is_made_if_missing(sys._getframe(1))
    for recording in recorder.doers():
        if name in recording.writes:
            continue
        if not random and not if_missing:
            recording.conditions.setdefault(asked.label_of_kind(key), before)
        if before == "none" or if_missing:
            # One that is made where it is missing is as good as there: what is in it counts.
            recording.writes[name] = Written(before != "none" or if_missing, key)


def on_make_link(_: Any, path: Any, folder: Any = -1) -> None:
    name = followed(path, folder)
    if name is not None:
        _on_write(name, key_of(path, name, folder), new=True)


def on_truncate(path: Any, _: Any = None) -> None:
    name = followed(path)
    if name is not None:
        _on_write(name, key_of(path, name))


def on_remove(path: Any, folder: Any = -1) -> None:
    name = followed(path, folder)
    if name is None:
        return
    key = key_of(path, name, folder)
    for recording in recorder.doers():
        made = recording.writes.pop(name, None)
        if made is None:
            if key in recording.reads or name in recording.reads:
                recording.note_before(key, name)
            _count_kind(recording, key, name)
        if made is None or made.existed:
            recording.removals[name] = key


def on_change(path: Any, *_: Any) -> None:
    name = followed(path)
    if name is not None:
        for recording in recorder.doers():
            if name in recording.writes:
                recording.writes[name] = recording.writes[name].replace(moded=True)
            else:
                recording.effects[f"changed the mode, owner or times of {name}"] = None


def on_link() -> None:
    for recording in recorder.doers():
        recording.effects["made a hard link"] = None
