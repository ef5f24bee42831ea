"""Every function on tensors takes torch tensors, numpy arrays, DLPack objects and `ti.ndarray` alike."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import isofield as iso
from isofield import kernels
from isofield.kernels.lanes import arguments
from isofield.kernels.runtime import ti


class Speaker:
    """An array of a library of its own, that speaks DLPack."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.array.__dlpack_device__()


def taichi_numbers(array: np.ndarray) -> Any:
    """A `ti.ndarray` of numbers."""
    kernels.start()
    made = ti.ndarray(ti.i32 if array.dtype == np.int32 else ti.f32, array.shape)
    made.from_numpy(array)
    return made


def taichi_vectors(array: np.ndarray) -> Any:
    """A `ti.ndarray` of vectors along the last axis."""
    kernels.start()
    made = ti.Vector.ndarray(array.shape[-1], ti.i32 if array.dtype == np.int32 else ti.f32, array.shape[:-1])
    made.from_numpy(array)
    return made


KINDS: dict[str, Callable[[np.ndarray], Any]] = {
    "numpy": lambda array: array,
    "DLPack": Speaker,
    "ti.ndarray of numbers": taichi_numbers,
    "ti.ndarray of vectors": taichi_vectors,
}


def some(*shape: int) -> np.ndarray:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(3)).numpy()


PROGRAM = iso.build_program(iso.Scene(show=iso.sphere(0.5).twist(40)))
LEVELS = kernels.HashLevels(3, levels=2, base=2, finest=4, entries=64)
CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=np.float32)
FACES = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], dtype=np.int32)
DOWN = np.tile(np.float32([[0, 0, -1]]), (9, 1))
BALL = (np.linalg.norm(np.indices((9, 9, 9)).transpose(1, 2, 3, 0) - 4.0, axis=-1) - 2.6).astype(np.float32)

# A function of arrays, with its arrays. What comes out is numpy if the one in front is.
FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[np.ndarray, ...]]] = {
    "distance": (lambda points: kernels.distance(PROGRAM, points), (some(9, 3),)),
    "distance_and_gradient": (lambda points: kernels.distance_and_gradient(PROGRAM, points), (some(9, 3),)),
    "sphere_trace": (
        lambda *rays: tuple(vars(kernels.sphere_trace(PROGRAM, *rays)).values()),
        (some(9, 3) * 0.2 + np.float32([0, 0, 2]), DOWN),
    ),
    "interpolate": (kernels.interpolate, (some(4, 5, 6, 3), some(9, 3))),
    "interpolate in a plane": (kernels.interpolate, (some(4, 5, 3), some(9, 2))),
    "hash_encode": (
        lambda table, points: kernels.hash_encode(table, points, LEVELS),
        (some(LEVELS.rows, 2), some(9, 3)),
    ),
    "positional_encoding": (lambda points: kernels.positional_encoding(points, 4), (some(9, 2),)),
    "spherical_harmonics": (lambda directions: kernels.spherical_harmonics(directions, 3), (some(9, 3),)),
    "marching_cubes": (kernels.marching_cubes, (BALL,)),
    "mesh_distance": (
        lambda points, corners, faces: kernels.mesh_distance(corners, faces, points),
        (some(9, 3), CORNERS, FACES),
    ),
    "MeshTree.closest": (
        lambda points, corners, faces: tuple(vars(kernels.MeshTree(corners, faces).closest(points)).values()),
        (some(9, 3), CORNERS, FACES),
    ),
    "MeshTree.winding_number": (
        lambda points, corners, faces: kernels.MeshTree(corners, faces).winding_number(points),
        (some(9, 3), CORNERS, FACES),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_kind_of_array_gives_what_tensors_give(function: str, kind: str) -> None:
    call, arrays = FUNCTIONS[function]
    expected = call(*map(torch.from_numpy, arrays))
    found = call(*map(KINDS[kind], arrays))
    expected, found = (given if isinstance(given, tuple) else (given,) for given in (expected, found))
    assert len(found) == len(expected)
    for want, got in zip(expected, found, strict=True):
        assert isinstance(want, torch.Tensor)
        assert isinstance(got, np.ndarray if kind == "numpy" else torch.Tensor)
        assert torch.equal(torch.as_tensor(got), want)


def test_kinds_may_be_mixed_and_the_leading_one_decides() -> None:
    values, points = some(4, 5, 3), some(9, 2)
    expected = kernels.interpolate(values, points)
    found = kernels.interpolate(torch.from_numpy(values), taichi_numbers(points))
    assert isinstance(expected, np.ndarray)
    assert isinstance(found, torch.Tensor)
    assert np.array_equal(found, expected)


def test_a_taichi_array_is_copied() -> None:
    given = taichi_numbers(some(2, 3))
    tensor, _ = arguments.floats("points", given, (..., 3))
    given.fill(7.0)
    assert np.array_equal(tensor, some(2, 3))


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("wrong", [[[0.0, 0.0, 0.0]], None, "points", 1.0])
def test_what_is_no_array_is_refused_with_the_kinds_that_are_taken(function: str, wrong: Any) -> None:
    call, arrays = FUNCTIONS[function]
    words = f"expected a torch tensor, numpy array, DLPack object or ti.ndarray, got {type(wrong).__name__}"
    for place in range(len(arrays)):
        given = [wrong if at == place else array for at, array in enumerate(arrays)]
        with pytest.raises(TypeError, match=rf"^[a-z]+: {re.escape(words)}$"):
            call(*given)


@pytest.mark.parametrize("kind", ["numpy", "ti.ndarray of numbers"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_whole_numbers_are_no_floats_in_any_kind(function: str, kind: str) -> None:
    call, arrays = FUNCTIONS[function]
    first = KINDS[kind](arrays[0].astype(np.int32))
    with pytest.raises(TypeError, match=r"^[a-z]+: expected torch\.float32( or torch\.float64)?, got torch\.int32$"):
        call(first, *arrays[1:])


@pytest.mark.parametrize(
    ("sizes", "shape", "fits"),
    [
        ((2, 3), ("N", 3), True),
        ((0, 3), ("N", 3), True),
        ((2, 4), ("N", 3), False),
        ((3,), ("N", 3), False),
        ((1, 2, 3), ("N", 3), False),
        ((3,), (..., 3), True),
        ((1, 2, 3), (..., 3), True),
        ((0, 3), (..., 3), True),
        ((), (..., 3), False),
        ((0,), (..., 3), False),
        ((), (), True),
        ((1,), (), False),
    ],
)
def test_shapes(sizes: tuple[int, ...], shape: arguments.Shape, fits: bool) -> None:
    tensor = torch.zeros(sizes)
    if fits:
        assert arguments.floats("points", tensor, shape)[0] is tensor
        assert arguments.floats("points", tensor, ("A", "B", "C", "D"), shape)[0] is tensor
        return
    with pytest.raises(ValueError, match=re.escape(f"got {sizes}")):
        arguments.floats("points", tensor, shape)


def test_a_wrong_shape_is_told_with_the_right_ones() -> None:
    for shapes, words in (
        ([("N", 3)], "(N, 3)"),
        ([(..., 3)], "(…, 3)"),
        ([("P",)], "(P,)"),
        ([(5, 2), ("X", "Y", "Z")], "(5, 2) or (X, Y, Z)"),
    ):
        with pytest.raises(ValueError, match=re.escape(f"given: expected shape {words}, got (4, 0)")):
            arguments.floats("given", torch.zeros(4, 0), *shapes)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=re.escape("given: expected shape (X, Y), none of them 0, got (4, 0)")):
        arguments.floats("given", torch.zeros(4, 0), ("X", "Y"), may_be_empty=False)


@pytest.mark.parametrize("good", [1, 24, np.int64(7), np.uint8(3)])
def test_whole_numbers(good: Any) -> None:
    arguments.check_integer("octaves", good, 1, 24)


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (True, TypeError, "octaves: expected a whole number, got True"),
        (2.0, TypeError, "octaves: expected a whole number, got 2.0"),
        ("2", TypeError, "octaves: expected a whole number, got '2'"),
        (None, TypeError, "octaves: expected a whole number, got None"),
        (0, ValueError, "octaves: expected a whole number from 1 to 24, got 0"),
        (25, ValueError, "octaves: expected a whole number from 1 to 24, got 25"),
    ],
)
def test_wrong_numbers(wrong: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(words)}$"):
        arguments.check_integer("octaves", wrong, 1, 24)
    if error is ValueError and wrong < 1:
        with pytest.raises(error, match="octaves: expected a whole number of at least 1, got 0"):
            arguments.check_integer("octaves", wrong, 1)
