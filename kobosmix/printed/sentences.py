"""What stands on paper besides the questions, in one language."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from kobosmix.plan import kind_of_wave
from kobosmix.questionnaire import Questionnaire
from kobosmix.slots import Slot, fill
from kobosmix.wording import Wording

PAPER, CARDS, MANUAL, REVIEW = "paper", "cards", "manual", "review"
# What is printed -> the sentences it is made of, by the beginning of their names.
_MADE_OF: Mapping[str, tuple[str, ...]] = {
    PAPER: ("paper_",),
    CARDS: ("card_",),
    MANUAL: ("manual_", "paper_", "card_"),
    REVIEW: ("review_", "paper_"),
}
WHAT = tuple(_MADE_OF)


@dataclass(frozen=True, slots=True)
class PrintedSentences:
    """The sentences for print in the language `tag`. `lacking` must be empty before one is said."""

    wording: Wording
    tag: str

    def say(self, id_: str, **counts: str) -> str:
        """The sentence; `counts` are the values of its [study.*] slots."""
        template = self.wording.template(f"text.{id_}", self.tag)
        return self._filled(template, lambda slot: counts[slot.form])

    def given(self, texts: Mapping[str, str]) -> str:
        """A text of the study in this language, its telephone numbers held together."""
        said = self.wording.given(texts, self.tag)
        return self._filled("[given.np]", lambda _: said) if said else ""

    @property
    def is_right_to_left(self) -> bool:
        """Whether lines and tables begin at the right."""
        return self.wording.bank.languages[self.tag].right_to_left

    @property
    def direction(self) -> str:
        """`rtl` or `ltr`, as HTML has it."""
        return "rtl" if self.is_right_to_left else "ltr"

    @property
    def autonym(self) -> str:
        """What the language calls itself."""
        return self.wording.bank.languages[self.tag].autonym

    def title(self, questionnaire: Questionnaire) -> str:
        """Wave, group and study in this language; the form itself has its first language's."""
        wave = questionnaire.wave
        said = self.wording.template(f"text.wave_{kind_of_wave(wave)}", self.tag)
        number = f" {wave.removeprefix('fu')}" if wave[2:] and wave.startswith("fu") else ""
        group = questionnaire.names[questionnaire.group].get(self.tag, questionnaire.group)
        study = self.wording.given(self.wording.context.title, self.tag)
        return " – ".join(part for part in (said + number, group, study) if part)

    def _filled(self, template: str, look_up: Callable[[Slot], str]) -> str:
        return fill(template, look_up, self.tag, right_to_left=self.is_right_to_left)


def lacking(wording: Wording, tag: str, what: str) -> list[str]:
    """The keys of the sentences for this print that are not translated into the language."""
    return [
        f"text.{id_}"
        for id_ in wording.bank.texts
        if id_.startswith(_MADE_OF[what]) and not wording.template(f"text.{id_}", tag)
    ]


def printable(wording: Wording, tags: tuple[str, ...], what: str) -> Iterator[PrintedSentences]:
    """The sentences of each of these languages that has all of them; the others are left out."""
    for tag in tags:
        if not lacking(wording, tag, what):
            yield PrintedSentences(wording, tag)
