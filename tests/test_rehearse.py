from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from kobosmix.build import write_build
from kobosmix.codebook import Codebook, Kind, Role, Variable
from kobosmix.conditions import holds
from kobosmix.errors import StudyError, UsageError
from kobosmix.match import Matched, link
from kobosmix.match.answers import decode
from kobosmix.match.model import Bucket, State
from kobosmix.people import ids
from kobosmix.people.links import with_link_tokens
from kobosmix.people.model import SPARE, WITHDRAWN, Register
from kobosmix.people.register import add_respondents, write_register
from kobosmix.prepare import Prepared, prepare
from kobosmix.pulling import pull_study
from kobosmix.rehearse import Line, Script, compare, plan_rehearsal
from kobosmix.rehearse.rehearsal import script_for
from kobosmix.rehearse.script import Planted
from kobosmix.rehearse.submission import read_form, submission
from kobosmix.server.http import Connection
from kobosmix.server.kobo import KoboServer
from kobosmix.server.local.accounts import create_account
from kobosmix.server.local.instances import answers as answers_of
from kobosmix.server.local.instances import read_instance
from kobosmix.server.local.run import LocalServer
from kobosmix.steps import deploy_study, design_of, match_study, plan_study_deploy
from kobosmix.study import Study
from tests.english_study import CONTEXT, changed, write_study

AFTER_ALL = date(2027, 3, 1)
IN_PRE = date(2026, 2, 10)
INTERVIEW = "mode: interview"
WITHOUT_WINDOWS = changed(
    ("windows:\n      all: {opens: 2026-02-02, closes: 2026-02-20}", "windows: {}"),
    ("windows:\n      all: {opens: 2026-04-20, closes: 2026-05-08}", "windows: {}"),
)
CONTEXTS = {
    "interview": CONTEXT,
    "self_administered": changed((INTERVIEW, "mode: self_administered")),
    "minors": changed(("minors: exclude", "minors: include")),
}
FORM = """<h:html xmlns:h="http://www.w3.org/1999/xhtml" xmlns="http://www.w3.org/2002/xforms">
<h:head><h:title>T</h:title><model>
<instance><aUid id="aUid" version="1 (2026)"><formhub><uuid/></formhub><kx_build/>
<staff><rid_typed/><rid/></staff><note/><block><asked/><left_blank/><not_asked/></block>
<hidden_block><never/></hidden_block><__version__/><meta><instanceID/><instanceName/></meta>
</aUid></instance>
<instance id="register" src="jr://file-csv/register.csv"/>
<bind nodeset="/aUid/formhub/uuid" calculate="'f0'"/>
<bind nodeset="/aUid/kx_build" calculate="'kx1'"/>
<bind nodeset="/aUid/__version__" calculate="'v1'"/>
<bind nodeset="/aUid/staff/rid" calculate=" /aUid/staff/rid_typed "/>
</model></h:head></h:html>"""


@dataclass(frozen=True)
class Stored:
    key: str
    received: str
    content: Mapping[str, Any]


def with_register(
    study: Study, each: int, groups: tuple[str, ...] = ("locals", "syrians")
) -> None:
    """So many people in each cell of group and arm, two spares, and one who has withdrawn."""
    fresh = ids.issue_ids(len(groups) * 2 * each + 3, ())
    register = Register()
    for group in groups:
        here = [fresh.pop() for _ in range(2 * each)]
        register = add_respondents(register, here, group=group, site="north")
    arms = ("programme", "comparison")
    register = Register(
        tuple(
            replace(person, arm=arms[number % 2])
            for number, person in enumerate(
                sorted(register.respondents, key=lambda person: person.group)
            )
        )
    )
    register = add_respondents(register, [fresh.pop()], group="locals", status=WITHDRAWN)
    register = add_respondents(register, fresh, group="", status=SPARE)
    write_register(study.register_file, register)


@pytest.fixture(scope="module", params=CONTEXTS)
def prepared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Prepared:
    return _prepared(tmp_path_factory.mktemp("study"), CONTEXTS[request.param], each=20)


@pytest.fixture(scope="module")
def interviews(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return _prepared(tmp_path_factory.mktemp("study"), CONTEXT, each=40)


def _prepared(folder: Path, context: str, each: int) -> Prepared:
    study = write_study(folder, context)
    with_register(study, each)
    found = prepare(study, engines=False)
    found.sound()
    return found


def books(prepared: Prepared) -> dict[tuple[str, str], Codebook]:
    return {(b.codebook.wave, b.codebook.group): b.codebook for b in prepared.forms}


def test_who_comes_by_a_personal_link_is_found_by_it_and_others_by_their_number(
    tmp_path: Path,
) -> None:
    study = write_study(tmp_path, CONTEXTS["self_administered"])
    with_register(study, 20)
    first = prepare(study, engines=False)
    write_register(study.register_file, with_link_tokens(first.register))
    prepared = prepare(study, engines=False)
    prepared.sound()

    script = script_for(prepared, today=AFTER_ALL)
    found = matched(prepared, script)

    tokens = {each.link_token: each.id for each in prepared.register.respondents}
    linked = [each for each in script.planted if each.bucket is Bucket.LINKED]
    by_link = [each for each in linked if each.answers.get("link_token")]
    assert len(linked) > len(by_link) > len(linked) / 2
    assert all("rid_typed" not in each.answers for each in by_link)
    assert {tokens[each.answers["link_token"]] for each in by_link} == {e.rid for e in by_link}
    assert differences(compare(script, found)) == []


def matched(prepared: Prepared, script: Script, today: date = AFTER_ALL) -> Matched:
    """The script as the ledgers find it, with nothing between phone and ledger."""
    return link(
        [_stored(prepared, each, today) for each in script.planted],
        {book.build_id: book for book in books(prepared).values()},
        prepared.register,
        design_of(prepared.sound()),
        today,
    )


def _stored(prepared: Prepared, planted: Planted, today: date) -> Stored:
    book = books(prepared)[planted.wave, planted.group]
    constants = {
        "kx_study": book.study,
        "kx_group": book.group,
        "kx_wave": book.wave,
        "kx_build": book.build_id,
    }
    paths = {variable.name: variable.path for variable in book.variables}
    said = {**constants, **planted.answers, **(planted.constants or {})}
    content = {paths[name]: text for name, text in said.items()}
    return Stored(f"uid/{planted.uuid}", f"{today}T10:00:00Z", content)


def differences(lines: list[Line]) -> list[Line]:
    return [line for line in lines if not line.is_equal]


def variables(book: Codebook) -> Iterator[Variable]:
    return (v for v in book.variables if v.role in {Role.KEY, Role.ITEM, Role.CLOSING})


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("people", [1, 2, 7, 25, 80])
def test_the_ledgers_find_all_that_was_planted_whatever_the_people(
    prepared: Prepared, people: int, seed: int
) -> None:
    script = script_for(prepared, people=people, seed=seed, today=AFTER_ALL)

    assert not differences(compare(script, matched(prepared, script)))


def test_before_any_window_nobody_is_overdue_and_everything_is_early(
    interviews: Prepared,
) -> None:
    today = date(2026, 1, 5)

    script = script_for(interviews, today=today)

    assert not differences(compare(script, matched(interviews, script, today)))
    assert State.OVERDUE not in script.states.values()


def test_every_kind_of_fault_is_planted_when_there_are_people_enough(
    interviews: Prepared,
) -> None:
    script = script_for(interviews, today=AFTER_ALL)

    never_planted = {Bucket.WITHDRAWN, Bucket.WAVE_CONFLICT, Bucket.TEST, Bucket.LINK_CONFLICT}
    assert {each.bucket for each in script.planted} == set(Bucket) - never_planted
    assert len(script.as_rows()) == 23


def test_what_the_ledger_counts_elsewhere_is_a_difference(interviews: Prepared) -> None:
    script = script_for(interviews, today=AFTER_ALL)
    conflict = next(e for e in script.planted if e.bucket is Bucket.GROUP_CONFLICT)
    other = replace(conflict, bucket=Bucket.UNKNOWN_ID, rid="")
    planted = tuple(other if each is conflict else each for each in script.planted)

    lines = compare(replace(script, planted=planted), matched(interviews, script))

    assert {(line.what, line.verdict) for line in differences(lines)} == {
        ("submissions group_conflict", "+1"),
        ("submissions unknown_id", "-1"),
    }


def test_as_many_but_other_submissions_are_a_difference(interviews: Prepared) -> None:
    script = script_for(interviews, today=AFTER_ALL)
    found = matched(interviews, script)
    linked = next(e for e in script.planted if e.bucket is Bucket.LINKED)
    refused = next(e for e in script.planted if e.bucket is Bucket.REFUSED)
    swapped = {linked.uuid: refused.uuid, refused.uuid: linked.uuid}
    planted = tuple(
        replace(each, uuid=swapped.get(each.uuid, each.uuid)) for each in script.planted
    )

    lines = compare(replace(script, planted=planted), found)

    assert "others than planted" in {line.verdict for line in differences(lines)}


def test_one_changed_answer_is_a_difference(interviews: Prepared) -> None:
    script = script_for(interviews, today=AFTER_ALL)
    first = next(e for e in script.planted if e.bucket is Bucket.LINKED)
    changed_one = replace(first, answers={**first.answers, "today": "2020-01-01"})
    planted = tuple(changed_one if each is first else each for each in script.planted)

    lines = compare(replace(script, planted=planted), matched(interviews, script))

    assert [line.what for line in differences(lines)] == [
        "linked interviews with every answer as sent"
    ]


def test_the_same_seed_gives_the_same_script_and_another_seed_another(
    interviews: Prepared,
) -> None:
    first, again, other = (script_for(interviews, seed=s, today=AFTER_ALL) for s in (5, 5, 6))

    assert first == again
    assert first != other


def test_every_answer_is_one_the_form_could_have_given(prepared: Prepared) -> None:
    for each in script_for(prepared, today=AFTER_ALL).planted:
        book = books(prepared)[each.wave, each.group]
        for variable in variables(book):
            assert not decode(variable, each.answers.get(variable.name, "")).problem


def test_a_form_filled_in_without_a_fault_answers_all_that_is_required_and_no_more(
    prepared: Prepared,
) -> None:
    script = script_for(prepared, people=1, today=AFTER_ALL)

    for each in script.planted:
        for variable in variables(books(prepared)[each.wave, each.group]):
            is_asked = holds(variable.asked_if, each.answers)
            assert is_asked or variable.name not in each.answers
            if is_asked and variable.required:
                assert each.answers.get(variable.name)


def test_only_those_who_took_part_are_asked_about_the_programme(interviews: Prepared) -> None:
    asked = defaultdict[str, set[bool]](set)

    for each in script_for(interviews, today=AFTER_ALL).planted:
        if each.wave == "post" and each.bucket is Bucket.LINKED:
            has_rated_it = any(name.startswith("prog_contact") for name in each.answers)
            asked[each.answers.get("took_part", "broken off")].add(has_rated_it)

    assert asked["1"] == {True}
    assert asked["0"] == {False}


def test_the_programme_moves_its_people_and_nobody_else(interviews: Prepared) -> None:
    gain = _gain_by_arm(interviews, script_for(interviews, today=AFTER_ALL))

    assert gain["programme"] > 0.4
    assert abs(gain["comparison"]) < 0.2


def _gain_by_arm(prepared: Prepared, script: Script) -> dict[str, float]:
    """The mean change from the first wave to the second, counted in the desired direction."""
    scores = defaultdict[str, dict[str, float]](dict)
    for each in script.planted:
        if each.bucket is Bucket.LINKED and each.wave in ("pre", "post"):
            scores[each.rid][each.wave] = _score(books(prepared)[each.wave, each.group], each)
    arms = {person.id: person.arm for person in prepared.register.respondents}
    gains = defaultdict[str, list[float]](list)
    for rid, by_wave in scores.items():
        if len(by_wave) == 2:
            gains[arms[rid]].append(by_wave["post"] - by_wave["pre"])
    return {arm: mean(found) for arm, found in gains.items()}


def _score(book: Codebook, planted: Planted) -> float:
    directions = {each.id: each.direction for each in book.concepts}
    points = list[int]()
    for variable in book.variables:
        answer = planted.answers.get(variable.name)
        option = variable.option(answer) if answer else None
        if variable.concept == "trust" and option and not option.missing:
            is_against = variable.reversed != (directions["trust"] == "down")
            points.append(6 - int(option.value) if is_against else int(option.value))
    return mean(points or [3])


def test_a_person_keeps_gender_and_year_of_birth_through_all_waves(
    interviews: Prepared,
) -> None:
    said = defaultdict[str, set[tuple[str | None, str | None]]](set)
    script = script_for(interviews, today=AFTER_ALL)
    mistaken = {e.rid for e in script.planted if e.bucket is Bucket.CONFLICT_KEYS}

    for each in script.planted:
        is_slip = any(flag.endswith("differs") and "birth" in flag for flag in each.flags)
        if each.bucket is Bucket.LINKED and each.rid not in mistaken and not is_slip:
            said[each.rid].add((each.answers.get("gender"), each.answers.get("birth_year")))

    assert max(map(len, said.values())) == 1


def test_phones_date_interviews_within_the_window_of_their_wave(interviews: Prepared) -> None:
    design = design_of(interviews.sound())

    for each in script_for(interviews, today=AFTER_ALL).planted:
        window = design.window(each.wave, "")
        day = date.fromisoformat(each.answers["today"])
        assert day == AFTER_ALL if window is None else window[0] <= day <= window[1]
        assert each.answers["start"][:10] == each.answers["today"] <= each.answers["end"]


def test_a_submission_leaves_out_what_was_not_asked_and_keeps_a_blank() -> None:
    book = _book(
        Variable(name="rid_typed", path="staff/rid_typed", role=Role.STAFF, kind=Kind.TEXT),
        Variable(name="rid", path="staff/rid", role=Role.STAFF, kind=Kind.CALCULATED),
        *(
            Variable(
                name=name,
                path=f"block/{name}",
                role=Role.ITEM,
                kind=Kind.TEXT,
                labels={"en": "?"},
            )
            for name in ("asked", "left_blank")
        ),
    )
    said = {"rid_typed": "14343144", "rid": "14343144", "asked": "a < b & 'c'\nd"}

    xml = submission(read_form(FORM), book, said, "e5e6").decode()
    instance = read_instance(xml.encode())

    assert "<left_blank" in xml
    assert "not_asked" not in xml
    assert "hidden_block" not in xml
    assert instance.form_id == "aUid"
    assert instance.form_uuid == "f0"
    assert answers_of(instance, ()) == {
        "formhub/uuid": "f0",
        "kx_build": "kx1",
        "staff/rid_typed": "14343144",
        "staff/rid": "14343144",
        "block/asked": "a < b & 'c'\nd",
        "__version__": "v1",
        "meta/instanceID": "uuid:e5e6",
        "meta/instanceName": "pre 14343144",
    }


def _book(*variables: Variable) -> Codebook:
    return Codebook(
        build_id="kx1",
        study="lake",
        wave="pre",
        group="locals",
        group_role="host",
        mode="interview",
        languages=("en",),
        title="T",
        bank_version="1",
        names={},
        variables=variables,
        concepts=(),
    )


def test_invented_people_are_never_sent_to_a_server_elsewhere(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    server = KoboServer(Connection("https://kf.kobotoolbox.org", "t0"))

    with pytest.raises(UsageError, match="no local server"):
        plan_rehearsal(study, server)


def test_a_rehearsal_within_a_window_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    with_register(study, 2)
    server = KoboServer(Connection("http://127.0.0.1:9", "t0"))

    with pytest.raises(UsageError, match="window of 'pre'"):
        plan_rehearsal(study, server, today=IN_PRE)


def test_more_people_than_the_register_has_are_refused(interviews: Prepared) -> None:
    with pytest.raises(UsageError, match="the register has 160 respondents, and 161"):
        script_for(interviews, people=161, today=AFTER_ALL)


@pytest.mark.slow
def test_a_rehearsal_of_ones_own_study_comes_back_exact_over_http(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study", WITHOUT_WINDOWS)
    with_register(study, 6)
    prepared = prepare(study, engines=False)
    write_build(prepared)

    with local_server(tmp_path / "server.sqlite") as server:
        with pytest.raises(UsageError, match="deploy"):
            plan_rehearsal(study, server)
        deploy_study(study, plan_study_deploy(study, prepared, server))
        rehearsal = plan_rehearsal(study, server, seed=3)
        rehearsal.send()
        script = rehearsal.script
        pull_study(study, server)
        with pytest.raises(UsageError, match="already has"):
            plan_rehearsal(study, server)

    assert not differences(compare(script, match_study(study, AFTER_ALL)))


@pytest.mark.slow
def test_a_form_changed_since_it_was_deployed_is_not_rehearsed(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study", WITHOUT_WINDOWS)
    with_register(study, 1)

    with local_server(tmp_path / "server.sqlite") as server:
        deploy_study(study, plan_study_deploy(study, prepare(study, engines=False), server))
        write_study(study.root, WITHOUT_WINDOWS.replace("Lakeside", "Seaside"))
        with pytest.raises(StudyError, match="changed since it was deployed"):
            plan_rehearsal(study, server)


@contextmanager
def local_server(database: Path) -> Iterator[KoboServer]:
    with (
        LocalServer(database) as local,
        Connection(local.url, create_account(database, "team")) as connection,
    ):
        yield KoboServer(connection)
