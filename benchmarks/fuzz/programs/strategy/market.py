"""Prices that look like those of a market."""

from itertools import accumulate, islice
from math import sin, sqrt

OPTIONS = {"window": 10, "annual": False}
DRIFT = {"oil": 0.3, "tea": -0.1}
START = 50


def steps(seed):
    state = seed
    while True:
        state = (state * 1103515245 + 12345) % 2**31
        yield state / 2**31 - 0.5


def simulate(days, assets):
    return {asset: series(asset, days) for asset in assets}


def series(asset, days):
    drift = DRIFT.get(asset, 0.0)
    moves = islice(steps(sum(map(ord, asset))), days)
    waves = (move * 4 + drift + sin(day / 3) for day, move in enumerate(moves))
    return [max(price, 1.0) for price in accumulate(waves, initial=START)][1:]


def volatility(prices, window=5, annual=True):
    recent = prices[-window:]
    returns = [after / before - 1 for before, after in zip(recent, recent[1:])]
    mean = sum(returns) / len(returns)
    spread = sqrt(sum((each - mean) ** 2 for each in returns) / (len(returns) - 1))
    return spread * sqrt(250) if annual else spread
