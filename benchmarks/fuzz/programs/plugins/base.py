"""What a plugin is."""


class PluginMeta(type):
    def __new__(mcls, name, bases, namespace, **options):
        kind = super().__new__(mcls, name, bases, namespace)
        kind.rank = options.get("rank", 0)
        return kind

    def __init__(cls, name, bases, namespace, **options):
        super().__init__(name, bases, namespace)
        if bases:
            cls.known[name] = cls


class Plugin(metaclass=PluginMeta):
    known = {}
    rank = 0

    def __init__(self, settings):
        self.settings = settings

    def run(self, grid):
        for y, row in enumerate(grid):
            for x, cell in enumerate(row):
                row[x] = self.cell(grid, x, y, cell)
        return grid

    def cell(self, grid, x, y, value):
        return value

    @classmethod
    def title(cls):
        return cls.__name__.lower() + "+" * cls.rank
