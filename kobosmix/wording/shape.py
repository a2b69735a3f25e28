"""The shape of translations/overrides.yaml, as a person writes it."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

Sentence = Annotated[str, StringConstraints(pattern=r"^[^\[\]{}$<>\x00-\x1f]+$")]
Told = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class OverrideShape(_Strict):
    key: Told
    language: Told
    group: Told
    about: str = ""
    text: Sentence
    reason: Told
    by: Told
    on: datetime.date


class OverridesFile(_Strict):
    format: Literal[1]
    overrides: list[OverrideShape] = []
