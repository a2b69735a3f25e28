"""A questionnaire as the rows of an XLSForm, the same for every server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kobosmix.bank.model import Language
from kobosmix.codebook import Kind
from kobosmix.form.xpath import (
    ID_CONSTRAINT,
    accepted_xpath,
    condition_xpath,
    limits_xpath,
    rule_xpath,
)
from kobosmix.questionnaire.compile import build_id
from kobosmix.questionnaire.model import (
    Block,
    Calculated,
    Device,
    FromLink,
    ListOfOptions,
    Note,
    Part,
    Question,
    Questionnaire,
    SameAs,
    Sentence,
)
from kobosmix.xlsx import Sheet, workbook_bytes

Row = dict[str, str]

# A letter list shows those of one alphabet, and what belongs to every one ("does not know").
_EVERY = "every"
_MOST_IN_LINE, _LONGEST_IN_LINE = 5, 10

_TRANSLATED = ("label", "hint", "constraint_message", "required_message")
_TYPES = {
    Kind.INTEGER: "integer",
    Kind.TEXT: "text",
    Kind.DATE: "date",
    Kind.BARCODE: "barcode",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class XlsForm:
    """The three sheets, row by row; every translatable column has a language behind it."""

    survey: tuple[Row, ...]
    choices: tuple[Row, ...]
    settings: tuple[Row, ...]

    def sheets(self) -> dict[str, tuple[Row, ...]]:
        """The sheets by name, in the order of the workbook."""
        return {"survey": self.survey, "choices": self.choices, "settings": self.settings}


def write_form(questionnaire: Questionnaire, languages: Mapping[str, Language]) -> XlsForm:
    """The rows of the form; `languages` gives the column suffixes."""
    suffixes = {
        tag: languages[tag].column_suffix(questionnaire.languages)
        for tag in questionnaire.languages
    }
    rows = _Rows(suffixes, questionnaire.lists)
    survey = [row for part in questionnaire.parts for row in rows.part(part)]
    if questionnaire.needs_register:
        survey.insert(3, {"type": "csv-external", "name": "register"})
    choices = [row for options in questionnaire.lists.values() for row in rows.options(options)]
    settings: Row = {
        "form_title": questionnaire.title,
        "form_id": f"{questionnaire.study}_{questionnaire.wave}_{questionnaire.group}",
        "version": build_id(questionnaire),
        "default_language": suffixes[questionnaire.languages[0]],
        "instance_name": _instance_name(questionnaire),
    }
    return XlsForm(survey=tuple(survey), choices=tuple(choices), settings=(settings,))


def workbook(form: XlsForm) -> bytes:
    """The form as an .xlsx; equal forms give equal bytes."""
    return workbook_bytes(
        Sheet(title=name, rows=_table(rows)) for name, rows in form.sheets().items()
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    """Turns parts into rows, with the language suffixes of one form."""

    suffixes: Mapping[str, str]
    lists: Mapping[str, ListOfOptions]

    def part(self, part: Part) -> Iterator[Row]:
        match part:
            case Block():
                yield self._row("begin_group", part.name, part.label, relevant=part.asked_if)
                for inner in part.parts:
                    yield from self.part(inner)
                yield {"type": "end_group"}
            case Question():
                yield self._question(part)
            case Note():
                yield self._row("note", part.name, part.label, part.hint, part.shown_if)
            case Calculated(rule=Device(what)):
                yield {"type": what, "name": part.name}
            case Calculated(rule=FromLink()):
                yield {"type": "hidden", "name": part.name}
            case Calculated():
                calculation = rule_xpath(part.rule)
                yield {"type": "calculate", "name": part.name, "calculation": calculation}

    def options(self, options: ListOfOptions) -> Iterator[Row]:
        for option in options.options:
            labels = self._in_languages("label", option.labels)
            row = {"list_name": options.id, "name": option.value, **labels}
            if options.alphabets:
                row["alphabet"] = options.alphabets.get(option.value, _EVERY)
            yield row

    def _question(self, question: Question) -> Row:
        row = self._row(
            _type(question), question.name, question.label, question.hint, question.asked_if
        )
        constraint = _constraint(question)
        if constraint:
            row["constraint"] = constraint
            row |= self._in_languages("constraint_message", question.message)
        if question.required:
            condition = question.required_if
            row["required"] = condition_xpath(condition) if condition else "yes"
            row |= self._in_languages("required_message", question.required_message)
        is_number = question.is_respondent_id or isinstance(question.accepts, SameAs)
        if is_number and question.kind is Kind.TEXT:
            row["appearance"] = "numbers"
        elif question.from_file:
            row["appearance"] = "minimal"
        return row | self._layout(question)

    def _layout(self, question: Question) -> Row:
        """How the answers of a list are shown, and which of them."""
        options = self.lists.get(question.list)
        if options is None:
            return {}
        if options.alphabets:
            filtered = {"appearance": "minimal"}
            if options.shown_by:
                shown = f"alphabet = ${{{options.shown_by}}} or alphabet = '{_EVERY}'"
                filtered["choice_filter"] = shown
            return filtered
        is_rated = question.measures is not None and question.measures.rated
        return {"appearance": "likert"} if is_rated and _fits_one_line(options) else {}

    def _row(
        self,
        type_: str,
        name: str,
        label: Sentence | None = None,
        hint: Sentence | None = None,
        relevant: object = None,
    ) -> Row:
        row: Row = {"type": type_, "name": name}
        row |= self._in_languages("label", label or {})
        row |= self._in_languages("hint", hint or {})
        if relevant is not None:
            row["relevant"] = condition_xpath(relevant)  # type: ignore[arg-type]
        return row

    def _in_languages(self, column: str, sentence: Sentence) -> Row:
        return {f"{column}::{self.suffixes[tag]}": text for tag, text in sentence.items()}


def _instance_name(questionnaire: Questionnaire) -> str:
    """What a phone calls the filled-in form in its list: the wave, and the ID where there is one."""
    names = {part.name for _, part, _ in questionnaire.walk()}
    wave = questionnaire.wave
    return f"concat('{wave} ', ${{rid}})" if "rid" in names else f"'{wave}'"


def _fits_one_line(options: ListOfOptions) -> bool:
    """Whether a phone can show the answers side by side: labels do not wrap there, they overlap."""
    longest = max(len(label) for option in options.options for label in option.labels.values())
    return len(options.options) <= _MOST_IN_LINE and longest <= _LONGEST_IN_LINE


def _type(question: Question) -> str:
    if question.kind is not Kind.SELECT_ONE:
        return _TYPES[question.kind]
    if question.from_file:
        return f"select_one_from_file {question.from_file}"
    return f"select_one {question.list}"


def _constraint(question: Question) -> str:
    if question.is_respondent_id:
        return ID_CONSTRAINT
    if question.accepts:
        return accepted_xpath(question.accepts)
    return limits_xpath(question.limits) if question.limits else ""


def _table(rows: Sequence[Row]) -> list[list[str | None]]:
    """Rows under a header; columns in a fixed order, the same column of all languages together."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    columns.sort(key=_rank)
    return [list(columns), *([row.get(column) for column in columns] for row in rows)]


_ORDER = (
    *("type", "list_name", "name", "label", "hint", "required", "required_message"),
    *("relevant", "constraint", "constraint_message", "calculation", "appearance"),
    *("choice_filter", "alphabet"),
)


def _rank(column: str) -> int:
    base = column.split("::", maxsplit=1)[0]
    return _ORDER.index(base) if base in _ORDER else len(_ORDER)
