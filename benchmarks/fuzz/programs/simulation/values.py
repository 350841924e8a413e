"""Descriptors."""


class Bounded:
    def __init__(self, low, high):
        self.low = low
        self.high = high

    def __set_name__(self, owner, name):
        self.slot = f"_{name}"

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        return getattr(instance, self.slot)

    def __set__(self, instance, value):
        setattr(instance, self.slot, min(max(value, self.low), self.high))


class Named:
    def __get__(self, instance, owner=None):
        return owner.__name__.lower()
