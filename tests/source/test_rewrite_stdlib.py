"""A pragma on every statement of real modules that may have one: nothing but the steps changes."""

from __future__ import annotations

import ast
import io
import os
import random
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from rewritten import FakeRuntime, plain, same_lines, under

from ddsimport.errors import PragmaError
from ddsimport.source.placement import Function
from ddsimport.source.pragma import pragmas_of
from ddsimport.source.reads import first_of, own_nodes
from ddsimport.source.rewrite import rewrite
from ddsimport.source.steps import sites_of

MODULES = [
    "abc",
    "argparse",
    "asyncio.base_events",
    "base64",
    "calendar",
    "cmd",
    "codecs",
    "configparser",
    "contextlib",
    "copy",
    "dataclasses",
    "difflib",
    "dis",
    "email.message",
    "enum",
    "fractions",
    "functools",
    "glob",
    "graphlib",
    "heapq",
    "html.parser",
    "importlib._bootstrap",
    "ipaddress",
    "inspect",
    "json.decoder",
    "pickle",
    "plistlib",
    "pprint",
    "queue",
    "selectors",
    "statistics",
    "string",
    "threading",
    "timeit",
    "traceback",
    "types",
    "uuid",
    "weakref",
]


def _source(module: str) -> str:
    # Frozen modules have no origin, and every one of these has a file.
    path = Path(os.__file__).parent / module.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    with tokenize.open(file) as opened:
        return opened.read()


def _eligible(tree: ast.Module) -> list[ast.stmt]:
    """Every statement that may be a step, by the rules of the specification."""
    found: list[ast.stmt] = []
    for node in ast.walk(tree):
        if isinstance(node, Function):
            if not any(isinstance(each, ast.Yield | ast.YieldFrom) for each in own_nodes(node)):
                found.append(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            value = node.value
            if value and first_of(value, ast.NamedExpr, ast.Yield, ast.YieldFrom) is None:
                found.append(node)
    return found


def _marked(text: str) -> tuple[str, list[ast.stmt]]:
    """The text with a pragma at the end of every such statement that ends its line."""
    tree = ast.parse(text)
    lines = text.split("\n")
    ends: Counter[int] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            ends[node.lineno] += 1
    comments = {
        token.start
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT
    }
    commented = {line for line, _ in comments}
    marked = []
    for number, node in enumerate(_eligible(tree)):
        if isinstance(node, Function):
            # At the end of the header's first line, where nothing but the header is.
            line = node.lineno
            if ends[line] > 1:
                continue
        else:
            assert node.end_lineno is not None
            line = node.end_lineno
            end = len(lines[line - 1].encode()[: node.end_col_offset].decode())
            if lines[line - 1][end:].strip() or ends[node.lineno] > 1:
                continue
        if line in commented or lines[line - 1].endswith("\\"):
            continue
        commented.add(line)
        lines[line - 1] += f"  # dds: /p{number}"
        marked.append(node)
    return "\n".join(lines), marked


def _positions(tree: ast.AST) -> Iterator[tuple[object, ...]]:
    for node in ast.walk(tree):
        place = tuple(
            getattr(node, name, None)
            for name in ("lineno", "col_offset", "end_lineno", "end_col_offset")
        )
        yield (type(node).__name__, *place, *(getattr(node, name, None) for name in ("id", "attr")))


@pytest.mark.parametrize("module", MODULES)
def test_all_of_a_module_is_steps(module: str) -> None:
    text, nodes = _marked(_source(module))
    tree = ast.parse(text)
    steps = sites_of(tree, pragmas_of(text, module), module, text)
    found = Counter((step.site.line, step.site.kind) for step in steps)
    assert found == Counter(
        (node.lineno, "function" if isinstance(node, Function) else "assignment") for node in nodes
    )
    before = Counter(_positions(ast.parse(text)))
    after = rewrite(text, module)
    # Not one node of the module's own is lost or moved; of ours, none is without a position.
    lost = before - Counter(_positions(after))
    assert not lost
    for node in ast.walk(after):
        if isinstance(node, ast.expr | ast.stmt):
            assert 1 <= node.lineno <= node.end_lineno or node.lineno == node.end_lineno == -1
    compile(after, module, "exec", dont_inherit=True)


# Each of these runs a few hundred to a few thousand lines of marked code.
RUNNING = {
    "textwrap": "y = fill('the quick brown fox ' * 20, 30), dedent('  a\\n   b')",
    "shlex": "y = split('a \"b c\" d # e', comments=True), quote('a b')",
    "fractions": "y = Fraction('3/4') + 1, Fraction(0.5).limit_denominator(10)",
    "difflib": "y = list(ndiff(list('abcd'), list('abxd'))), get_close_matches('ape', ['apple'])",
    "heapq": "y = nsmallest(3, [5, 4, 3, 2, 1]), list(merge([1, 4], [2, 3]))",
    "string": "y = Template('$a b').substitute(a=1), Formatter().format('{0!r:>{1}}', 'x', 5)",
    "graphlib": "y = list(TopologicalSorter({1: {2}, 2: {3}}).static_order())",
    "pprint": "y = pformat({'a': list(range(40)), 'b': {'c': (1, 2)}})",
    "fnmatch": "y = filter(['a.py', 'b.txt'], '*.py'), translate('*.[ch]')",
    "urllib.parse": "y = urlsplit('http://a.b:80/c?d=e#f').port, urlencode({'a': 'ü b'})",
    "csv": "y = Sniffer().sniff('a;b;c\\n1;2;3\\n4;5;6\\n').delimiter",
    "statistics": "y = mean([1, 2, 4]), quantiles([1, 2, 3, 4, 5]), NormalDist(0, 1).cdf(1)",
    "ipaddress": "y = ip_network('10.0.0.0/29').num_addresses, ip_address('::1').exploded",
    "configparser": "c = ConfigParser(); c.read_string('[a]\\nb = 1\\nc = %(b)s2'); y = {**c['a']}",
    "plistlib": "y = loads(dumps({'a': [1, 2.5, True, b'x']}))",
    "reprlib": "y = repr(list(range(20))), Repr().repr('x' * 90)",
    "copy": "y = deepcopy({'a': [1, (2, [3])]})",
    "html.parser": "p = HTMLParser(); p.feed('<a href=x>y</a>&amp;'); y = p.getpos()",
    "base64": "y = b32encode(b'hello'), a85decode(a85encode(b'hi')), b85encode(b'xyz')",
}


@pytest.mark.parametrize("module", RUNNING)
def test_line_events_of_a_module_that_is_all_steps(module: str) -> None:
    text = _source(module)
    # What runs once the module is loaded is not marked.
    marked, _ = _marked(text)
    # Columns and layout of both are the same but for the comments; `__name__` keeps main() out.
    marked += "\n" + RUNNING[module] + "\n"
    bare = re.sub(r"  # dds: /p\d+$", "", marked, flags=re.MULTILINE)
    expected = plain(bare)
    assert not expected.error
    runtime = FakeRuntime(keeps=False)
    found = under(runtime, marked)
    assert not found.error
    assert repr(found.namespace["y"]) == repr(expected.namespace["y"])
    assert same_lines(found, expected)
    assert runtime.pending == 0
    assert len(runtime.log) > 20


def test_a_pragma_on_any_line_means_a_step_or_is_refused() -> None:
    """Never silence: on a line of code, a pragma makes a step or an error that names the line."""
    text = _source("textwrap")
    lines = text.split("\n")
    chosen = random.Random(7).sample(range(len(lines)), 200)
    outcomes: Counter[str] = Counter()
    for index in chosen:
        if lines[index].endswith("\\"):
            continue
        changed = list(lines)
        changed[index] += "  # dds: /here"
        tree = ast.parse("\n".join(changed))
        try:
            pragmas = pragmas_of("\n".join(changed), "m")
            steps = sites_of(tree, pragmas, "m", "\n".join(changed))
        except PragmaError as error:
            assert error.lineno == index + 1
            assert error.text == changed[index]
            assert "/here" in changed[index][(error.offset or 0) - 1 :]
            outcomes["refused"] += 1
            continue
        # Inside a string or another comment there is no pragma.
        assert len(steps) == len(pragmas)
        outcomes["step" if steps else "none"] += 1
    assert min(outcomes.values()) > 5 and len(outcomes) == 3, outcomes
