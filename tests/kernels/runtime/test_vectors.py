"""Kernels in vectors: operations that Taichi's own code for vectors lacks give what they should."""

import pytest
import torch

from isofield.kernels import runtime
from isofield.kernels.lanes.packets import all_lanes, any_lane
from isofield.kernels.runtime import ti
from isofield.kernels.runtime.front_end import impl


def kernel_of(width: int):
    Lanes = ti.types.vector(width, ti.f32)

    @ti.kernel
    def kernel(
        given: ti.types.ndarray(ti.f32, 1),
        found: ti.types.ndarray(ti.f32, 2),
        whole: ti.types.ndarray(ti.i32, 1),
    ):
        for _ in range(1):
            x = Lanes(0.0)
            for lane in ti.static(range(width)):
                x[lane] = given[lane]
            numbers = ti.cast(x, ti.i32)
            negative = -x
            size = ti.abs(x)
            again = ti.cast(numbers, ti.f32)
            opposite = ti.abs(-numbers)
            held = ti.select((x > 0.5) | (x < -0.5), 1.0, 0.0)
            for lane in ti.static(range(width)):
                found[0, lane] = negative[lane]
                found[1, lane] = size[lane]
                found[2, lane] = again[lane]
                found[3, lane] = held[lane]
                whole[lane] = opposite[lane]
            found[4, 0] = ti.select(any_lane(x > 0.0), 1.0, 0.0)
            found[4, 1] = ti.select(all_lanes(x > 0.0), 1.0, 0.0)

    return runtime.in_vectors(kernel)


@pytest.mark.parametrize("width", [2, 4, 8, 16, 32])
def test_operations_on_vectors(width: int) -> None:
    kernel = kernel_of(width)
    random = torch.Generator().manual_seed(width)
    for shift in (-9.0, 0.0, 9.0):
        given = 4.0 * torch.randn(width, generator=random).clamp(-2.0, 2.0) + shift
        found, whole = torch.empty(5, width), torch.empty(width, dtype=torch.int32)
        runtime.run(kernel, given, found, whole)
        assert torch.equal(found[0], -given)
        assert torch.equal(found[1], given.abs())
        assert torch.equal(found[2], given.trunc())
        assert torch.equal(found[3], (given.abs() > 0.5).float())
        assert torch.equal(whole, given.trunc().abs().int())
        assert found[4, :2].tolist() == [float((given > 0.0).any()), float((given > 0.0).all())]


def test_a_host_keeps_its_settings() -> None:
    found, whole = torch.empty(5, 2), torch.empty(2, dtype=torch.int32)
    runtime.run(kernel_of(2), torch.ones(2), found, whole)
    assert impl.current_cfg().real_matrix_scalarize
    assert ti.abs.__name__ == "abs"


@pytest.mark.parametrize("form", range(6))
def test_a_lane_of_a_condition_is_refused(form: int) -> None:
    """Its value would be wrong, and nothing would say so."""
    Lanes = ti.types.vector(4, ti.f32)

    @ti.kernel
    def kernel(found: ti.types.ndarray(ti.i32, 1)):
        for _ in range(1):
            x = Lanes(1.0)
            positive = x > 0.0
            small = x < 2.0
            if ti.static(form == 0):
                found[0] = (x > 0.0)[0]
            elif ti.static(form == 1):
                both = positive & small
                found[0] = both[0]
            elif ti.static(form == 2):
                found[0] = (not positive)[0]
            elif ti.static(form == 3):
                found[0] = (~positive)[0]
            elif ti.static(form == 4):
                found[0] = (positive ^ small)[0]
            else:
                found[0] = ti.select(positive, small, positive)[0]

    with pytest.raises(ti.TaichiCompilationError, match="got a condition"):
        runtime.run(runtime.in_vectors(kernel), torch.zeros(1, dtype=torch.int32))
