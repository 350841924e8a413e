"""What is made of a run."""

from collections import OrderedDict

BLOCKS = " .:-=#"
LIMITS = OrderedDict(extinct=0.5, rare=3.0, common=6.0)


class Counter:
    def __init__(self, *names):
        self.names = names
        self.rows = []

    def see(self, world):
        kinds = [animal.kind for animal in world.animals]
        self.rows.append({name: kinds.count(name) for name in self.names})


def peak(history):
    return max(max(row.values()) for rows in history for row in rows)


def mean(values):
    values = list(values)
    return sum(values) / len(values) if values else 0.0


def averages(history, digits=3):
    rows = [row for rows in history for row in rows]
    return {name: round(mean(row[name] for row in rows), digits) for name in rows[0]}


def chart(counts, height=len(BLOCKS) - 1):
    top = max(counts) or 1
    return "".join(BLOCKS[count * height // top] for count in counts)


def verdict(averages, peak):
    for name, limit in LIMITS.items():
        if averages["rabbit"] <= limit:
            return name
    return "crowded" if peak > 9 else "many"
