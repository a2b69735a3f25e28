"""Each submission in exactly one bucket, each person in exactly one state per wave."""

from kobosmix.match.background import background_known
from kobosmix.match.link import link
from kobosmix.match.model import MatchDesign, Matched
from kobosmix.match.write import write_match

__all__ = ["MatchDesign", "Matched", "background_known", "link", "write_match"]
