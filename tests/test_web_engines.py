"""The forms in both engines of the web: what is asked, what is objected to, what is sent.

Both are driven as a person does it, from the codebook alone: whatever the form asks gets an answer.
"""

from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kobosmix.build import write_preview
from kobosmix.codebook import Kind, Role, Variable
from kobosmix.conditions import All, Condition, Equals
from kobosmix.engines.xform import convert_rows
from kobosmix.form.xpath import ID_CONSTRAINT
from kobosmix.people.enumerators import enumerators_csv
from kobosmix.people.register import register_csv
from kobosmix.prepare import BuiltForm, Prepared, prepare
from kobosmix.preview.invented import ENUMERATORS, invented_register
from kobosmix.study import Study
from tests.form_pages import Enketo, FormPage, Watched, WebForms, is_date, plain

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.chromium

SAMPLES = Path(__file__).parent.parent / "sample_forms"
ENGINES = ["Web Forms", "Enketo"]
# One form from left to right, one from right to left.
FORMS = ["pre_turks", "pre_syrians"]
WRONG_NUMBER = "12345678"
A_DAY = "2026-03-14"
FORMS_OWN = (
    *("kx_study", "kx_group", "kx_wave", "kx_build"),
    *("rid", "rid_group", "consent_ok", "instanceName"),
)
WORDS = 'Ayşe said: "yes & no" <both> جاري'
THE_SAME_AS = re.compile(r"\. = \$\{(\w+)\}")


@dataclass(frozen=True)
class Team:
    """A study with its preview, and a browser to open its forms in."""

    browser: Browser
    prepared: Prepared
    preview: Path

    def form(self, key: str) -> BuiltForm:
        return next(built for built in self.prepared.forms if built.key == key)

    @contextmanager
    def opened(self, engine: str, key: str) -> Iterator[FormPage]:
        """The form in the engine, which has complained of nothing when it is closed again."""
        form = self.form(key)
        watched = Watched(self.browser.new_page())
        if engine == "Web Forms":
            yield WebForms(watched.page, self.preview, form.codebook, key)
        else:
            groups = dict.fromkeys(each.codebook.group for each in self.prepared.forms)
            lists = {
                "register.csv": register_csv(invented_register(groups)).decode(),
                "enumerators.csv": enumerators_csv(ENUMERATORS).decode(),
            }
            xml = convert_rows(form.form.sheets()).xml
            yield Enketo(watched.page, self.preview.parent, xml, lists)
        # Chromium announces on every page that XSLT will go one day; Enketo transforms with it.
        assert [said for said in watched.complaints if "XSLT" not in said] == []
        watched.page.close()


@pytest.fixture(scope="module")
def gaziantep(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Team:
    """Turkish forms and Arabic ones."""
    return team(browser, "gaziantep", tmp_path_factory.mktemp("gaziantep"))


@pytest.fixture(scope="module")
def tunisia(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Team:
    """Forms in Arabic and French at once."""
    return team(browser, "tunisia", tmp_path_factory.mktemp("tunisia"))


def team(browser: Browser, sample: str, folder: Path) -> Team:
    for name in ("context.yaml", "enumerators.xlsx"):
        shutil.copyfile(SAMPLES / sample / name, folder / name)
    prepared = prepare(Study(folder), engines=False)
    return Team(browser, prepared, write_preview(prepared))


@dataclass(frozen=True)
class Interviewer:
    """Gives every question of a form an answer, always the same."""

    form: BuiltForm
    number: str
    instead: Mapping[str, str] = field(default_factory=dict)

    def sensible(self, variable: Variable, given: Mapping[str, str]) -> str:
        """An answer the form takes and goes on from; empty for what can only be scanned."""
        if variable.name in self.instead:
            return self.instead[variable.name]
        if is_date(variable):
            return A_DAY
        match variable.kind:
            case Kind.SELECT_ONE if variable.options:
                # Elsewhere the first option is the one that leads on.
                place = sum(variable.name.encode()) if variable.rated else 0
                return variable.options[place % len(variable.options)].value
            case Kind.SELECT_ONE:
                return ENUMERATORS[0].code
            case Kind.INTEGER:
                return str(min((variable.low or 0) + 60, variable.high or 10_000))
            case Kind.TEXT:
                same = THE_SAME_AS.match(self.row(variable).get("constraint", ""))
                if same:
                    return given[same[1]]
                return self.number if self.takes_a_number(variable) else WORDS
            case _:
                return ""

    def takes_a_number(self, variable: Variable) -> bool:
        """Whether a respondent's number is to be typed."""
        is_number = ID_CONSTRAINT in self.row(variable).get("constraint", "")
        return is_number and variable.kind is Kind.TEXT

    def row(self, variable: Variable) -> Mapping[str, str]:
        """The row of the XLSForm that asks it."""
        return next(row for row in self.form.form.survey if row.get("name") == variable.name)

    def message(self, column: str, variable: Variable, suffix: str) -> str:
        """What the form is to say against an answer, in one of its languages."""
        return plain(self.row(variable)[f"{column}::{suffix}"])


@dataclass(frozen=True)
class Held:
    """An interview: the words read, the options read, the answers given, by variable."""

    words: dict[str, str]
    options: dict[str, dict[str, str]]
    given: dict[str, str]


def answer(page: FormPage, by: Interviewer, held: Held, before: Role | None = None) -> None:
    """Answer whatever is asked and was not asked yet, until nothing is or such a question comes."""
    while waiting := [each for each in page.shown().items() if each[0] not in held.words]:
        name, words = waiting[0]
        variable = by.form.codebook.variable(name)
        if variable.role is before:
            return
        held.words[name] = words
        if variable.options:
            held.options[name] = page.options(variable)
        said = by.sensible(variable, held.given)
        if said:
            page.answer(variable, said)
            held.given[name] = said


def needed(condition: Condition | None) -> Iterator[tuple[str, str]]:
    """Variable and value of every answer without which the condition does not hold."""
    match condition:
        case Equals(variable, value):
            yield variable, value
        case All(several):
            for each in several:
                yield from needed(each)
        case _:
            pass


def fields(submission: str) -> dict[str, str]:
    """Field -> value for whatever has one, but for the clock and the chance of the browser."""
    root = ET.fromstring(submission)  # noqa: S314 - out of our own browser
    values = {
        each.tag.rpartition("}")[2]: each.text
        for each in root.iter()
        if not len(each) and each.text and each.text.strip()
    }
    return {k: v for k, v in values.items() if k not in {"start", "end", "instanceID"}}


def interviewer(at: Team, key: str) -> Interviewer:
    """One who uses the first invented number of the form's group."""
    form = at.form(key)
    register = invented_register(dict.fromkeys(f.codebook.group for f in at.prepared.forms))
    own = [one.id for one in register.respondents if one.group == form.codebook.group]
    return Interviewer(form, own[0])


def suffix_of(at: Team, key: str, tag: str) -> str:
    """What the form calls a language: `Türkçe (tr)`."""
    book = at.form(key).codebook
    return at.prepared.bank.languages[tag].column_suffix(book.languages)


@pytest.mark.parametrize("key", FORMS)
def test_both_engines_ask_in_the_words_of_the_codebook_and_send_what_was_answered(
    gaziantep: Team, key: str
) -> None:
    by, interviews = interviewer(gaziantep, key), list[tuple[Held, dict[str, str]]]()
    book = by.form.codebook
    (tag,) = book.languages

    for engine in ENGINES:
        with gaziantep.opened(engine, key) as page:
            held = Held({}, {}, {})
            answer(page, by, held)
            interviews.append((held, fields(page.send())))

    (held, sent), enketo = interviews
    assert (held, sent) == enketo
    assert sum(book.variable(name).rated for name in held.given) > 25
    assert list(held.words) == [v.name for v in book.variables if v.name in held.words]
    assert held.words == {name: plain(book.variable(name).labels[tag]) for name in held.words}
    assert held.options == {
        name: {o.value: plain(o.labels[tag]) for o in book.variable(name).options}
        for name in held.options
    }
    questions = {v.name for v in book.variables if v.labels}
    assert {name: text for name, text in sent.items() if name in questions} == held.given
    assert {name: sent[name] for name in FORMS_OWN} == {
        "kx_study": book.study,
        "kx_group": book.group,
        "kx_wave": book.wave,
        "kx_build": book.build_id,
        "rid": by.number,
        "rid_group": book.group,
        "consent_ok": "1",
        "instanceName": f"{book.wave} {by.number}",
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_a_day_is_sent_as_it_was_typed_into_a_form_from_right_to_left(
    gaziantep: Team, engine: str
) -> None:
    by, held = interviewer(gaziantep, "pre_syrians"), Held({}, {}, {})
    days = [v for v in by.form.codebook.variables if is_date(v)]
    if not days:
        pytest.skip("no form of the sample asks for a day")
    by = replace(by, instead=dict(needed(days[0].asked_if)))

    with gaziantep.opened(engine, "pre_syrians") as page:
        answer(page, by, held)
        sent = fields(page.send())

    assert sent[days[0].name] == held.given[days[0].name] == A_DAY


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("key", FORMS)
def test_the_form_objects_in_its_own_language(gaziantep: Team, engine: str, key: str) -> None:
    by = interviewer(gaziantep, key)
    (tag,) = by.form.codebook.languages
    language = gaziantep.prepared.bank.languages[tag]
    suffix = suffix_of(gaziantep, key, tag)

    with gaziantep.opened(engine, key) as page:
        assert page.direction() == ("rtl" if language.right_to_left else "ltr")
        assert page.send() == ""
        asked = [by.form.codebook.variable(name) for name in page.shown()]
        required = [variable for variable in asked if variable.required]
        assert len(required) > 2
        for variable in required:
            assert page.message(variable) == by.message("required_message", variable, suffix)

        number = next(v for v in required if by.takes_a_number(v))
        page.answer(number, WRONG_NUMBER)
        assert page.message(number) == by.message("constraint_message", number, suffix)
        page.answer(number, by.number)
        assert page.message(number) == ""


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("key", FORMS)
def test_who_takes_consent_back_is_asked_nothing_more_and_no_answer_is_sent(
    gaziantep: Team, engine: str, key: str
) -> None:
    by, held = interviewer(gaziantep, key), Held({}, {}, {})
    book = by.form.codebook
    said = {v.name for v in book.variables if v.role in {Role.KEY, Role.ITEM}}

    with gaziantep.opened(engine, key) as page:
        answer(page, by, held, before=Role.ITEM)
        assert said & page.shown().keys()
        assert said & held.given.keys()
        page.answer(book.variable("consent"), "0")
        answer(page, by, held)
        assert said & page.shown().keys() == set()
        sent = fields(page.send())

    assert said & sent.keys() == set()
    assert (sent["consent"], sent["consent_ok"], sent["rid"]) == ("0", "0", by.number)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_change_of_language_changes_words_messages_and_direction(
    tunisia: Team, engine: str
) -> None:
    by = interviewer(tunisia, "pre_tun")
    book = by.form.codebook
    assert book.languages == ("ar-TN", "fr")
    seen = dict[str, tuple[str, bool, bool]]()

    with tunisia.opened(engine, "pre_tun") as page:
        page.send()
        for tag in ("ar-TN", "fr", "ar-TN"):
            suffix = suffix_of(tunisia, "pre_tun", tag)
            page.choose_language(suffix)
            shown = [book.variable(name) for name in page.shown()]
            words = {v.name: plain(v.labels[tag]) for v in shown}
            messages = [
                page.message(v) == by.message("required_message", v, suffix)
                for v in shown
                if v.required
            ]
            seen[tag] = page.direction(), words == page.shown(), all(messages)

    assert seen == {"ar-TN": ("rtl", True, True), "fr": ("ltr", True, True)}
