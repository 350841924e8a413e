"""Shops: what they have, what they want for it."""

import asyncio

STOCK = {
    "corner": {"bread": 2.5, "salt": 0.9, "wine": 8.0},
    "market": {"bread": 2.2, "salt": 1.1, "wine": 9.5},
    "mill": {"bread": 1.9},
}
MARKUP = {"corner": 1.1}


class ClosedError(RuntimeError):
    pass


class Shop:
    currency = "EUR"

    def __init__(self, name):
        self.name = name

    async def price(self, item):
        await asyncio.sleep(0)
        if self.name not in STOCK:
            raise ClosedError(self.name)
        price = STOCK[self.name].get(item)
        return None if price is None else rounded(price * MARKUP.get(self.name, 1))


def rounded(price):
    return round(price, 1)


def names():
    return tuple(STOCK)


def find(name):
    return Shop(name)


def cheapest(found, item="?"):
    offers = [(price, name) for name, price in found.items() if price is not None]
    if not offers:
        raise ClosedError(f"nobody has {item}")
    return min(offers)


def discounted(basket):
    count = len(basket)
    factor = 0.95 if count >= 3 else 1
    return {item: (rounded(price * factor), name) for item, (price, name) in basket.items()}


async def prices(basket):
    for price, _ in basket.values():
        await asyncio.sleep(0)
        yield price


def spread(found):
    known = [price for price in found.values() if price is not None]
    return rounded(max(known) - min(known)) if len(known) > 1 else 0
