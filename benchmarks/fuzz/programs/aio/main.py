"""Prices from several made-up shops, asked for at the same time."""

import asyncio

import compat
import shops
from limits import Limiter, retried

compat.install()


async def quote(name, item):  # dds: /aio/quote/{name}/{item}
    shop = shops.find(name)
    return await retried(shop.price, item)


class Buyer:
    budget = 40

    def __init__(self, *items):
        self.items = items
        self.limiter = Limiter(2)

    async def compare(self, item):
        found = {}
        for name in shops.names():
            async with self.limiter:
                found[name] = await quote(name, item)
        cheapest = shops.cheapest(found, item)  # dds: /aio/cheapest/{item}
        return cheapest, found

    async def run(self):
        pairs = await asyncio.gather(*(self.compare(item) for item in self.items))
        basket = {item: best for item, (best, _) in zip(self.items, pairs)}
        self.basket = shops.discounted(basket)  # dds: /aio/basket
        return [found for _, found in pairs]


async def total(basket):
    amount = 0
    async for price in shops.prices(basket):
        amount += price
    return round(amount, 2)


async def main():
    buyer = Buyer("bread", "salt", "wine")
    found = await buyer.run()
    for item, prices in zip(buyer.items, found):
        print(item, prices)
    print(buyer.basket)
    amount = await total(buyer.basket)  # dds: /aio/total
    print("total:", amount, "over budget" if amount > Buyer.budget else "")
    spread = {
        item: shops.spread(prices) for item, prices in zip(buyer.items, found)
    }  # dds: /aio/spread
    print(spread)
    tried = shops.Shop("none")
    try:
        await retried(tried.price, "bread", times=2)
    except shops.ClosedError as error:
        print("error:", error)
    receipt = compat.receipt(buyer.basket, amount)  # dds: /aio/receipt
    print(receipt)
    print(buyer.limiter.active, "under way")


asyncio.run(main())
