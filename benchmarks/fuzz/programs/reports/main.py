"""Monthly reports out of log lines: marked functions, generators, context managers."""

import contextlib
import io
import sys

from reports import sections
from reports.build import Report, building
from reports.logs import entries, parse_all


def headline(month, total):  # dds: /report/headline/{month}
    """One line for the top of a report."""
    kind = "busy" if total > sections.BUSY else "quiet"
    print(f"[{month} was {kind}]")
    return sections.underlined(f"{month.title()}: {kind} ({total})")


def statistics(rows, *, by="user", minimum=0):  # dds: /report/statistics/{by}
    found = {}
    for row in rows:
        found[row[by]] = found.get(row[by], 0) + row["seconds"]
    return {key: value for key, value in sorted(found.items()) if value >= minimum}


def rendered(report, month):
    assert report.name == month
    return report.text()


class Office:
    months = ("may", "june")

    def __init__(self):
        self.rows = parse_all(entries())  # dds: /report/rows
        self.reports = {}

    def of(self, month):
        rows = [dict(row) for row in self.rows if row["month"] == month]
        with building(month) as report:
            report.add(headline(month, len(rows)))
            for section in sections.chosen(rows):
                report.add(section)
        return report

    def write(self, stream):
        for month in self.months:
            report = self.of(month)
            text = rendered(report, month)  # dds: /report/text/{month}
            self.reports[month] = text
            stream.write(text)
        self.pages = sections.pages("".join(self.reports.values()))  # dds:
        return self.pages


def main():
    office = Office()
    with contextlib.closing(io.StringIO()) as stream:
        pages = office.write(stream)
        whole = stream.getvalue()
    sys.stdout.write(whole)
    print("pages:", pages)
    by_user = statistics(office.rows)
    by_action = statistics(office.rows, by="action", minimum=20)
    print(by_user, by_action)
    last = Report.made[-1]
    length = len(last)  # dds: /report/length
    print(length, "lines in", last)
    rest = list(sections.unused(office.rows, by_user))  # dds: /report/rest
    print(rest or "all used", file=sys.stderr)


if __name__ == "__main__":
    main()
