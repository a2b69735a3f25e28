"""The shape of context.yaml, as a person writes it."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,19}$")]
Tag = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")]
Words = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\[\]{}$<>\x00-\x1f]+$")]
TextsShape = dict[Tag, Words]
Form = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
NamesShape = dict[Tag, dict[Form, Words]]
WaveId = Annotated[str, StringConstraints(pattern=r"^(pre|post|fu[2-9]?)$")]


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
    names: NamesShape


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
    complaints: TextsShape


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
    groups: Annotated[dict[Code, GroupShape], Field(min_length=1)]
    own_group: Literal["community", "name"]
    waves: Annotated[dict[WaveId, WaveShape], Field(min_length=1)]
    cohorts: dict[Code, Words] = {}
    sites: Annotated[dict[Code, TextsShape], Field(min_length=1)]
    partners: dict[Code, Words] = {}
    design: DesignShape
    arms: dict[Literal["programme", "comparison"], Words] = {}
    concepts: Annotated[list[Code], Field(min_length=1)]
    ask: dict[Code, list[Literal["host", "newcomer", "neither"]]] = {}
    mode: Literal["interview", "self_administered"]
    minutes: Annotated[int, Field(gt=0, le=180)]
    contacts: ContactsShape
    age_of_consent: Annotated[int, Field(ge=10, le=25)]
    minors: Literal["include", "exclude"]
    indicators: list[IndicatorShape] = []
    server: str = ""


# Stands in for what is missing or wrong, so that the rest can be checked in the same run.
# Never used for anything but checking.
STAND_INS: dict[str, object] = {
    "format": 1,
    "study": "study",
    "title": {},
    "organisation": {},
    "programme": {},
    "community": {},
    "country": {"use": "this_country"},
    "languages": {"en": "use"},
    "groups": {},
    "own_group": "community",
    "waves": {"pre": {}},
    "sites": {"site": {}},
    "design": {"type": "no_comparison", "random": False},
    "type": "no_comparison",
    "random": False,
    "concepts": ["core"],
    "mode": "interview",
    "minutes": 180,
    "contacts": {"withdrawal": {}, "complaints": {}},
    "withdrawal": {},
    "complaints": {},
    "age_of_consent": 18,
    "minors": "exclude",
    "role": "neither",
    "names": {},
}
