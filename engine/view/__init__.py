"""The real-time viewer: state, input to state, state to picture, and a thin shell around a window.

All but the window runs without a display, from recorded inputs.
"""

from typing import TYPE_CHECKING

from ...kernels.lazy import lazy

if TYPE_CHECKING:
    from .capture import pose_along as pose_along, read_cameras as read_cameras
    from .events import Event as Event, event_from_dict as event_from_dict, event_to_dict as event_to_dict
    from .learning import LearningWindow as LearningWindow
    from .pose import Pose as Pose
    from .viewer import Viewer as Viewer
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
