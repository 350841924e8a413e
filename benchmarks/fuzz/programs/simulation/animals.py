"""What lives in the world."""

from mixins import Breeding, Hunting, Moving
from values import Bounded, Named


class Animal(Moving):
    energy = Bounded(0, 10)
    kind = Named()
    cost = 1
    speed = 1

    def __init__(self, place, energy=5):
        self.place = place
        self.energy = energy

    @property
    def alive(self):
        return self.energy > 0

    @classmethod
    def price(cls, speed):
        return cls.cost * speed + (cls.__mro__.index(Animal) if cls.cost > 1 else 0)

    @staticmethod
    def food(world):
        return world.grass

    def act(self, world):
        self.move(world)
        self.energy = self.energy - self.cost
        self.eat(world)

    def eat(self, world):
        if self.food(world) > 0:
            world.grass -= 1
            self.energy = self.energy + 2

    def describe(self):
        state = "alive" if self.alive else "dead"
        return f"{self.kind} at {self.place}: {self.energy} ({state})"


class Rabbit(Breeding, Animal):
    litter = 2
    threshold = 7


class Fox(Hunting, Animal):
    cost = 2
    speed = 2

    def eat(self, world):
        prey = self.hunt(world)
        if prey is not None:
            self.energy = self.energy + prey.energy // 2
