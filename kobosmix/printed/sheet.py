"""A questionnaire as it is read from paper: sections of numbered questions, in one language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kobosmix.codebook import Kind, Option
from kobosmix.printed.asked_if import OnPaper, Printed, in_words
from kobosmix.printed.sentences import PrintedSentences
from kobosmix.questionnaire import Block, Calculated, Note, Question, Questionnaire
from kobosmix.questionnaire.model import ListOfOptions, Part
from kobosmix.questionnaire.staff import FACE_TO_FACE, TELEPHONE

_MODE = "mode"
# Only a phone scans, compares numbers, sends, or is told that a paper form is typed in. The code
# of the enumerator and the date stand at the head of the paper.
ONLY_ON_THE_PHONE = frozenset(
    {
        *("enumerator", "rid_scan", "rid_typed", "rid_again", "rid_reason", "rid_reason_other"),
        *("rid_not_listed", "rid_other_group", "attempt_done", "refusal_reason"),
        *(_MODE, "paper_entry", "paper_day", "typed_by"),
        *("about_review", "about_wording"),
    }
)
# Their hint says where to tap.
_HINT_OF_THE_PHONE = frozenset({"consent", "assent"})
_DIGITS_OF_A_YEAR = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer: the code to type in, the words. `is_missing` marks 98 and 99."""

    code: str
    label: str
    is_missing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A numbered question. `when` are sentences that must hold for it to be asked."""

    number: int
    question: Question
    text: str
    hint: str
    when: tuple[str, ...]
    answers: tuple[Answer, ...]

    @property
    def digits(self) -> int:
        """How many boxes a number needs; 0 where text is written or an answer is chosen."""
        if self.question.kind is not Kind.INTEGER or self.question.limits is None:
            return 0
        high = self.question.limits.high
        return _DIGITS_OF_A_YEAR if high is None else len(str(high))


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Something read aloud, or read by the respondent, that asks nothing."""

    name: str
    text: str
    hint: str
    when: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A block, or what stands between two blocks; `depth` 0 for the outermost."""

    name: str
    heading: str
    depth: int
    when: tuple[str, ...]
    parts: tuple[Asked | Said, ...]

    @property
    def asked(self) -> tuple[Asked, ...]:
        """The questions of the section itself."""
        return tuple(part for part in self.parts if isinstance(part, Asked))


def sections(questionnaire: Questionnaire, say: PrintedSentences) -> tuple[Section, ...]:
    """All that stands on paper, in order; numbers run through the whole form.

    Every language of the form gives the same sections, parts and numbers.
    """
    given = _given(questionnaire)
    on_paper = OnPaper(printed={}, given=given)
    # Whether a question stands on paper does not depend on the numbers, only the words do.
    names = [part.name for part in _kept(questionnaire.parts, on_paper) if _is_asked(part)]
    numbers = {name: number for number, name in enumerate(names, start=1)}
    reading = _Reading(questionnaire, say, numbers, given)
    return tuple(reading.sections())


def has_respondent_id(questionnaire: Questionnaire) -> bool:
    """Whether the form asks for a number that was issued."""
    return any(
        isinstance(part, Question) and part.is_respondent_id
        for _, part, _ in questionnaire.walk()
    )


def _given(questionnaire: Questionnaire) -> dict[str, str]:
    """Paper is written on in the usual mode of the study: face to face, on the telephone, alone."""
    usual = TELEPHONE if questionnaire.mode == TELEPHONE else FACE_TO_FACE
    for _, part, _ in questionnaire.walk():
        if isinstance(part, Question) and part.name == _MODE:
            modes = [option.value for option in questionnaire.lists[part.list].options]
            return {_MODE: usual if usual in modes else modes[0]}
    return {}


def _kept(parts: tuple[Part, ...], on_paper: OnPaper) -> Iterator[Part]:
    """The parts, inner ones after their block, without what no paper shows."""
    for part in parts:
        if part.name in ONLY_ON_THE_PHONE or isinstance(part, Calculated):
            continue
        if not on_paper.ways(part.shown_if if isinstance(part, Note) else part.asked_if):
            continue
        yield part
        if isinstance(part, Block):
            yield from _kept(part.parts, on_paper)


def _is_asked(part: Part) -> bool:
    return isinstance(part, Question)


class _Reading:
    """Reads one questionnaire in one language."""

    def __init__(
        self,
        questionnaire: Questionnaire,
        say: PrintedSentences,
        numbers: Mapping[str, int],
        given: Mapping[str, str],
    ) -> None:
        self._questionnaire, self._say, self._numbers = questionnaire, say, numbers
        printed = {
            part.name: Printed(
                number=numbers[part.name],
                answers={answer.code: answer.label for answer in self._answers(part)},
            )
            for _, part, _ in questionnaire.walk()
            if isinstance(part, Question) and part.name in numbers
        }
        self._on_paper = OnPaper(printed=printed, given=given)

    def sections(self) -> Iterator[Section]:
        yield from self._sections("", {}, self._questionnaire.parts, 0, ())

    def _sections(
        self,
        name: str,
        heading: Mapping[str, str],
        parts: tuple[Part, ...],
        depth: int,
        when: tuple[str, ...],
    ) -> Iterator[Section]:
        """The parts up to the first block, then the blocks; what follows one has no heading."""
        begun = list[Asked | Said]()
        said = heading.get(self._say.tag, "")
        for part in parts:
            if isinstance(part, Block):
                if begun or said:
                    yield Section(
                        name=name, heading=said, depth=depth, when=when, parts=tuple(begun)
                    )
                begun, said, when = [], "", ()
                if self._is_kept(part):
                    words = self._words(part)
                    yield from self._sections(
                        part.name, part.label, part.parts, depth + bool(name), words
                    )
            elif self._is_kept(part):
                begun += self._read(part)
        if begun or said:
            yield Section(name=name, heading=said, depth=depth, when=when, parts=tuple(begun))

    def _is_kept(self, part: Part) -> bool:
        """Whether it stands on paper; of a block, whether anything in it does."""
        kept = _kept((part,), self._on_paper)
        return any(not isinstance(each, Block) for each in kept)

    def _words(self, part: Block | Question | Note) -> tuple[str, ...]:
        condition = part.shown_if if isinstance(part, Note) else part.asked_if
        return in_words(self._on_paper.ways(condition), self._on_paper, self._say)

    def _read(self, part: Part) -> list[Asked | Said]:
        tag = self._say.tag
        match part:
            case Note():
                return [
                    Said(
                        name=part.name,
                        text=part.label.get(tag, ""),
                        hint=part.hint.get(tag, ""),
                        when=self._words(part),
                    )
                ]
            case Question():
                has_hint = part.name not in _HINT_OF_THE_PHONE
                return [
                    Asked(
                        number=self._numbers[part.name],
                        question=part,
                        text=part.label.get(tag, ""),
                        hint=part.hint.get(tag, "") if has_hint else "",
                        when=self._words(part),
                        answers=tuple(self._answers(part)),
                    )
                ]
            case _:
                return []

    def _answers(self, question: Question) -> Iterator[Answer]:
        listed = self._questionnaire.lists.get(question.list)
        for option in _shown(listed, self._say.tag) if listed else ():
            yield Answer(
                code=option.value,
                label=option.labels.get(self._say.tag, ""),
                is_missing=option.missing is not None,
            )


def _shown(listed: ListOfOptions, tag: str) -> Iterator[Option]:
    """The answers, of several alphabets only the one of the page, or the first."""
    alphabets = tuple(listed.alphabets.values())
    shown = tag if tag in alphabets else next(iter(alphabets), "")
    for option in listed.options:
        if listed.alphabets.get(option.value, shown) == shown:
            yield option
