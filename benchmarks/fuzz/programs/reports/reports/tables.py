"""Tables of text."""


class Column:
    __slots__ = ("name", "width")

    def __init__(self, name, width):
        self.name = name
        self.width = width

    def __call__(self, row):
        text = str(row[self.name])
        return text.ljust(self.width) if self.width > 0 else text.rjust(-self.width)


class Table:
    gap = " "

    def __init__(self, *columns):
        self.columns = columns

    def render(self, rows):
        return "\n".join(self.gap.join(column(row) for column in self.columns) for row in rows)
