"""The place of a project on disk: a copied project hits, and what tells the place is right."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from projects import Project

HITS = {
    "a path made from __file__": """
        from pathlib import Path
        ROOT = Path(__file__).parent
        def f():
            return (ROOT / "in.txt").read_text()
    """,
    "a name made with os.path": """
        import os
        DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "in.txt")
        def f():
            with open(DATA) as file:
                return file.read()
    """,
    "the working directory": """
        import os
        DATA = os.path.join(os.getcwd(), "in.txt")
        def f():
            with open(DATA) as file:
                return file.read()
    """,
    "a table of paths": """
        from pathlib import Path
        HERE = Path(__file__).resolve().parent
        FILES = {"in": HERE / "in.txt", "all": [str(HERE / f"{n}.txt") for n in range(30)]}
        def f():
            return FILES["in"].read_text(), len(FILES["all"])
    """,
    "an object with a path": """
        from pathlib import Path
        class Config:
            def __init__(self):
                self.data = Path(__file__).parent / "in.txt"
        config = Config()
        def f():
            return config.data.read_text()
    """,
    "a default value": """
        from pathlib import Path
        def f(file=Path(__file__).parent / "in.txt"):
            return file.read_text()
    """,
    "a class attribute": """
        import os
        class Config:
            data = os.path.join(os.path.dirname(__file__), "in.txt")
        def f():
            with open(Config.data) as file:
                return file.read()
    """,
}
TOLD = {
    "__file__": """
        def f():
            return __file__
    """,
    "a path": """
        from pathlib import Path
        def f():
            return Path(__file__).parent
    """,
    "a path in a list": """
        from pathlib import Path
        ROOT = Path(__file__).parent
        def f():
            return [p for p in sorted(ROOT.glob("*.txt"))]
    """,
    "the name of the folder": """
        from pathlib import Path
        ROOT = Path(__file__).parent
        def f():
            return ROOT.name.upper().lower()
    """,
    "the working directory": """
        import os
        def f():
            return os.getcwd()
    """,
    "printed": """
        def f():
            print("in", __file__)
            return 1
    """,
    "a file beside the project": """
        from pathlib import Path
        ROOT = Path(__file__).parent
        def f():
            return (ROOT.parent / "shared.txt").read_text()
    """,
    "whether there is a file beside the project": """
        from pathlib import Path
        ROOT = Path(__file__).parent
        def f():
            return (ROOT.parent / "only-here.txt").exists()
    """,
    "a warning": """
        import warnings
        def f():
            warnings.warn("careful")
            return 1
    """,
}


def _copied(project: Project, module: str) -> Project:
    from projects import Project

    project.write(main="from a import f\nx = f()  # dds: /x\nprint(x)\n", a=module)
    (project.root / "in.txt").write_text("text")
    for name in ("shared.txt", "only-here.txt"):
        (project.root.parent / name).write_text("one")
    project.same()
    assert project.same().evaluated() == set()
    elsewhere = project.root.parent / "elsewhere" / "copy"
    shutil.copytree(project.root, elsewhere)
    (elsewhere.parent / "shared.txt").write_text("two")
    return Project(elsewhere)


@pytest.mark.parametrize("case", HITS)
def test_a_copied_project_hits(project: Project, case: str) -> None:
    copy = _copied(project, HITS[case])
    assert copy.same().evaluated() == set()
    (copy.root / "in.txt").write_text("other text")
    assert copy.same().evaluated() == {"/x"}
    assert project.same().evaluated() == set()


@pytest.mark.parametrize("case", TOLD)
def test_what_tells_the_place_is_that_of_the_copy(project: Project, case: str) -> None:
    copy = _copied(project, TOLD[case])
    assert copy.same().evaluated() == {"/x"}
    assert copy.same().evaluated() == set()
    assert project.same().evaluated() == set()


def test_another_working_directory(project: Project) -> None:
    project.write(
        main="import os\ndef f():\n    return os.getcwd()\nx = f()  # dds: /x\nprint(x)\n"
    )
    project.same()
    main = str(project.root / "main.py")
    assert project.same(main, cwd=project.root.parent).evaluated() == {"/x"}
    assert project.same().evaluated() == set()
