"""A small world of animals, stepped and summed up."""

import sys

from animals import Fox, Rabbit
from world import World
import observers as watching

SEED = 11
STEPS = 12


class Experiment:
    repeats = 2

    def __init__(self, seed, steps=STEPS):
        self.seed = seed
        self.steps = steps
        self.history = []

    def populate(self):
        world = World(seed=self.seed, width=8)
        for index in range(6):
            world.add(Rabbit(index, energy=4))
        for index in range(2):
            world.add(Fox(index * 3))
        return world

    def run(self):
        for repeat in range(self.repeats):
            counts = simulate(self.seed + repeat, self.steps)  # dds: /sim/counts/{repeat}
            self.history.append(counts)
        self.peak = watching.peak(self.history)  # dds: /sim/peak
        return self


def simulate(seed, steps):
    world = Experiment(seed, steps).populate()
    counter = watching.Counter("rabbit", "fox")
    for _ in range(steps):
        world.step()
        counter.see(world)
    return counter.rows


def main(argv):
    experiment = Experiment(SEED if len(argv) < 2 else int(argv[1])).run()
    print("peak", experiment.peak)
    averages = watching.averages(experiment.history)  # dds: /sim/averages
    for name, value in averages.items():
        print(f"{name}: {value:.3f}")
    chart = watching.chart([row["rabbit"] for row in experiment.history[0]])  # dds: /sim/chart
    print(chart)
    fox = Fox(1)
    costs = {kind.__name__: kind.price(fox.speed) for kind in (Fox, Rabbit)}  # dds: /sim/costs
    print(costs)
    # dds: /sim/described
    described = [animal.describe() for animal in (Fox(0), Rabbit(0, energy=1), Rabbit(2, energy=9))]
    print(*described, sep="\n")
    final = watching.verdict(averages, experiment.peak)  # dds: /sim/verdict
    print(final)
    return 0 if final != "extinct" else 3


if __name__ == "__main__":
    sys.exit(main(sys.argv))
