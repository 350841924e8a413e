from addons import describe
from base import Plugin

REACH = 1


def around(position, size):
    return range(max(position - REACH, 0), min(position + REACH + 1, size))


@describe("an average of the neighbours")
class Blur(Plugin):
    def run(self, grid):
        size = len(grid)
        return [[self.mean(grid, x, y, size) for x in range(size)] for y in range(size)]

    def mean(self, grid, x, y, size):
        cells = [grid[j][i] for j in around(y, size) for i in around(x, size)]
        return round(sum(cells) / len(cells), 1)


@describe("not used by anybody")
class Sharpen(Blur):
    def mean(self, grid, x, y, size):
        return 2 * grid[y][x] - super().mean(grid, x, y, size)
