"""Cleaning, one function per name."""

CLEANERS = {}


def cleaner(function):
    CLEANERS[function.__name__] = function
    return function


@cleaner
def strip(row):
    return {key: value.strip() for key, value in row.items()}


@cleaner
def numbers(row):
    fresh = dict(row)
    for key in ("id", "amount"):
        fresh[key] = to_number(row.get(key, ""))
    return fresh


@cleaner
def drop_empty(row):
    if row["amount"] is None or row["amount"] <= MINIMUM:
        return None
    return row


@cleaner
def shout(row):
    return {**row, "customer": row["customer"].upper()}


MINIMUM = 0.0


def to_number(text, default=None):
    if not text:
        return default
    number = float(text)
    return int(number) if number.is_integer() else number


def apply_all(rows, names):
    kept = []
    for row in rows:
        for name in names:
            row = CLEANERS[name](row)
            if row is None:
                break
        else:
            kept.append(row)
    return kept
