"""The sections: functions that `section` has marked, in order."""

from functools import partial

from .tables import Column, Table

BUSY = 5
PAGE = 9
_sections = []


def section(order=0):
    def mark(function):
        function.order = order
        _sections.append(function)
        return function

    return mark


def underlined(text, sign="-"):
    return f"{text}\n{sign * len(text)}"


@section(order=2)
def busiest(rows):
    seconds = {}
    for row in rows:
        seconds.setdefault(row["user"], []).append(row["seconds"])
    user = max(sorted(seconds), key=lambda each: sum(seconds[each]))
    return f"busiest: {user} ({sum(seconds[user])} s)"


@section(order=1)
def table(rows):
    columns = [Column("user", 5), Column("action", 7), Column("seconds", -4)]
    return Table(*columns).render(rows[:3])


@section()
def nothing(rows):
    return None


def chosen(rows):
    for function in sorted(_sections, key=lambda each: each.order):
        part = function(rows)
        if part is not None:
            yield part


def pages(text, size=PAGE):
    return -(-text.count("\n") // size)


def unused(rows, used, *, by="user"):
    take = partial(dict.get, default=None) if used is None else used.get
    for row in rows:
        if take(row[by]) is None:
            yield row[by]
