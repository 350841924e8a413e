"""Files under `data/` as the user wants them: types of their own, suffixes, and what is refused."""

from __future__ import annotations

import json

import pytest
from projects import ROOT

# The tutorial of the project's origin: pictures of a type of one's own are kept as PNG.
TUTORIAL = {
    "main": """
        import ddsimport
        from pictures import Picture, gradient

        ddsimport.register_codec(Picture, ".png", Picture.save, Picture.open)
        picture = gradient(16)  # dds: /pictures/gradient
        print(type(picture).__name__, picture.size, sum(picture.pixels))
    """,
    "pictures": """
        from dataclasses import dataclass

        from PIL import Image

        @dataclass
        class Picture:
            size: tuple
            pixels: bytes

            def save(self, file):
                Image.frombytes("L", self.size, self.pixels).save(file, format="PNG")

            @classmethod
            def open(cls, file):
                image = Image.open(file)
                return cls(image.size, image.tobytes())

        def gradient(n):
            return Picture((n, n), bytes(range(0, n * n, 1)))
    """,
}


@pytest.fixture
def tutorial(project):
    pytest.importorskip("PIL")
    project.write(**TUTORIAL)
    assert project.same().statuses == {"/pictures/gradient": "computed"}
    return project


def test_pictures_of_a_type_of_ones_own_are_kept_as_png(tutorial):
    from PIL import Image

    view = tutorial.view("/pictures/gradient")
    with Image.open(view) as image:
        assert (image.format, image.size) == ("PNG", (16, 16))
    (blob,) = (path for path in (tutorial.root / ".dds/blobs").rglob("*") if path.is_file())
    assert blob.read_bytes() == view.read_bytes()
    assert tutorial.same().statuses == {"/pictures/gradient": "hit"}


def test_an_edited_codec_reads_nothing_that_another_wrote(tutorial):
    tutorial.edit("pictures.py", "cls(image.size, image.tobytes())", "cls(image.size, b'x')")
    assert tutorial.same().statuses["/pictures/gradient"] == "computed"


def test_without_the_codec_the_value_is_evaluated_again_and_why_is_said(tutorial):
    tutorial.edit("main.py", "ddsimport.register_codec", "str")
    tutorial.edit("main.py", 'str(Picture, ".png", Picture.save, Picture.open)', "str()")
    ended = tutorial.python("-m", "ddsimport", "main.py")
    assert "pictures.Picture.png was changed, or is not registered" in ended.stderr
    assert tutorial.same().statuses == {"/pictures/gradient": "hit"}, "now as a pickle"


def test_a_codec_that_loses_something_is_not_used(tutorial):
    tutorial.edit("pictures.py", "size: tuple", "title: str\n    size: tuple")
    tutorial.edit("pictures.py", "cls(image.size", "cls('', image.size")
    tutorial.edit("pictures.py", "return Picture((n", "return Picture('mine', (n")
    tutorial.edit("main.py", "picture.size,", "picture.size, picture.title,")
    assert tutorial.same().statuses["/pictures/gradient"] == "computed"
    ended = tutorial.same()
    assert ended.statuses["/pictures/gradient"] == "hit" and "mine" in ended.stdout


def test_a_suffix_that_means_another_format_gets_no_file_of_ours(project):
    project.write(
        main="""
        table = {"a": (1, 2)}  # dds: /table.h5
        text = "a: 1"          # dds: /text.yaml
        print(table, text)
        """
    )
    ended = project.python("-m", "ddsimport", "main.py")
    assert "/table.h5" in ended.stderr and "nothing here writes such files" in ended.stderr
    assert not project.view("/table.h5").exists()
    assert project.view("/text.yaml").read_text() == "a: 1"
    assert set(project.same().statuses.values()) == {"hit"}


def test_the_suffix_says_what_other_programs_read(project):
    pytest.importorskip("pyarrow")
    import pandas

    project.write(
        main="""
        import pandas

        def make():
            return pandas.DataFrame({"a": [1, 2], "b": ["x", None]})

        one = make()    # dds: /one.csv
        two = make()    # dds: /two.feather
        three = make()  # dds: /three.json
        four = make()   # dds: /four format=parquet
        print(one.equals(two), three.dtypes.to_dict(), four)
        """
    )
    project.same()
    assert project.view("/one.csv").read_text() == "a,b\n1,x\n2,\n"
    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", None]})
    pandas.testing.assert_frame_equal(pandas.read_feather(project.view("/two.feather")), frame)
    pandas.testing.assert_frame_equal(pandas.read_parquet(project.view("/four")), frame)
    assert json.loads(project.view("/three.json").read_text())[1] == {"a": 2, "b": None}
    assert set(project.same().statuses.values()) == {"hit"}


def test_a_frame_changed_in_place_stays_as_it_was_in_the_store(project):
    pytest.importorskip("pyarrow")
    project.write(
        main="""
        import numpy, pandas

        def make():
            return pandas.DataFrame({"a": numpy.arange(300_000.0), "b": numpy.arange(300_000)})

        def show(frame):
            return [frame.loc[0, "a"], frame["b"].sum(), type(frame).__name__]

        frame = make()  # dds: /frame
        print(show(frame))
        frame.loc[0, "a"] = -1.0
        frame["b"] *= 2
        print(show(frame))
        """
    )
    project.same()
    for _ in range(2):
        assert set(project.same().statuses.values()) == {"hit"}


def test_the_readme_shows_the_tutorial_that_is_tested():
    text = (ROOT / "README.md").read_text()
    *shown, _ = [line.strip() for line in TUTORIAL["main"].strip().splitlines()]
    assert "\n".join(shown) in text


def test_an_installed_package_that_fails_is_said_and_changes_nothing(project):
    project.write_files(
        {
            "main.py": """
                from things import Thing
                thing = Thing(1)  # dds: /thing
                print(vars(thing))
            """,
            "things.py": """
                class Thing:
                    def __init__(self, n):
                        self.n = n
            """,
            "broken.py": "raise OSError('no')",
            "broken-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n",
            "broken-1.0.dist-info/entry_points.txt": "[ddsimport]\nb = broken:register\n",
        }
    )
    ended = project.python("-m", "ddsimport", "main.py")
    assert ended.stdout == "{'n': 1}\n"
    assert "broken:register (entry point 'b') failed to register what it brings" in ended.stderr
    assert project.same().statuses == {"/thing": "hit"}
