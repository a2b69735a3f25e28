"""Interviews on the form engine of the phones: what is shown, what is refused, what is sent."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from defusedxml import ElementTree  # type: ignore[import-untyped]

from kobosmix.engines.jvm import ask

_SECONDS_EACH = 5

# The text that is entered, or several, one after the other; the empty text leaves it blank.
Answers = Mapping[str, str | Sequence[str]]


class Verdict(StrEnum):
    """Whether the phone lets go of a question."""

    OK = "OK"
    REQUIRED = "REQUIRED"
    CONSTRAINT = "CONSTRAINT"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneForm:
    """A form as a phone has it: the XForm, and the lists it carries by file name."""

    xform: str
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is entered in one interview, by the name of the question.

    A question that is not in `answers` keeps what the form itself puts there. For each of `then`
    the enumerator goes back to the beginning, enters these answers and goes through the form
    again, keeping the others. `language` is a language as the form names it: `Türkçe (tr)`;
    without it the form's first is spoken.
    """

    form: PhoneForm
    answers: Answers = field(default_factory=dict)
    language: str = ""
    then: tuple[Answers, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One answer that can be chosen, as it is shown."""

    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """An answer that was entered, and what the phone said to it; `message` if it was refused."""

    text: str
    verdict: Verdict
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One screen, a note or a question. `headings` are those of the blocks it stands in.

    `path` is where it stands in a submission, as in the codebook. A screen that is only read has
    no tries.
    """

    name: str
    path: str
    label: str
    hint: str
    headings: tuple[str, ...]
    choices: tuple[Choice, ...]
    required: bool
    read_only: bool
    appearance: str
    tries: tuple[Try, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """How one interview went. `rounds` has the screens of each time through the form.

    `outcome` is the phone's last look at all answers before it sends; `failed` the path of the
    question that does not pass. `submission` is the XML it sends, whatever the outcome.
    """

    title: str
    languages: tuple[str, ...]
    rounds: tuple[tuple[Shown, ...], ...]
    outcome: Verdict
    failed: str
    submission: str

    @property
    def shown(self) -> tuple[Shown, ...]:
        """The screens of the last time through the form."""
        return self.rounds[-1]

    def sent(self) -> dict[str, str]:
        """The submission as path -> value. What was not relevant is not in it at all."""
        return dict(_leaves(ElementTree.fromstring(self.submission), ()))


def walk(scenarios: Sequence[Scenario], java: str) -> list[Walk]:
    """Hold every interview as a phone would, all in one run of Java.

    Raises EngineFailed where Java does not do, and where a scenario names a question, a choice
    or a language that its form does not have.
    """
    if not scenarios:
        return []
    with tempfile.TemporaryDirectory() as folder:
        paths = _written(Path(folder), scenarios)
        orders = [
            {
                "form": str(paths[id(scenario.form)]),
                "language": scenario.language,
                "answers": _tries(scenario.answers),
                "then": [_tries(changes) for changes in scenario.then],
            }
            for scenario in scenarios
        ]
        return [_walk(told) for told in ask(java, "interview", orders, _SECONDS_EACH)]


def _written(folder: Path, scenarios: Sequence[Scenario]) -> dict[int, Path]:
    """Each form in a folder of its own, beside the files it carries; a form used twice once."""
    paths = dict[int, Path]()
    for form in (scenario.form for scenario in scenarios):
        if id(form) not in paths:
            own = folder / str(len(paths))
            own.mkdir()
            for name, content in form.files.items():
                (own / name).write_bytes(content)
            paths[id(form)] = own / "form.xml"
            paths[id(form)].write_bytes(form.xform.encode())
    return paths


def _tries(answers: Answers) -> dict[str, list[str]]:
    return {
        name: [tried] if isinstance(tried, str) else list(tried)
        for name, tried in answers.items()
    }


def _walk(told: Mapping[str, Any]) -> Walk:
    return Walk(
        title=told["title"],
        languages=tuple(told["languages"]),
        rounds=tuple(tuple(_shown(each) for each in round_) for round_ in told["rounds"]),
        outcome=Verdict(told["outcome"]),
        failed=told["failed"],
        submission=told["submission"],
    )


def _shown(told: Mapping[str, Any]) -> Shown:
    return Shown(
        **{
            **told,
            "headings": tuple(told["headings"]),
            "choices": tuple(Choice(**choice) for choice in told["choices"]),
            "tries": tuple(
                Try(**{**each, "verdict": Verdict(each["verdict"])}) for each in told["tries"]
            ),
        }
    )


def _leaves(element: Any, above: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for child in element:
        path = (*above, child.tag.rpartition("}")[2])
        if len(child):
            yield from _leaves(child, path)
        else:
            yield "/".join(path), child.text or ""
