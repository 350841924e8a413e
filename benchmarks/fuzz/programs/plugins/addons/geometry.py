from addons import describe
from base import Plugin


@describe("left to right")
class Mirror(Plugin, rank=2):
    def run(self, grid):
        return flipped(grid)


def flipped(grid, both=False):
    rows = [row[::-1] for row in grid]
    return rows[::-1] if both else rows
