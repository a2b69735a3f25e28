"""The questionnaire for authorities and partners to comment on: every language side by side.

The only door to python-docx, which comes with the extra kobosmix[docx].
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from kobosmix.errors import UsageError
from kobosmix.printed.english import in_english
from kobosmix.printed.sentences import REVIEW, PrintedSentences, printable
from kobosmix.printed.sheet import Asked, Said, Section, sections
from kobosmix.questionnaire import Questionnaire
from kobosmix.questionnaire.compile import build_id
from kobosmix.questionnaire.notices import DRAFT
from kobosmix.wording import Wording
from kobosmix.wording.catalogue import SOURCE

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import _Cell, _Row

MISSING = (
    "a questionnaire for review in Word needs python-docx, which is not installed. "
    "Install kobosmix with it: uv tool install 'kobosmix[docx]', or pip install 'kobosmix[docx]'."
)
_A4_MM = (297, 210)
_MARGIN_MM, _NUMBER_MM, _COMMENT_MM = 14, 11, 48
_POINTS = 9
_FONT = "Arial"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One language of the review: its sentences for print, and the form as it is read in it."""

    say: PrintedSentences
    sections: tuple[Section, ...]


def review_columns(questionnaire: Questionnaire, wording: Wording) -> tuple[Column, ...]:
    """The languages of the form that can be printed, then the English of the bank.

    Each column has the same sections with the same questions.
    """
    columns = [
        Column(say=say, sections=sections(questionnaire, say))
        for say in printable(wording, questionnaire.languages, REVIEW)
    ]
    if SOURCE not in questionnaire.languages:
        say = PrintedSentences(wording, SOURCE)
        english = in_english(questionnaire, wording)
        columns.append(Column(say=say, sections=sections(english, say)))
    return tuple(columns)


def review_document(key: str, questionnaire: Questionnaire, wording: Wording) -> bytes:
    """The review of one form as .docx. Raises UsageError where python-docx is not installed."""
    try:
        from docx import Document
    except ImportError as error:
        raise UsageError(MISSING) from error

    columns = review_columns(questionnaire, wording)
    document = Document()
    _set_up(document, f"{key} {build_id(questionnaire)}")
    for column in columns:
        if questionnaire.review == DRAFT:
            _write(document.add_paragraph(), column.say.say("paper_draft"), column.say, "bold")
        title = f"{column.say.say('review_title')}: {column.say.title(questionnaire)}"
        _write(document.add_paragraph(), title, column.say, "bold")
    _fill_table(document, columns)
    stream = BytesIO()
    document.save(stream)
    return stream.getvalue()


def _set_up(document: Document, mark: str) -> None:
    """A4 across, one font in a size for tables, and the build on every page."""
    from docx.enum.section import WD_ORIENT
    from docx.oxml.ns import qn
    from docx.oxml.parser import OxmlElement
    from docx.shared import Mm, Pt

    document.core_properties.author = "kobosmix"
    document.core_properties.comments = ""
    document.core_properties.title = mark
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = (Mm(side) for side in _A4_MM)
    section.left_margin = section.right_margin = Mm(_MARGIN_MM)
    section.top_margin = section.bottom_margin = Mm(_MARGIN_MM)
    section.footer.paragraphs[0].text = mark
    style: Any = document.styles["Normal"]
    style.font.name, style.font.size = _FONT, Pt(_POINTS)
    style.paragraph_format.space_after = Pt(2)
    # Scripts that run to the left take their font and size from here.
    style.element.rPr.rFonts.set(qn("w:cs"), _FONT)
    size = OxmlElement("w:szCs")
    size.set(qn("w:val"), str(2 * _POINTS))
    style.element.rPr.find(qn("w:sz")).addnext(size)


def _fill_table(document: Document, columns: Sequence[Column]) -> None:
    from docx.shared import Mm

    table = document.add_table(rows=0, cols=len(columns) + 2)
    table.style, table.autofit = "Table Grid", False
    room = _A4_MM[0] - 2 * _MARGIN_MM - _NUMBER_MM - _COMMENT_MM
    widths = [_NUMBER_MM, *(room / len(columns) for _ in columns), _COMMENT_MM]
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(round(width))
    _fill_heads(table.add_row(), columns)
    for parallel in zip(*(column.sections for column in columns), strict=True):
        if any(section.heading or section.when for section in parallel):
            _fill_heading(table.add_row(), parallel, columns)
        for parts in zip(*(section.parts for section in parallel), strict=True):
            _fill_row(table.add_row(), parts, columns)
    for row in table.rows:
        for cell, width in zip(row.cells, widths, strict=True):
            cell.width = Mm(round(width))


def _fill_heads(row: _Row, columns: Sequence[Column]) -> None:
    _keep(row, "w:tblHeader")
    cells = row.cells
    for cell, column in zip(cells[1:], columns, strict=False):
        _write(cell.paragraphs[0], column.say.autonym, column.say, "bold")
    comments = dict.fromkeys(column.say.say("review_comment") for column in columns)
    cells[-1].paragraphs[0].add_run(" / ".join(comments)).bold = True


def _fill_heading(row: _Row, parallel: Sequence[Section], columns: Sequence[Column]) -> None:
    _keep(row, "w:cantSplit")
    for cell, section, column in zip(row.cells[1:], parallel, columns, strict=False):
        lines = [(section.heading, "bold"), *((sentence, "") for sentence in section.when)]
        _fill_cell(cell, lines, column.say)


def _fill_row(row: _Row, parts: Sequence[Asked | Said], columns: Sequence[Column]) -> None:
    _keep(row, "w:cantSplit")
    cells, first = row.cells, parts[0]
    if isinstance(first, Asked):
        cells[0].paragraphs[0].add_run(str(first.number)).bold = True
    for cell, part, column in zip(cells[1:], parts, columns, strict=False):
        _fill_cell(cell, list(_lines(part, column.say)), column.say)


def _lines(part: Asked | Said, say: PrintedSentences) -> Iterator[tuple[str, str]]:
    """What stands in one cell, line by line, each with how it looks."""
    for sentence in part.when:
        yield sentence, "bold"
    yield part.text, ""
    if part.hint:
        yield part.hint, "italic"
    if isinstance(part, Asked) and part.answers:
        answers = " · ".join(f"{answer.label} ({answer.code})" for answer in part.answers)
        yield f"{say.say('review_answers')}: {answers}", ""


def _fill_cell(cell: _Cell, lines: Sequence[tuple[str, str]], say: PrintedSentences) -> None:
    paragraph = cell.paragraphs[0]
    for number, (line, look) in enumerate(each for each in lines if each[0]):
        _write(paragraph if number == 0 else cell.add_paragraph(), line, say, look)


def _write(paragraph: Any, text: str, say: PrintedSentences, look: str) -> None:
    """A run of this language; one that runs to the left is told so, and its paragraph too."""
    from docx.oxml.ns import qn
    from docx.oxml.parser import OxmlElement

    run = paragraph.add_run(text)
    run.font.bold = run.font.cs_bold = look == "bold" or None
    # No script that runs to the left is written slanted.
    run.font.italic = (look == "italic" and not say.is_right_to_left) or None
    language = OxmlElement("w:lang")
    if say.is_right_to_left:
        properties = paragraph._p.get_or_add_pPr()  # noqa: SLF001
        properties.append(OxmlElement("w:bidi"))
        run.font.rtl = True
    language.set(qn("w:bidi" if say.is_right_to_left else "w:val"), say.tag)
    run._r.get_or_add_rPr().append(language)  # noqa: SLF001


def _keep(row: _Row, how: str) -> None:
    """Repeat a row on every page (`w:tblHeader`), or keep it whole (`w:cantSplit`)."""
    from docx.oxml.parser import OxmlElement

    row._tr.get_or_add_trPr().append(OxmlElement(how))  # noqa: SLF001
