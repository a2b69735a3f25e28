"""Sentences of one form: a short way to ask the wording for them."""

from __future__ import annotations

from dataclasses import dataclass

from kobosmix.bank.model import ResponseScale
from kobosmix.codebook import DONT_KNOW, REFUSED, Missing, Option
from kobosmix.plan import FormPlan
from kobosmix.questionnaire.model import ListOfOptions, Sentence
from kobosmix.wording import Wording

_MISSING = {DONT_KNOW: Missing.DONT_KNOW, REFUSED: Missing.REFUSED}


@dataclass(frozen=True, slots=True)
class FormTexts:
    """The wording, for one form."""

    wording: Wording
    plan: FormPlan

    @property
    def is_interview(self) -> bool:
        """Whether an enumerator asks."""
        return self.wording.context.is_interview

    def text(self, id_: str) -> Sentence:
        """A sentence of the form itself."""
        return self.sentence(f"text.{id_}")

    def by_mode(self, id_: str) -> Sentence:
        """A sentence that is put to the respondent instead where nobody interviews."""
        return self.text(id_ if self.is_interview else f"{id_}_self")

    def for_enumerator(self, id_: str) -> Sentence:
        """A hint that only an enumerator needs; nothing where nobody interviews."""
        return self.text(id_) if self.is_interview else {}

    def sentence(self, key: str, about: str = "", **counts: str) -> Sentence:
        """Any sentence, about the other group where it names one."""
        return self.wording.render(
            key, self.plan.languages, self.plan.group.id, about, **counts
        )

    def part(self, number: int, total: int) -> Sentence:
        """The heading of a block: which part it is, and of how many."""
        return self.sentence("text.block_part", part=str(number), parts=str(total))

    def english(self, key: str) -> str:
        """The English that is asked under a key, its slots as they are."""
        return self.wording.source(key)

    def options(self, scale: ResponseScale, *, can_be_missing: bool = False) -> ListOfOptions:
        """A scale as a list; with 'does not know' and 'prefers not to answer' in interviews."""
        options = [
            Option(
                value=o.value,
                labels=self.sentence(f"scale.{scale.id}.{o.value}"),
                english=o.label,
            )
            for o in scale.options
        ]
        if can_be_missing and self.is_interview:
            options += [
                Option(
                    value=value,
                    labels=self.sentence(f"scale.missing.{value}"),
                    missing=why,
                    english=self.english(f"scale.missing.{value}"),
                )
                for value, why in _MISSING.items()
            ]
        return ListOfOptions(id=scale.id, options=tuple(options))
