"""What the team says about its study: the place, the groups, the waves, the choices."""

from kobosmix.context.model import Context, Group, Indicator, Wave, Window
from kobosmix.context.read import ContextReading, read_context

__all__ = [
    "Context",
    "ContextReading",
    "Group",
    "Indicator",
    "Wave",
    "Window",
    "read_context",
]
