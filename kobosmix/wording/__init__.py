"""Each sentence in each language, with the names of this study in it."""

from kobosmix.wording.catalogue import Catalogue, read_catalogue
from kobosmix.wording.check import check_wording
from kobosmix.wording.render import Wording, open_wording

__all__ = ["Catalogue", "Wording", "check_wording", "open_wording", "read_catalogue"]
