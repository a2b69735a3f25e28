"""Which file goes where on a server's own pages, for whoever has no API rights.

The words are those of KoboToolbox's pages in 2026, in English as for every team.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

from kobosmix.codebook import Codebook, Variable
from kobosmix.printed.page import page

_LONGEST = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class FormToUpload:
    """A form, and what its first screens show if all is well; `languages` is their number."""

    key: str
    title: str
    first_notes: tuple[str, ...]
    first_question: str
    asks_enumerator: str
    asks_number: str
    languages: int
    build_id: str


def upload_page(
    study: str, codebooks: Mapping[str, Codebook], media: Sequence[str], *, is_interview: bool
) -> bytes:
    """The page in HTML: equal forms give equal bytes. `media` are the names of the lists."""
    return page(
        "upload.html.j2",
        say=SimpleNamespace(tag="en", direction="ltr"),
        title="Bringing the forms to a server by hand",
        study=study,
        forms=[_form(key, codebook) for key, codebook in codebooks.items()],
        media=list(media),
        is_interview=is_interview,
    )


def _form(key: str, codebook: Codebook) -> FormToUpload:
    asked = [variable for variable in codebook.variables if variable.labels]
    first = asked[0]
    before = [note for note in codebook.notes if note.before == first.name]
    language = codebook.languages[0]
    return FormToUpload(
        key=key,
        title=codebook.title,
        first_notes=tuple(_shortened(note.labels.get(language, "")) for note in before),
        first_question=_label(first, language),
        asks_enumerator=_found(codebook, "enumerator", language),
        asks_number=_found(codebook, "rid_typed", language),
        languages=len(codebook.languages),
        build_id=codebook.build_id,
    )


def _found(codebook: Codebook, name: str, language: str) -> str:
    labels = [_label(v, language) for v in codebook.variables if v.name == name]
    return labels[0] if labels else ""


def _label(variable: Variable, language: str) -> str:
    return _shortened(variable.labels.get(language, ""))


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
