"""Running the tree, or the code made of it."""

import operator


OPERATIONS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
    "<": lambda left, right: int(left < right),
    ">": lambda left, right: int(left > right),
}


class TooLongError(RuntimeError):
    pass


class Interpreter:
    limit = 100

    def __init__(self, limit=None):
        self.limit = limit or type(self).limit
        self.names = {}
        self.functions = {}
        self.output = []
        self.count = 0

    def run(self, tree):
        for statement in tree:
            self.visit(statement)
        return self.output

    def visit(self, node):
        self.count += 1
        if self.count > self.limit:
            raise TooLongError(self.count)
        return getattr(self, "visit_" + type(node).__name__.lower())(node)

    def visit_number(self, node):
        return node.value

    def visit_name(self, node):
        return self.names[node.name]

    def visit_binary(self, node):
        return OPERATIONS[node.sign](self.visit(node.left), self.visit(node.right))

    def visit_choice(self, node):
        return self.visit(node.yes if self.visit(node.test) else node.no)

    def visit_call(self, node):
        function = self.functions[node.name]
        before = dict(self.names)
        self.names[function.parameter] = self.visit(node.argument)
        try:
            return self.visit(function.body)
        finally:
            self.names = before

    def visit_let(self, node):
        self.names[node.name] = self.visit(node.value)

    def visit_print(self, node):
        self.output.append(self.visit(node.value))

    def visit_function(self, node):
        self.functions[node.name] = node


class Machine:
    def __init__(self):
        self.stack = []
        self.names = {}
        self.output = []

    def execute(self, code):
        for name, *arguments in code:
            getattr(self, f"do_{name}")(*arguments)
        return self.output

    do_push = property(lambda self: self.stack.append)

    def do_load(self, name):
        self.stack.append(self.names[name])

    def do_apply(self, sign):
        right, left = self.stack.pop(), self.stack.pop()
        self.stack.append(OPERATIONS[sign](left, right))

    def do_choose(self):
        test, yes, no = (self.stack.pop() for _ in range(3))
        self.stack.append(yes if test else no)

    def do_define(self, name, parameter, body):
        self.names[name] = (parameter, body)

    def do_call(self, name):
        parameter, body = self.names[name]
        inner = Machine()
        inner.names = {**self.names, parameter: self.stack.pop()}
        inner.execute(body)
        self.stack.append(inner.stack[-1])

    def do_store(self, name):
        self.names[name] = self.stack.pop()

    def do_print(self):
        self.output.append(self.stack.pop())
