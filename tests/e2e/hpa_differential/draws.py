"""Random numbers of the kinds that break calculators: edges, zeros, huge ones."""

from dataclasses import dataclass
from random import Random

from adapter.hpa.arithmetic import INT32_MAX, INT64_MAX

TOLERANCES = (0.0, 0.01, 0.05, 0.1, 0.1, 0.1, 0.2, 0.25, 0.3, 1 / 3, 0.5, 1.0, 2.0)


@dataclass(frozen=True, slots=True)
class Draws:
    random: Random

    def often(self, share: float) -> bool:
        return self.random.random() < share

    def replicas(self) -> int:
        """Mostly a few, sometimes none, seldom as many as fit."""
        draw = self.random.random()
        if draw < 0.08:
            return 0
        if draw < 0.7:
            return self.random.randint(1, 12)
        if draw < 0.85:  # percentages of round numbers are where doubles round
            return self.random.randint(1, 30) * self.random.choice((10, 50, 100))
        if draw < 0.97:
            return self.random.randint(1, 2000)
        return self.random.choice((INT32_MAX, INT32_MAX - 1, 2**30, 2**30 + 1, 10**6))

    def beside(self, replicas: int) -> int:
        return max(0, min(replicas + self.random.randint(-5, 5), INT32_MAX))

    def target(self) -> int:
        """In thousandths; round ones make exact ratios."""
        draw = self.random.random()
        if draw < 0.6:
            return int(self.random.choice((1, 2, 5, 10)) * 10 ** self.random.randint(1, 6))
        if draw < 0.98:
            return self.random.randint(1, 10 ** self.random.randint(1, 12))
        return self.random.choice((0, 1, INT64_MAX, 2**53, 2**53 + 1))

    def near(self, target: int, times: int = 1) -> int:
        """A value beside `times` targets: on a tolerance's edge, just off it, or anywhere."""
        draw = self.random.random()
        if draw < 0.06:
            return self.random.choice((0, 0, 1, -1, INT64_MAX, 2**62, 2**53 + 1, -(2**63)))
        if draw < 0.5:
            edge = 1 + self.random.choice((-1, 1)) * self.random.choice(TOLERANCES)
            value = round(target * times * edge) + self.random.choice((-1, 0, 0, 1))
        elif draw < 0.6:
            value = target * times + self.random.randint(-1, 1)
        elif draw < 0.95:
            value = int(target * times * self.random.uniform(0, 4))
        else:
            value = int(target * times * 10 ** self.random.uniform(0, 12))
        return max(-(2**63), min(value, INT64_MAX))

    def about(self, *edges_s: float) -> float:
        """An age: on an edge, a millisecond or a second off it, or anywhere."""
        edge = self.random.choice(edges_s)
        draw = self.random.random()
        if draw < 0.6:
            return max(0.0, round(edge + self.random.choice((-1, -0.001, 0, 0, 0, 0.001, 1)), 3))
        if draw < 0.95:
            return round(self.random.uniform(0, 2 * max(edges_s) + 1), 3)
        return self.random.choice((0.0, 1_000_000_000.0))

    def tolerance(self) -> dict[str, float]:
        down = self.random.choice(TOLERANCES)
        return {"down": down, "up": down if self.often(0.6) else self.random.choice(TOLERANCES)}
