"""A program may show the order in which it iterates over a set; pickle builds it anew."""

from __future__ import annotations

import pytest

LEFT_OVER = """
    def left():
        found = set(range(200))
        for each in range(200):
            if each not in (1, 64, 130):
                found.discard(each)
        return [found]
    x = left()  # dds: /x
    print([list(each) for each in x])
    """


def test_a_set_that_would_come_back_in_another_order_is_not_kept(project):
    project.write(main=LEFT_OVER)
    for _ in range(2):
        (step,) = project.same().steps
        assert step["status"] == "uncached"
        assert "order" in step["reason"]


@pytest.mark.parametrize("seed", ["0", "12", "random"])
def test_other_sets_are(project, seed):
    project.write(
        main="""
        x = {3, 1, 2}, {"a": frozenset({2.5, 8})}  # dds: /x
        y = {"one", "two"}  # dds: /y
        print([sorted(each) for each in x], sorted(y))
        """
    )
    environment = {"PYTHONHASHSEED": seed}
    assert project.same(environment=environment).evaluated() == {"/x", "/y"}
    assert project.same(environment=environment).evaluated() == set()


def test_large_sets_of_words_are_kept_where_their_order_is_random(project):
    project.write(
        main="""
        words = {f"word {n}" for n in range(1000)}  # dds: /words
        print(len(words))
        """
    )
    project.same()
    assert project.same().evaluated() == set()
