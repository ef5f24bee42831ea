"""Memory of results: kept for the next ones, never given to two at once, and no more of it than was said."""

from __future__ import annotations

import threading

import pytest
import torch

from isofield.kernels.runtime import memory

LIKE = torch.empty(0)
LARGE = 2**17  # numbers, of which results are kept


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    memory._blocks.clear()


@pytest.mark.parametrize("count", [0, 1, memory.SMALL, memory.SMALL + 1, LARGE, 2**20 + 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int32])
def test_shape_dtype_and_zeros(count: int, dtype: torch.dtype) -> None:
    like = torch.empty(0, dtype=dtype)
    for _ in range(2):  # fresh, then kept
        tensor = memory.zeros(count, 3, like=like)
        assert (tensor.shape, tensor.dtype) == ((count, 3), dtype)
        assert tensor.is_contiguous()
        assert not tensor.any()
        tensor.fill_(7)
        del tensor
    other = memory.empty(count, 3, like=LIKE, dtype=dtype)
    assert (other.shape, other.dtype) == ((count, 3), dtype)


def test_memory_comes_back_when_the_last_tensor_on_it_has_gone() -> None:
    first = memory.empty(LARGE, like=LIKE)
    place, part = first.data_ptr(), first[5:].view(-1)
    del first
    assert memory.empty(LARGE, like=LIKE).data_ptr() != place, "a view still shows it"
    array = part.numpy()
    del part
    assert memory.empty(LARGE, like=LIKE).data_ptr() != place, "an array still shows it"
    memory._blocks.clear()
    del array
    assert memory.empty(LARGE, like=LIKE).data_ptr() == place


def test_what_is_held_is_never_given_again() -> None:
    held = [memory.empty(LARGE, like=LIKE).fill_(number) for number in range(4)]
    for _ in range(3):
        memory.empty(LARGE, like=LIKE).fill_(-1.0)
    assert [float(tensor.min()) for tensor in held] == [0.0, 1.0, 2.0, 3.0]


def test_small_results_do_not_take_large_blocks() -> None:
    some = memory.empty(2**20, like=LIKE).data_ptr()
    assert memory.empty(LARGE, like=LIKE).data_ptr() != some
    memory._blocks.clear()
    large = memory.empty(2**23, like=LIKE)
    place = large.data_ptr()
    del large
    assert memory.empty(LARGE, like=LIKE).data_ptr() != place
    assert memory.empty(2**23 - 100, like=LIKE).data_ptr() == place


def test_no_more_is_kept_than_was_said() -> None:
    count = memory.KEPT_IN_ALL // 4 // 4  # a fourth of it each
    tensors = [memory.empty(count, like=LIKE) for _ in range(6)]
    newest = tensors[-1].data_ptr()
    while tensors:
        del tensors[0]
    assert 0 < sum(block.nbytes for block in memory._blocks.values()) <= memory.KEPT_IN_ALL
    assert any(block.ctypes.data == newest for block in memory._blocks.values()), "the oldest goes first"
    kept = len(memory._blocks)
    beyond = memory.empty(memory.KEPT_IN_ALL // 4 + 1, like=LIKE)
    del beyond
    assert len(memory._blocks) == kept
    assert sum(block.nbytes for block in memory._blocks.values()) <= memory.KEPT_IN_ALL


def test_threads_do_not_share_blocks() -> None:
    wrong = []

    def work(number: int) -> None:
        for _ in range(200):
            tensor = memory.empty(LARGE, like=LIKE)
            tensor[::1000] = number
            if not bool((tensor[::1000] == number).all()):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_every_line_of_a_large_result_begins_where_one_of_memory_does() -> None:
    assert memory.empty(LARGE + 1, like=LIKE).data_ptr() % memory.ALIGNED == 0
