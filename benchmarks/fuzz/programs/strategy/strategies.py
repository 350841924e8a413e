"""The strategies, chosen by the mode."""

from abc import ABC, abstractmethod

from config import Mode


def mean(values):
    return sum(values) / len(values)


class Strategy(ABC):
    window = 4

    def __init__(self, weight=1.0):
        self.weight = weight

    @abstractmethod
    def signal(self, prices): ...

    def trend(self, prices):
        recent = prices[-self.window :]
        return (recent[-1] - mean(recent)) / mean(recent)


class Follow(Strategy):
    def signal(self, prices):
        trend = self.trend(prices) * 100 * self.weight
        if trend > 1:
            return int(trend)
        return -2 if trend < -1 else 0


class Greedy(Follow):
    window = 2

    def signal(self, prices):
        return super().signal(prices) + 1


class Contrary(Strategy):
    def signal(self, prices):
        return -int(self.trend(prices) * 60)


STRATEGIES = {"follow": Follow, "greedy": Greedy, "contrary": Contrary, "none": None}
BY_MODE = {Mode.CAUTIOUS: "follow", Mode.GREEDY: "greedy", Mode.CONTRARY: "contrary"}


def build(config):
    return STRATEGIES[BY_MODE[config.mode]](config.mode.weight)
