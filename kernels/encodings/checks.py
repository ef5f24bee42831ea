"""Checks of what encodings are given."""

import torch


def check_points(name: str, given: torch.Tensor, columns: int | None) -> None:
    if not isinstance(given, torch.Tensor):
        raise TypeError(f"{name}: expected a torch tensor, got {type(given).__name__}")
    if given.dtype not in (torch.float32, torch.float64):
        raise TypeError(f"{name}: expected torch.float32 or torch.float64, got {given.dtype}")
    if given.ndim != 2 or columns not in (None, given.shape[1]):
        raise ValueError(f"{name}: expected shape (N, {columns or 'D'}), got {tuple(given.shape)}")


def check_count(name: str, given: int, low: int, high: int) -> None:
    if type(given) is not int:
        raise TypeError(f"{name}: expected an int, got {given!r}")
    if not low <= given <= high:
        raise ValueError(f"{name}: expected {low} … {high}, got {given}")
