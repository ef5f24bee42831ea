"""Rendering: from a scene to a picture."""

from typing import TYPE_CHECKING

from .modes import Mode

if TYPE_CHECKING:
    from .picture import View, render, render_view, view_of

__all__ = ["Mode", "View", "render", "render_view", "view_of"]


def __getattr__(name: str) -> object:
    # The command line reads the modes, and says what is wrong with its options, without torch.
    if name in __all__:
        from . import picture

        return getattr(picture, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
