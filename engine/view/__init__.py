"""The real-time viewer: state, input to state, state to picture, and a thin shell around a window."""

from typing import TYPE_CHECKING

from ...kernels.lazy import lazy

if TYPE_CHECKING:
    from .capture import along as along, read_cameras as read_cameras
    from .events import Event as Event, read as read, written as written
    from .learning import LearningWindow as LearningWindow
    from .viewer import Viewer as Viewer
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
