"""Turns of loops: each is taken once, in runs, however many there are."""

import pytest
import torch

from isofield.kernels import runtime
from isofield.kernels.runtime import ti
from isofield.kernels.runtime.turns import GRAIN, RUN, _queue, deal, first_turn, next_turn


@ti.kernel
def count_turns(
    taken: ti.types.ndarray(ti.i32, 1),
    takers: ti.types.ndarray(ti.i32, 1),
    queue: ti.types.ndarray(ti.i32, 1),
    count: ti.i32,
    slots: ti.i32,
):
    for slot in range(slots):
        upcoming = first_turn(queue, slot, count)
        while upcoming < count:
            turn = upcoming
            upcoming = next_turn(queue, turn, count)
            if turn % 3 == 1:  # kernels end turns early
                taken[turn] += 1
                takers[turn] = slot
                continue
            taken[turn] += 1
            takers[turn] = slot


def taken_by(queue: torch.Tensor, count: int, slots: int) -> tuple[torch.Tensor, torch.Tensor]:
    taken, takers = torch.zeros(count, dtype=torch.int32), torch.full((count,), -1, dtype=torch.int32)
    runtime.run(count_turns, taken, takers, queue, count, slots)
    return taken, takers


@pytest.mark.parametrize("count", [1, RUN - 1, RUN, RUN + 1, GRAIN, 3 * GRAIN + 5, 20_000])
@pytest.mark.parametrize("share", [1, 4])  # a loop may have fewer turns than were dealt for
@pytest.mark.parametrize("run", [1, RUN])
def test_each_turn_is_taken_once_and_runs_stay_together(count: int, share: int, run: int) -> None:
    queue, slots = deal(share * count, torch.device("cpu"), run)
    taken, takers = taken_by(queue, count, slots)
    assert taken.eq(1).all()
    assert takers.remainder(GRAIN).eq(0).all()
    for together in takers.split(run):
        assert together.eq(together[0]).all()


def test_cores_get_no_more_slots_than_there_are_runs() -> None:
    assert deal(RUN, torch.device("cpu"))[1] == GRAIN
    assert deal(10**6, torch.device("cpu"))[1] == GRAIN * runtime.available_cores()
    assert deal(0, torch.device("cpu"))[1] == 0


def test_slots_of_a_gpu_take_one_turn_each() -> None:
    count = 1000
    taken, takers = taken_by(_queue(1, 1, torch.device("cpu")).clone(), count, count + 7)
    assert taken.eq(1).all()
    assert takers.eq(torch.arange(count)).all()
