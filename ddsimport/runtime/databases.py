"""Connections of `sqlite3` in globals: what is behind them counts, as they are no values.

A database in memory counts by what is in it; one in a file is an input as if the step had opened
the file. Asked by SQLite's own pragma, on a cursor that no row factory of the program sees.
"""

from __future__ import annotations

import sys

from ddsimport.errors import UndigestibleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def is_connection(value: object) -> bool:
    """Whether `value` is a connection, without importing `sqlite3`."""
    sqlite3: Any = sys.modules.get("sqlite3")
    return sqlite3 is not None and isinstance(value, sqlite3.Connection)


def files_of(connection: Any) -> list[str]:
    """The absolute names of the files that its databases lie in, and of their journals.

    Raises:
        UndigestibleError: nobody can tell what is behind it.
    """
    files = [file for _, file in _databases(connection) if file]
    return [*files, *map(journal_of, files)]


def journal_of(file: str) -> str:
    """Where what was committed last may still be (https://sqlite.org/wal.html)."""
    return f"{file}-wal"


def content_of(connection: Any) -> list[str | bytes]:
    """Of each of its databases, the file that it lies in, or what is in it.

    Raises:
        UndigestibleError: nobody can tell what is behind it.
    """
    import sqlite3

    found: list[str | bytes] = []
    try:
        for name, file in _databases(connection):
            if file and connection.in_transaction:
                raise UndigestibleError("", "a transaction is under way", type(connection))
            if file:
                found.append(file)
            elif name == "main":
                found.append(_in_memory(connection))
    except sqlite3.Error as error:
        raise _refusal(connection, error) from error
    return found


def _in_memory(connection: Any) -> str | bytes:
    import sqlite3

    if sys.version_info >= (3, 11):
        try:
            return sqlite3.Connection.serialize(connection)
        except sqlite3.OperationalError:
            pass  # an empty one cannot be
    return "\n".join(sqlite3.Connection.iterdump(connection))


def _databases(connection: Any) -> list[tuple[str, str]]:
    """The name of each database, and its file, empty for one in memory."""
    import sqlite3

    try:
        cursor = sqlite3.Connection.cursor(connection)
        cursor.row_factory = None
        rows = cursor.execute("pragma database_list").fetchall()
    except sqlite3.Error as error:  # closed, or of another thread
        raise _refusal(connection, error) from error
    return [(name, file) for _, name, file in rows]


def _refusal(connection: object, error: Exception) -> UndigestibleError:
    return UndigestibleError("", f"nobody can tell what is behind it ({error})", type(connection))
