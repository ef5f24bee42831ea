"""Device code on words of bits, of which each stands for one of the nodes or cells that follow each other along z."""

from enum import IntEnum

from ..runtime import ti


class WordColumn(IntEnum):
    """What is known of the nodes of a word."""

    SIGNS = 0  # which of them are inside
    JOINED = 1  # across x, y and z: at which of them an ambiguous face begins whose inside corners are connected
    CROSSED = 4  # of bricks alone: which of them are the lowest node of a cell that the surface crosses


@ti.func
def lowest_bit(word):
    """Place of the lowest bit that is set."""
    return ti.math.popcnt((word & -word) - ti.u32(1))


@ti.func
def bits_below(word, bit):
    """How many bits below `bit` are set."""
    return ti.math.popcnt(word & ((ti.u32(1) << bit) - ti.u32(1)))


@ti.func
def is_set(word, bit):
    """1 if the bit of the word is set, else 0."""
    return ti.cast((word >> bit) & ti.u32(1), ti.i32)


@ti.func
def first_bits(count, size: ti.template()):
    """A word of `size` bits with `count` of them set, all of them if it is that many."""
    word = ~ti.u32(0) >> (32 - size)
    if count < size:
        word = (ti.u32(1) << ti.max(count, 0)) - ti.u32(1)
    return word
