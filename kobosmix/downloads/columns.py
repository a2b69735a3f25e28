"""What each column of a download is, by the codebook of the form its rows were collected with."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kobosmix.codebook import Codebook, Variable

BY_NAME = ""
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_]+")


class Told(StrEnum):
    """What a server tells of a submission beside its answers."""

    SERVER_ID = "_id"
    UUID = "_uuid"
    ROOT = "meta/rootUuid"
    INSTANCE = "meta/instanceID"
    KEY = "KEY"
    RECEIVED = "_submission_time"
    REVIEW = "_validation_status"
    VERSION = "__version__"
    TITLE = "meta/instanceName"


# By the last part of the heading, in lower case: KoboToolbox, then Central and Briefcase.
_TOLD: Mapping[str, Told] = {
    "_id": Told.SERVER_ID,
    "_uuid": Told.UUID,
    "rootuuid": Told.ROOT,
    "instanceid": Told.INSTANCE,
    "key": Told.KEY,
    "_submission_time": Told.RECEIVED,
    "submissiondate": Told.RECEIVED,
    "_validation_status": Told.REVIEW,
    "reviewstate": Told.REVIEW,
    "__version__": Told.VERSION,
    "formversion": Told.VERSION,
    "instancename": Told.TITLE,
}
# Known, and not needed: who sent it and from where is never kept.
_PASSED_OVER = frozenset(
    {
        *(
            "_index",
            "_notes",
            "_tags",
            "_status",
            "_submitted_by",
            "_attachments",
            "_geolocation",
        ),
        *(
            "submitterid",
            "submittername",
            "attachmentspresent",
            "attachmentsexpected",
            "status",
        ),
        *(
            "deviceid",
            "edits",
            "isvalidated",
            "formhub/uuid",
            "deprecatedid",
            "_xform_id_string",
        ),
        *("_validation_status_label", "_version_", "_duration", "_media_all_received"),
        # The lists that travel with a form have a column of their own, which is always empty.
        *("register", "enumerators"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The columns of a table as one form explains them.

    `told` and `answers` give the place of each column; `language` is that of the labels used as
    headings, `BY_NAME` where the headings are names. `unclear` are headings that fit several
    questions, `twice` questions that several columns fit, `unread` what no question is called.
    """

    language: str
    told: Mapping[Told, int]
    answers: Mapping[int, Variable]
    unclear: Mapping[int, tuple[Variable, ...]]
    twice: Mapping[str, tuple[int, ...]]
    unread: tuple[int, ...]


def find_column(header: Sequence[str], name: str) -> int | None:
    """The place of a question that is in every form, whatever group stands before its name."""
    found = [at for at, heading in enumerate(header) if _parts(heading)[-1] == name]
    return found[0] if len(found) == 1 else None


def told_columns(header: Sequence[str]) -> dict[Told, int]:
    """Where the server tells who a submission is and when it came."""
    found = dict[Told, int]()
    for at, heading in enumerate(header):
        told = _TOLD.get(_parts(heading)[-1].lower())
        if told is not None:
            found.setdefault(told, at)
    return found


def layout_of(header: Sequence[str], codebook: Codebook) -> Layout:
    """What each column is in this form."""
    language, fits = _best_fit(header, codebook)
    told = told_columns(header)
    taken = set(told.values())
    columns = defaultdict[str, list[int]](list)
    for at, variables in fits.items():
        if len(variables) == 1:
            columns[variables[0].name].append(at)
    answers = {
        places[0]: codebook.variable(name)
        for name, places in columns.items()
        if len(places) == 1
    }
    notes = _notes(codebook, language)
    return Layout(
        language=language,
        told={what: at for what, at in told.items() if at not in answers},
        answers=answers,
        unclear={at: found for at, found in fits.items() if len(found) > 1},
        twice={name: tuple(places) for name, places in columns.items() if len(places) > 1},
        unread=tuple(
            at
            for at, heading in enumerate(header)
            if at not in fits and at not in taken and not _is_passed_over(heading, notes)
        ),
    )


def plain(text: str) -> str:
    """Text as it is compared: white space as single spaces."""
    return " ".join(text.split())


def _best_fit(
    header: Sequence[str], codebook: Codebook
) -> tuple[str, dict[int, tuple[Variable, ...]]]:
    """The way of naming that explains most columns, and what it takes each for."""
    best, most, fits = BY_NAME, -1, dict[int, tuple[Variable, ...]]()
    for language in (BY_NAME, *codebook.languages):
        found = _fits(header, codebook, language)
        labelled = sum(any(v.labels for v in variables) for variables in found.values())
        if labelled > most:
            best, most, fits = language, labelled, found
    return best, fits


def _fits(
    header: Sequence[str], codebook: Codebook, language: str
) -> dict[int, tuple[Variable, ...]]:
    by_label = defaultdict[str, list[Variable]](list)
    by_name = dict[str, Variable]()
    for variable in codebook.variables:
        label = plain(variable.labels.get(language, "")) if language else ""
        # A question without a label in this language stands under its name.
        if label:
            by_label[label].append(variable)
        else:
            by_name[variable.name] = variable
    fits = dict[int, tuple[Variable, ...]]()
    for at, heading in enumerate(header):
        named = _named(heading, by_name)
        found = (named,) if named else tuple(_labelled(plain(heading), by_label))
        if found:
            fits[at] = found
    return fits


def _named(heading: str, by_name: Mapping[str, Variable]) -> Variable | None:
    """The question of this name: names are unique in a form, whatever groups stand before them."""
    name = _parts(heading)[-1]
    # "Other language" is not the question called language.
    return by_name.get(name) if heading == name or _ends_with(heading, name) else None


def _labelled(heading: str, by_label: Mapping[str, list[Variable]]) -> list[Variable]:
    if heading in by_label:
        return by_label[heading]
    ends = [label for label in by_label if _ends_with(heading, label)]
    return by_label[max(ends, key=len)] if ends else []


def _ends_with(heading: str, label: str) -> bool:
    """Whether the heading is the label with groups before it, and something between them."""
    before = heading.removesuffix(label).rstrip()
    return len(before) < len(heading) and bool(before) and not before[-1].isalnum()


def _notes(codebook: Codebook, language: str) -> frozenset[str]:
    """What the columns of notes are called: they hold nothing."""
    names = {note.name for note in codebook.notes}
    return frozenset(names | {plain(n.labels.get(language, n.name)) for n in codebook.notes})


def _is_passed_over(heading: str, notes: frozenset[str]) -> bool:
    text = plain(heading)
    last = _parts(heading)[-1]
    known = {last.lower(), text.lower()} & _PASSED_OVER
    return (
        not text or bool(known) or text in notes or last in notes or _ends_a_note(text, notes)
    )


def _ends_a_note(heading: str, notes: frozenset[str]) -> bool:
    return any(_ends_with(heading, note) for note in notes)


def _parts(heading: str) -> list[str]:
    return _NOT_IN_A_NAME.split(heading.strip())
