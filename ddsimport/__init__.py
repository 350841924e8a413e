"""Make any Python pipeline incremental with one comment per line.

    model = fit(raw, depth=3)       # dds: /wine/model

`python -m ddsimport pipeline.py` runs the script as `python` would, but a marked assignment whose
code and inputs are unchanged is not evaluated: its value comes from a store.

The names below are imported when they are first used, so that `import ddsimport.activate` stays
cheap on everyone's start-up path.
"""

from __future__ import annotations

from time import time_ns as _time_ns

_began = _time_ns()
"""What had been loaded by then, nobody noted from which text (see `source.tracked`)."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport._version import __version__
    from ddsimport.drawing import graph
    from ddsimport.errors import (
        CodecError,
        ConfigurationError,
        DdsimportWarning,
        PragmaError,
        StoreError,
        UndigestibleError,
    )
    from ddsimport.report.told import why
    from ddsimport.runtime.plain import data_function, eval, keep, load
    from ddsimport.values.codecs._registered import register_codec, register_view
    from ddsimport.values.digest import register_digest

__all__ = [
    "CodecError",
    "ConfigurationError",
    "DdsimportWarning",
    "PragmaError",
    "StoreError",
    "UndigestibleError",
    "__version__",
    "data_function",
    "eval",
    "graph",
    "keep",
    "load",
    "register_codec",
    "register_digest",
    "register_view",
    "why",
]

_HOMES = {
    "__version__": "ddsimport._version",
    "data_function": "ddsimport.runtime.plain",
    "eval": "ddsimport.runtime.plain",
    "graph": "ddsimport.drawing",
    "keep": "ddsimport.runtime.plain",
    "load": "ddsimport.runtime.plain",
    "register_codec": "ddsimport.values.codecs._registered",
    "register_digest": "ddsimport.values.digest",
    "register_view": "ddsimport.values.codecs._registered",
    "why": "ddsimport.report.told",
}


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext ddsimport`: the cells of this shell may hold pragmas."""
    from ddsimport import notebook

    notebook.load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """`%unload_ext ddsimport`."""
    from ddsimport import notebook

    notebook.unload(shell)


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES.get(name, "ddsimport.errors")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
