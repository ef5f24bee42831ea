"""Settings of kernels, packed by name."""

from __future__ import annotations

from enum import IntEnum

import pytest
import torch

from isofield.kernels.runtime import pack_settings


class Setting(IntEnum):
    RAYS = 0
    NEAR = 1
    IS_FLAT = 2


CPU = torch.device("cpu")


def test_values_stand_in_the_columns_of_their_names() -> None:
    packed = pack_settings(Setting, CPU, is_flat=True, near=0.5, rays=2**30)
    assert packed.dtype == torch.float32
    assert packed.tolist() == [2**30, 0.5, 1.0]


@pytest.mark.parametrize("values", [{"rays": 1, "near": 0.0}, {"rays": 1, "near": 0.0, "is_flat": 0, "far": 1.0}])
def test_missing_and_unknown_values_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(TypeError, match=r"Setting: expected \['is_flat', 'near', 'rays'\], got"):
        pack_settings(Setting, CPU, **values)


def test_an_integer_that_would_be_rounded_is_refused() -> None:
    with pytest.raises(ValueError, match="rays: expected an integer that float32 holds, got 16777217"):
        pack_settings(Setting, CPU, rays=2**24 + 1, near=0.0, is_flat=0)
