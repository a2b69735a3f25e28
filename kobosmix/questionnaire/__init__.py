"""What is asked, in order, with routing: free of any file format."""

from kobosmix.questionnaire.compile import compile_questionnaire, stamped
from kobosmix.questionnaire.model import Block, Calculated, Note, Question, Questionnaire
from kobosmix.questionnaire.notices import with_notices
from kobosmix.questionnaire.texts import FormTexts

__all__ = [
    "Block",
    "Calculated",
    "FormTexts",
    "Note",
    "Question",
    "Questionnaire",
    "compile_questionnaire",
    "stamped",
    "with_notices",
]
