"""A small study made by hand: two groups, three waves, a few questions, and who answered what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from kobosmix.codebook import (
    Codebook,
    ConceptEntry,
    FacetEntry,
    Kind,
    Missing,
    Option,
    Role,
    ToolkitPlace,
    Variable,
)
from kobosmix.conditions import All, Condition, Equals
from kobosmix.match import MatchDesign, Matched, link
from kobosmix.people.ids import check_character
from kobosmix.people.model import Register, Respondent

STUDY = "lake2026"
WAVES = ("pre", "post", "fu")
WINDOWS = {
    "pre": {"": (date(2026, 3, 1), date(2026, 3, 31))},
    "post": {
        "": (date(2026, 6, 1), date(2026, 6, 30)),
        "late": (date(2026, 8, 1), date(2026, 8, 31)),
    },
    "fu": {"": (date(2026, 12, 1), date(2026, 12, 31))},
}
IN_WINDOW = {"pre": "2026-03-10", "post": "2026-06-10", "fu": "2026-12-10"}
ROLES = {"local": "host", "newcomer": "newcomer"}
NAMES = {
    "local": {"en": "Lake people", "ar": "أهل البحيرة"},
    "newcomer": {"en": "=Newcomers", "ar": "القادمون"},
}
RATED = ("trust_1", "trust_2", "hope_1", "hope_2")
CONSENTED: Condition = Equals("consent_ok", "1")

_COMPLETE = {
    "enumerator": "e1",
    "site": "north",
    "attempt": "interview",
    "of_age": "1",
    "consent": "1",
    "consent_ok": "1",
    "gender": "female",
    "birth_year": "1990",
    "trust_1": "4",
    "trust_2": "3",
    "hope_1": "2",
    "hope_2": "5",
    "comment": "It was fine.",
}


def codebooks() -> dict[str, Codebook]:
    """One form for each group and wave."""
    return {
        f"{group}-{wave}": codebook(group, wave)
        for group in ("local", "newcomer")
        for wave in WAVES
    }


@dataclass(frozen=True)
class Stored:
    """A submission as the store hands it out, as far as matching looks."""

    key: str
    received: str
    content: Mapping[str, Any]


@dataclass
class Scenario:
    """Persons and submissions, added one by one; `matched` links them all."""

    windows: Mapping[str, Mapping[str, tuple[date, date]]] = field(
        default_factory=lambda: WINDOWS
    )
    waves: tuple[str, ...] = WAVES
    respondents: dict[str, Respondent] = field(default_factory=dict)
    submissions: list[Stored] = field(default_factory=list)
    codebooks: dict[str, Codebook] = field(default_factory=codebooks)

    def person(self, name: str, group: str = "local", **about: str) -> str:
        """Put a person into the register, and give the ID."""
        rid = issued(len(self.respondents))
        self.respondents[name] = Respondent(id=rid, group=group, **about)
        return rid

    def rid(self, name: str) -> str:
        """The ID of a person; a name the register does not have is taken for an ID."""
        return self.respondents[name].id if name in self.respondents else name

    def answers(
        self,
        name: str,
        wave: str = "pre",
        these: Mapping[str, str | None] | None = None,
        *,
        received: str = "",
        form: str = "",
        **said: str | None,
    ) -> str:
        """Send a complete interview in which this was said instead (None: left out); its key."""
        person = self.respondents.get(name)
        book = self.codebooks[
            form or f"{person.group or 'local' if person else 'local'}-{wave}"
        ]
        day = received or f"{IN_WINDOW[wave]}T12:00:00Z"
        given = {**_COMPLETE, "rid": self.rid(name), "today": day[:10], **(these or {}), **said}
        if book.wave != "pre" and "took_part" not in given:
            given |= {"took_part": "1", "programme_contact_1": "2"}
        paths = {variable.name: variable.path for variable in book.variables}
        content = {
            paths[variable]: value
            for variable, value in given.items()
            if value is not None and variable in paths
        }
        return self.send({**constants(book), **content}, received=day)

    def send(self, content: Mapping[str, Any], received: str = "2026-03-10T12:00:00Z") -> str:
        """Send any content, and give the key."""
        key = f"s{len(self.submissions) + 1:03d}"
        self.submissions.append(Stored(key, received, content))
        return key

    def matched(
        self, today: date = date(2026, 7, 15), submissions: Iterable[Stored] | None = None
    ) -> Matched:
        """Link everything sent so far."""
        return link(
            self.submissions if submissions is None else submissions,
            self.codebooks,
            Register(tuple(sorted(self.respondents.values(), key=lambda person: person.id))),
            MatchDesign(study=STUDY, waves=self.waves, windows=self.windows),
            today,
        )


def issued(number: int) -> str:
    """A valid ID for each number, all of them far apart."""
    body = 1_434_314 + 10_207 * number
    while check_character(str(body)) == "X":
        body += 1
    return str(body) + check_character(str(body))


def constants(book: Codebook) -> dict[str, str]:
    """What the form puts into every submission by itself."""
    return {
        "kx_study": book.study,
        "kx_group": book.group,
        "kx_wave": book.wave,
        "kx_build": book.build_id,
    }


def codebook(group: str, wave: str, build_id: str = "") -> Codebook:
    """The form of one group in one wave. Hosts alone are asked about immigration."""
    asked = [*_keys(), *_interview(group)]
    if wave != "pre":
        asked += _programme()
    return Codebook(
        build_id=build_id or f"{group}-{wave}",
        study=STUDY,
        wave=wave,
        group=group,
        group_role=ROLES.get(group, "neither"),
        mode="interview",
        languages=("en", "ar"),
        title=f"Lake study, {group}, {wave}",
        bank_version="1",
        names=NAMES,
        variables=(*_staff(), *_consent(), *asked, *_closing()),
        concepts=(
            ConceptEntry(
                id="trust", section="4.1", title="Trust", score_name="trust", direction="up"
            ),
            ConceptEntry(
                id="hope",
                section="4.4",
                title="Hope",
                score_name="hope",
                direction="mixed",
                facets=(FacetEntry(id="others", title="Hope for others", direction="down"),),
            ),
        ),
    )


def rebuilt(book: Codebook, build_id: str, name: str, /, **changes: Any) -> Codebook:
    """The same form, built again with one of its variables changed."""
    variables = tuple(replace(v, **changes) if v.name == name else v for v in book.variables)
    return replace(book, build_id=build_id, variables=variables)


def choices(*values: str, missing: bool = False) -> tuple[Option, ...]:
    """Options with a label in both languages; `missing` adds 98 and 99."""
    options = tuple(
        Option(value=v, labels={"en": f"Label {v}", "ar": f"وسم {v}"}) for v in values
    )
    if not missing:
        return options
    return (
        *options,
        Option(value="98", labels={"en": "Don't know"}, missing=Missing.DONT_KNOW),
        Option(value="99", labels={"en": "No answer"}, missing=Missing.REFUSED),
    )


def _variable(path: str, role: Role, kind: Kind = Kind.CALCULATED, **more: Any) -> Variable:
    return Variable(name=path.rsplit("/", 1)[-1], path=path, role=role, kind=kind, **more)


def _staff() -> Sequence[Variable]:
    return (
        *(_variable(f"kx_{name}", Role.HIDDEN) for name in ("study", "group", "wave", "build")),
        *(_variable(name, Role.META, Kind.META) for name in ("start", "end", "today")),
        _variable("staff/enumerator", Role.STAFF, Kind.SELECT_ONE, options=choices("e1", "e2")),
        _variable("staff/site", Role.STAFF, Kind.SELECT_ONE, options=choices("north", "south")),
        _variable("staff/link_token", Role.STAFF),
        _variable("staff/rid", Role.STAFF),
        _variable("staff/attempt", Role.STAFF, Kind.SELECT_ONE, options=choices("interview")),
    )


def _consent() -> Sequence[Variable]:
    yes_no = choices("1", "0")
    names = ("of_age", "consent", "guardian_consent", "assent")
    return (
        *(
            _variable(f"consent/{n}", Role.CONSENT, Kind.SELECT_ONE, options=yes_no)
            for n in names
        ),
        _variable("consent/consent_ok", Role.CONSENT),
    )


def _keys() -> Sequence[Variable]:
    sexes = choices("female", "male", missing=True)
    ask: dict[str, Any] = {"asked_if": CONSENTED}
    return (
        _variable("interview/keys/gender", Role.KEY, Kind.SELECT_ONE, options=sexes, **ask),
        _variable(
            "interview/keys/birth_year", Role.KEY, Kind.INTEGER, low=1920, high=2012, **ask
        ),
    )


def _interview(group: str) -> list[Variable]:
    rated = [_rated(f"interview/{name[:-2]}/{name}", group) for name in RATED]
    if group == "local":
        rated.append(_rated("interview/immigration/immigration_1", group))
    comment = _variable("interview/comment", Role.ITEM, Kind.TEXT, asked_if=CONSENTED)
    return [*rated, comment]


def _programme() -> Sequence[Variable]:
    took_part = Equals("took_part", "1")
    return (
        _variable(
            "interview/took_part",
            Role.ITEM,
            Kind.SELECT_ONE,
            options=choices("1", "0"),
            asked_if=CONSENTED,
        ),
        replace(
            _rated("interview/programme/programme_contact_1", "local"),
            asked_if=All((CONSENTED, took_part)),
        ),
    )


def _rated(path: str, group: str) -> Variable:
    name = path.rsplit("/", 1)[-1]
    return _variable(
        path,
        Role.ITEM,
        Kind.SELECT_ONE,
        labels={"en": f"How about {name}, you {group}?", "ar": f"ما رأيك في {name}؟"},
        options=choices("1", "2", "3", "4", "5", missing=True),
        required=True,
        asked_if=CONSENTED,
        scale="agree_5",
        rated=True,
        reversed=name == "hope_1",
        concept=name.rsplit("_", 1)[0],
        item=name,
        facet="others" if name == "hope_2" else "",
        toolkit=ToolkitPlace(section="4.1", concept="Trust", position=name[-1]),
    )


def _closing() -> Sequence[Variable]:
    reasons = choices("no_time", "other")
    return (
        _variable("closing/refusal_reason", Role.CLOSING, Kind.SELECT_ONE, options=reasons),
        _variable("closing/note", Role.CLOSING, Kind.TEXT),
    )
