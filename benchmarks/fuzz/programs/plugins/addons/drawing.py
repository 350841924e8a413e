from addons import describe
from base import Plugin


@describe("a slope")
class Fill(Plugin):
    start = 10

    def cell(self, grid, x, y, value):
        return self.start + 9 * x + y**2


@describe("spots that look random")
class Noise(Plugin, rank=1):
    def cell(self, grid, x, y, value):
        return value + (x * 7 + y * 13) % 11 - 5
