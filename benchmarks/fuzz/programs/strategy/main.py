"""Prices under different strategies, from one configuration."""

from dataclasses import asdict, replace
from functools import partial

import market
from config import Mode, load_config
from portfolio import Portfolio
from strategies import STRATEGIES, build

BASE = load_config({"days": "30", "mode": "cautious", "assets": "oil,tea,tin"})


def backtest(config, prices):
    portfolio = Portfolio(config.cash)
    strategy = build(config)
    for day in range(config.warmup, config.days):
        for asset in config.assets:
            signal = strategy.signal(prices[asset][: day + 1])
            portfolio.trade(asset, signal, prices[asset][day])
    return portfolio.worth({asset: series[-1] for asset, series in prices.items()})


def main():
    prices = market.simulate(BASE.days, BASE.assets)  # dds: /strategy/prices
    print({asset: round(series[-1], 2) for asset, series in prices.items()})
    results = {}
    configs = {mode.name: replace(BASE, mode=mode) for mode in Mode}
    for name in configs:
        results[name] = backtest(configs[name], prices)  # dds: /strategy/result/{name}
        print(f"{name:10} {results[name]:10.2f}")
    rank = partial(sorted, key=results.__getitem__, reverse=True)
    order = rank(results)  # dds: /strategy/order
    print(" > ".join(order))
    risk = market.volatility(prices["oil"], **market.OPTIONS)  # dds: /strategy/risk
    print(f"risk {risk:.4f}")
    names = sorted(STRATEGIES)  # dds: /strategy/names
    print(names)
    settings = asdict(BASE)  # dds: /strategy/settings
    print({key: str(value) for key, value in settings.items()})
    cash_only = Portfolio(BASE.cash).worth({})  # dds: /strategy/cash
    gain = max(results.values()) / cash_only - BASE.fees.total(2)  # dds: /strategy/gain
    print(f"gain {gain:.3f}")


main()
