"""A scene and a state to start from."""

from __future__ import annotations

import pytest

from isofield.engine.scene import Scene, load
from isofield.engine.view.pose import pose_of
from isofield.engine.view.state import State, initial_state


@pytest.fixture(scope="session")
def toy() -> Scene:
    return load("toy")


@pytest.fixture
def state(toy: Scene) -> State:
    assert toy.camera is not None
    return initial_state(toy, pose_of(toy.camera, (0.0, 0.0, 0.1)), (0.0, 0.0, 0.1), 0.8)
