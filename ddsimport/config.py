"""What the user asked for: flags, then environment, then `[tool.ddsimport]`, then defaults.

The only room that reads `pyproject.toml` and the `DDSIMPORT_*` environment variables:

| what | flag | environment | pyproject.toml |
|---|---|---|---|
| where the store is | `--store DIR` | `DDSIMPORT_STORE` | `store = "DIR"` |
| where the run's report goes | `--report FILE` | `DDSIMPORT_REPORT` | `report = "FILE"` |
| say nothing | `-q` | | `quiet = true` |
| a line per step | `-v` | | `verbose = true` |
| values are found by their signature only | | | `footprints = false` |
| every hit is loaded at once | | | `lazy = false` |
| what hits do besides giving the value | | | `replay = "off"` |
| whose paths are shown | `--namespace NAME` | `DDSIMPORT_NAMESPACE` | `namespace = "NAME"` |
| what the store may take | | | `budget = "20 GB"` |
| nothing is pickled | | | `pickle = false` |
| the store that several people share | | | `remote = "s3://BUCKET/PREFIX"` |
| what a run keeps goes there when it ends | | | `remote_push = true` |
| what is evaluated though it is kept | `--force PATH`, `--refresh` | `DDSIMPORT_FORCE` | |

The namespace `git` stands for the branch that is checked out.

A relative path is relative to the working directory in a flag or the environment, and to the file
in `pyproject.toml`. An empty environment variable counts as unset.
"""

from __future__ import annotations

import os
import sys

from ddsimport.errors import ConfigurationError
from ddsimport.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Flags = Mapping[str, "str | bool"]
    """What the command line said: some of the keys of `[tool.ddsimport]`."""


STORE_VARIABLE = "DDSIMPORT_STORE"
REPORT_VARIABLE = "DDSIMPORT_REPORT"
NAMESPACE_VARIABLE = "DDSIMPORT_NAMESPACE"
FORCE_VARIABLE = "DDSIMPORT_FORCE"

_STORE_FOLDER = ".dds"
_MARKS_OF_A_PROJECT = ("pyproject.toml", ".git")
_KEYS: Mapping[str, type[str] | type[bool]] = {
    "store": str,
    "quiet": bool,
    "verbose": bool,
    "report": str,
    "footprints": bool,
    "lazy": bool,
    "replay": str,
    "namespace": str,
    "budget": str,
    "pickle": bool,
    "remote": str,
    "remote_push": bool,
}
_PATHS = ("store", "report")


class Config(Record):
    """What holds for this process.

    Attributes:
        store: the store's folder, absolute.
        project: the folder of the nearest `pyproject.toml` or `.git` above the program, else the
            program's own folder; absolute, symbolic links resolved.
        quiet: nothing of ours goes to standard error.
        verbose: a line per step goes to standard error as it happens.
        report: the file that takes the run's report, absolute; None for no report.
        notes: what the user must be told about this configuration, once.
        footprints: values are also found by the code that ran for them (see `runtime.footprint`).
        lazy: a hit that only steps read is not loaded until something else does (see
            `runtime.deferred`).
        replay: `source.options.Options.replay` of the steps that do not say.
        namespace: whose paths the store shows; empty for its own.
        budget: bytes that the store may take; None: the default of `store.collector`.
        pickle: whether values may be kept as pickles.
        remote: the URL of the store behind this one (see `store.remote`); empty without one.
        remote_push: what a run keeps is pushed there when it ends.
        force: artifact paths; steps there and below are evaluated once in this run, though their
            values are kept.
    """

    store: str
    project: str
    quiet: bool = False
    verbose: bool = False
    report: str | None = None
    notes: tuple[str, ...] = ()
    footprints: bool = True
    lazy: bool = True
    replay: str = ""
    namespace: str = ""
    budget: int | None = None
    pickle: bool = True
    remote: str = ""
    remote_push: bool = False
    force: tuple[str, ...] = ()


def resolve(directory: str, flags: Flags, environ: Mapping[str, str]) -> Config:
    """The configuration of a program that lies in `directory`.

    Raises:
        ConfigurationError: `[tool.ddsimport]` has a key or a value that means nothing.
    """
    project = _project_above(directory)
    table, notes = _table_of(os.path.join(project, "pyproject.toml"))
    chosen: dict[str, str | bool] = {
        key: os.path.join(project, str(value)) if key in _PATHS else value
        for key, value in table.items()
    }
    said = {
        "store": environ.get(STORE_VARIABLE),
        "report": environ.get(REPORT_VARIABLE),
        "namespace": environ.get(NAMESPACE_VARIABLE),
        "force": environ.get(FORCE_VARIABLE),
        **flags,
    }
    for key, value in said.items():
        if isinstance(value, str) and value:
            chosen[key] = _from_here(value) if key in _PATHS else value
        elif isinstance(value, bool):
            chosen[key] = value
    report = chosen.get("report")
    return Config(
        store=str(chosen.get("store") or os.path.join(project, _STORE_FOLDER)),
        project=project,
        quiet=bool(chosen.get("quiet")),
        verbose=bool(chosen.get("verbose")),
        report=str(report) if report else None,
        notes=notes,
        footprints=bool(chosen.get("footprints", True)),
        lazy=bool(chosen.get("lazy", True)),
        replay=str(chosen.get("replay", "")),
        namespace=_namespace(str(chosen.get("namespace", "")), project),
        budget=_bytes_of(str(chosen["budget"])) if "budget" in chosen else None,
        pickle=bool(chosen.get("pickle", True)),
        remote=str(chosen.get("remote", "")),
        remote_push=bool(chosen.get("remote_push")),
        force=tuple(
            filter(None, (part.strip() for part in str(chosen.get("force", "")).split(",")))
        ),
    )


def origins(directory: str, flags: Flags, environ: Mapping[str, str]) -> dict[str, str]:
    """What set each key that is not left to its default, in words: for people only.

    Raises:
        ConfigurationError: as `resolve`.
    """
    file = os.path.join(_project_above(directory), "pyproject.toml")
    table, _ = _table_of(file)
    found = dict.fromkeys(table, file)
    variables = {
        "store": STORE_VARIABLE, "report": REPORT_VARIABLE, "namespace": NAMESPACE_VARIABLE
    }  # fmt: skip
    found.update({key: name for key, name in variables.items() if environ.get(name)})
    found.update({key: f"--{key}" for key in flags})
    return found


def _namespace(name: str, project: str) -> str:
    """Raises ConfigurationError: it cannot be a folder's name on all systems."""
    if name == "git":
        name = _branch(project)
    if not name:
        return ""
    from ddsimport.store.paths import ArtifactPathError, artifact_parts

    try:
        return "~".join(artifact_parts(f"/{name}"))
    except ArtifactPathError as error:
        raise ConfigurationError(f"no namespace can be called {name!r}: {error}") from error


def _branch(project: str) -> str:
    """The branch of the checkout that `project` lies in, or the commit; without running git."""
    folder = project
    while not os.path.exists(os.path.join(folder, ".git")):
        above = os.path.dirname(folder)
        if above == folder:
            raise ConfigurationError(f"namespace `git`: {project} lies in no git checkout")
        folder = above
    try:
        git = os.path.join(folder, ".git")
        if os.path.isfile(git):  # a worktree, or a submodule: `gitdir: where`
            with open(git, encoding="utf-8") as file:
                git = os.path.join(folder, file.read().partition(":")[2].strip())
        with open(os.path.join(git, "HEAD"), encoding="utf-8") as file:
            head = file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"namespace `git`: the branch cannot be read: {error}") from error
    return head[len("ref: refs/heads/") :] if head.startswith("ref: ") else head[:12]


_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12, "kib": 1 << 10,
          "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40}  # fmt: skip


def bytes_of(text: str) -> int | None:
    """The bytes that `20 GB`, `1.5TiB` or `1000000` are; None for anything else."""
    import re

    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", text)
    unit = _UNITS.get(found[2].lower()) if found else None
    return int(float(found[1]) * unit) if found and unit else None


def _bytes_of(text: str) -> int:
    """Raises ConfigurationError."""
    size = bytes_of(text)
    if size is None:
        raise ConfigurationError(f"[tool.ddsimport] budget: {text!r} is no size such as `20 GB`")
    return size


_current: Config | None = None


def use(config: Config) -> None:
    """Make `config` the one of this process: for the runner, and for children of its process."""
    global _current
    _current = config


def current() -> Config:
    """The configuration of this process; never raises.

    A program that was not started by our runner has no flags; it is not stopped by a wrong
    `[tool.ddsimport]` either, but gets the defaults and a note.
    """
    global _current
    if _current is None:
        directory = _directory_of_main()
        try:
            _current = resolve(directory, {}, os.environ)
        except ConfigurationError as error:
            project = _project_above(directory)
            store = os.environ.get(STORE_VARIABLE)
            _current = Config(
                store=_from_here(store) if store else os.path.join(project, _STORE_FOLDER),
                project=project,
                notes=(f"{error}; the defaults hold",),
            )
    return _current


def _directory_of_main() -> str:
    """Where plain Python starts to look for modules: the script's folder, else the current one."""
    main = sys.modules.get("__main__")
    file = getattr(main, "__file__", None)
    if isinstance(file, str) and getattr(main, "__spec__", None) is None:
        return os.path.dirname(os.path.realpath(file))
    return _from_here("")


def _from_here(path: str) -> str:
    """`path` from the working directory, which may be gone."""
    try:
        return os.path.abspath(path)
    except OSError:
        return os.path.join(os.sep, path)


def _project_above(directory: str) -> str:
    directory = os.path.realpath(directory)
    above = directory
    while True:
        if any(os.path.exists(os.path.join(above, mark)) for mark in _MARKS_OF_A_PROJECT):
            return above
        parent = os.path.dirname(above)
        if parent == above:
            return directory
        above = parent


def _table_of(file: str) -> tuple[dict[str, str | bool], tuple[str, ...]]:
    """The checked `[tool.ddsimport]` of a file, and a note if the file is broken."""
    try:
        with open(file, "rb") as opened:
            data = opened.read()
    except FileNotFoundError:
        return {}, ()
    except OSError as error:
        return {}, (f"{file} cannot be read ({error.strerror}); the defaults hold",)
    if not _may_hold_our_table(data):
        return {}, ()
    return _parsed(file, data)


def _may_hold_our_table(data: bytes) -> bool:
    """Whether it is worth the 10 ms and more of importing a TOML parser.

    Every project that uses ddsimport names it among its dependencies: only its name after `tool.`
    counts, or a `tool` that stands alone, as in `[tool]`, and could hold it.
    """
    import re

    pattern = rb"tool[\"']?\s*(?:\.\s*[\"']?ddsimport|[\]=])"
    return re.search(pattern, data) is not None


def _parsed(file: str, data: bytes) -> tuple[dict[str, str | bool], tuple[str, ...]]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        document = tomllib.loads(data.decode())
    except ValueError as error:  # both TOMLDecodeError and UnicodeDecodeError
        return {}, (f"{file} is not valid TOML ({error}); the defaults hold",)
    tool = document.get("tool", {})
    table = tool.get("ddsimport", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise ConfigurationError(f"{file}: `tool.ddsimport` must be a table")
    for key, value in table.items():
        if key not in _KEYS:
            raise ConfigurationError(
                f"{file}: [tool.ddsimport] has no key `{key}`; {nearest(key, _KEYS)}"
            )
        if type(value) is not _KEYS[key]:
            wanted = "a string" if _KEYS[key] is str else "true or false"
            raise ConfigurationError(f"{file}: [tool.ddsimport] {key} must be {wanted}")
        if key == "replay":
            from ddsimport.source.options import REPLAYS

            if value not in REPLAYS:
                raise ConfigurationError(
                    f"{file}: [tool.ddsimport] replay must be one of {', '.join(REPLAYS)}"
                )
    return table, ()


def nearest(word: str, words: Mapping[str, object]) -> str:
    """Half a sentence that points from a wrong word to the right ones."""
    import difflib

    close = difflib.get_close_matches(word, words, n=1, cutoff=0.5)
    return f"did you mean `{close[0]}`?" if close else f"there are: {', '.join(words)}"
