"""What is owned."""

from collections import defaultdict


class Portfolio:
    __slots__ = ("cash", "shares", "trades")
    limit = 5

    def __init__(self, cash):
        self.cash = cash
        self.shares = defaultdict(int)
        self.trades = 0

    def trade(self, asset, signal, price):
        count = self._affordable(signal, price) if signal > 0 else -min(-signal, self.shares[asset])
        if count:
            self.shares[asset] += count
            self.cash -= count * price
            self.trades += 1

    def _affordable(self, signal, price):
        return max(0, min(signal, self.limit, int(self.cash // price)))

    def worth(self, prices):
        return self.cash + sum(count * prices[asset] for asset, count in self.shares.items())
