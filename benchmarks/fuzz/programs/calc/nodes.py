"""The tree."""

from dataclasses import dataclass, field


class Node:
    __slots__ = ()
    depth = 0

    def children(self):
        return ()


@dataclass(frozen=True)
class Number(Node):
    value: float


@dataclass(frozen=True)
class Name(Node):
    name: str


@dataclass(frozen=True)
class Binary(Node):
    sign: str
    left: Node
    right: Node

    def children(self):
        return (self.left, self.right)


@dataclass(frozen=True)
class Choice(Node):
    test: Node
    yes: Node
    no: Node

    def children(self):
        return (self.test, self.yes, self.no)


@dataclass(frozen=True)
class Call(Node):
    name: str
    argument: Node

    def children(self):
        return (self.argument,)


@dataclass(frozen=True)
class Let(Node):
    name: str
    value: Node

    def children(self):
        return (self.value,)


@dataclass(frozen=True)
class Print(Node):
    value: Node

    def children(self):
        return (self.value,)


@dataclass(frozen=True)
class Function(Node):
    name: str
    parameter: str
    body: Node
    line: int = field(default=0, compare=False)
