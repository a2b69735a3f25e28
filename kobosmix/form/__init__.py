"""The questionnaire as an XLSForm, and its codebook."""

from kobosmix.form.codebook import make_codebook
from kobosmix.form.codebook_workbook import codebook_workbook
from kobosmix.form.kobo import kobo_workbook
from kobosmix.form.practice import (
    PRACTICE_MARKS,
    PRETEST,
    TRAINING,
    for_practice,
    practice_title,
)
from kobosmix.form.rows import XlsForm, workbook, write_form

__all__ = [
    "PRACTICE_MARKS",
    "PRETEST",
    "TRAINING",
    "XlsForm",
    "codebook_workbook",
    "for_practice",
    "kobo_workbook",
    "make_codebook",
    "practice_title",
    "workbook",
    "write_form",
]
