"""Which functions may have run outside of the steps, and have left something."""

from __future__ import annotations

from textwrap import dedent

import pytest

from ddsimport.analysis import sealed
from ddsimport.analysis.mentions import mentions_of
from ddsimport.analysis.outside import Mentions, Outside

LIBRARY = """
    import pandas as pd
    def width():
        return 80
    def set_up(n):
        pd.set_option("display.width", n)
    def told(x):
        return x + shade()
    def shade():
        return 1
    def every():
        return {"set_up": set_up}
    class Model:
        def fit(self):
            self.known = shade()
        def tune(self):
            set_up(width())
    """
EVERY = {"width", "set_up", "told", "shade", "every", "fit", "tune"}


def left_by(main: str, library: str = LIBRARY, plain: tuple[int, ...] = ()) -> set[str]:
    """The functions of the library that may have left something before a step of `main`."""
    records = [mentions_of(dedent(text)) for text in (main, library)]
    outside = Outside(records, records[0], [(line, records[0]) for line in plain], {"library"})
    return {name for name, *_ in records[1]["functions"] if outside.may_have_left(name)}


@pytest.mark.parametrize(
    ("main", "left"),
    [
        ("from library import told\nprint(told(1))", set()),
        ("x = set_up(width())  # dds: /x\nprint(x)", set()),
        ("set_up(3)", {"set_up"}),
        ("from library import set_up as prepare\nprepare(3)", {"set_up"}),
        ("Model().fit()", {"fit", "shade"}),
        ("Model().tune()", {"tune", "set_up", "width"}),
        ("def main():\n    Model().tune()\nmain()", {"tune", "set_up", "width"}),
        ("def main():\n    x = Model().tune()  # dds: /x\nmain()", set()),
        ("@step\ndef main():  # dds: /m\n    Model().tune()\nmain()", set()),
        ("if __name__ == '__main__':\n    set_up(3)", {"set_up"}),
        ("set_up(width())", {"set_up", "width"}),
        ("n = width()\nset_up(n)", {"set_up", "width"}),
        ("import pandas as pd\npd.set_option('display.width', width())", {"width"}),
        ("import pandas as pd\nn = width()\npd.set_option('display.width', n)", {"width"}),
        ("import pandas as pd\npd.options.display.width = width()", {"width"}),
        ("print(width())", set()),
        ("n = width()", set()),
        ("TABLE = {'a': set_up}", set()),
        ("TABLE = {'a': set_up}\nTABLE['a'](3)", {"set_up"}),
        ("for f in [set_up]:\n    f(3)", {"set_up"}),
        ("run(set_up)", {"set_up"}),
        ("getattr(Model(), 'tune')()", {"tune", "set_up", "width"}),
        ("print(getattr(Model(), name))", set()),
        ("getattr(Model(), name)()", EVERY),
        ("f = getattr(Model(), name)\nf()", EVERY),
        ("eval(text)", EVERY),
        ("class C:\n    size = shade()", set()),
        ("class C:\n    size = Model().fit()", {"fit", "shade"}),
    ],
)
def test_what_plain_code_mentions(main, left):
    assert left_by(main) == left


def test_a_step_that_was_not_kept_is_plain_code():
    main = "x = 1\ny = Model().tune()  # dds: /y"
    assert left_by(main) == set()
    assert left_by(main, plain=(2,)) == {"tune", "set_up", "width"}


@pytest.mark.parametrize(
    ("base", "left"),
    [
        ("", set()),
        ("(Exception)", set()),
        ("(Own)", set()),
        ("(Generic[T])", set()),
        ("(BaseEstimator)", {"tune", "set_up"}),
        ("(sklearn.base.BaseEstimator)", {"tune", "set_up"}),
        ("(make())", {"tune", "set_up"}),
        ("(metaclass=Odd)", {"tune", "set_up"}),
    ],
)
def test_installed_code_may_call_what_derives_from_it(base, left):
    library = f"""
        class Own:
            pass
        class Model{base}:
            def tune(self):
                set_up()
        def set_up():
            import seaborn
        """
    assert left_by("", library) == left


def test_records_are_kept_and_damage_is_made_again(tmp_path):
    text = "def f():\n    return g()\n"
    fresh = Mentions(str(tmp_path)).of(text, "ab" * 32)
    assert fresh["functions"] == [["f", "g", 0, ""]]
    (kept,) = tmp_path.rglob(f"*{sealed.SUFFIX}")
    assert Mentions(str(tmp_path)).of("other text", "ab" * 32) == fresh
    kept.write_bytes(b"damaged")
    assert Mentions(str(tmp_path)).of(text, "ab" * 32) == fresh


def test_what_cannot_be_parsed_may_do_anything():
    record = Mentions(None).of("def f(:", "ab" * 32)
    known = mentions_of(dedent(LIBRARY))
    assert Outside([record, known], None, (), ()).may_have_left("set_up")
