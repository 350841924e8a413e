"""The value that an evaluation gave: what it is told by, and whether it comes back as it was."""

from __future__ import annotations

from types import FunctionType

from ddsimport.errors import CodecError, UndigestibleError
from ddsimport.runtime import written
from ddsimport.runtime.live import Live
from ddsimport.runtime.signature import is_code
from ddsimport.values._setting import Setting
from ddsimport.values.digest import digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ddsimport.runtime.session import Session
    from ddsimport.source.site import Site


class Original:
    """A value that is about to be kept.

    Args:
        live: what the step reaches.

    Attributes:
        digest: hexadecimal; empty if the value has none.
        functions: those that it holds.
        classes: those of what it holds.
    """

    def __init__(self, value: Any, live: Live, session: Session) -> None:
        self.functions: list[object] = []
        self.classes: list[type] = []
        self._value = value
        self._live = live
        self._session = session
        self._setting = Setting(session.folders)
        self._undigestible: UndigestibleError | None = None
        try:
            self.digest = digest(value, self._code_of, self._setting).hex()
        except UndigestibleError as error:
            self.digest, self._undigestible = "", error

    def _code_of(self, thing: Any) -> bytes:
        if type(thing) is FunctionType:
            self.functions.append(thing)
        elif isinstance(thing, type):
            self.classes.append(thing)
        return self._live.code_of(thing)

    def comes_back(self, restored: object) -> bool:
        """Whether what was read back is the value as it was.

        Raises:
            CodecError: nothing can prove it, or a set would be iterated over in another order.
        """
        if type(self._value).__module__.partition(".")[0] == "matplotlib":
            return True  # known to; and pyplot takes up every figure that is unpickled
        if self._undigestible is not None:
            raise CodecError(
                f"nothing proves that its value comes back the same, which has no digest: "
                f"{self._undigestible}"
            )
        code_of = self._live.code_of
        if digest(restored, code_of, Setting(self._session.folders)).hex() != self.digest:
            return False
        if self._setting.unordered and _in_order(restored, code_of) != _in_order(
            self._value, code_of
        ):
            raise CodecError(
                "a set in its value would be iterated over in another order; return it sorted"
            )
        return True

    def told_unloaded(self, site: Site) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """`Candidate.parts` and `Candidate.classes`: what is enough to know of the value where it
        is an input. Not so if it holds code of the program's own, which may be another by then."""
        parts = [self._value]
        several = len(site.targets) > 1
        if several:
            if not site.lazy or type(self._value) not in (tuple, list):
                return (), ()
            parts = list(self._value)
        if (
            not self.digest
            or self.functions
            or self._live.reflects
            or self._setting.placed  # it counts as what it is called in the project
            or any(map(is_code, parts))  # names of code are not inputs
        ):
            return (), ()
        live = Live(self._session.codebook)
        for cls in self.classes:
            live.code_of(cls)
            if live.reaches or any(map(written.is_made_by_a_call, cls.__mro__)):
                return (), ()
        names = tuple(sorted(live.distributions))
        if not several:
            return (self.digest,), names
        return tuple([digest(part, live.code_of).hex() for part in parts]), names


def _in_order(value: object, code_of: Callable[[object], bytes]) -> bytes:
    """As a digest, but sets count in the order of this process: that of a set depends on what was
    done to it, and pickle does not know that."""
    setting = Setting()
    setting.in_order = True
    return digest(value, code_of, setting)
