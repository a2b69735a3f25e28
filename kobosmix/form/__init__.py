"""The questionnaire as an XLSForm, and its codebook."""

from kobosmix.form.codebook import make_codebook
from kobosmix.form.codebook_workbook import codebook_workbook
from kobosmix.form.kobo import kobo_workbook
from kobosmix.form.rows import XlsForm, workbook, write_form

__all__ = [
    "XlsForm",
    "codebook_workbook",
    "kobo_workbook",
    "make_codebook",
    "workbook",
    "write_form",
]
