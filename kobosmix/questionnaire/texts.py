"""Sentences of one form: a short way to ask the wording for them."""

from __future__ import annotations

from dataclasses import dataclass

from kobosmix.bank.model import ResponseScale
from kobosmix.codebook import DONT_KNOW, REFUSED, Kind, Missing, Option, Role
from kobosmix.conditions import All, Condition, Equals, Not
from kobosmix.plan import FormPlan
from kobosmix.questionnaire.model import ListOfOptions, Question, Sentence
from kobosmix.wording import Wording

YES, NO = "1", "0"
ENDED, STOPPED = "ended", "stopped"

# In an interview nothing is passed over in silence. What was left empty on paper stays empty, and
# whoever stops is asked nothing more.
SPOKEN_UNTIL_STOPPED: Condition = All(
    (Not(Equals("mode", "paper")), Not(Equals(ENDED, STOPPED)))
)

# pyxform, which every server uses, writes the curled ones straight; so both ends are.
_STRAIGHT = str.maketrans(dict.fromkeys("“”„‟", '"') | dict.fromkeys("‘’‚", "'"))

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

    @property
    def has_issued_ids(self) -> bool:
        """Whether respondents have a number of the register."""
        return self.wording.context.has_issued_ids

    @property
    def is_first_wave(self) -> bool:
        """Whether nobody of the study has been asked before."""
        return self.plan.wave.id == next(iter(self.wording.context.waves))

    def text(self, id_: str) -> Sentence:
        """A sentence of the form itself."""
        return self.sentence(f"text.{id_}")

    def by_mode(self, id_: str) -> Sentence:
        """A sentence that is put to the respondent instead where nobody interviews."""
        return self.text(id_ if self.is_interview else f"{id_}_self")

    def for_enumerator(self, id_: str) -> Sentence:
        """A hint that only an enumerator needs; nothing where nobody interviews."""
        return self.text(id_) if self.is_interview else {}

    def choice(  # noqa: PLR0913 -- what a question on the form's own behalf has
        self,
        name: str,
        role: Role,
        list_: str,
        label: Sentence,
        *,
        hint: Sentence | None = None,
        asked_if: Condition | None = None,
        required_if: Condition | None = None,
    ) -> Question:
        """A question of the form's own that has to be answered from a list."""
        return Question(
            name=name,
            role=role,
            kind=Kind.SELECT_ONE,
            label=label,
            hint=hint or {},
            list=list_,
            required=True,
            required_if=required_if,
            required_message=self.text("required_message"),
            asked_if=asked_if,
        )

    def alphabet(self, tag: str) -> tuple[str, ...]:
        """The letters of a language of the form."""
        return self.wording.bank.languages[tag].alphabet

    def sentence(self, key: str, about: str = "", **counts: str) -> Sentence:
        """Any sentence, about the other group where it names one."""
        rendered = self.wording.render(
            key, self.plan.languages, self.plan.group.id, about, **counts
        )
        return {tag: as_fielded(text) for tag, text in rendered.items()}

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


def as_fielded(text: str) -> str:
    """The words as phones show them: with straight quotation marks."""
    return text.translate(_STRAIGHT)
