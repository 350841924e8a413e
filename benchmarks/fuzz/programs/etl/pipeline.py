"""Stages that are subclasses of `Stage` and find themselves by name."""


class Stage:
    registry = {}
    priority = 1

    def __init_subclass__(cls, name=None, **kwargs):
        super().__init_subclass__(**kwargs)
        if name:
            Stage.registry[name] = cls

    def __init__(self, **options):
        self.options = options

    def apply(self, row):
        raise NotImplementedError

    def __call__(self, rows):
        return [self.apply(dict(row)) for row in rows]


class Tax(Stage, name="tax"):
    priority = 2

    def apply(self, row):
        row["amount"] = round(row["amount"] * (1 + self.options["rate"]), 2)
        return row


class Discount(Stage, name="discount"):
    def apply(self, row):
        if row["amount"] > self.options["above"]:
            row["amount"] = round(row["amount"] * (100 - self.options["percent"]) / 100, 2)
            row["discount"] = True
        return row


class Rename(Stage, name="rename"):
    def apply(self, row):
        return {self.options.get(key, key): value for key, value in row.items()}


class Pipeline:
    def __init__(self, name):
        self.name = name
        self.stages = []

    def add(self, kind, **options):
        self.stages.append(Stage.registry[kind](**options))
        return self

    def run(self, rows):
        for stage in sorted(self.stages, key=lambda stage: stage.priority, reverse=True):
            rows = stage(rows)
        return rows


def stage_names(pipeline):
    return ", ".join(type(stage).__name__ for stage in pipeline.stages)
