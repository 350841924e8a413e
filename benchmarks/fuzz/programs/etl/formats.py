"""Writers, found by the name of their format."""

import json

_writers = {}


def writes(name):
    return lambda function: _writers.setdefault(name, function)


@writes("csv")
def to_csv(rows):
    header = sorted({key for row in rows for key in row})
    lines = [",".join(header)]
    for row in rows:
        lines.append(",".join(str(row.get(key, "")) for key in header))
    return "\n".join(lines) + "\n"


@writes("json")
def to_json(rows, indent=1):
    return json.dumps(rows, indent=indent, sort_keys=True)


def write(name, rows):
    return _writers[name](rows)
