"""What a step reads: names and the longest access that every use shares."""

from __future__ import annotations

import ast
import symtable
from textwrap import dedent

import pytest
from quoted_names import quoted_names
from test_rewrite_stdlib import MODULES, _source

from ddsimport.source.pragma import pragmas_of
from ddsimport.source.reads import inputs_of, mangled
from ddsimport.source.steps import Site, sites_of

A, I = ".", "[]"  # noqa: E741  # an attribute, an item


def inputs(expression: str, **more: object) -> dict[str, set[tuple[object, ...]]]:
    found: dict[str, set[tuple[object, ...]]] = {}
    value = ast.parse(expression.strip(), mode="eval").body
    for each in inputs_of(value, None, "self", more.get("whole", ())):  # type: ignore[arg-type]
        found.setdefault(each.name, set()).add(each.access)
    return found


WHOLE = {()}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1", {}),
        ("f(x, y)", {"f": WHOLE, "x": WHOLE, "y": WHOLE}),
        ("self.n + 1", {"self": {((A, "n"),)}}),
        ("cfg['a']['b']", {"cfg": {((I, "a"), (I, "b"))}}),
        ("cfg['a'] + cfg['b']", {"cfg": {((I, "a"),), ((I, "b"),)}}),
        ("cfg['a'] + cfg['a']['b']", {"cfg": {((I, "a"),)}}),
        ("cfg['a'] + len(cfg)", {"cfg": WHOLE, "len": WHOLE}),
        ("row[0] + row[-1]", {"row": {((I, 0),), ((I, -1),)}}),
        ("row[i]", {"row": WHOLE, "i": WHOLE}),
        ("cfg.rows[i].n", {"cfg": {((A, "rows"),)}, "i": WHOLE}),
        ("row[1:3]", {"row": WHOLE}),
        ("row[True]", {"row": WHOLE}),
        ("row[1, 2]", {"row": WHOLE}),
        ("row[1.5]", {"row": WHOLE}),
        ("row[None]", {"row": WHOLE}),
        ("np.mean(x)", {"np": WHOLE, "x": WHOLE}),
        ("np.random.rand(3)", {"np": {((A, "random"),)}}),
        ("self.cfg.load(x)", {"self": {((A, "cfg"),)}, "x": WHOLE}),
        ("self.fit(x)", {"self": WHOLE, "x": WHOLE}),
        ("table['f'](x)", {"table": {((I, "f"),)}, "x": WHOLE}),
        ("cfg['m'].fit()", {"cfg": {((I, "m"),)}}),
        ("map(self.f, xs)", {"map": WHOLE, "self": {((A, "f"),)}, "xs": WHOLE}),
        ("f(x).y.z", {"f": WHOLE, "x": WHOLE}),
        ("(a or b).n", {"a": WHOLE, "b": WHOLE}),
        ("[x.n for x in xs]", {"xs": WHOLE}),
        ("[x for x in x]", {"x": WHOLE}),
        ("[y for x in a for y in x.b if c]", {"a": WHOLE, "c": WHOLE}),
        ("[0 for x in a for y in y]", {"a": WHOLE}),
        ("[[y for y in x] for x in a], y", {"a": WHOLE, "y": WHOLE}),
        ("{k: v for k, (v, *w) in d.items()}", {"d": WHOLE}),
        ("[0 for box.x in xs]", {"box": WHOLE, "xs": WHOLE}),
        ("{x for x in a} | {x}", {"a": WHOLE, "x": WHOLE}),
        ("(f(x) for x in cfg.rows)", {"f": WHOLE, "cfg": {((A, "rows"),)}}),
        (
            "lambda a, /, b=c, *d, e=f, **g: a + b + d + e + g + h",
            {"c": WHOLE, "f": WHOLE, "h": WHOLE},
        ),
        ("lambda x=x: x", {"x": WHOLE}),
        ("lambda: (y := z) + y", {"z": WHOLE}),
        ("lambda: [y := z for q in r] + y", {"z": WHOLE, "r": WHOLE}),
        ("(lambda: lambda x: x + y)()", {"y": WHOLE}),
        ("f'{x.n!r:>{width}} {y}'", {"x": {((A, "n"),)}, "width": WHOLE, "y": WHOLE}),
        ("super().fit(x)", {"self": WHOLE, "super": WHOLE, "x": WHOLE}),
        ("super(B, me).fit()", {"super": WHOLE, "B": WHOLE, "me": WHOLE}),
        ("__class__.n", {"__class__": {((A, "n"),)}}),
        ("a if b else c", {"a": WHOLE, "b": WHOLE, "c": WHOLE}),
        ("f(*a, **b)", {"f": WHOLE, "a": WHOLE, "b": WHOLE}),
        ("f(k=v)", {"f": WHOLE, "v": WHOLE}),
        ("[*a, *b.c]", {"a": WHOLE, "b": {((A, "c"),)}}),
        ("not -x < y", {"x": WHOLE, "y": WHOLE}),
        ("x.a.b + x.a", {"x": {((A, "a"),)}}),
        ("x.a['k'] + x.a['k'].n", {"x": {((A, "a"), (I, "k"))}}),
    ],
)
def test_what_is_read(expression: str, expected: dict[str, set[tuple[object, ...]]]) -> None:
    if expression.startswith("[0 for box.x"):
        expected = {"box": {((A, "x"),)}, "xs": WHOLE}
    assert inputs(expression) == expected


def test_names_that_a_path_shows_count_as_a_whole() -> None:
    assert inputs("cfg['a'] + x.n", whole=["cfg"]) == {"cfg": WHOLE, "x": {((A, "n"),)}}


def test_order_is_that_of_the_text() -> None:
    value = ast.parse("c(b, a.x, b, [a.y], *d)", mode="eval").body
    found = [(each.name, each.access) for each in inputs_of(value, None, None, ())]
    assert found == [
        ("c", ()),
        ("b", ()),
        ("a", ((A, "x"),)),
        ("a", ((A, "y"),)),
        ("d", ()),
    ]


def test_mangling() -> None:
    assert mangled("__n", "A") == "_A__n"
    assert mangled("__n", "__A") == "_A__n"
    assert mangled("__n", "___") == "__n"
    assert mangled("__n__", "A") == "__n__"
    assert mangled("_n", "A") == "_n"
    assert mangled("__n", None) == "__n"


def site(text: str) -> Site:
    text = dedent(text).lstrip("\n")
    (step,) = sites_of(ast.parse(text), pragmas_of(text, "m.py"), "m.py", text)
    assert Site.from_constant(step.site.constant()) == step.site
    marshalled = compile(ast.Expression(ast.Constant(0, lineno=1, col_offset=0)), "", "eval")
    assert (
        marshalled.replace(co_consts=(step.site.constant(),)).co_consts[0] == step.site.constant()
    )
    return step.site


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("x = f()  # dds:", "x"),
        ("x: int = f()  # dds:", "x"),
        ("train, test = f()  # dds:", "train,test"),
        ("(a, [b, *c]) = f()  # dds:", "a,b,c"),
        ("a = b = f()  # dds:", "a"),
        ("box.x = f()  # dds:", "box.x"),
        ("table['k'] = f()  # dds:", "table['k']"),
        ("table[0] = f()  # dds:", "table[0]"),
        ("def main():\n    x = f()  # dds:", "main.<locals>.x"),
        ("def main():\n    box.x = f()  # dds:", "main.<locals>.box.x"),
        ("class A:\n    x = f()  # dds:", "A.x"),
        ("class A:\n    def fit(self):\n        self.r = f()  # dds:", "A.fit.r"),
        ("class A:\n    def fit(me, /):\n        me.r = f()  # dds:", "A.fit.r"),
        ("class A:\n    def fit(self):\n        r = f()  # dds:", "A.fit.<locals>.r"),
        ("class A:\n    def fit(self):\n        other.r = f()  # dds:", "A.fit.<locals>.other.r"),
        ("class A:\n    class B:\n        def fit(self):  # dds:\n            pass", "A.B.fit"),
        ("def g():\n    class A:\n        x = 1  # dds:", "g.<locals>.A.x"),
        ("def g():\n    def h():  # dds:\n        pass", "g.<locals>.h"),
        ("async def g():  # dds:\n    pass", "g"),
    ],
)
def test_targets(text: str, target: str) -> None:
    assert site(text).target == target


def test_parameters_are_the_inputs_of_a_function() -> None:
    found = site(
        "class A:\n    def f(self, __a, /, b, *c, d=1, **e):  # dds: /a/{b}/{__a}\n        pass"
    )
    assert [each.name for each in found.inputs] == ["self", "_A__a", "b", "c", "d", "e"]
    assert found.path == "/a/{b}/{_A__a}"
    assert found.kind == "function"


def test_a_site_knows_its_place() -> None:
    found = site("é = 'ü'; x = f(n)  # dds: /a/{n} version=2 ignore=f")
    assert (found.line, found.column) == (1, 11)  # as `ast` counts, and with it the codebook
    assert found.options == (("version", "2"), ("ignore", "f"))
    assert [each.name for each in found.inputs] == ["n"]
    found = site("@same\n@same\ndef f(a):  # dds:\n    pass")
    assert (found.line, found.column) == (3, 0)


def test_private_names() -> None:
    text = """
        class _A:
            def fit(self):
                self.r = f(self.__n, __k)  # dds: /a/{__k} ignore=f
        """
    found = site(text)
    assert [(each.name, each.access) for each in found.inputs] == [
        ("self", ((".", "_A__n"),)),
        ("_A__k", ()),
    ]
    assert found.path == "/a/{_A__k}"


def _global_names(table: symtable.SymbolTable) -> set[str]:
    """Names that a function's code takes from outside, as Python's own analysis has it."""
    names = {each.get_name() for each in table.get_symbols() if each.is_global()}
    return names.union(*(_global_names(child) for child in table.get_children()))


@pytest.mark.parametrize("module", MODULES[::3])
def test_names_are_those_of_symtable(module: str) -> None:
    """On every right-hand side of real modules; the oracle is the compiler's symbol table."""
    checked = 0
    for node in ast.walk(ast.parse(_source(module))):
        if not isinstance(node, ast.Assign) or any(
            isinstance(each, ast.NamedExpr | ast.Yield | ast.YieldFrom | ast.Await)
            for each in ast.walk(node.value)
        ):
            continue
        text = ast.unparse(ast.Expression(node.value))
        value = ast.parse(text, mode="eval").body
        found = {each.name for each in inputs_of(value, None, None, ())}
        function = f"def expression(): return ({text})"
        (table,) = symtable.symtable(function, module, "exec").get_children()
        # `super()` makes the compiler look for `__class__`; it knows nothing of names in strings.
        known = _global_names(table) | {"__class__"}
        assert known - {"__class__"} <= found <= known | quoted_names(value)
        checked += 1
    assert checked > 5
