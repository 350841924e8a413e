"""The source of real packages, as if it were a user's project: downloaded, never installed or run.

`pip download` fetches one pinned archive of each (wheel or source) into a folder, and the modules
in it are unpacked beside it; `--packages FOLDER` keeps them for the next time. A codebook looks at
them as at a project whose modules are loaded: bare module objects stand in `sys.modules`.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from ddsimport.analysis.answers import Answers
from ddsimport.analysis.codehash import Codebook
from ddsimport.analysis.facts import DEF_FIRST, DEF_KIND, DEF_QUALNAME, FactsCache
from ddsimport.analysis.locate import Locator

PINNED = {
    "requests": "requests==2.34.2",
    "redun": "redun==0.44.1",
    "networkx": "networkx==3.6.1",
    "sympy": "sympy==1.14.0",
}
_LEFT_OUT = frozenset({"tests", "testing", "test", "benchmarks"})


class Package:
    """One package's modules.

    Attributes:
        name: the package's.
        root: the folder that holds the package.
        modules: dotted name -> file, sorted; tests are left out.
    """

    def __init__(self, name: str, root: Path) -> None:
        self.name = name
        self.root = root
        self.modules: dict[str, str] = {}
        for path in sorted((root / name).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            if not _LEFT_OUT & set(parts):
                self.modules[".".join(parts).removesuffix(".__init__")] = str(path)

    def texts(self) -> list[str]:
        return [Path(file).read_text(encoding="utf-8") for file in self.modules.values()]

    def codebook(self, store: Path | None = None) -> Codebook:
        """A codebook that a new process would have; `store` is where it keeps what it finds."""
        prefix = str(self.root) + os.sep
        return Codebook(
            locate=Locator(),
            cache=FactsCache(str(store / "facts")) if store else None,
            tracked=lambda file: file.startswith(prefix),
            text_of=lambda file: Path(file).read_text(encoding="utf-8"),
            answers=Answers(str(store / "answers")) if store else None,
        )

    @contextmanager
    def loaded(self) -> Iterator[None]:
        """As if the program had imported all of it."""
        before = dict(sys.modules)
        sys.path.insert(0, str(self.root))
        for name, file in self.modules.items():
            module = ModuleType(name)
            module.__file__ = file
            if file.endswith("__init__.py"):
                module.__path__ = [os.path.dirname(file)]
            sys.modules[name] = module
        for name in self._imported() - sys.modules.keys():
            module = ModuleType(name)
            module.__file__ = f"/site-packages/{name}/__init__.py"
            module.__path__ = [f"/site-packages/{name}"]
            sys.modules[name] = module
        try:
            yield
        finally:
            sys.path.remove(str(self.root))
            for name in set(sys.modules) - set(before):
                del sys.modules[name]
            sys.modules.update(before)

    def _imported(self) -> set[str]:
        """The packages of others that are imported anywhere in it."""
        found = {self.name}
        for text in self.texts():
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Import):
                    found.update(alias.name.partition(".")[0] for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    found.add(node.module.partition(".")[0])
        return found - sys.stdlib_module_names

    def functions(self, book: Codebook) -> list[tuple[str, str, str, int]]:
        """(module, file, qualified name, first line) of every function but nested ones."""
        return [
            (module, file, definition[DEF_QUALNAME], definition[DEF_FIRST])
            for module, file in self.modules.items()
            for definition in book.facts(file).definitions
            if definition[DEF_KIND] == "def" and "<locals>" not in definition[DEF_QUALNAME]
        ]


@contextmanager
def packages(names: list[str], folder: str | None) -> Iterator[list[Package]]:
    """Packages by name, unpacked in `folder`, or in a temporary one."""
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(folder or temporary).resolve()
        found = []
        for name in names:
            if not (base / name / name).is_dir():
                _fetch(name, base)
            found.append(Package(name, base / name))
        yield found


def _fetch(name: str, base: Path) -> None:
    archives = base / f"{name}-archive"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--ignore-requires-python", "--dest", str(archives), PINNED[name]]
    subprocess.run(command, check=True)
    (archive,) = archives.iterdir()
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for member in wheel.namelist():
                if member.startswith(f"{name}/") and member.endswith(".py"):
                    _unpack(base / name / member, wheel.read(member))
        return
    with tarfile.open(archive) as sources:
        for entry in sources.getmembers():
            _, _, member = entry.name.partition("/")
            content = sources.extractfile(entry)
            if member.startswith(f"{name}/") and member.endswith(".py") and content is not None:
                _unpack(base / name / member, content.read())


def _unpack(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
