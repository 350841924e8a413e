"""Reports under construction."""

from contextlib import contextmanager

from . import TITLE


class Report:
    made = []

    def __init__(self, name):
        self.name = name
        self.parts = []

    def add(self, part):
        self.parts.append(part)
        return self

    def text(self):
        return "\n".join([f"== {TITLE}: {self.name} ==", *self.parts]) + "\n"

    def __len__(self):
        return self.text().count("\n")

    def __repr__(self):
        return f"Report({self.name!r})"

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if kind is KeyError:
            self.add(f"missing: {error}")
            return True
        return False


@contextmanager
def building(name):
    with Report(name) as report:
        yield report
    Report.made.append(report)
    if len(Report.made) > 10:
        del Report.made[0]
