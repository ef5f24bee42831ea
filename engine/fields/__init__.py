"""Fields: functions from points to values, learned or given, behind one contract."""

from .base import Bounds, Field, LearnedField, Meaning, Placement
from .grid import Grid, HybridGrid
from .ground_plan import GroundPlan
from .hash_grid import HashGrid
from .image import ImageField
from .mlp import MLP
from .occupancy import OccupancyOf, occupancy_of
from .sampling import picture_points, sample_picture
from .shape import ShapeField
from .siren import Siren
from .store import KINDS, FieldFileError, load_field

__all__ = [
    "KINDS",
    "MLP",
    "Bounds",
    "Field",
    "FieldFileError",
    "Grid",
    "GroundPlan",
    "HashGrid",
    "HybridGrid",
    "ImageField",
    "LearnedField",
    "Meaning",
    "OccupancyOf",
    "Placement",
    "ShapeField",
    "Siren",
    "load_field",
    "occupancy_of",
    "picture_points",
    "sample_picture",
]
