"""How large moving pictures may be."""

from __future__ import annotations

import pytest

from isofield.engine.view.pace import LEAST, LIGHTS, TARGET, Pace


def simulated(cost: dict[int, float], width: int, height: int, frames: int = 60) -> tuple[int, int, int]:
    """What the pace comes to where a pixel costs so much at each coarseness of the light."""
    pace = Pace()
    for _ in range(frames):
        wide, high, light = pace.size(width, height)
        pace = pace.moved(light, wide * high, cost[light] * wide * high)
    return pace.size(width, height)


def test_a_fast_machine_shows_every_pixel_with_the_finest_light() -> None:
    assert simulated(dict.fromkeys(LIGHTS, 1e-8), 960, 540) == (960, 540, LIGHTS[0])


def test_coarser_light_comes_before_fewer_pixels() -> None:
    cost = {LIGHTS[0]: 2.0 * TARGET / (640 * 360), LIGHTS[-1]: 0.9 * TARGET / (640 * 360)}
    assert simulated(cost, 640, 360) == (640, 360, LIGHTS[-1])


@pytest.mark.parametrize("slower", [2.0, 5.0, 20.0])
def test_a_slow_scene_keeps_its_rate_with_fewer_pixels(slower: float) -> None:
    cost = slower * TARGET / (960 * 540)
    width, height, _ = simulated(dict.fromkeys(LIGHTS, cost), 960, 540)
    assert width * height * cost == pytest.approx(TARGET, rel=0.15)
    assert width / height == pytest.approx(960 / 540, rel=0.05)


def test_a_machine_that_was_slow_for_a_moment_shows_the_finest_light_again() -> None:
    pace = Pace()
    for _ in range(20):
        pace = pace.moved(LIGHTS[0], 960 * 540, 0.2 * TARGET)
    pace = pace.moved(LIGHTS[0], 960 * 540, 20.0 * TARGET)
    assert pace.size(960, 540)[2] == LIGHTS[-1]
    for _ in range(3):
        pace = pace.rested(960 * 16, 0.3 * TARGET * 16 / 540)
    assert pace.size(960, 540) == (960, 540, LIGHTS[0])
    slow = Pace().moved(LIGHTS[0], 960 * 540, 20.0 * TARGET).rested(960 * 16, 2.0 * TARGET * 16 / 540)
    assert slow.size(960, 540)[2] == LIGHTS[-1]


def test_a_slow_window_system_leaves_less_to_the_picture_but_not_nothing() -> None:
    cost = dict.fromkeys(LIGHTS, TARGET / (960 * 540))
    pace = Pace(moving=tuple(cost.items()))
    areas = []
    for seconds in (0.0, 0.25 * TARGET, 0.5 * TARGET, 5.0 * TARGET):
        width, height, _ = pace.framed(seconds).size(960, 540)
        areas.append(width * height / (960 * 540))
    assert areas == pytest.approx([1.0, 0.75, 0.5, 0.4], rel=0.1)


def test_there_is_always_something_to_see() -> None:
    width, height, _ = simulated(dict.fromkeys(LIGHTS, 1.0), 960, 540)
    assert width >= 0.9 * LEAST * 960
    assert height >= 1
    assert Pace().size(1, 1)[:2] == (1, 1)


def test_pictures_at_rest_are_made_in_parts_of_about_the_same_time() -> None:
    pace = Pace().rested(960 * 16, 0.01)
    assert pace.rows(960, 34, 16) == 3
    assert Pace().rested(960 * 16, 10.0).rows(960, 34, 16) == 1
    assert Pace().rested(960 * 16, 1e-6).rows(960, 34, 16) == 34
