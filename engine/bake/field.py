"""Fields from files, a signed distance or an occupancy, as bricks."""

from __future__ import annotations

import torch

from ...kernels.program import Corner
from ..fields import Field, Meaning, load_field
from ..shapes import Bake
from .cache import kept
from .sampling import Values, axes_of, everywhere, sampled
from .zero_set import sampled_zero_set

CHUNK = 2**16  # points a field is asked for at once


def baked_field(path: str, resolution: int) -> Bake:
    """The field of a .safetensors file, sampled at `resolution` voxels along its longest side, as bricks.

    Raises:
        ValueError: the file holds no field with an inside, or one whose values have none; says why.
        OSError: the file cannot be read.
    """

    def bake() -> Bake:
        field = surface_field(load_field(path))
        low, high = ((corner[0], corner[1], corner[2]) for corner in field.bounds)
        if field.meaning is Meaning.SIGNED_DISTANCE:
            return sampled(_values_of(field), low, high, resolution)
        return _sampled_occupancy(_values_of(field), low, high, resolution)

    return kept(path, {"resolution": resolution}, bake)


def surface_field(field: Field) -> Field:
    """The field, which must have a surface in space.

    Raises:
        ValueError: it does not.
    """
    if field.dimensions != 3:
        raise ValueError(f"expected a field in space, got one of {field.dimensions} dimensions")
    if field.meaning not in (Meaning.SIGNED_DISTANCE, Meaning.OCCUPANCY):
        raise ValueError(f"expected a field that means signed_distance or occupancy, got {field.meaning}")
    return field


def _values_of(field: Field) -> Values:
    """The values of a field of one channel as a function of points (N, 3) float32, a chunk at a time.

    The function raises a ValueError where a value is not finite.
    """
    own = next(field.parameters(), torch.empty(0))

    def values(points: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            found = [field(part.to(own))[:, 0].float().cpu() for part in torch.split(points, CHUNK)]
        together = torch.cat(found) if found else points.new_zeros(0)
        bad = ~together.isfinite()
        if bool(bad.any()):
            raise ValueError(f"values: expected finite numbers, got {together[bad][0]} at {points[bad][0].tolist()}")
        return together

    return values


def _sampled_occupancy(values: Values, low: Corner, high: Corner, resolution: int) -> Bake:
    """Bricks of the distance to the surface on which an occupancy is a half; its values are no distances."""
    axes = axes_of(low, high, resolution)
    # Between nodes the logit of a network's sigmoid is nearer to a straight line than the sigmoid.
    logits = torch.logit(everywhere(values, axes), eps=1e-6)
    if not bool((logits > 0.0).any()):
        raise ValueError("values: expected an occupancy above 0.5 somewhere, inside the shape")
    return sampled_zero_set(-logits, axes)
