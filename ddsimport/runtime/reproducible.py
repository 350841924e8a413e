"""What a step's value rests on besides all that is verified: the clock, chance, the machine, the
network. Such a value is kept; the user is told that a run without the store may give another.

Told by the text: what the code reaches, not whether it ran. (Nothing tells at run time that a
program asks for the time: `datetime.now` cannot be watched.)
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ddsimport.runtime.live import Live
    from ddsimport.runtime.recorder import Recording

_CLOCK = "reads the clock"
_CHANCE = "draws random bits of the system"
_MACHINE = "asks which machine, user or process this is"

_ASKING = {
    "datetime.date.today": _CLOCK,
    "datetime.datetime.now": _CLOCK,
    "datetime.datetime.today": _CLOCK,
    "datetime.datetime.utcnow": _CLOCK,
    "pandas.Timestamp.now": _CLOCK,
    "pandas.Timestamp.today": _CLOCK,
    "pandas.Timestamp.utcnow": _CLOCK,
    "time.ctime": _CLOCK,
    "time.gmtime": _CLOCK,
    "time.localtime": _CLOCK,
    "time.strftime": _CLOCK,
    "time.time": _CLOCK,
    "time.time_ns": _CLOCK,
    "os.getrandom": _CHANCE,
    "os.urandom": _CHANCE,
    "random.SystemRandom": _CHANCE,
    "secrets": _CHANCE,
    "uuid.uuid1": _CHANCE,
    "uuid.uuid4": _CHANCE,
    "getpass.getuser": _MACHINE,
    "os.getlogin": _MACHINE,
    "os.getpid": _MACHINE,
    "os.getuid": _MACHINE,
    "os.uname": _MACHINE,
    "platform.node": _MACHINE,
    "platform.platform": _MACHINE,
    "platform.uname": _MACHINE,
    "socket.getfqdn": _MACHINE,
    "socket.gethostname": _MACHINE,
    "uuid.getnode": _MACHINE,
}
"""Full dotted name of installed code -> what who calls it does."""


def notes(live: Live, recording: Recording, ttl: float | None) -> list[str]:
    """Sentences for the user."""
    found = []
    asking: dict[str, list[str]] = {}
    for name in live.installed():
        if (what := asked_by(name)) is not None:
            asking.setdefault(what, []).append(name)
    for what, names in asking.items():
        shown = ", ".join(sorted(set(names)))
        found.append(f"its code {what} ({shown}): a run without the store may give another value")
    if ttl is None:
        found += [
            f"it connected to {address}: what the network said is not an input; with `ttl=1d` in "
            "its pragma it is evaluated again when older"
            for address in recording.connections
        ]
    return found


def asked_by(owner: str) -> str | None:
    """What calling installed code of this full dotted name means; None: nothing of that kind."""
    return _ASKING.get(owner) or _ASKING.get(owner.partition(".")[0])
