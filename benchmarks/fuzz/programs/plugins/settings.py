"""What the command line may say."""

from typing import NamedTuple

DEFAULT_PLUGINS = ("fill", "noise", "blur", "threshold")


class Settings(NamedTuple):
    size: int = 5
    gain: float = 1.5
    level: int = 40
    plugins: tuple = DEFAULT_PLUGINS

    @classmethod
    def from_arguments(cls, arguments):
        values = {}
        for argument in arguments:
            key, _, value = argument.partition("=")
            values[key] = cls._converters()[key](value)
        return cls(**values)

    @staticmethod
    def _converters():
        return {"size": int, "gain": float, "level": int, "plugins": lambda t: tuple(t.split(","))}


def chain(*functions):
    def chained(value):
        for function in functions:
            value = function(value)
        return value

    return chained
