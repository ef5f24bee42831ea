"""How large a moving picture may be to keep its rate, from how long the last ones took."""

from __future__ import annotations

from dataclasses import dataclass, replace

TARGET = 1.0 / 30.0  # seconds a frame may take while something moves
PICTURE = 0.4  # share of it that is left to the picture, however long the window system takes
LEAST = 0.2  # of the window's width and height
STEP = 16  # pixels, so that sizes do not change all the time
LIGHTS = (1, 3)  # coarseness of the light: that of a still picture if it keeps the rate at full size, else the last
TRUST = 0.3  # weight of the last picture
BAND = 0.03  # seconds between two looks at the inputs while a picture gets better


@dataclass(frozen=True)
class Pace:
    """Seconds that were measured; zero stands for not measured yet.

    Attributes:
        moving: of a pixel while something moves, for each coarseness of the light.
        resting: of a pixel at rest.
        rest: of all in a frame but the picture: inputs, panels, the window system.
    """

    moving: tuple[tuple[int, float], ...] = ()
    resting: float = 0.0
    rest: float = 0.0

    def moved(self, light: int, pixels: int, seconds: float) -> Pace:
        """With one more moving picture."""
        costs = dict(self.moving)
        costs[light] = _mixed(costs.get(light, 0.0), seconds / pixels)
        return replace(self, moving=tuple(sorted(costs.items())))

    def rested(self, pixels: int, seconds: float) -> Pace:
        """With one more part of a picture at rest; moving ones of the same light, if slower by chance, try again."""
        resting, finest = _mixed(self.resting, seconds / pixels), LIGHTS[0]
        moving = tuple((light, min(cost, resting) if light == finest else cost) for light, cost in self.moving)
        return replace(self, resting=resting, moving=moving)

    def framed(self, seconds: float) -> Pace:
        """With what one more frame took beside its picture."""
        return replace(self, rest=_mixed(self.rest, seconds))

    def size(self, width: int, height: int) -> tuple[int, int, int]:
        """Width, height and coarseness of the light of the next moving picture in a window of that size."""
        costs = dict(self.moving)
        left = max(TARGET - self.rest, PICTURE * TARGET)
        for light in LIGHTS:
            if light not in costs or costs[light] * width * height <= left:
                return width, height, light
        share = (left / (costs[LIGHTS[-1]] * width * height)) ** 0.5
        return (*_scaled(width, height, max(LEAST, share)), LIGHTS[-1])

    def rows(self, width: int, most: int, tile: int) -> int:
        """Rows of tiles of a picture at rest that take about BAND seconds."""
        if self.resting == 0.0:
            return max(1, most // 4)
        return max(1, min(most, int(BAND / (self.resting * width * tile))))


def _mixed(before: float, now: float) -> float:
    return now if before == 0.0 else before + TRUST * (now - before)


def _scaled(width: int, height: int, share: float) -> tuple[int, int]:
    if share >= 0.95:
        return width, height
    wide = min(width, max(STEP, round(width * share / STEP) * STEP))
    return wide, max(1, round(height * wide / width))
