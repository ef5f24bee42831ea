"""Rendering: from a scene to a picture."""

from .picture import Mode, View, render, render_view, view_of

__all__ = ["Mode", "View", "render", "render_view", "view_of"]
