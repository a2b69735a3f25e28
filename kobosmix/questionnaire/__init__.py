"""What is asked, in order, with routing: free of any file format."""

from kobosmix.questionnaire.compile import compile_questionnaire
from kobosmix.questionnaire.model import Block, Calculated, Note, Question, Questionnaire

__all__ = ["Block", "Calculated", "Note", "Question", "Questionnaire", "compile_questionnaire"]
