"""Everything of a study that goes on paper, from the same source as the forms."""

from kobosmix.printed.check import check_printed
from kobosmix.printed.pages import printed_pages
from kobosmix.printed.pdf import as_pdf
from kobosmix.printed.review import review_document
from kobosmix.printed.sentences import REVIEW, WHAT
from kobosmix.printed.upload import upload_page

__all__ = [
    "REVIEW",
    "WHAT",
    "as_pdf",
    "check_printed",
    "printed_pages",
    "review_document",
    "upload_page",
]
