"""Workbooks for translators and readers: every final sentence of the study, as it will be heard.

A sheet is for translating; a proof is the same with a page to sign. Hidden columns say which
sentence a row is, so that rows may be sorted or left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kobosmix.bank.model import Bank
from kobosmix.wording.render import Wording
from kobosmix.wording.review import Part, Review, ReviewText, State
from kobosmix.xlsx import Cell, Sheet, workbook_bytes

SENTENCES, ABOUT, SIGN, PRETEST = "Sentences", "About", "Sign", "Pretest"
TEMPLATES_PAGE = "Templates"
ENGLISH_CHANGED = "the English has changed"
FORMAT = 1
SHEET, PROOF, TEMPLATES, COMPARED = "sheet", "proof", "templates", "compared with a form"

FORM, PLACE, ENGLISH, INTENT, TEXT, COMMENT = (
    *("form", "place", "English", "intent", "text", "comment"),
)
SECOND, BACK, ADJUDICATED = "second translation", "back-translation", "adjudicated"
THEIRS, TAKE = "from the form", "take"
KEY, FORMS, WAS, SOURCE_DIGEST = "key", "forms", "was", "source"
_VISIBLE = (FORM, PLACE, ENGLISH, INTENT, TEXT, COMMENT)
_MORE = (SECOND, BACK, ADJUDICATED)
_HIDDEN = (KEY, FORMS, WAS, SOURCE_DIGEST)
_READERS = 8


@dataclass(frozen=True, slots=True)
class SheetOf:
    """What a workbook is made of: the study's wording and the review of one language."""

    wording: Wording
    review: Review

    @property
    def right_to_left(self) -> bool:
        """Whether the language runs to the left."""
        return self.wording.bank.languages[self.review.language].right_to_left


def translators_sheet(of: SheetOf, *, more_columns: bool = False) -> bytes:
    """The sentences to translate; with `more_columns` room for a second translation as well."""
    return workbook_bytes((_sentences(of, _MORE if more_columns else ()), about(of, SHEET)))


def proof(of: SheetOf) -> bytes:
    """The sentences to read and correct, with a page to sign."""
    return workbook_bytes((_sentences(of, ()), _sign(of), about(of, PROOF)))


def compared_sheet(of: SheetOf, found: Mapping[tuple[str, tuple[str, str]], str]) -> bytes:
    """The sentences an old form has as well, side by side, with a column to say 'yes' in."""
    rows: list[list[Cell]] = [[*_VISIBLE, THEIRS, TAKE, *_HIDDEN]]
    for text in of.review.texts:
        theirs = found.get((text.key, text.forms[0]))
        if theirs:
            row = _row(of, text, 2)
            row[len(_VISIBLE)] = theirs
            rows.append(row)
    first_hidden = len(_VISIBLE) + 2
    page = Sheet(
        title=SENTENCES,
        rows=rows,
        for_people=True,
        text_columns=tuple(range(len(rows[0]))),
        hidden_columns=tuple(range(first_hidden, len(rows[0]))),
        right_to_left_columns=(4, len(_VISIBLE)) if of.right_to_left else (),
    )
    return workbook_bytes((page, about(of, COMPARED)))


def pretest_sheet(of: SheetOf) -> bytes:
    """What six to eight people understood of each question, and where they hesitated."""
    people = [f"person {number}: understood / hesitated" for number in range(1, _READERS + 1)]
    rows: list[list[Cell]] = [[TEXT, ENGLISH, INTENT, *people, "what to change"]]
    rows += [
        [text.text, text.english, of.wording.bank.notes.get(text.key, "")]
        for text in of.review.texts
        if _is_heard(text, of.wording.bank)
    ]
    return workbook_bytes(
        [
            Sheet(
                title=PRETEST,
                rows=rows,
                for_people=True,
                right_to_left_columns=(0,) if of.right_to_left else (),
            )
        ]
    )


def recording_script(of: SheetOf) -> bytes:
    """What to record for people who do not read: file name, sentence, meaning, and its digest."""
    tag = of.review.language
    rows: list[list[Cell]] = [
        ["file", "say", ENGLISH, INTENT, "recorded by", "checked by", "digest"]
    ]
    for text in of.review.texts:
        if _is_heard(text, of.wording.bank) or text.key.startswith("scale."):
            group, about = text.forms[0]
            name = "_".join(part for part in (group, about, text.key, tag) if part)
            note = of.wording.bank.notes.get(text.key, "")
            rows.append(
                [
                    f"{name.replace('.', '_').replace('@', '_')}.mp3",
                    text.text,
                    text.english,
                    note,
                    None,
                    None,
                    text.digest,
                ]
            )
    return workbook_bytes([Sheet(title="Recording", rows=rows, for_people=True)])


def form_label(wording: Wording, forms: Sequence[tuple[str, str]]) -> str:
    """'Turks about Syrians; Syrians about Turks', in English as far as names are known."""
    return "; ".join(
        wording.called(group, "en", ("pl",))
        + (f" about {wording.called(about, 'en', ('pl',))}" if about else "")
        for group, about in forms
    )


def place_of(key: str, bank: Bank) -> str:
    """What a sentence is, in words: 'question: Attitudes', 'answer: Agreement', 'consent'."""
    kind, _, rest = key.partition(".")
    if kind == "scale":
        scale = {**bank.scales, **bank.lists}.get(rest.rpartition(".")[0])
        return f"answer: {(scale.title or scale.id) if scale else rest}"
    if kind == "concept":
        return f"instruction: {bank.concepts[rest.partition('.')[0]].title}"
    if kind == "item":
        item_id = rest.partition("@")[0]
        for concept, item in bank.items():
            if item_id in (item.id, item.specify.id if item.specify else ""):
                return f"question: {concept.title}"
    text = bank.texts.get(rest)
    if text is not None and text.consent:
        return "introduction and consent"
    return f"form, for the {text.audience}" if text else key


def spelled_forms(forms: Iterable[tuple[str, str]]) -> str:
    """Pairs of groups in one cell: `turks>syrians syrians>turks`."""
    return " ".join(f"{group}>{about}" for group, about in forms)


def about(of: SheetOf, kind: str) -> Sheet:
    """The page that says which study, language and bank a workbook was written for."""
    return Sheet(title=ABOUT, rows=list(_facts(of, kind)), for_people=True)


def _is_heard(text: ReviewText, bank: Bank) -> bool:
    form_text = bank.texts.get(text.key.removeprefix("text."))
    is_staff = form_text is not None and form_text.audience == "enumerator"
    return not text.key.startswith("scale.") and not is_staff


def _sentences(of: SheetOf, more: tuple[str, ...]) -> Sheet:
    header = (*_VISIBLE, *more, *_HIDDEN)
    first_hidden = len(_VISIBLE) + len(more)
    to_the_left = (header.index(TEXT), *(header.index(m) for m in more if m != BACK))
    return Sheet(
        title=SENTENCES,
        rows=[list(header), *(_row(of, text, len(more)) for text in of.review.texts)],
        for_people=True,
        text_columns=tuple(range(len(header))),
        hidden_columns=tuple(range(first_hidden, len(header))),
        right_to_left_columns=to_the_left if of.right_to_left else (),
    )


def _row(of: SheetOf, text: ReviewText, more: int) -> list[Cell]:
    return [
        form_label(of.wording, text.forms),
        place_of(text.key, of.wording.bank),
        text.english,
        of.wording.bank.notes.get(text.key, ""),
        text.text,
        ENGLISH_CHANGED if text.state is State.STALE else None,
        *([None] * more),
        text.key,
        spelled_forms(text.forms),
        text.text,
        text.source_digest,
    ]


def _sign(of: SheetOf) -> Sheet:
    counts = {part: sum(t.part is part for t in of.review.texts) for part in Part}
    rows: list[list[Cell]] = [
        ["what", "sentences", "name", "role", "date", "what the signature says"],
        [
            str(Part.QUESTIONS),
            counts[Part.QUESTIONS],
            None,
            None,
            None,
            "I am a native speaker. I have read every sentence of this proof but the consent, with "
            "the names in it, and it says what the English says.",
        ],
        [
            str(Part.CONSENT),
            counts[Part.CONSENT],
            None,
            None,
            None,
            "I answer for the consent of this study. I have read the introduction and the consent "
            "in this language, and they are right.",
        ],
    ]
    return Sheet(title=SIGN, rows=rows, for_people=True, text_columns=(2, 3, 4))


def _facts(of: SheetOf, kind: str) -> Iterator[list[Cell]]:
    language = of.wording.bank.languages[of.review.language]
    yield ["what", "value"]
    yield ["kind", kind]
    yield ["format", FORMAT]
    yield ["study", of.wording.context.study]
    yield ["language", of.review.language]
    yield ["language in English", language.english]
    yield ["form of address", language.register]
    yield ["item bank", of.wording.bank.version]
    yield ["change only", "the columns 'text' and 'comment'" + _also(kind)]
    yield ["then", "save as .xlsx and give it back; 'kobosmix wording import' takes it"]


def _also(kind: str) -> str:
    return ", and on the page 'Sign' name, role and date" if kind == PROOF else ""
