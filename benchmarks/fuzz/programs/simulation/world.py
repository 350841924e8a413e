"""Where it happens: a ring of places with grass."""

import random


class World:
    growth = 3

    def __init__(self, seed=0, width=10):
        self.random = random.Random(seed)
        self.width = width
        self.grass = width
        self.animals = []

    def add(self, animal):
        self.animals.append(animal)

    def remove(self, animal):
        self.animals = [each for each in self.animals if each is not animal]

    def near(self, animal, reach):
        for other in self.animals:
            if other is not animal and abs(other.place - animal.place) <= reach:
                yield other

    def step(self):
        self.grass = min(self.grass + self.growth, 2 * self.width)
        for animal in list(self.animals):
            if animal in self.animals:
                animal.act(self)
        self.animals = [animal for animal in self.animals if animal.alive]
