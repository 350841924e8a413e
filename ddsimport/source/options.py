"""The options of a pragma: what each takes, and what it means to the runtime."""

from __future__ import annotations

from ddsimport.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
"""Seconds, by the letter that ends the value of `ttl=`."""

REPLAYS = ("off", "truncated")


class Options(Record):
    """What the options of one pragma ask for.

    Attributes:
        salt: moves the signature: `version=`, the names in `files=` and `env=`, and `replay`, which
            decides how much is kept.
        ttl: seconds after which a kept value is evaluated again; None: never.
        cached: whether the value is kept at all.
        always: it is kept also where that is much dearer than to evaluate it.
        replay: "off": a hit gives the value and does nothing else; "truncated": what is printed
            beyond the budget is lost on a hit; empty: a hit does all that the step does.
        files: patterns of files that count as inputs, relative to the project.
        env: environment variables that count as inputs.
    """

    salt: str = ""
    ttl: float | None = None
    cached: bool = True
    always: bool = False
    replay: str = ""
    files: tuple[str, ...] = ()
    env: tuple[str, ...] = ()


def options_of(pairs: Iterable[tuple[str, str]], replay: str = "") -> Options:
    """What the options as written mean; they have been checked by `fault_in`.

    Args:
        replay: that of a step that does not say.
    """
    given = dict(pairs)
    files, env = (tuple(given.get(key, "").split(",")) for key in ("files", "env"))
    files, env = (names if names != ("",) else () for names in (files, env))
    version = given.get("version", "")
    replay = given.get("replay", replay)
    return Options(
        salt=repr((version, files, env, replay)) if files or env or replay else version,
        ttl=seconds_of(given["ttl"]) if "ttl" in given else None,
        cached=given.get("cache") != "off",
        always=given.get("cache") == "always",
        replay=replay,
        files=files,
        env=env,
    )


def seconds_of(text: str) -> float | None:
    """The seconds that `90s`, `30m`, `12h`, `1.5d` or `2w` are; None for anything else."""
    unit = UNITS.get(text[-1:])
    number = text[:-1]
    if unit is None or not number.replace(".", "", 1).isdecimal() or not number.isascii():
        return None
    return float(number) * unit


def fault_in(key: str, value: str) -> str | None:
    """What is wrong with the value of `ttl=`, `cache=`, `replay=`, `files=` or `env=`, with advice;
    None if nothing is."""
    if key == "ttl" and not seconds_of(value):
        return "a time is written as `90s`, `30m`, `12h`, `1d` or `2w`"
    if key == "cache" and value not in ("off", "always"):
        return "it takes `off` or `always`; without it, values are kept where that pays"
    if key == "replay" and value not in REPLAYS:
        return f"it takes {' or '.join(f'`{each}`' for each in REPLAYS)}"
    if key in ("files", "env"):
        names = value.split(",")
        tidy = ",".join(name.strip() for name in names if name.strip())
        if "" in names or any(name != name.strip() for name in names):
            return f"names are parted by commas; did you mean `{key}={tidy or 'name'}`?"
        if key == "env" and any("=" in name for name in names):
            return "it takes the names of variables, not their values"
    return None
