"""What animals can do."""


class Moving:
    speed = 1

    def move(self, world):
        step = world.random.choice((-1, 1)) * self.speed
        self.place = (self.place + step) % world.width


class Breeding:
    litter = 1
    threshold = 8

    def act(self, world):
        super().act(world)
        if self.energy >= self.threshold:
            for _ in range(self.litter - 1):
                world.add(type(self)(self.place, energy=self.energy // 2))
            self.energy = self.energy // 2


class Hunting:
    reach = 1

    def hunt(self, world):
        for other in world.near(self, self.reach):
            if other.kind == "rabbit" and other.alive:
                world.remove(other)
                return other
        return None
