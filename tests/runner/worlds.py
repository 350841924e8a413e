"""A program that prints everything it can see of how it was started, as JSON."""

from __future__ import annotations

WORLD = """
import json, os, sys
import __main__

def shown(value):
    if value is None or isinstance(value, (str, int, list, dict)):
        return value
    if type(value).__name__ == "ModuleSpec":
        names = ("name", "origin", "cached", "parent", "has_location", "loader_state",
                 "submodule_search_locations")
        return {name: shown(getattr(value, name)) for name in names} | {
            "loader": shown(value.loader)
        }
    if hasattr(value, "path") and hasattr(value, "name"):
        return [isinstance(value, __import__("importlib.machinery").machinery.SourceFileLoader),
                value.name, value.path]
    return repr(value)

special = [name for name in globals() if name.startswith("__") and name != "__main__"]
world = {
    "names": special,
    "values": {name: shown(globals()[name]) for name in special if name != "__builtins__"},
    "builtins is a module": type(__builtins__).__name__,
    "main is the running module": vars(__main__) is globals(),
    "main": repr(__main__),
    "doc": __main__.__doc__,
    "argv": sys.argv,
    "path": sys.path,
    "cwd": os.getcwd(),
    "file exists": os.path.exists(__file__),
    "code": [sys._getframe().f_code.co_filename, sys._getframe().f_code.co_name],
    "flags": repr(sys.flags),
    "warnoptions": sys.warnoptions,
    "xoptions": sys._xoptions,
    "trace": [repr(sys.gettrace()), repr(sys.getprofile())],
    "hooks": [
        sys.excepthook is sys.__excepthook__,
        sys.displayhook is sys.__displayhook__,
        sys.unraisablehook is sys.__unraisablehook__,
    ],
    "streams": [sys.stdout is sys.__stdout__, sys.stderr is sys.__stderr__],
    "environment": dict(os.environ),
    "nested": (lambda: sys._getframe().f_code.co_qualname if sys.version_info >= (3, 11) else "")(),
}
print(json.dumps(world, indent=1, default=repr))
"""
