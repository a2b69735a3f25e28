"""What changed between two forms, and what that means for answers already collected."""

from kobosmix.xlsform.diff.compare import changes
from kobosmix.xlsform.diff.model import Change, Level, counted, verdict

__all__ = ["Change", "Level", "changes", "counted", "verdict"]
