"""Fields: functions from points to values, learned or given, behind one contract, and their files.

A field is an `nn.Module` that says what its values mean and where it is defined; what is saved is read back bit for
bit, and a file cannot run code.
"""

from typing import TYPE_CHECKING

from ...kernels.lazy import lazy

if TYPE_CHECKING:
    from .base import (
        Bounds as Bounds,
        Field as Field,
        LearnedField as LearnedField,
        Meaning as Meaning,
        Placement as Placement,
        header_of as header_of,
    )
    from .grid import Grid as Grid, HybridGrid as HybridGrid
    from .ground_plan import GroundPlan as GroundPlan
    from .hash_grid import HashGrid as HashGrid
    from .image import ImageField as ImageField
    from .mlp import MLP as MLP
    from .occupancy import OccupancyOf as OccupancyOf, occupancy_of as occupancy_of
    from .sampling import (
        CHUNK as CHUNK,
        at_bounds as at_bounds,
        evaluated as evaluated,
        picture_points as picture_points,
        sample_picture as sample_picture,
    )
    from .shape import ShapeField as ShapeField
    from .siren import Siren as Siren
    from .store import KINDS as KINDS, load_field as load_field
    from .tensor_files import (
        FieldFileError as FieldFileError,
        checked_tensors as checked_tensors,
        reading as reading,
        write_tensors as write_tensors,
    )
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
