"""The shape of the bank's files, as people write them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,25}$")]
Sentence = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Direction = Literal["up", "down", "none", "mixed"]
Audience = Literal["all", "host", "newcomer"]
Waves = list[Literal["pre", "post", "fu"]]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class OptionShape(_Strict):
    value: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]+$")]
    label: Sentence


class ScaleShape(_Strict):
    id: Id
    title: str = ""
    rated: bool = False
    kind: Literal["agreement", "bipolar", "count", "unipolar", "nominal", "ordinal"] = "nominal"
    endpoints_only: bool = False
    options: Annotated[list[OptionShape], Field(min_length=2)]


class ScalesFile(_Strict):
    scales: list[ScaleShape]


class AnswerShape(_Strict):
    kind: Literal["integer", "text"]
    min: int | None = None
    max: int | Literal["this_year"] | None = None

    @model_validator(mode="after")
    def _can_be_answered(self) -> AnswerShape:
        if isinstance(self.max, int) and (self.min or 0) > self.max:
            raise ValueError("'min' is above 'max' | Correct one of them.")
        return self


class RouteShape(_Strict):
    item: Id
    equals: str


class SpecifyShape(_Strict):
    id: Id
    text: Sentence
    when: str


class FacetShape(_Strict):
    id: Id
    title: Sentence
    direction: Direction


class ItemShape(_Strict):
    id: Id
    position: str = ""
    text: Sentence
    named: str = ""
    intent: str = ""
    scale: Id | None = None
    answer: AnswerShape | None = None
    reversed: bool = False
    facet: Id | None = None
    audience: Audience | None = None
    waves: Waves | None = None
    default: bool = True
    sensitive: bool = False
    asked_if: RouteShape | None = None
    specify: SpecifyShape | None = None

    @model_validator(mode="after")
    def _one_way_to_answer(self) -> ItemShape:
        if (self.scale is None) == (self.answer is None):
            raise ValueError("an item has either a scale or an answer | Give one of the two.")
        return self


class ConceptShape(_Strict):
    id: Id
    section: Annotated[str, StringConstraints(pattern=r"^4\.[1-5]$|^own$")]
    title: Sentence
    score_name: Sentence
    measures: Sentence
    direction: Direction
    core: bool = False
    sensitive: bool = False
    default: bool = True
    optional: bool = False
    background: bool = False
    audience: Audience = "all"
    waves: Waves = ["pre", "post", "fu"]
    about: Literal["group", "none"] = "none"
    facets: list[FacetShape] = []
    instruction: str = ""
    screen: Literal["", "took_part"] = ""
    needs: Literal["", "two_languages"] = ""
    seconds_per_item: Annotated[int, Field(gt=0)] = 12
    items: Annotated[list[ItemShape], Field(min_length=1)]


class ConceptsFile(_Strict):
    concepts: list[ConceptShape]


class TextShape(_Strict):
    id: Id
    for_: Annotated[Literal["enumerator", "respondent", "guardian", "both"], Field(alias="for")]
    text: Sentence
    consent: bool = False


class TextsFile(_Strict):
    texts: list[TextShape]
    lists: list[ScaleShape]


class FormShape(_Strict):
    ask: Sentence
    derive: list[str] = []


NamedForms = dict[str, str]


class LanguageFile(_Strict):
    """A language, or with `parent` an adaptation: only what differs from the parent."""

    tag: str
    parent: str = ""
    script: Literal["", "Latn"] = ""
    autonym: Annotated[str, StringConstraints(pattern=r"^[^()]+$")]
    english: str
    direction: Literal["", "ltr", "rtl"] = ""
    cldr: str = ""
    alphabet: str = ""
    question_mark: str = ""
    register_: Annotated[str, Field(alias="register")] = ""
    forms: dict[str, FormShape] = {}
    phrases: dict[str, dict[str, NamedForms]] = {}
    languages: dict[str, NamedForms] = {}
    groups: dict[Id, NamedForms] = {}

    @model_validator(mode="after")
    def _whole_without_a_parent(self) -> LanguageFile:
        whole = self.direction and self.cldr and self.question_mark and self.register_
        if not self.parent and not whole:
            raise ValueError(
                "direction, cldr, question_mark and register belong to every language | "
                "Give them, or name the 'parent' it is an adaptation of."
            )
        return self


class BankFile(_Strict):
    format: Literal[1]
    version: str
    title: str
    source: str
