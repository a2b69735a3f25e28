"""Each sentence in each language, with the names of this study in it."""

from kobosmix.wording.catalogue import Catalogue, read_catalogue
from kobosmix.wording.check import check_review, check_wording
from kobosmix.wording.render import Wording, open_wording
from kobosmix.wording.review import Review, read_signatures, review_of

__all__ = [
    "Catalogue",
    "Review",
    "Wording",
    "check_review",
    "check_wording",
    "open_wording",
    "read_catalogue",
    "read_signatures",
    "review_of",
]
