"""The configuration: dataclasses, an enum, conversion by annotation."""

from dataclasses import dataclass, field, fields
from enum import Enum


class Mode(Enum):
    CAUTIOUS = 1
    GREEDY = 5
    CONTRARY = -3

    @property
    def weight(self):
        return abs(self.value) / 2

    def __str__(self):
        return self.name.lower()

    @classmethod
    def _missing_(cls, value):
        for member in cls:
            if str(member) == value:
                return member
        return None


@dataclass(frozen=True)
class Fees:
    fixed: float = 0.02
    rate: float = 0.001

    def total(self, trades):
        return self.fixed + self.rate * trades


@dataclass(frozen=True, order=True)
class Config:
    days: int = 10
    cash: float = 100.0
    warmup: int = 5
    mode: Mode = Mode.CAUTIOUS
    assets: tuple = ()
    fees: Fees = field(default_factory=Fees, compare=False)

    def __post_init__(self):
        if self.warmup >= self.days:
            raise ValueError("too few days")


CONVERTERS = {"assets": lambda text: tuple(text.split(",")), "mode": Mode, "days": int}


def load_config(raw, **overrides):
    known = {each.name: each.type for each in fields(Config)}
    values = {}
    for key, text in {**raw, **overrides}.items():
        if key not in known:
            raise KeyError(key)
        values[key] = CONVERTERS.get(key, float)(text)
    return Config(**values)
