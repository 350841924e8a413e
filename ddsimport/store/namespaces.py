"""The namespaces of a store: whose paths it shows, and in which folders.

Each has paths of its own over the same values. The one without a name is the store's folder itself.
"""

from __future__ import annotations

import os

from ddsimport.store.atomic import Staged, unusable

_NAMESPACES = "namespaces"
_PLACE = "place"
"""The file in a namespace's folder that says where its paths are shown, if not there."""


def namespaces(root: str) -> list[str]:
    """The names of all namespaces of a store; the one without a name comes first.

    Raises:
        StoreError: they cannot be read.
    """
    try:
        return ["", *sorted(os.listdir(f"{root}/{_NAMESPACES}"))]
    except (FileNotFoundError, NotADirectoryError):
        return [""]
    except OSError as error:
        raise unusable("read", f"{root}/{_NAMESPACES}", error) from error


def folder_of(root: str, namespace: str) -> str:
    """Where the paths of a namespace are shown: the store's folder, or one in it."""
    return f"{root}/{_NAMESPACES}/{namespace}" if namespace else root


def data_of(root: str, namespace: str) -> str:
    """Where the files are that show the paths of a namespace: in it, or where its user wants them.

    Raises:
        StoreError: that cannot be read.
    """
    folder = folder_of(root, namespace)
    if namespace:
        try:
            with open(f"{folder}/{_PLACE}", encoding="utf-8", errors="surrogateescape") as file:
                return file.read()
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:
            raise unusable("read", f"{folder}/{_PLACE}", error) from error
    return f"{folder}/data"


def show_in(root: str, namespace: str, data: str) -> None:
    """Have the paths of a namespace shown in the folder `data` from now on.

    Raises:
        StoreError: it cannot be written.
    """
    if data_of(root, namespace) != data:
        with Staged(f"{root}/tmp") as staged:
            staged.write(os.fsencode(data))
            staged.finish()
            staged.commit(f"{folder_of(root, namespace)}/{_PLACE}")
