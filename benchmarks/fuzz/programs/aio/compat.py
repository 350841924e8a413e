"""Patches of `shops` that this program wants, and what it prints."""

import shops

PRECISION = 2
_original = shops.rounded


def finer(price):
    return round(price, PRECISION)


def install():
    shops.rounded = finer
    if shops.Shop.currency == "EUR":
        setattr(shops.Shop, "sign", property(lambda self: "E"))
    shops.STOCK["market"]["wine"] = 7.5


def receipt(basket, amount):
    sign = shops.find("corner").sign
    lines = [f"{item:8}{price:6.2f} {sign} {name}" for item, (price, name) in basket.items()]
    lines.append(f"{'sum':8}{_original(amount):6.2f} {sign}")
    return "\n".join(lines)
