"""Files of fields that are damaged, foreign or made up: what is wrong is named, and nothing runs or grows."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import isofield as iso
from isofield.engine.fields import (
    MLP,
    Field,
    FieldFileError,
    HashGrid,
    ImageField,
    Placement,
    ShapeField,
    Siren,
    load_field,
    occupancy_of,
)

Header = dict[str, Any]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A good file."""
    path = tmp_path / "a.safetensors"
    MLP(2, 3, width=8, meaning="colour").save(path)
    return path


def parts(path: Path) -> tuple[Header, bytes]:
    """(header in JSON, numbers) of a safetensors file."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def rewrite(path: Path, header: Header, numbers: bytes) -> None:
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + numbers)


def change(path: Path, changed: Callable[[Header], object]) -> None:
    """Change isofield's own header."""
    header, numbers = parts(path)
    own = json.loads(header["__metadata__"]["isofield"])
    changed(own)
    header["__metadata__"]["isofield"] = json.dumps(own)
    rewrite(path, header, numbers)


def test_the_file_is_plain(path: Path) -> None:
    header, _ = parts(path)
    own = json.loads(header["__metadata__"]["isofield"])
    assert own == {
        "format": "isofield-field",
        "version": 1,
        "kind": "mlp",
        "configuration": {"dimensions": 2, "channels": 3, "octaves": 0, "width": 8, "layers": 2, "activation": "relu"},
        "bounds": [[0.0, 0.0], [1.0, 1.0]],
        "meaning": "colour",
        "aspect": 1.0,
    }


def test_a_placement_is_kept(tmp_path: Path) -> None:
    field = MLP(3, 1, width=8)
    field.placement = Placement((1.0, -2.0, 3e5), 0.25)
    field.save(tmp_path / "a.safetensors")
    assert load_field(tmp_path / "a.safetensors").placement == field.placement


@pytest.mark.parametrize(
    "placement",
    [{"centre": [0.0, 0.0], "scale": 1.0}, {"centre": [0.0] * 3}, {"centre": [0.0] * 3, "scale": 0.0}, [1.0], "x",
     {"centre": [0.0, float("nan"), 0.0], "scale": 1.0}, {"centre": [0.0] * 3, "scale": 1.0, "more": 0}],
)  # fmt: skip
def test_a_placement_that_is_none_is_named(placement: object, path: Path) -> None:
    change(path, lambda own: own.update(placement=placement))
    with pytest.raises(FieldFileError, match=r"a\.safetensors: placement: "):
        load_field(path)


@pytest.mark.parametrize("part", [0, 4, 8, 30, -200, -1])
def test_a_file_cut_anywhere_is_named(part: int, path: Path) -> None:
    path.write_bytes(path.read_bytes()[:part])
    with pytest.raises(FieldFileError, match=r"a\.safetensors: no whole \.safetensors file"):
        load_field(path)


def test_a_file_that_is_too_long_is_named(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(FieldFileError, match=r"a\.safetensors: no whole \.safetensors file"):
        load_field(path)


class Runs:
    """Would make a folder when it is unpickled."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.place),)


def test_nothing_in_a_file_runs(tmp_path: Path) -> None:
    for name, data in (("a", pickle.dumps(Runs(tmp_path / "made"))), ("b", b"PK\x03\x04" + bytes(100))):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(FieldFileError, match="no whole"):
            load_field(tmp_path / name)
    torch.save({"a": torch.zeros(3)}, tmp_path / "c")
    with pytest.raises(FieldFileError, match="no whole"):
        load_field(tmp_path / "c")
    assert not (tmp_path / "made").exists()


def test_tensors_of_somebody_else_are_named(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"weights": torch.zeros(3)}, tmp_path / "a.safetensors")
    with pytest.raises(FieldFileError, match=r"a\.safetensors: no file of isofield: it lacks the header"):
        load_field(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (lambda own: own.update(format="other"), "expected the header of an isofield-field file"),
        (lambda own: own.pop("bounds"), "expected the header of an isofield-field file"),
        (lambda own: own.update(more=1), "expected the header of an isofield-field file"),
        (lambda own: own.update(version=2), "expected version 1, got 2"),
        (lambda own: own.update(kind="mpl"), "kind: expected one of mlp, siren, .*got 'mpl'"),
        (lambda own: own.update(kind=["mlp"]), "kind: expected one of"),
        (lambda own: own.update(meaning="color"), "meaning: expected one of signed_distance"),
        (lambda own: own.update(bounds=[[0, 0], [0, 1]]), "bounds: expected finite corners"),
        (lambda own: own.update(bounds=[[0, 0], [1, float("nan")]]), "bounds: expected finite corners"),
        (lambda own: own.update(bounds=3), "bounds: expected a lower and an upper corner"),
        (lambda own: own.update(aspect=0), "aspect: expected a number from"),
        (lambda own: own.update(configuration=None), "configuration"),
        (lambda own: own["configuration"].update(width=10**9), "width: expected a whole number from 1 to 16384"),
        (lambda own: own["configuration"].update(width=9), "expected shape"),
        (lambda own: own["configuration"].update(width="8"), "width: expected a whole number, got '8'"),
        (lambda own: own["configuration"].update(layers=10**9), "layers: expected a whole number from 0 to 64"),
        (lambda own: own["configuration"].update(layers=3), "tensors: missing .*network.6.bias"),
        (lambda own: own["configuration"].update(layers=1), "tensors: missing none, unexpected .*network.4.weight"),
        (lambda own: own["configuration"].update(activation="eval"), "activation: expected one of relu, softplus"),
        (lambda own: own["configuration"].update(rate=1), "unexpected keyword argument"),
        (lambda own: own["configuration"].pop("channels"), "missing 1 required positional argument"),
        (lambda own: own["configuration"].update(meaning="raw"), "multiple values for keyword argument 'meaning'"),
    ],
)
def test_a_header_that_was_changed_is_named(changed: Callable[[Header], object], told: str, path: Path) -> None:
    change(path, changed)
    with pytest.raises(FieldFileError, match=rf"a\.safetensors: .*{told}"):
        load_field(path)


def test_a_header_that_is_no_table_is_named(path: Path) -> None:
    header, numbers = parts(path)
    for text, told in (("[1]", "expected a table"), ("{", "not valid JSON"), ("[" * 100_000, "not valid JSON")):
        header["__metadata__"]["isofield"] = text
        rewrite(path, header, numbers)
        with pytest.raises(FieldFileError, match=told):
            load_field(path)


def test_tensors_of_another_kind_are_named(path: Path) -> None:
    header, numbers = parts(path)
    header["network.0.weight"]["dtype"] = "I32"
    rewrite(path, header, numbers)
    with pytest.raises(FieldFileError, match=r"network\.0\.weight: expected torch\.float32, got I32"):
        load_field(path)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_none_are_named(bad: float, path: Path) -> None:
    header, numbers = parts(path)
    rewrite(path, header, numbers[:-4] + np.float32(bad).tobytes())
    with pytest.raises(FieldFileError, match="expected finite numbers, got NaN or infinity"):
        load_field(path)


@pytest.mark.parametrize(
    "field",
    [
        MLP(2, 3, width=8, meaning="colour"),
        Siren(3, 1, width=8, meaning="signed_distance", bounds=((-1.0,) * 3, (1.0,) * 3)),
        HashGrid(3, 1, levels=2, meaning="occupancy"),
        occupancy_of(MLP(3, 1, width=8, meaning="signed_distance"), 10.0),
    ],
    ids=lambda field: str(field.kind),
)
def test_weights_whose_values_overflow_are_refused_at_loading(field: Field, tmp_path: Path) -> None:
    """Each weight is a float32, but their products are none."""
    path = tmp_path / "large.safetensors"
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in field.parameters():
            parameter.copy_(3e38 * torch.randn(parameter.shape, generator=random).sign())
    field.save(path)
    with pytest.raises(FieldFileError, match=r"large\.safetensors: values: expected finite numbers, got .* at \(0"):
        load_field(path)


def test_sizes_that_lie_cost_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    ImageField(torch.zeros(4, 4, 3, dtype=torch.uint8)).save(path)
    change(path, lambda own: own["configuration"].update(height=60_000, width=60_000))
    tracemalloc.start()
    with pytest.raises(FieldFileError, match=r"pixels: expected shape \(60000, 60000, 3\), got \(4, 4, 3\)"):
        load_field(path)
    header, numbers = parts(path)
    header["pixels"].update(shape=[60_000, 60_000, 3], data_offsets=[0, 60_000 * 60_000 * 3])
    rewrite(path, header, numbers)
    with pytest.raises(FieldFileError, match="no whole"):
        load_field(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2**22


def test_a_header_longer_than_any_costs_no_memory(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(struct.pack("<Q", 2**40))
    with pytest.raises(FieldFileError, match="of which the header claims 1099511627776"):
        load_field(path)
    with path.open("r+b") as file:
        file.write(struct.pack("<Q", 100 * 2**20))
        file.truncate(200 * 2**20)  # sparse
    with pytest.raises(FieldFileError, match="of which the header claims"):
        load_field(path)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.safetensors: cannot be read: no such file"):
        load_field(tmp_path / "none.safetensors")
    with pytest.raises(FieldFileError, match="expected a file, got a folder or a device"):
        load_field(tmp_path)
    os.mkfifo(tmp_path / "pipe.safetensors")
    with pytest.raises(FieldFileError, match="expected a file, got a folder or a device"):
        load_field(tmp_path / "pipe.safetensors")


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"path: expected a name that ends in \.safetensors, got .*a\.pt"):
        MLP(2, 3).save(tmp_path / "a.pt")


def test_a_shape_keeps_its_scene_and_what_was_trained(tmp_path: Path) -> None:
    field = ShapeField(iso.load("carved_box"), trainable=None)
    with torch.no_grad():
        for value in field.values:
            value.mul_(1.01)
    field.save(tmp_path / "a.safetensors")
    again = load_field(tmp_path / "a.safetensors")
    assert isinstance(again, ShapeField)
    assert again.scene == field.scene
    assert again.names == field.names
    points = 2.0 * torch.rand(100, 3) - 1.0
    assert torch.equal(again(points), field(points))


def test_a_scene_in_a_file_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    ShapeField(iso.Scene(show=iso.sphere(0.5)), trainable=()).save(path)
    for text, told in (
        ("show = 3", "show"),
        ("", "empty"),
        ('show = "a"\n[shapes]\na = {kind="sphere", radius=-1}', "radius"),
    ):
        change(path, lambda own, text=text: own["configuration"].update(scene=text))
        with pytest.raises(FieldFileError, match=told):
            load_field(path)


def test_an_occupancy_keeps_its_distance(tmp_path: Path) -> None:
    field = occupancy_of(MLP(3, 1, width=4, meaning="signed_distance", bounds=((-2.0,) * 3, (2.0,) * 3)), 20.0)
    field.save(tmp_path / "a.safetensors")
    again = load_field(tmp_path / "a.safetensors")
    points = torch.rand(50, 3)
    assert torch.equal(again(points), field(points))
    change(tmp_path / "a.safetensors", lambda own: own["configuration"].update(kind="occupancy"))
    with pytest.raises(FieldFileError, match="configuration"):
        load_field(tmp_path / "a.safetensors")


@pytest.mark.parametrize("seed", range(40))
def test_random_damage_is_a_field_file_error_or_harmless(seed: int, path: Path) -> None:
    numbers = np.random.default_rng(seed)
    data = bytearray(path.read_bytes())
    for at in numbers.integers(0, len(data), 3):
        data[at] = numbers.integers(0, 256)
    path.write_bytes(bytes(data))
    with contextlib.suppress(FieldFileError):
        field = load_field(path)
        assert field(torch.rand(3, field.dimensions)).shape == (3, field.channels)
