"""Figures about rows."""

from operator import itemgetter

WIDTH = 24
EMPTY = {"rows": 0, "amount": 0}


def by_region(rows, region):
    chosen = [row for row in rows if row["region"] == region]
    if not chosen:
        return dict(EMPTY)
    return {"rows": len(chosen), "amount": round(sum(map(itemgetter("amount"), chosen)), 2)}


def largest(rows, count=1):
    ordered = sorted(rows, key=itemgetter("amount"), reverse=True)
    return [dict(row) for row in ordered[:count]]


def line(name, value, fill="."):
    return f"{name}{fill * (WIDTH - len(name) - len(str(value)))}{value}"


def describe(totals, top):
    lines = [line(region, total["amount"]) for region, total in totals.items()]
    lines.append("-" * WIDTH)
    lines.append(line("total", round(sum(each["amount"] for each in totals.values()), 2)))
    for row in top:
        lines.append(line(row["customer"], row["amount"], fill=" "))
    return "\n".join(lines)
