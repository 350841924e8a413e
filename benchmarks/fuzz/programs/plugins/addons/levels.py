from addons import describe
from base import Plugin

TOP = 100


@describe("cut above a level")
class Threshold(Plugin):
    def cell(self, grid, x, y, value):
        if value > self.settings.level:
            return TOP if value > 2 * self.settings.level else self.settings.level
        return value
