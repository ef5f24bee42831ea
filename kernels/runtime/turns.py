"""Dynamic scheduling: loops whose turns cost very different amounts, dealt out to the cores as these come free.

Taichi's CPU backend cuts a kernel's outermost loop into equal pieces before it starts, one for each core and none of
less than GRAIN turns. A picture often has sky above and everything else below: one core would do nearly all of it. So
a kernel loops over slots, of which one for each core takes turns out of a queue until there are none:

    for slot in range(slots):
        upcoming = first_turn(queue, slot, count)
        while upcoming < count:
            turn = upcoming
            upcoming = next_turn(queue, turn, count)
            ...

On a GPU, which does this by itself, a slot takes one turn. Kernels of few large tasks of one size loop over GRAIN times
as many turns and work in one of GRAIN.
"""

import functools

import torch

from .front_end import ti
from .startup import available_cores, backend

APART = 16  # numbers of a line of memory: what is only read waits for nobody who takes turns
GRAIN = 512  # turns of an outermost loop that the CPU backend gives to a core at once, whatever they cost
RUN = 16  # turns of packets taken at once: neighbours share what they read, and write to the same lines of memory


def deal(count: int, device: torch.device, run: int = RUN) -> tuple[torch.Tensor, int]:
    """A queue (2 APART,) int32 for `count` turns or fewer, to be used once, and the slots of the loop that takes them.

    On a CPU, turns are taken `run` at a time, those of a multiple of `run` and after.
    """
    if backend() == "cpu":
        slots = GRAIN * min(available_cores(), -(-count // run))
        return _queue(GRAIN, run, device).clone(), slots
    return _queue(1, 1, device), count  # nothing is taken from it


@functools.cache
def _queue(grain: int, run: int, device: torch.device) -> torch.Tensor:
    """The next turn, and apart from it how many slots there are for one that takes turns, and how many it takes."""
    numbers = [0] * (2 * APART)
    numbers[APART], numbers[APART + 1] = grain, run
    return torch.tensor(numbers, dtype=torch.int32, device=device)


@ti.func
def first_turn(queue: ti.template(), slot, count):
    """The first turn of a slot; `count` or more if it has none."""
    turn = slot
    if queue[APART] > 1:
        turn = count
        if slot % queue[APART] == 0:
            turn = ti.atomic_add(queue[0], queue[APART + 1])
    return turn


@ti.func
def next_turn(queue: ti.template(), turn, count):
    """The turn that the slot takes after `turn`; `count` or more if there is none."""
    following = turn + 1
    if queue[APART] == 1:
        following = count
    elif following % queue[APART + 1] == 0:
        following = ti.atomic_add(queue[0], queue[APART + 1])
    return following
