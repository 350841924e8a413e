"""Which statement a pragma marks, and why it may not."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from ddsimport.errors import PragmaError
from ddsimport.source.pragma import pragmas_of
from ddsimport.source.rewrite import rewrite
from ddsimport.source.steps import ignored_of, sites_of


def targets(text: str) -> list[str]:
    steps = sites_of(ast.parse(text), pragmas_of(text, "m.py"), "m.py", text)
    return [step.site.target for step in steps]


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("x = f(  # dds: /a\n    1,\n)", "x"),
        ("x = f(\n    1,  # dds: /a\n)", "x"),
        ("x = f(\n    # dds: /a\n    1,\n)", "x"),
        ("x = f(\n    1,\n)  # dds: /a", "x"),
        ("x = f(\n    [\n        1  # dds: /a\n    ]\n)", "x"),
        ("x = f(\n    lambda: 1,  # dds: /a\n)", "x"),
        ("x = (\n    1  # dds: /a\n)", "x"),
        ("x = (  # dds: /a\n    1\n)", "x"),
        ("(\n    x,  # dds: /a\n    y,\n) = 1, 2", "x,y"),
        ("x = 1 + \\\n    2  # dds: /a", "x"),
        ("x = '''\n'''  # dds: /a", "x"),
        ("# dds: /a\nx = f(\n    1,\n)", "x"),
        ("if y:\n    # dds: /a\n    x = 1", "x"),
        ("if y:\n    pass\n# dds: /a\nx = 1", "x"),
        ("if y:\n    z = 1\n    # dds: /a\nx = 1", "x"),
        ("a = 1; b = f()  # dds: /a", "b"),
        ("a = 1; b = f();  # dds: /a", "b"),
        ("a = [1,  # dds: /a\n    2]; b = f()", "a"),
        ("a = [1,\n    2]; b = f()  # dds: /a", "b"),
        ("if y: x = f()  # dds: /a", "x"),
        ("if y: pass\nelse: x = f()  # dds: /a", "x"),
        ("for i in y: x = f()  # dds: /a", "x"),
        ("with y: x = f()  # dds: /a", "x"),
        ("try: x = f()  # dds: /a\nfinally: pass", "x"),
        ("try: pass\nexcept E: x = f()  # dds: /a", "x"),
        ("try: pass\nfinally: x = f()  # dds: /a", "x"),
        ("match y:\n    case 1: x = f()  # dds: /a", "x"),
        ("class A: x = f()  # dds: /a", "A.x"),
        ("def g(): x = f()  # dds: /a", "g.<locals>.x"),
        ("# dds: /a\ndef g(): x = f(); return x", "g"),
        ("def g(  # dds: /a\n    n,\n):\n    pass", "g"),
        ("def g(\n    n,  # dds: /a\n):\n    pass", "g"),
        ("def g(\n    n,\n) -> int:  # dds: /a\n    pass", "g"),
        ("@same  # dds: /a\ndef g():\n    pass", "g"),
        ("@same(\n    1,  # dds: /a\n)\ndef g():\n    pass", "g"),
        ("# dds: /a\n@same\ndef g():\n    pass", "g"),
        ("@same\n# dds: /a\ndef g():\n    pass", "g"),
        ("@same\n# dds: /a\n@same\ndef g():\n    pass", "g"),
        ("def g():\n    # dds: /a\n    x = 1", "g.<locals>.x"),
        ("x = f'{1}' f'''\n'''  # dds: /a", "x"),
        ("été = 'ü'; x = f('ü', 'ü')  # dds: /a", "x"),
        ("x = 1  # dds: /a", "x"),
        ("\f\nx = 1  # dds: /a", "x"),
        ("x = (yield_ := 1) if 0 else 1\ny = 2  # dds: /a", "y"),
        ("x = lambda: (yield)  # dds: /a", "x"),
        ("x = lambda: (y := 1)  # dds: /a", "x"),
        ("def g():\n    def h():\n        yield\n    return h\n# dds: /a\ny = 1", "y"),
        ("def g():  # dds: /a\n    def h():\n        yield\n    return lambda: (yield)", "g"),
        ("type = 1  # dds: /a", "type"),
        ("match = case = 1  # dds: /a", "match"),
    ],
)
def test_what_is_marked(text: str, target: str) -> None:
    assert targets(text + "\n") == [target]
    assert targets(text) == [target]
    assert targets(text.replace("\n", "\r\n")) == [target]


REFUSED = [
    # text with the pragma's comment marked by `#`, what the message holds
    ("x += f()  # dds: /a", "augmented assignment cannot be a step; its target is an input too"),
    ("x: int  # dds: /a", "an annotation without a value is nothing to keep"),
    ("x = (y := f())  # dds: /a", "`:=`"),
    ("x = [y := i for i in z]  # dds: /a", "`:=`"),
    ("x = (lambda n=(y := 1): n)  # dds: /a", "`:=`"),
    ("def g():\n    x = yield  # dds: /a", "with `yield` cannot be a step"),
    ("def g():\n    x = yield from y  # dds: /a", "with `yield` cannot be a step"),
    ("def g():\n    x = f((yield y), 1)  # dds: /a", "with `yield` cannot be a step"),
    ("def g():\n    x = lambda n=(yield): n  # dds: /a", "with `yield` cannot be a step"),
    ("def g():  # dds: /a\n    yield 1", "a generator cannot be a step"),
    ("def g(): return 1  # dds: /a", "a `def` on one line is marked from the line above"),
    ("def g(): ...  # dds: /a", "a `def` on one line is marked from the line above"),
    ("def g(): x = 1; return x  # dds: /a", "a `def` on one line is marked from the line above"),
    ("def g():  # dds: /a\n    def h(n=(yield)): pass", "a generator cannot be a step"),
    ("def g():  # dds: /a\n    x = lambda n=(yield): n", "a generator cannot be a step"),
    ("def g():  # dds: /a\n    @(yield)\n    class A: pass", "a generator cannot be a step"),
    ("async def g():  # dds: /a\n    yield 1", "an async generator cannot be a step"),
    ("f()  # dds: /a", "an expression without a target cannot be a step; assign its value"),
    ("'text'  # dds: /a", "an expression without a target"),
    ("def g():\n    return f()  # dds: /a", "a `return` cannot be a step; assign the value first"),
    ("del x  # dds: /a", "a `del` cannot be a step; mark an assignment or a `def`"),
    ("import x  # dds: /a", "an import cannot be a step; only `# dds: ignore` may mark it"),
    ("from x import (\n    y,  # dds: /a\n)", "an import cannot be a step"),
    ("global x  # dds: /a", "a `global` cannot be a step"),
    ("pass  # dds: /a", "a `pass` statement cannot be a step"),
    ("raise x  # dds: /a", "a `raise` statement cannot be a step"),
    ("assert x  # dds: /a", "an `assert` statement cannot be a step"),
    ("class A:  # dds: /a\n    pass", "a class cannot be a step; only `# dds: ignore` may mark it"),
    ("# dds: /a\nclass A:\n    pass", "a class cannot be a step"),
    ("if x:  # dds: /a\n    pass", "an `if` header cannot be a step; mark the statement inside"),
    ("# dds: /a\nif x: y = 1", "an `if` header cannot be a step"),
    ("if x: pass\nelif y:  # dds: /a\n    pass", "an `if` header cannot be a step"),
    ("for x in f():  # dds: /a\n    pass", "a `for` header cannot be a step"),
    ("while f():  # dds: /a\n    pass", "a `while` header cannot be a step"),
    ("with f() as x:  # dds: /a\n    pass", "a `with` header cannot be a step"),
    ("try:  # dds: /a\n    pass\nfinally: pass", "a `try` header cannot be a step"),
    ("match x:  # dds: /a\n    case _: pass", "a `match` header cannot be a step"),
    ("async def g():\n    async for x in y:  # dds: /a\n        pass", "an `async for` header"),
    ("async def g():\n    async with x:  # dds: /a\n        pass", "an `async with` header"),
    ("if x:\n    pass\nelse:  # dds: /a\n    pass", "no statement begins on its line (`else:`)"),
    (
        "try:\n    pass\nfinally:  # dds: /a\n    pass",
        "(`finally:`); mark an assignment or a `def`",
    ),
    ("try:\n    pass\nexcept E:  # dds: /a\n    pass", "no statement begins on its line"),
    ("match x:\n    case 1:  # dds: /a\n        pass", "(`case 1:`)"),
    ("# dds: /a", "no statement begins right below it"),
    ("x = 1\n# dds: /a", "no statement begins right below it"),
    ("# dds: /a\n\nx = 1", "no statement begins right below it"),
    ("# dds: /a\n# more\nx = 1", "no statement begins right below it"),
    (
        "if x:\n    y = 1\n    # dds: /a\nelse:\n    pass",
        "no statement begins on its line (`else:`)",
    ),
    ("# dds: /a\na = 1; b = 2", "several statements stand on the line below"),
    ("x = 1  # dds: /a\n# dds: /b\n", "no statement begins right below it"),
    ("# dds: /b\nx = 1  # dds: /a", "the statement has a pragma already, on line 1"),
    ("x = f(  # dds: /b\n    1\n)  # dds: /a", "the statement has a pragma already, on line 1"),
    ("f()  # dds: ignore", "cannot be ignored; `# dds: ignore` marks a `def`, a `class`"),
    ("if x:  # dds: ignore\n    pass", "an `if` header cannot be ignored"),
    ("x = f(n)  # dds: /a/{m}", "`{m}` is no input of this step; its inputs are `f`, `n`"),
    ("x = f(idx)  # dds: /a/{idxx}", "no input of this step; did you mean `{idx}`? its inputs"),
    ("x = 1  # dds: /a/{m}", "it has no inputs"),
    ("x = [i for i in f()]  # dds: /a/{i}", "`{i}` is no input of this step"),
    ("def g(a, *b):  # dds: /a/{c}\n    pass", "its inputs are `a`, `b`"),
    ("x = f(n)  # dds: /a/{n} ignore=n", "`{n}` is no input of this step"),
    ("x = f(nn)  # dds: /a ignore=n", "`ignore=n`: no such input; did you mean `nn`?"),
    ("x = f(n)  # dds: /a ignore=f,zzz", "`ignore=zzz`: no such input; its inputs are"),
    (
        "x = 1  # dds: /a\ny = 2  # dds: /a",
        "the path `/a` is taken, on line 1; did you mean `/a_2`?",
    ),
    ("x = 1  # dds: /f\ny = 2  # dds: /f/g", "`/f/g` lies under `/f` (line 1)"),
    ("x = 1  # dds: /f/g\ny = 2  # dds: /f", "`/f/g` lies under `/f` (line 1)"),
    ("x = i  # dds: /f/{i}\ny = i  # dds: /f/{i}", "the path `/f/{i}` is taken"),
    ("x = i  # dds: /f/{i}\ny = i  # dds: /f/{i}/g", "lies under"),
    ("x = 1  # dds:\nx = 2  # dds:", "another step is named `x`, on line 1"),
    ("table['a/b'] = 1  # dds:", "`table['a/b']` is no name for a path; write one"),
    ("x = 1  # dds: /a ttl=1", "a time is written as"),
]


@pytest.mark.parametrize(("text", "said"), REFUSED)
def test_what_is_refused(text: str, said: str) -> None:
    with pytest.raises(PragmaError) as caught:
        rewrite(text + "\n", "m.py")
    error = caught.value
    assert said in error.msg
    lines = text.split("\n")
    # The last pragma is the wrong one: that is where the error points.
    line = max(index for index, each in enumerate(lines) if "# dds:" in each)
    if "/b\n" in text and "above" not in said and "has a pragma" not in said:
        line = error.lineno - 1 if error.lineno else 0
    assert (error.filename, error.lineno, error.end_lineno) == ("m.py", line + 1, line + 1)
    assert error.text == lines[line]
    assert error.offset is not None and error.end_offset is not None
    shown = error.text[error.offset - 1 : error.end_offset - 1]
    assert shown and shown in lines[line][lines[line].index("# dds:") :]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="newer syntax")
def test_newer_statements() -> None:
    with pytest.raises(PragmaError, match="a `type` cannot be a step"):
        targets("type X = int  # dds: /a")
    assert targets("def g[T](n: T) -> T:  # dds: /a/{n}\n    return n") == ["g"]
    # A comment inside a string is no pragma, although `tokenize` tells of it.
    assert targets("x = f'''{\n    1  # dds: /a\n}'''") == []


@pytest.mark.skipif(sys.version_info < (3, 11), reason="newer syntax")
def test_except_star() -> None:
    assert targets("try:\n    pass\nexcept* E:\n    x = 1  # dds: /a") == ["x"]


def test_paths_that_are_no_conflict() -> None:
    text = "a = 1  # dds: /f\nb = 1  # dds: /fg\nc = 1  # dds: /g/f\ni = 1\nd = i  # dds: /g/{i}\n"
    assert targets(text) == ["a", "b", "c", "d"]
    assert targets("x = 1  # dds: /x\nx = 2  # dds:\n") == ["x", "x"]


def test_ignored_statements() -> None:
    text = dedent("""
        import logging  # dds: ignore
        LEVEL = 3  # dds: ignore
        # dds: ignore
        @same
        def log(text):
            print(text)
        class A:  # dds: ignore
            x = 1
        count: int = 0  # dds: ignore
        count += 1  # dds: ignore
        def g():  # dds: ignore
            yield
        x = 1
        """).lstrip("\n")
    tree = ast.parse(text)
    pragmas = pragmas_of(text, "m.py")
    assert ignored_of(tree, pragmas, "m.py", text) == (
        (1, 1),
        (2, 2),
        (4, 6),
        (7, 8),
        (9, 9),
        (10, 10),
        (11, 12),
    )
    assert sites_of(tree, pragmas, "m.py", text) == ()
    assert ast.dump(rewrite(text, "m.py")) == ast.dump(tree)


LONG = {
    "call": "res = some_function_with_a_name(first_argument, second_argument, third={})",
    "nested": "res = outer_function(inner_function(first_argument), [second, third_argument, {}])",
    "chain": "res = frame.merge(other, on='key').groupby('key').agg(total=('value', 'sum'), n={})",
    "sum": "res = first_long_operand_name + second_long_operand_name * third_long_operand + {}",
    "comparison": "res = first_long_operand_name < second_long_operand_name < third_operand < {}",
    "tuple": "train_set, test_set, rest = split_into_parts(first_argument, second_argument, n={})",
    "attribute": "box.some_attribute = function(first_argument, second_argument, third_one={})",
    "subscript": "table['some key that is long'] = some_function(first_argument, second_arg, n={})",
    "annotated": "res: SomeAnnotation[WithA, Parameter] = some_function(first_argument, n={})",
    "conditional": "res = some_function(first_argument) if some_condition else other_function({})",
    "comprehension": "res = [some_function(each_element) for each_element in elements if cond({})]",
    "dict": "res = {{'first key': first_value, 'second key': second_value, 'third': third({})}}",
    "lambda": "res = some_function(lambda argument: other_function(argument, second_argument, {}))",
    "awaited": "res = await some_function_with_a_name(first_argument, second_argument, third={})",
    "string": "res = some_function('some text that is rather long', f'and {{more}} of it', n={})",
    "def": "def some_function(first_parameter: int, second_parameter: str = 'a', n={}) -> None:",
    "async def": "async def some_function(first_parameter: int, second_parameter='a', n={}):",
    "if": "if some_condition: res = some_function(first_argument, second_argument, third={})",
}


@pytest.mark.parametrize("placed", ["trailing", "above"])
@pytest.mark.parametrize("tool", ["black", "ruff"])
def test_formatters_do_not_change_what_is_marked(tool: str, placed: str, tmp_path: Path) -> None:
    """Long marked lines, wrapped by the formatter: the pragma still marks the same statement."""
    binary = Path(sys.executable).with_name(tool)
    if not binary.exists():
        found = shutil.which(tool)
        if found is None:
            pytest.skip(f"{tool} is not installed")
        binary = Path(found)
    lines: list[str] = []
    expected: list[str] = []
    for indent, header in (("", ""), ("    ", "async def around(box, table):")):
        lines.append(header)
        for width in range(2):
            for name, template in LONG.items():
                if (name, indent) == ("awaited", "") or (name, placed) == ("if", "above"):
                    continue
                number = len(expected)
                code = template.format(str(number) + "0" * 30 * width)
                pragma = f"# dds: /p{number} version={'1' * 20 * width or 1}"
                if placed == "above":
                    lines += [f"{indent}{pragma}", f"{indent}{code}"]
                else:
                    lines.append(f"{indent}{code}  {pragma}")
                if "def" in name:
                    lines.append(f"{indent}    pass")
                expected.append(f"/p{number}")
    text = "\n".join(lines) + "\n"
    file = tmp_path / "marked.py"
    file.write_text(text)

    def marked(text: str) -> dict[str | None, tuple[str, str]]:
        steps = sites_of(ast.parse(text), pragmas_of(text, "m.py"), "m.py", text)
        return {step.site.path: (step.site.target, ast.dump(step.node)) for step in steps}

    before = marked(text)
    assert list(before) == expected
    for length in ("88", "60", "40"):
        option = "--line-length"
        command = [str(binary), *(["format"] if tool == "ruff" else ["-q"]), option, length]
        cached = ["--no-cache"] if tool == "ruff" else []
        subprocess.run([*command, *cached, str(file)], check=True, capture_output=True, timeout=60)
        wrapped = file.read_text()
        assert wrapped != text
        assert marked(wrapped) == before
