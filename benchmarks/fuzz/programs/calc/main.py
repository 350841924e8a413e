"""A small language: tokens, a tree, passes over it, and two ways to run it."""

import pathlib

from interpreter import Interpreter, Machine
from lexer import Kind, tokens_of
from parser import parse
from passes import compiled, folded, shown, size

PROGRAM = """\
let x = 3 + 4 * 2
let y = (x - 1) / 2 + 2 * 3
print x * y
fun twice(n) = n * 2
print twice(y) + twice(2 + 1)
let z = if x > 10 then x % 4 else 0 - x
print z
"""


def statements(tree):
    return "\n".join(f"{number:2} {shown(each)}" for number, each in enumerate(tree, 1))


tokens = tokens_of(PROGRAM)  # dds: /calc/tokens
kinds = {kind.name: sum(each.kind is kind for each in tokens) for kind in Kind}  # dds: /calc/kinds
print(kinds)
tree = parse(tokens)  # dds: /calc/tree
text = statements(tree)  # dds: /calc/text
print(text)
short = [folded(each) for each in tree]  # dds: /calc/folded
sizes = [size(each) for each in tree], [size(each) for each in short]  # dds: /calc/sizes
print(sizes)
output = Interpreter(limit=200).run(short)  # dds: /calc/output
print("interpreted:", output)
code = compiled(short)  # dds: /calc/code
print(len(code), "instructions")
machine = Machine().execute(code)  # dds: /calc/machine
print("executed:", machine)
same = machine == output
assert same or len(machine) != len(output), (machine, output)
listing = "\n".join(" ".join(map(str, each)) for each in code)  # dds: /calc/listing.txt
pathlib.Path("listing.txt").write_text(listing)
