"""Matrices of whole numbers."""


class Matrix:
    def __init__(self, rows):
        self.rows = [list(row) for row in rows]

    @classmethod
    def of(cls, graph):
        nodes = graph.nodes
        return cls([[int(end in graph[start]) for end in nodes] for start in nodes])

    def __matmul__(self, other):
        columns = list(zip(*other.rows))
        return Matrix([dot(row, column) for column in columns] for row in self.rows)

    def __eq__(self, other):
        return isinstance(other, Matrix) and self.rows == other.rows

    __hash__ = None

    def __repr__(self):
        return "\n".join(" ".join(map(str, row)) for row in self.rows)

    def trace(self):
        return sum(row[index] for index, row in enumerate(self.rows))

    def __len__(self):
        return len(self.rows)


def dot(left, right):
    return sum(a * b for a, b in zip(left, right))


def identity(size):
    return Matrix([[int(x == y) for x in range(size)] for y in range(size)])


def power(matrix, exponent):
    if exponent == 0:
        return identity(len(matrix))
    half = power(matrix, exponent // 2)
    square = half @ half
    return square @ matrix if exponent % 2 else square
