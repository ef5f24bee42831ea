"""The small maths namespace that every formula is written against.

A formula is one Python function `formula(m, x, y, z, …)`. Handed `DEVICE` it is Taichi device code over lanes, handed
`TORCH` it is its own PyTorch twin, differentiable, in float32 or float64. Two rules: every intermediate that is used
twice is assigned to a variable (the device side would compute it twice), and conditions are values, combined with `&`
and `|` and consumed by `select`.

Where two arguments tie the first one counts, value and derivative: `max(a, 0)` at a = 0 has the slope of a, and
`abs(a)` there that of a. So a gradient on a face or in a crease is that of one side, and not the mean of two. Lengths
are safe where they vanish: their first and second derivatives there are 0 instead of NaN. That suits a length of what
lies beyond faces, which the inside continues; the distance from a centre or an axis is a `radius`, which has the slope
of x there, again that of one side.
"""

from typing import Any

import torch

from ..runtime import ti
from .packets import all_lanes

PI = 3.141592653589793


@ti.data_oriented
class DeviceMaths:
    """Maths over lanes inside Taichi kernels."""

    @ti.func
    def abs(self, a):
        return ti.abs(a)

    @ti.func
    def min(self, a, b):
        return ti.min(a, b)

    @ti.func
    def max(self, a, b):
        return ti.max(a, b)

    @ti.func
    def clamp(self, a, low, high):
        return ti.min(ti.max(a, low), high)

    @ti.func
    def sqrt(self, a):
        return ti.sqrt(ti.max(a, 0.0))

    @ti.func
    def length2(self, x, y):
        return ti.sqrt(x * x + y * y)

    @ti.func
    def length3(self, x, y, z):
        return ti.sqrt(x * x + y * y + z * z)

    @ti.func
    def radius2(self, x, y):
        return ti.sqrt(x * x + y * y)

    @ti.func
    def radius3(self, x, y, z):
        return ti.sqrt(x * x + y * y + z * z)

    # Polynomials (least largest error, odd powers) instead of the C library, which is called lane by lane. Absolute
    # errors are below 2e-7 (1 + |a|) for sin and cos and 3e-7 for atan2. A π of two parts would not help large |a|:
    # fast arithmetic joins the parts again.

    @ti.func
    def sin(self, a):
        turns = ti.floor(a * 0.3183098861837907 + 0.5)  # half turns
        rest = ti.min(ti.max(a - turns * PI, -0.5 * PI), 0.5 * PI)  # within already, unless `a` is too large to say
        sign = 1.0 - 2.0 * (turns - 2.0 * ti.floor(turns * 0.5))
        square = rest * rest
        low = 0.008332899822 * square - 0.1666664763
        high = 2.590488353e-6 * square - 0.0001980089769
        return sign * (rest + rest * square * (low + square * square * high))

    @ti.func
    def cos(self, a):
        turns = ti.floor(a * 0.3183098861837907)
        rest = ti.min(ti.max(a - (turns + 0.5) * PI, -0.5 * PI), 0.5 * PI)
        sign = 2.0 * (turns - 2.0 * ti.floor(turns * 0.5)) - 1.0
        square = rest * rest
        low = 0.008332899822 * square - 0.1666664763
        high = 2.590488353e-6 * square - 0.0001980089769
        return sign * (rest + rest * square * (low + square * square * high))

    @ti.func
    def atan2(self, y, x):
        across = ti.abs(y)
        along = ti.abs(x)
        t = ti.min(across, along) / ti.max(ti.max(across, along), 1e-37)
        s = t * t
        s2 = s * s
        low = (0.9999993356 - 0.3332986078 * s) + s2 * (0.1994656557 - 0.1390862912 * s)
        high = (0.09642196115 - 0.05591230897 * s) + s2 * (0.02186294478 - 0.0040545634 * s)
        angle = t * (low + s2 * s2 * high)
        angle = ti.select(across > along, 0.5 * PI - angle, angle)
        angle = ti.select(x < 0.0, PI - angle, angle)
        return ti.select(y < 0.0, -angle, angle)

    @ti.func
    def floor(self, a):
        return ti.floor(a)

    @ti.func
    def select(self, condition, yes, no):
        return ti.select(condition, yes, no)

    @ti.func
    def to_integer(self, a, low, high):
        """The whole number of `a`, rounded towards 0 and held within low … high, also where `a` is NaN."""
        return ti.min(ti.max(ti.cast(a, ti.i32), low), high)

    @ti.func
    def read(self, data: ti.template(), places):
        """The numbers of an array at whole numbers, one a lane."""
        found = ti.cast(places, ti.f32)
        for lane in ti.static(range(places.n)):
            found[lane] = data[places[lane]]
        return found

    @ti.func
    def converged(self, change, small):
        """Whether an iteration may end, because it changed no lane by more than `small`."""
        return all_lanes(ti.abs(change) < small)


class TorchMaths:
    """The same maths on tensors, with derivatives that stay finite."""

    @staticmethod
    def _pair(a: Any, b: Any) -> tuple[torch.Tensor, torch.Tensor]:
        like = a if isinstance(a, torch.Tensor) else b
        first = torch.as_tensor(a, dtype=like.dtype, device=like.device)
        return first, torch.as_tensor(b, dtype=like.dtype, device=like.device)

    def abs(self, a: torch.Tensor) -> torch.Tensor:
        return torch.where(a >= 0, a, -a)

    def min(self, a: Any, b: Any) -> torch.Tensor:
        first, second = self._pair(a, b)
        return torch.where(first <= second, first, second)

    def max(self, a: Any, b: Any) -> torch.Tensor:
        first, second = self._pair(a, b)
        return torch.where(first >= second, first, second)

    def clamp(self, a: torch.Tensor, low: Any, high: Any) -> torch.Tensor:
        return self.min(self.max(a, low), high)

    def sqrt(self, a: torch.Tensor) -> torch.Tensor:
        positive = a > 0
        # The inner select keeps the infinite slope at 0 out of the derivative, which the outer one would turn into NaN.
        return torch.where(positive, torch.where(positive, a, 1.0).sqrt(), 0.0)

    def length2(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return self.sqrt(x * x + y * y)

    def length3(self, x: torch.Tensor, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return self.sqrt(x * x + y * y + z * z)

    def radius2(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return torch.where((x == 0) & (y == 0), x, self.length2(x, y))

    def radius3(self, x: torch.Tensor, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return torch.where((x == 0) & (y == 0) & (z == 0), x, self.length3(x, y, z))

    def sin(self, a: torch.Tensor) -> torch.Tensor:
        return a.sin()

    def cos(self, a: torch.Tensor) -> torch.Tensor:
        return a.cos()

    def atan2(self, y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        origin = (x == 0) & (y == 0)  # its derivatives are 0/0 there
        return torch.atan2(torch.where(origin, 0.0, y), torch.where(origin, 1.0, x))

    def floor(self, a: torch.Tensor) -> torch.Tensor:
        return a.floor()

    def select(self, condition: torch.Tensor, yes: Any, no: Any) -> torch.Tensor:
        return torch.where(condition, yes, no)

    def to_integer(self, a: torch.Tensor, low: Any, high: Any) -> torch.Tensor:
        return self.clamp(a.detach().nan_to_num().long(), low, high)

    def read(self, data: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        return data[places]

    def converged(self, change: torch.Tensor, small: float) -> bool:
        """Never: what a point's value is must not depend on the points beside it."""
        return False


DEVICE = DeviceMaths()
TORCH = TorchMaths()
