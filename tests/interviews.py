"""What is entered in an interview, and what the codebook says must come of it.

Everything is read off the codebook, so that a form can grow a question without a test that is
about something else.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date

from kobosmix.codebook import Codebook, Kind, Role, Variable
from kobosmix.conditions import holds
from kobosmix.engines.javarosa import PhoneForm
from kobosmix.engines.xform import convert_rows
from kobosmix.people.enumerators import enumerators_csv
from kobosmix.people.model import Register, Respondent
from kobosmix.people.register import register_csv
from kobosmix.prepare import BuiltForm, Prepared

# Valid numbers: of the first and the second group of a study, of nobody, and of somebody of the
# first group who told the background before.
FIRST, SECOND, UNKNOWN, KNOWN = "14343144", "58291606", "90617258", "20726125"
NOT_A_NUMBER = "14343145"
SAID = (Role.KEY, Role.ITEM)
# What forms have been seen to stumble over.
TEXTS = ("Ayşe'nin İzmir’den", "جاري من حلب", '"yes & no" <both>', "=1+1", "0012", " a  b ")


def phone_form(prepared: Prepared, built: BuiltForm) -> PhoneForm:
    """The form with its lists, one respondent of each of the first two groups in the register."""
    groups = zip((FIRST, SECOND), built.codebook.names, strict=False)
    respondents = [Respondent(id=rid, group=group) for rid, group in groups]
    respondents.append(replace(respondents[0], id=KNOWN))
    register = Register(tuple(respondents))
    files = {"register.csv": register_csv(register, known=[KNOWN])}
    if prepared.enumerators:
        files["enumerators.csv"] = enumerators_csv(prepared.enumerators)
    return PhoneForm(xform=convert_rows(built.form.sheets()).xml, files=files)


def questions(codebook: Codebook) -> tuple[Variable, ...]:
    """What is put to a person, the respondent or the enumerator."""
    unasked = (Kind.CALCULATED, Kind.META)
    return tuple(v for v in codebook.variables if v.kind not in unasked)


def entered(
    codebook: Codebook,
    said: Mapping[str, str] | None = None,
    *,
    roles: Collection[Role] = tuple(Role),
    enumerator: str = "en01",
    rid: str = FIRST,
) -> dict[str, str]:
    """A sensible answer to every question of a form (of these roles): somebody takes part.

    `said` goes before it, also where the form has no such question: that is for the engine to
    refuse.
    """
    answers = {
        variable.name: _sensible(variable, enumerator, rid)
        for variable in questions(codebook)
        if variable.role in roles
    }
    return {**answers, **(said or {})}


def at_random(
    codebook: Codebook, chance: random.Random, enumerators: Sequence[str]
) -> dict[str, str]:
    """An answer, which can be none, to every question of a form; most people take part."""
    rid = chance.choice((FIRST, SECOND, UNKNOWN))
    return {
        variable.name: _random(variable, chance, enumerators, rid)
        for variable in questions(codebook)
    }


def asked(
    codebook: Codebook, answers: Mapping[str, str], calculated: Mapping[str, str]
) -> dict[str, str]:
    """The answers to the questions that the codebook says are put, given what is calculated."""
    known = dict[str, str]()
    for variable in codebook.variables:
        if variable.kind in (Kind.CALCULATED, Kind.META):
            known[variable.name] = calculated.get(variable.path, "")
        elif holds(variable.asked_if, known):
            known[variable.name] = answers[variable.name]
    names = {variable.name for variable in questions(codebook)}
    return {name: text for name, text in known.items() if name in names}


def _sensible(variable: Variable, enumerator: str, rid: str) -> str:
    if variable.options:
        return variable.options[0].value
    match str(variable.kind):
        case "select_one":
            # Its options come from the list of enumerators.
            return enumerator
        case "text" if _is_id(variable):
            return rid
        case "barcode":
            # The number is typed.
            return ""
        case "integer":
            return str(variable.low or 0)
        case "decimal":
            return "1.5"
        case "date":
            return date.today().isoformat()  # noqa: DTZ011 - as the phone has it
        case _:
            return "words"


def _random(
    variable: Variable, chance: random.Random, enumerators: Sequence[str], rid: str
) -> str:
    if not variable.required and chance.random() < 0.4:
        return ""
    options = [option.value for option in variable.options]
    if variable.role in SAID and options:
        return chance.choice(options)
    if options:
        # The first option is the one with which an interview goes on.
        return options[0] if chance.random() < 0.8 else chance.choice(options)
    match str(variable.kind):
        case "integer":
            year = date.today().year  # noqa: DTZ011 - as the phone has it
            return str(chance.randint(variable.low or 0, variable.high or year))
        case "text" if not _is_id(variable):
            return chance.choice(TEXTS)
        case "barcode":
            return chance.choice(("", rid))
        case _:
            return _sensible(variable, chance.choice(enumerators or ("",)), rid)


def _is_id(variable: Variable) -> bool:
    return variable.role is Role.STAFF and variable.name in ("rid_typed", "rid_again")
