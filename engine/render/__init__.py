"""Rendering: from a scene to a picture."""

from .modes import Mode
from .picture import View, render, render_view, view_of

__all__ = ["Mode", "View", "render", "render_view", "view_of"]
