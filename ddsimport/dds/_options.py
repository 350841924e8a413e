"""`set_option`, `get_option`, `reset_option`.

One of the four says how much is logged. The others tell dds_py which values not to look at; here
all of them count, however long, and who asks for less is told so once.
"""

from __future__ import annotations

from ddsimport.dds.structures import DDSErrorCode, DDSException
from ddsimport.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

EXTRA_DEBUG = "extra_debug"


class _Option(Record):
    """An option.

    Attributes:
        default: its value at the start.
        kinds: the types of its values.
        instead: what holds in place of other values than the default; empty if these hold.
    """

    default: Any
    kinds: tuple[type, ...]
    instead: str = ""


_LEFT_OUT = "a variable whose definition is marked `# dds: ignore` does not"
_OPTIONS = {
    EXTRA_DEBUG: _Option(True, (bool,)),
    "accept_list": _Option(True, (bool,), f"lists always count, by value; {_LEFT_OUT}"),
    "accept_dict": _Option(True, (bool,), f"dictionaries always count, by value; {_LEFT_OUT}"),
    "hash.max_sequence_size": _Option(
        10_000, (int, type(None)), "values count as a whole, however long they are"
    ),
}
_values: dict[str, Any] = {}


def set_option(key: str, value: Any) -> None:
    """Set an option.

    Raises:
        DDSException: there is no such option.
        ValueError: it does not take this value.
    """
    option = _option(key)
    if not isinstance(value, option.kinds):
        kinds = " or ".join(kind.__name__ for kind in option.kinds)
        raise ValueError(f"the option {key!r} takes {kinds}, not {value!r}")
    if isinstance(value, int) and value < 0:
        raise ValueError(f"the option {key!r} takes no negative number: {value!r}")
    _values[key] = value
    if option.instead and value != option.default:
        from ddsimport import report

        report.current().say(f"option {key}", f"set_option({key!r}, {value!r}): {option.instead}")


def get_option(key: str, default: Any = None) -> Any:
    """The value of an option; `default` is there for the sake of dds_py, where it changes nothing.

    Raises:
        DDSException: there is no such option.
    """
    return _values.get(key, _option(key).default)


def reset_option(key: str) -> None:
    """Give an option, or with `"all"` each of them, the value that it had at the start.

    Raises:
        DDSException: there is no such option.
    """
    if key == "all":
        _values.clear()
        return
    _option(key)
    _values.pop(key, None)


def _option(key: str) -> _Option:
    if key not in _OPTIONS:
        raise DDSException(
            f"there is no option {key!r}; there are: {', '.join(_OPTIONS)}",
            DDSErrorCode.UNKNOWN_OPTION,
        )
    return _OPTIONS[key]
