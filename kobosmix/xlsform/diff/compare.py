"""Everything that changed between two forms."""

from __future__ import annotations

from collections.abc import Iterator

from kobosmix.xlsform.diff.choices import choice_changes
from kobosmix.xlsform.diff.form import Pair
from kobosmix.xlsform.diff.model import Change, Level, in_order
from kobosmix.xlsform.diff.questions import question_changes
from kobosmix.xlsform.model import XlsSheets
from kobosmix.xlsform.outline import outline

# A server gives the project these by itself, whatever the workbook says.
_SERVERS_OWN = frozenset({"form_title", "form_id", "version"})
# Sheets whose every change is one of answers that are offered.
_ANSWER_SHEETS = frozenset({"external_choices", "osm"})
_COMPARED = frozenset({"survey", "choices", "settings"})


def changes(old: XlsSheets, new: XlsSheets, *, on_server: bool = False) -> list[Change]:
    """What changed from the one to the other, the breaking changes first.

    With `on_server` one of them comes from a server, and what servers set by themselves (title,
    form_id, version) is passed over. Metadata may stand anywhere in either form.
    """
    forms = Pair(outline(old), outline(new))
    found = [*question_changes(forms), *choice_changes(forms), *_languages(forms)]
    found += _settings(forms, _SERVERS_OWN if on_server else frozenset())
    return in_order([*found, *_other_sheets(old, new)])


def _languages(forms: Pair) -> Iterator[Change]:
    for language in forms.languages.removed:
        yield Change(
            level=Level.WORDING,
            where="languages",
            what="language removed",
            means="Answers collected in it stay; nobody can be asked in it any more.",
            old=language or "(no language)",
        )
    for language in forms.languages.added:
        yield Change(
            level=Level.COSMETIC,
            where="languages",
            what="new language",
            means="Answers collected before were all given in the other languages.",
            new=language or "(no language)",
        )
    for before, now in forms.languages.both.items():
        if before != now:
            yield Change(
                level=Level.COSMETIC,
                where="languages",
                what="language under another name",
                means="Answers stay as they are.",
                old=before or "(no language)",
                new=now or "(no language)",
            )


def _settings(forms: Pair, ignored: frozenset[str]) -> Iterator[Change]:
    old, new = forms.old.settings, forms.new.settings
    for column in dict.fromkeys((*old, *new)):
        if column in ignored or column.startswith("$"):
            continue
        if old.get(column, "") != new.get(column, ""):
            yield Change(
                level=Level.COSMETIC,
                where="settings",
                what=f"other {column}",
                means="Answers stay as they are.",
                old=old.get(column, ""),
                new=new.get(column, ""),
            )


def _other_sheets(old: XlsSheets, new: XlsSheets) -> Iterator[Change]:
    before, now = old.rows(), new.rows()
    for name in sorted((before.keys() | now.keys()) - _COMPARED):
        if before.get(name, ()) != now.get(name, ()):
            is_answers = name in _ANSWER_SHEETS
            yield Change(
                level=Level.BREAKING if is_answers else Level.COSMETIC,
                where=f"sheet {name}",
                what="changed",
                means="Other answers are offered than before; compare the sheets."
                if is_answers
                else "Answers stay as they are.",
            )
