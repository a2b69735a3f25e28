"""The personal links of a form, as a sheet to write letters and messages from."""

from __future__ import annotations

from collections.abc import Iterable

from kobosmix.handover.model import FieldedForm
from kobosmix.handover.web_link import personal_link
from kobosmix.people.model import ACTIVE, Register, Respondent
from kobosmix.xlsx import Cell, Sheet, workbook_bytes

_READ_FIRST = (
    "Each link is one person's. Whoever opens it answers in that person's name.",
    "Send a link to its person only: never to a group, never on a list that others see.",
    "Column link opens the form in the person's language; the other columns open it in the others.",
    "Whoever keeps the confidential list joins names and addresses to this sheet by the column id, "
    "on their own machine. Names and addresses do not come back into this folder.",
    "For mail merge in Word: Mailings, Select Recipients, Use an Existing List, this file, the "
    "sheet 'links'.",
    "A link works until the wave is closed, and is the same person's at the next wave.",
    "Delete this file once the links are sent; 'kobosmix links' writes it again with the same ones.",
)


def personal_links(form: FieldedForm, register: Register) -> bytes:
    """A workbook with one row per active person of the group, and what to know before sending."""
    people = [
        each
        for each in register.respondents
        if each.status == ACTIVE and each.group == form.codebook.group and each.link_token
    ]
    tags = form.codebook.languages
    header = ("id", "group", "language", "link", *(f"link_{tag}" for tag in tags))
    rows: list[tuple[Cell, ...]] = [header, *(_row(form, person) for person in people)]
    return workbook_bytes(
        [
            Sheet(title="links", rows=rows, for_people=True, text_columns=(0,)),
            Sheet(title="read first", rows=list(_lines()), for_people=True),
        ]
    )


def _row(form: FieldedForm, person: Respondent) -> tuple[Cell, ...]:
    links = {
        language.tag: personal_link(
            form.link(language), form.web.root, form.codebook, person.link_token
        )
        for language in form.languages
    }
    # The register may name a language that this group is not asked in.
    own = person.language if person.language in links else form.codebook.languages[0]
    return (person.id, form.codebook.group, own, links[own], *links.values())


def _lines() -> Iterable[tuple[Cell]]:
    yield ("Before you send these links",)
    yield from ((line,) for line in _READ_FIRST)
