"""The shape of context.yaml, as a person writes it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

_CODE = r"^[a-z][a-z0-9_]{0,19}$"
_TAG = r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$"
# Inside: anything a slot, an expression or a line break cannot be made of. At the ends: no space.
_INSIDE, _END = r"[^\[\]{}$<>\x00-\x1f]", r"[^\s\[\]{}$<>\x00-\x1f]"
_WORDS = f"^{_END}({_INSIDE}*{_END})?$"
_FORM = r"^[a-z][a-z0-9_]*$"
_WAVE = r"^(pre|post|fu[2-9]?)$"

# What fits each pattern, in words, and what to do about text that does not.
PATTERNS: Mapping[str, tuple[str, str]] = {
    _CODE: (
        "a code begins with a letter a to z and has at most 20 letters, digits and _",
        "Give it such a code, as in: north_2.",
    ),
    _TAG: ("a language is named by its tag", "Use a tag such as tr, ar or sr-Latn."),
    _WORDS: (
        "text has no brackets, braces, $, < or >, is one line, and no space stands at its ends",
        "Take these characters out; put what has to be in brackets between commas.",
    ),
    _FORM: ("a name form is written in small letters", "Use a form such as pl or acc_pl."),
    _WAVE: ("there is no such wave", "Use pre, post, fu, fu2 and so on up to fu9."),
}

Code = Annotated[str, StringConstraints(pattern=_CODE)]
Tag = Annotated[str, StringConstraints(pattern=_TAG)]
Words = Annotated[str, StringConstraints(pattern=_WORDS)]
TextsShape = dict[Tag, Words]
Form = Annotated[str, StringConstraints(pattern=_FORM)]
NamesShape = dict[Tag, dict[Form, Words]]
WaveId = Annotated[str, StringConstraints(pattern=_WAVE)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class PhraseShape(_Strict):
    use: str = ""
    names: NamesShape = {}


class GroupShape(_Strict):
    role: Literal["host", "newcomer", "neither"]
    languages: Annotated[list[Tag], Field(min_length=1)]
    speaks: Tag
    asked_about: Annotated[list[Code], Field(min_length=1)]
    use: str = ""
    names: NamesShape = {}

    @model_validator(mode="after")
    def _is_named(self) -> GroupShape:
        if not self.use and not self.names:
            raise ValueError(
                "it has no names | Give 'names', or with 'use' the ready names of a usual group."
            )
        return self


class WindowShape(_Strict):
    opens: datetime.date
    closes: datetime.date


class WaveShape(_Strict):
    windows: dict[Code, WindowShape] = {}


class DesignShape(_Strict):
    type: Literal[
        "waiting_list", "pairs", "sessions", "nominated", "other_programme", "no_comparison"
    ]
    random: bool


class ContactsShape(_Strict):
    withdrawal: TextsShape
    withdrawal_until: datetime.date
    complaints: TextsShape
    help: TextsShape = {}


class CompensationShape(_Strict):
    type: Literal["none", "given"]
    text: TextsShape = {}

    @model_validator(mode="after")
    def _says_what_is_given(self) -> CompensationShape:
        if (self.type == "given") != bool(self.text):
            raise ValueError(
                "what is given and 'type' contradict each other | Write 'type: none', or 'type: "
                "given' and under 'text', once for each language, what people receive."
            )
        return self


class OrderShape(_Strict):
    type: Literal["bank", "random"]
    seed: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _has_a_seed(self) -> OrderShape:
        if (self.type == "random") != (self.seed is not None):
            raise ValueError(
                "a random order has a seed, the bank's order has none | Write 'type: bank', or "
                "'type: random' and a whole number as 'seed'."
            )
        return self


class UnsignedShape(_Strict):
    by: Words
    reason: Words


class IndicatorShape(_Strict):
    id: Code
    title: Words
    item: str
    answers: Annotated[list[str], Field(min_length=1)]
    group: Code
    baseline: Annotated[float, Field(ge=0, le=100, strict=False)] | None = None
    target: Annotated[float, Field(ge=0, le=100, strict=False)] | None = None


class ContextFile(_Strict):
    format: Literal[1]
    study: Code
    title: TextsShape
    organisation: TextsShape
    programme: TextsShape
    community: TextsShape
    country: PhraseShape
    newcomers: PhraseShape | None = None
    languages: Annotated[dict[Tag, Literal["use", "preparing"]], Field(min_length=1)]
    language_names: dict[Tag, NamesShape] = {}
    groups: Annotated[dict[Code, GroupShape], Field(min_length=1)]
    own_group: Literal["community", "name"]
    waves: Annotated[dict[WaveId, WaveShape | None], Field(min_length=1)]
    cohorts: dict[Code, Words] = {}
    sites: Annotated[dict[Code, TextsShape], Field(min_length=1)]
    partners: dict[Code, Words] = {}
    design: DesignShape
    arms: dict[Literal["programme", "comparison"], Words] = {}
    concepts: Annotated[list[Code], Field(min_length=1)]
    ask: dict[Code, list[Literal["host", "newcomer", "neither"]]] = {}
    mode: Literal["interview", "telephone", "self_administered"]
    id_method: Literal["register", "self_generated"] = "register"
    item_order: OrderShape | None = None
    minutes: Annotated[int, Field(gt=0, le=180)]
    contacts: ContactsShape
    compensation: CompensationShape
    age_of_consent: Annotated[int, Field(ge=10, le=25)]
    minors: Literal["include", "exclude"]
    indicators: list[IndicatorShape] = []
    unsigned_wording: UnsignedShape | None = None
    server: str = ""
    entities: bool = False


# Behind every wave: a day that is missing is one finding, not two.
_A_DAY = datetime.date(9999, 12, 31)
_NO_GROUP = {"role": "neither", "languages": [], "speaks": "en", "asked_about": [], "names": {}}

# Stands in for what is missing or wrong, by the way to it, so that the rest can be checked in the
# same run. Never used for anything but checking.
STAND_INS: Mapping[tuple[str, ...], object] = {
    ("format",): 1,
    ("study",): "study",
    ("title",): {},
    ("organisation",): {},
    ("programme",): {},
    ("community",): {},
    ("country",): {"use": "this_country"},
    ("languages",): {"en": "use"},
    ("groups",): {},
    ("groups", "*"): _NO_GROUP,
    **{("groups", "*", key): stand_in for key, stand_in in _NO_GROUP.items()},
    ("groups", "*", "languages", "*"): "",
    ("groups", "*", "asked_about", "*"): "",
    ("own_group",): "community",
    ("waves",): {"pre": {}},
    ("sites",): {"site": {}},
    ("design",): {"type": "no_comparison", "random": False},
    ("design", "type"): "no_comparison",
    ("design", "random"): False,
    ("concepts",): ["core"],
    ("concepts", "*"): "core",
    ("mode",): "interview",
    ("minutes",): 180,
    ("contacts",): {"withdrawal": {}, "withdrawal_until": _A_DAY, "complaints": {}},
    ("contacts", "withdrawal_until"): _A_DAY,
    ("compensation",): {"type": "none"},
    ("compensation", "type"): "none",
    ("item_order",): {"type": "bank"},
    ("contacts", "withdrawal"): {},
    ("contacts", "complaints"): {},
    ("age_of_consent",): 18,
    ("minors",): "exclude",
    # A text that is wrong is there all the same: nobody is told to add it.
    **dict.fromkeys(
        (
            *((key, "*") for key in ("title", "organisation", "programme", "community")),
            *(("contacts", key, "*") for key in ("withdrawal", "complaints", "help")),
            ("compensation", "text", "*"),
            *((key, "names", "*", "*") for key in ("country", "newcomers")),
            ("language_names", "*", "*", "*"),
            ("groups", "*", "names", "*", "*"),
            ("sites", "*", "*"),
            ("arms", "*"),
        ),
        "?",
    ),
    **{("indicators", "*", key): "" for key in ("id", "title", "item", "group")},
    ("indicators", "*", "answers"): [],
    ("indicators", "*", "answers", "*"): "",
}
