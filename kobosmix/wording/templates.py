"""Workbooks for people who build a catalogue: sentences with their slots, and the name forms.

Who only translates never sees a slot; these sheets are for the one who decides on the forms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kobosmix.bank.slot_check import NAME_SLOTS, slot_problem
from kobosmix.findings import Finding, Place
from kobosmix.slots import slots_of
from kobosmix.wording import sheet
from kobosmix.wording.names import SUGGESTED, Bearer
from kobosmix.wording.po import Entry, write_po
from kobosmix.wording.render import Rendering, Wording, sentences
from kobosmix.wording.reread import plain, unusable
from kobosmix.xlsx import Cell, Sheet, read_rows, records, workbook_bytes
from kobosmix.yamledit import set_values
from kobosmix.yamlfile import Path_

NAMES = "Names"
_SENTENCE_COLUMNS = (sheet.PLACE, sheet.ENGLISH, sheet.INTENT, sheet.TEXT, sheet.COMMENT)
_WHO, _FORM, _ASK, _VALUE, _STATE, _WHERE = (
    "who",
    "form",
    "fill the gap",
    "value",
    "state",
    "where",
)
_WAY = "way"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateChange:
    """A template or a name form that will be another. `way` is where a name stands in context.yaml."""

    row: int
    what: str
    before: str
    after: str
    way: Path_ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplatesTaken:
    """What taking such a workbook in would do. With findings nothing is written."""

    tag: str
    changes: tuple[TemplateChange, ...]
    findings: tuple[Finding, ...]


def templates_sheet(of: sheet.SheetOf) -> bytes:
    """Every sentence of the bank with its slots, and every name form the study needs."""
    wording, tag = of.wording, of.review.language
    rows: list[list[Cell]] = [[*_SENTENCE_COLUMNS, sheet.KEY, sheet.WAS]]
    for key in wording.bank.sentences:
        text = wording.template(key, tag)
        place, note = sheet.place_of(key, wording.bank), wording.bank.notes.get(key, "")
        rows.append([place, wording.source(key), note, text, None, key, text])
    names: list[list[Cell]] = [
        [_WHO, _FORM, _ASK, _VALUE, _STATE, _WHERE, _WAY, sheet.WAS],
        *_name_rows(wording, tag),
    ]
    return workbook_bytes(
        (
            _page(sheet.TEMPLATES_PAGE, rows, (5, 6), (3,) if of.right_to_left else ()),
            _page(NAMES, names, (6, 7), (2, 3, 5) if of.right_to_left else ()),
            sheet.about(of, sheet.TEMPLATES),
        )
    )


def read_templates(path: Path, wording: Wording, tag: str) -> TemplatesTaken:
    """What came back: changed templates and names, and everything wrong with them."""
    changes, findings = list[TemplateChange](), list[Finding]()
    for row, told in enumerate(records(read_rows(path, sheet.TEMPLATES_PAGE)), start=2):
        change = _template(path.name, row, told, wording, tag, findings)
        if change:
            changes.append(change)
    for row, told in enumerate(records(read_rows(path, NAMES)), start=2):
        before, after = str(told.get(sheet.WAS) or ""), plain(str(told.get(_VALUE) or ""))
        way = tuple(str(told.get(_WAY) or "").split(">"))
        if after in ("", plain(before)):
            continue
        problem = unusable(told.get(_VALUE))
        if problem or way[-1:] == ("",):
            findings.append(
                _fault(path.name, row, NAMES, problem or "the hidden columns changed")
            )
        else:
            what = f"{told.get(_WHO)}: {told.get(_FORM)}"
            changes.append(
                TemplateChange(row=row, what=what, before=before, after=after, way=way)
            )
    return TemplatesTaken(tag=tag, changes=tuple(changes), findings=tuple(findings))


def write_templates(
    taken: TemplatesTaken, wording: Wording, folder: Path, context_file: Path
) -> None:
    """Write templates into the study's catalogue and names into context.yaml."""
    entries = [
        Entry(
            key=change.what, source=wording.made_from(change.what, taken.tag), text=change.after
        )
        for change in taken.changes
        if not change.way
    ]
    if entries:
        write_po(folder / f"{taken.tag}.po", taken.tag, entries)
    names = {change.way: change.after for change in taken.changes if change.way}
    if names:
        set_values(context_file, names)


def _template(
    name: str,
    row: int,
    told: Mapping[str, Cell],
    wording: Wording,
    tag: str,
    findings: list[Finding],
) -> TemplateChange | None:
    key, was = str(told.get(sheet.KEY) or ""), str(told.get(sheet.WAS) or "")
    after = plain(str(told.get(sheet.TEXT) or ""))
    if after in ("", plain(was)):
        return None
    if key not in wording.bank.sentences:
        findings.append(
            _fault(name, row, sheet.TEMPLATES_PAGE, f"the bank has no sentence '{key}'")
        )
        return None
    problem = unusable(told.get(sheet.TEXT), slots=True) or slot_problem(
        after, set(wording.bank.languages[tag].forms)
    )
    wanted = {slot.name for slot in slots_of(wording.source(key))}
    if not problem and {slot.name for slot in slots_of(after)} != wanted:
        problem = f"the English has the slots: {', '.join(sorted(wanted)) or 'none'}"
    if problem:
        findings.append(_fault(name, row, sheet.TEMPLATES_PAGE, problem))
        return None
    return TemplateChange(row=row, what=key, before=was, after=after)


def _name_rows(wording: Wording, tag: str) -> Iterator[list[Cell]]:
    found = dict[Path_, tuple[str, str, list[str]]]()
    for rendering in sentences(wording, tag):
        for slot_name, form in _needed(wording, rendering):
            way = _way(wording, rendering, slot_name, form)
            value = dict(rendering.names).get(f"{slot_name}.{form}", "")
            found.setdefault(way, (form, value, []))[2].append(rendering.text)
    rules = {(d.form, d.text): d.rule for d in wording.derived if d.tag == tag}
    forms = wording.bank.languages[tag].forms
    for way, (form, value, where) in found.items():
        rule = rules.get((form, value), "")
        state = "missing" if not value else "given" if not rule else f"derived: {rule}"
        state = "suggested by kobosmix" if rule == SUGGESTED else state
        who = way[1] if way[0] in ("groups", "language_names") else way[0]
        ask = forms[form].ask if form in forms else ""
        spelled = ">".join(str(step) for step in way)
        yield [
            str(who),
            form,
            ask,
            value,
            state,
            "\n".join(dict.fromkeys(where)),
            spelled,
            value,
        ]


def _needed(wording: Wording, rendering: Rendering) -> Iterator[tuple[str, str]]:
    """Slots whose form the study can give; phrases such as 'my community' are the language's."""
    bearer = _bearer(wording, rendering)
    for slot in slots_of(rendering.template):
        is_phrase = slot.name.startswith("ingroup") and not bearer.called(slot.name)
        if slot.name in NAME_SLOTS and not is_phrase:
            yield slot.name, slot.form


def _way(wording: Wording, rendering: Rendering, slot_name: str, form: str) -> Path_:
    tag, bearer = rendering.way[0], _bearer(wording, rendering)
    if slot_name.startswith("language_"):
        return ("language_names", bearer.spoken(slot_name), tag, form)
    called = bearer.called(slot_name)
    return ("groups", called, "names", tag, form) if called else (slot_name, "names", tag, form)


def _bearer(wording: Wording, rendering: Rendering) -> Bearer:
    _, _, group, about = rendering.way
    return Bearer(wording.bank, wording.context, group, about)


def _page(
    title: str, rows: list[list[Cell]], hidden: tuple[int, ...], to_the_left: Sequence[int]
) -> Sheet:
    return Sheet(
        title=title,
        rows=rows,
        for_people=True,
        text_columns=tuple(range(len(rows[0]))),
        hidden_columns=hidden,
        right_to_left_columns=tuple(to_the_left),
    )


def _fault(name: str, row: int, page: str, problem: str) -> Finding:
    return Finding(
        code="W401",
        place=Place(name, row, page),
        problem=problem,
        remedy="Correct the row. Nothing is imported as long as one row is wrong.",
    )
