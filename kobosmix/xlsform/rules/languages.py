"""Languages: columns that differ by a letter, cells that were forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from itertools import combinations

from kobosmix.findings import Finding, Severity
from kobosmix.xlsform.columns import TRANSLATABLE
from kobosmix.xlsform.outline import NO, Outline, Row
from kobosmix.xlsform.tell import meant, quoted, rows_of, tell

EXPLANATIONS: Mapping[str, tuple[str, str]] = {
    "L131": (
        "A label is missing in one of the form's languages. Respondents see a dash in its place.",
        "Translate it; pyxform and ODK Validate say nothing about single cells.",
    ),
    "L132": (
        "default_language names a language that no column has. KoboToolbox refuses the form.",
        "Write it exactly as behind label:: in the header, capitals and code included.",
    ),
    "L133": (
        "One sheet has labels in a language that the other has not.",
        "Add the column, or take the language out of the other sheet.",
    ),
    "L134": (
        "A form with languages has a column without one. It becomes a language of its own called "
        "'default', and KoboToolbox refuses the form.",
        "Put a language behind the header: label::English (en).",
    ),
    "L135": (
        "One language is written in two ways (English (en) and English (EN)), and so becomes two.",
        "Write it the same everywhere, without blanks around ::.",
    ),
    "L136": (
        "A header has a language where there can be none (a setting, a condition), or two of them. "
        "pyxform breaks off without a reason.",
        "A form has one title; write its translations into the first note.",
    ),
    "L231": (
        "A hint, a message or a medium is missing in one of the form's languages. Respondents see "
        "a dash, or nothing.",
        "Translate it.",
    ),
    "L232": (
        "A form in several languages does not say which one it opens in.",
        "Set default_language on the settings sheet.",
    ),
    "L233": (
        "A language has no code, so that programs have to guess which way it is written and what "
        "it is.",
        "Write the code in brackets behind the name: label::العربية (ar).",
    ),
    "L234": (
        "A question refuses answers and does not say why.",
        "Write a constraint_message that says what is accepted.",
    ),
    "L235": (
        "A required question has no message of its own, so the app speaks its own language.",
        "Write a required_message in each language.",
    ),
    "L236": (
        "A message that names a question is not translated. The phones then print the path of the "
        "question in place of its answer.",
        "Give the message column a language, or take the ${ } out.",
    ),
    "L237": (
        "Two languages of the form have the same code.",
        "Give each its own: sr-Cyrl and sr-Latn, for instance.",
    ),
}

_CODE = re.compile(r"^(?P<name>.*?)\s*\((?P<code>[^()]+)\)$")
_BARE_CODE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_ALIKE = 0.6
_MESSAGES = {"constraint": "constraint_message", "required": "required_message"}


def check_empty_cells(form: Outline) -> Iterator[Finding]:
    """What is said in one language is said in all."""
    for sheet, names in TRANSLATABLE.items():
        for name in names:
            languages = [
                c.language for c in form.columns[sheet] if c.name == name and c.language
            ]
            gaps = _gaps(form.rows[sheet], name, languages) if len(languages) > 1 else {}
            for language, rows in gaps.items():
                column = f"{name}::{language}"
                said = (
                    f"'{column}' is empty in {rows_of(rows)}, where another language has a text"
                )
                code = "L131" if name == "label" else "L231"
                yield tell(form, code, (sheet, rows[0], column), said, "Translate it.")


def _gaps(rows: tuple[Row, ...], name: str, languages: list[str]) -> dict[str, list[int]]:
    gaps = dict[str, list[int]]()
    for row in rows:
        texts = row.texts.get(name)
        if texts and len(texts) < len(languages):
            for language in languages:
                if language not in texts:
                    gaps.setdefault(language, []).append(row.number)
    return gaps


def check_same_languages(form: Outline) -> Iterator[Finding]:
    """Every translated column has all the languages of the form, on both sheets."""
    for sheet, names in TRANSLATABLE.items():
        for name in names:
            has = [c.language for c in form.columns[sheet] if c.name == name and c.language]
            # What is only written otherwise is told as that.
            missing = [
                language
                for language in form.all_languages
                if language not in has
                and not any(_same_language(language, each) == "L135" for each in has)
            ]
            if not has or not missing or not any(name in row.texts for row in form.rows[sheet]):
                continue
            columns = quoted(f"{name}::{language}" for language in missing)
            said = f"the sheet has no {columns}, but the form has that language elsewhere"
            code = "L133" if name == "label" else "L231"
            at = (sheet, 1, f"{name}::{has[0]}")
            yield tell(form, code, at, said, "Add the column, or take the language out.")


def check_columns_without_language(form: Outline) -> Iterator[Finding]:
    """In a form with languages every text has one."""
    if not form.all_languages:
        return
    for sheet in TRANSLATABLE:
        for column in form.columns[sheet]:
            if column.name not in TRANSLATABLE[sheet] or column.language:
                continue
            if any("" in row.texts.get(column.name, {}) for row in form.rows[sheet]):
                said = f"'{column.header}' has no language, but other columns have one"
                remedy = f"Write '{column.name}::{form.all_languages[0]}', or another language."
                yield tell(form, "L134", (sheet, 1, column.header), said, remedy)


def check_spellings(form: Outline) -> Iterator[Finding]:
    """A language is written in one way, letter by letter."""
    for sheet in TRANSLATABLE:
        for column in form.columns[sheet]:
            name, found, language = column.header.partition("::")
            blank = name != name.rstrip() or language != language.strip() or "  " in language
            if column.language and found and blank:
                said = f"'{column.header}' has blanks that make another language of it"
                at = (sheet, 1, column.header)
                yield tell(form, "L135", at, said, f"Write '{column.name}::{column.language}'.")
    for one, other in combinations(form.all_languages, 2):
        if code := _same_language(one, other):
            said = f"'{one}' and '{other}' look like one language, but become two"
            remedy = "Write it the same everywhere."
            if code == "L237":
                said = f"'{one}' and '{other}' have the same code"
                remedy = "Give each its own code."
            yield tell(form, code, ("survey", 1, f"label::{other}"), said, remedy)


def _same_language(one: str, other: str) -> str:
    """L135 for two spellings of one language, L237 for two with one code, else ""."""
    (name, code), (other_name, other_code) = _parts(one), _parts(other)
    if name == other_name and (code == other_code or not code or not other_code):
        return "L135"
    if not code or code != other_code:
        return ""
    alike = SequenceMatcher(None, name, other_name).ratio() > _ALIKE
    return "L135" if alike else "L237"


def _parts(language: str) -> tuple[str, str]:
    found = _CODE.match(language)
    name, code = (found["name"], found["code"]) if found else (language, "")
    return "".join(name.casefold().split()), code.strip().casefold()


def check_default_language(form: Outline) -> Iterator[Finding]:
    """default_language is one of the form's languages, letter by letter."""
    default, languages = form.settings.get("default_language", ""), form.all_languages
    at = ("settings", 2, "default_language")
    if default and languages and default not in languages:
        said = f"no column has the language '{default}'.{meant(default, languages)}"
        remedy = f"The form has {quoted(languages)}."
        yield tell(form, "L132", at, said, remedy)
    elif len(languages) > 1 and not default:
        said = f"the form has {len(languages)} languages and does not say which one it opens in"
        remedy = f"Set default_language, to '{languages[0]}' for instance."
        yield tell(form, "L232", at, said, remedy, severity=Severity.NOTICE)


def check_codes(form: Outline) -> Iterator[Finding]:
    """A language has a code."""
    bare = [
        language
        for language in form.all_languages
        if not _CODE.match(language) and not _BARE_CODE.fullmatch(language)
    ]
    if bare:
        said = f"no code stands behind {quoted(bare)}"
        remedy = "Write it in brackets behind the name, as in 'Français (fr)'."
        yield tell(form, "L233", ("survey", 1, f"label::{bare[0]}"), said, remedy)


def check_untranslatable(form: Outline) -> Iterator[Finding]:
    """Only what people read has a language; a form has one title."""
    for sheet in ("survey", "choices", "settings"):
        for column in form.columns[sheet]:
            if "::" in column.language:
                said = f"'{column.header}' has one :: too many"
                remedy = f"Write '{column.name}::' and one language."
                yield tell(form, "L136", (sheet, 1, column.header), said, remedy)
            elif column.language and column.name not in TRANSLATABLE.get(sheet, ()):
                said = f"'{column.header}': the column '{column.name}' cannot have a language"
                remedy = f"Write '{column.name}'. A title is translated in the first note."
                yield tell(form, "L136", (sheet, 1, column.header), said, remedy)


def check_messages(form: Outline) -> Iterator[Finding]:
    """Who is stopped is told why, in the language of the form."""
    for rule, message in _MESSAGES.items():
        silent = [
            node.row.number
            for node in form.nodes
            if node.is_shown
            and node.cell(rule)
            and node.cell(rule) not in NO
            and not node.row.texts.get(message)
        ]
        at = ("survey", silent[0] if silent else 0, message)
        if silent and rule == "constraint":
            said = f"answers are refused without a reason in {rows_of(silent)}"
            yield tell(form, "L234", at, said, "Write a constraint_message: what is accepted?")
        elif silent and form.all_languages:
            said = f"no required_message in {rows_of(silent)}: the app speaks its own language"
            remedy = "Write one in each language."
            yield tell(form, "L235", at, said, remedy, severity=Severity.NOTICE)


def check_names_in_messages(form: Outline) -> Iterator[Finding]:
    """A message that names a question is translated; else the phones print a path."""
    for message in _MESSAGES.values():
        for row in form.rows["survey"]:
            text = row.texts.get(message, {}).get("", "")
            if "${" in text:
                said = f"'{text}' is shown with the path of the question, not with its answer"
                remedy = (
                    f"Write '{message}::English (en)' as the header, or take the ${{ }} out."
                )
                yield tell(form, "L236", ("survey", row.number, message), said, remedy)


RULES = (
    check_empty_cells,
    check_same_languages,
    check_columns_without_language,
    check_spellings,
    check_default_language,
    check_codes,
    check_untranslatable,
    check_messages,
    check_names_in_messages,
)
