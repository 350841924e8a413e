"""Tokens to a tree, by recursive descent."""

import nodes as n
from lexer import Kind

LEVELS = (("<", ">"), ("+", "-"), ("*", "/", "%"))


class ParserError(SyntaxError):
    pass


class Parser:
    def __init__(self, tokens):
        self._tokens = list(tokens)
        self._at = 0

    @property
    def token(self):
        return self._tokens[self._at]

    def take(self, text=None, kind=None):
        token = self.token
        if (text is not None and token.text != text) or (kind is not None and token.kind != kind):
            raise ParserError(f"line {token.line}: {token.text!r} in place of {text or kind}")
        self._at += 1
        return token.text

    def program(self):
        found = []
        while self._at < len(self._tokens):
            found.append(self.statement())
            self.take(kind=Kind.END)
        return found

    def statement(self):
        word = self.take(kind=Kind.WORD)
        return getattr(self, f"{word}_statement")()

    def let_statement(self):
        name = self.take(kind=Kind.NAME)
        self.take("=")
        return n.Let(name, self.expression())

    def print_statement(self):
        return n.Print(self.expression())

    def fun_statement(self):
        line = self.token.line
        name = self.take(kind=Kind.NAME)
        self.take("(")
        parameter = self.take(kind=Kind.NAME)
        self.take(")")
        self.take("=")
        return n.Function(name, parameter, self.expression(), line=line)

    def expression(self, level=0):
        if self.token.text == "if":
            return self.choice()
        if level == len(LEVELS):
            return self.atom()
        left = self.expression(level + 1)
        while self.token.text in LEVELS[level]:
            left = n.Binary(self.take(), left, self.expression(level + 1))
        return left

    def choice(self):
        self.take("if")
        test = self.expression()
        self.take("then")
        yes = self.expression()
        self.take("else")
        return n.Choice(test, yes, self.expression())

    def atom(self):
        if self.token.kind is Kind.NUMBER:
            return n.Number(int(self.take()))
        if self.token.text == "(":
            self.take("(")
            inner = self.expression()
            self.take(")")
            return inner
        name = self.take(kind=Kind.NAME)
        if self.token.text == "(":
            self.take("(")
            argument = self.expression()
            self.take(")")
            return n.Call(name, argument)
        return n.Name(name)


def parse(tokens):
    return Parser(tokens).program()
