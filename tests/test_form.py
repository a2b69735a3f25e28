"""The form as phones and servers get it, and the codebook that decodes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_11_2

from kobosmix.codebook import Codebook, Role, read_codebook, write_codebook
from kobosmix.conditions import variables_of
from kobosmix.form import XlsForm, codebook_workbook, kobo_workbook, workbook
from kobosmix.form.xpath import ID_CONSTRAINT
from kobosmix.people.model import Register, Respondent
from kobosmix.people.register import register_csv
from kobosmix.prepare import BuiltForm, prepare
from kobosmix.xlsx import Sheet, read_rows, sheet_names, workbook_bytes
from tests.english_study import built, changed, write_study

NATIONALITY = ("concepts: [core,", "concepts: [core, nationality, ethnicity,")
BILINGUAL = """\
format: 1
study: two_tongues
title: {tr: Göl, ar: البحيرة}
organisation: {tr: Göl Derneği, ar: جمعية البحيرة}
programme: {tr: Göl, ar: البحيرة}
community: {tr: Göl, ar: البحيرة}
country: {use: this_country}
newcomers: {use: refugees}
languages: {tr: use, ar: use}
groups:
  turks:
    role: host
    languages: [tr, ar]
    speaks: tr
    asked_about: [syrians]
    names:
      tr: {pl: Türkler, adj: Türk}
      ar: {def_pl_nom: الأتراك, def_pl_obl: الأتراك, adj_m_sg: تركي}
  syrians:
    role: newcomer
    languages: [ar, tr]
    speaks: ar
    asked_about: [turks]
    names:
      tr: {pl: Suriyeliler, adj: Suriyeli}
      ar: {def_pl_nom: السوريون, def_pl_obl: السوريين, adj_m_sg: سوري}
own_group: name
waves: {pre: {}, post: {}, fu2: {}}
sites: {a: {tr: A, ar: أ}}
design: {type: no_comparison, random: false}
concepts: [attitudes, anxiety, empathy, trust, metaperceptions, willingness, characteristics,
  ethnicity, religion, construals, norms, prior_contact, programme_contact, gen_trust, safety,
  wellbeing, group_id, victimhood, responsibility, hope, nationality, language, belonging,
  welcoming, acculturation, immigration, threat, signup, attendance, crossing]
mode: interview
minutes: 90
contacts: {withdrawal: {tr: x, ar: س}, withdrawal_until: 2026-12-31, complaints: {tr: x, ar: س}}
compensation: {type: none}
age_of_consent: 16
minors: include
"""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> BuiltForm:
    """Hosts before the programme, interviewed in English."""
    return built(tmp_path_factory.mktemp("plain"), changed(NATIONALITY))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[BuiltForm, ...]:
    """Every concept of the bank, in Turkish and Arabic, with minors, by the group's own name."""
    study = write_study(tmp_path_factory.mktemp("whole"), BILINGUAL)
    people = [("code", "name", "group", "gender", "languages", "independent")]
    people += [
        ("e1", "Ali", "turks", "m", "tr", "yes"),
        ("e2", "Hala", "syrians", "f", "ar", "yes"),
    ]
    study.enumerators_file.write_bytes(workbook_bytes([Sheet(title="e", rows=people)]))
    prepared = prepare(study, engines=False)
    prepared.sound()
    return prepared.forms


def column(form: XlsForm, name: str) -> list[str]:
    return [row[name] for row in form.survey if name in row]


def row(form: XlsForm, name: str) -> dict[str, str]:
    return next(row for row in form.survey if row.get("name") == name)


def codes(form: XlsForm, listed: str) -> list[str]:
    return [choice["name"] for choice in form.choices if choice["list_name"] == listed]


def rated(codebook: Codebook) -> list[str]:
    return [variable.name for variable in codebook.variables if variable.rated]


def test_the_staff_block_comes_first_and_consent_before_any_question(plain: BuiltForm) -> None:
    names = [row["name"] for row in plain.form.survey if "name" in row]

    order = [
        "kx_build",
        "enumerator",
        "site",
        "rid_typed",
        "rid",
        "attempt",
        "consent_voluntary",
    ]
    order += ["of_age", "consent", "consent_ok", "birth_known", "attitudes_1", "refusal_reason"]
    assert [name for name in names if name in order] == order


def test_nothing_is_asked_without_consent(whole: tuple[BuiltForm, ...]) -> None:
    for built_form in whole:
        asked = [v for v in built_form.codebook.variables if v.role in (Role.ITEM, Role.KEY)]
        assert asked
        assert all("consent_ok" in variables_of(variable.asked_if) for variable in asked)


def test_nobody_is_introduced_or_asked_to_agree_where_no_interview_can_begin(
    plain: BuiltForm,
) -> None:
    assert row(plain.form, "introduction")["relevant"] == "${attempt} = 'interview'"
    for name in ("of_age", "consent"):
        assert "attempt" in variables_of(plain.codebook.variable(name).asked_if)


def test_a_refusal_keeps_its_number_wave_outcome_and_reason(plain: BuiltForm) -> None:
    kept = ("rid", "kx_wave", "attempt", "refusal_reason")

    for name in kept:
        assert "consent_ok" not in variables_of(plain.codebook.variable(name).asked_if)
    assert row(plain.form, "refusal_reason")["relevant"] == (
        "${attempt} = 'refused' or ${consent} = '0'"
    )


def test_in_interviews_every_rated_item_is_a_required_list_with_both_ways_out(
    plain: BuiltForm,
) -> None:
    assert len(rated(plain.codebook)) > 15
    for name in rated(plain.codebook):
        asked = row(plain.form, name)
        assert asked["required"] == "${mode} != 'paper' and ${ended} != 'stopped'"
        assert "appearance" not in asked, "a vertical list, which no swipe answers"
        assert codes(plain.form, asked["type"].split()[1]) == [
            "1",
            "2",
            "3",
            "4",
            "5",
            "98",
            "99",
        ]


def test_self_administered_forms_let_every_rated_item_be_left_out(tmp_path: Path) -> None:
    text = changed(("mode: interview", "mode: self_administered"))
    alone = built(tmp_path, text)

    for name in rated(alone.codebook):
        asked = row(alone.form, name)
        assert "required" not in asked
        assert codes(alone.form, asked["type"].split()[1]) == ["1", "2", "3", "4", "5"]
    names = {each["name"] for each in alone.form.survey if "name" in each}
    assert not names & {"enumerator", "attempt", "rid_scan", "refusal_reason"}
    assert {"site", "rid_typed", "consent"} <= names
    said = " ".join(str(each) for each in alone.form.survey)
    assert "do not read" not in said.lower()


def test_minors_need_guardian_and_assent_or_the_form_ends(
    plain: BuiltForm, whole: tuple[BuiltForm, ...]
) -> None:
    family = whole[0].form

    assert row(family, "guardian_consent")["relevant"] == "${of_age} = '0'"
    assert "${guardian_consent} = '1'" in row(family, "assent")["relevant"]
    assert "${assent} = '1'" in row(family, "consent_ok")["calculation"]
    assert row(plain.form, "adults_only")["relevant"] == "${of_age} = '0'"
    assert "guardian_consent" not in column(plain.form, "name")


def test_programme_contact_stands_behind_having_taken_part(
    whole: tuple[BuiltForm, ...],
) -> None:
    post = next(each for each in whole if each.key == "post_turks")

    assert row(post.form, "block_programme_contact")["relevant"] == "${took_part} = '1'"
    assert "took_part" in variables_of(post.codebook.variable("prog_contact_1").asked_if)


def test_the_nationality_block_branches_as_the_toolkit_does(plain: BuiltForm) -> None:
    assert row(plain.form, "nationality_1a_other")["relevant"] == "${nationality_1a} = '0'"
    assert row(plain.form, "nationality_1b")["relevant"] == "${nationality_1a} = '0'"
    assert row(plain.form, "nationality_1c")["relevant"] == "${nationality_1a} = '0'"
    assert row(plain.form, "nationality_3b")["relevant"] == "${nationality_3a} = '0'"
    assert "relevant" not in row(plain.form, "nationality_2")


def test_only_start_end_and_today_are_noted_of_the_device(plain: BuiltForm) -> None:
    metadata = {"start", "end", "today", "deviceid", "username", "audit", "phonenumber"}
    metadata |= {"start-geopoint", "background-audio", "email", "simserial", "subscriberid"}

    assert set(column(plain.form, "type")) & metadata == {"start", "end", "today"}


def test_study_group_wave_and_build_cannot_be_mistyped(plain: BuiltForm) -> None:
    constants = {
        name: row(plain.form, name)["calculation"].strip("'")
        for name in ("kx_study", "kx_group", "kx_wave", "kx_build")
    }

    assert constants == {
        "kx_study": "lake_2026",
        "kx_group": "locals",
        "kx_wave": "pre",
        "kx_build": plain.codebook.build_id,
    }


def test_the_title_begins_with_wave_and_group_in_the_first_language(
    whole: tuple[BuiltForm, ...],
) -> None:
    titles = {each.key: each.form.settings[0]["form_title"] for each in whole}

    assert titles["pre_turks"].startswith("TASLAK: Programdan önce – Türkler")
    assert titles["post_syrians"].startswith("مسودة: بعد البرنامج – السوريون")
    assert re.match(r"TASLAK: Takip 2 – ", titles["fu2_turks"])


def test_every_translatable_column_has_a_language_behind_it(
    whole: tuple[BuiltForm, ...],
) -> None:
    for each in whole:
        named = {c for sheet in each.form.sheets().values() for r in sheet for c in r}
        for name in named:
            base, _, language = name.partition("::")
            if base in ("label", "hint", "constraint_message", "required_message"):
                assert language in ("Türkçe (tr)", "العربية (ar)"), name
        assert each.form.settings[0]["default_language"] in {c.split("::")[-1] for c in named}


def test_a_form_opens_in_the_first_language_of_its_group(whole: tuple[BuiltForm, ...]) -> None:
    opens = {each.key: each.form.settings[0]["default_language"] for each in whole}

    assert (opens["pre_turks"], opens["pre_syrians"]) == ("Türkçe (tr)", "العربية (ar)")


def test_no_language_has_an_empty_cell_where_another_has_words(
    whole: tuple[BuiltForm, ...],
) -> None:
    for each in whole:
        for sheet in (each.form.survey, each.form.choices):
            for cells in sheet:
                for base in ("label", "hint", "constraint_message", "required_message"):
                    told = {c for c in cells if c.startswith(f"{base}::") and cells[c].strip()}
                    assert len(told) in (0, 2), cells


def test_names_are_unique_in_the_whole_form_whatever_their_case(
    whole: tuple[BuiltForm, ...],
) -> None:
    for each in whole:
        names = [name.lower() for name in column(each.form, "name")]
        assert len(names) == len(set(names))
        assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)


def test_expressions_name_only_what_is_there_and_codes_that_can_be_given(
    whole: tuple[BuiltForm, ...],
) -> None:
    for each in whole:
        types = {r["name"]: r["type"] for r in each.form.survey if "name" in r}
        for found in expressions(each.form):
            for name, _, code in re.findall(r"\$\{(\w+)\}( !?= '([^']*)')?", found):
                assert name in types, found
                kind = types[name].split()
                if code and kind[0] == "select_one":
                    assert code in codes(each.form, kind[1]), found


def expressions(form: XlsForm) -> Iterator[str]:
    for cells in form.survey:
        yield from (cells[c] for c in ("relevant", "constraint", "calculation") if c in cells)


def test_groups_open_close_and_hold_something(whole: tuple[BuiltForm, ...]) -> None:
    for each in whole:
        open_groups = list[int]()
        for cells in each.form.survey:
            if cells["type"] == "begin_group":
                open_groups.append(0)
            elif cells["type"] == "end_group":
                assert open_groups.pop() > 0
            if open_groups and cells["type"] != "begin_group":
                open_groups[-1] += 1
        assert open_groups == []


def test_the_codebook_holds_every_field_of_the_form_and_no_other(
    whole: tuple[BuiltForm, ...],
) -> None:
    silent = {"begin_group", "end_group", "note", "csv-external"}
    for each in whole:
        fields = {r["name"] for r in each.form.survey if r["type"] not in silent}
        assert fields == {variable.name for variable in each.codebook.variables}
        for variable in each.codebook.variables:
            kind, _, listed = row(each.form, variable.name)["type"].partition(" ")
            assert [o.value for o in variable.options] == codes(each.form, listed)
            assert bool(variable.options) == (kind == "select_one")


def test_all_sixty_nine_rated_items_can_be_asked(whole: tuple[BuiltForm, ...]) -> None:
    items = {v.item for each in whole for v in each.codebook.variables if v.rated}

    assert len(items) == 69


def test_a_codebook_comes_back_as_it_was_written(
    tmp_path: Path, whole: tuple[BuiltForm, ...]
) -> None:
    for each in whole:
        write_codebook(tmp_path / "codebook.json", each.codebook)
        assert read_codebook(tmp_path / "codebook.json") == each.codebook


def test_the_codebook_workbook_shows_the_exact_words(whole: tuple[BuiltForm, ...]) -> None:
    book = codebook_workbook(whole[0].codebook)

    assert sheet_names(book) == ["form", "variables", "answers"]
    variables = read_rows(book, "variables")
    words = {str(r[0]): r[variables[0].index("words (tr)")] for r in variables[1:]}
    assert words["trust_1"] == whole[0].codebook.variable("trust_1").labels["tr"]


def test_equal_forms_give_equal_bytes(plain: BuiltForm) -> None:
    assert workbook(plain.form) == workbook(plain.form)
    assert kobo_workbook(plain.form) == kobo_workbook(plain.form)


def test_stable_row_ids_are_in_the_uploaded_dialect_only(plain: BuiltForm) -> None:
    neutral, upload = workbook(plain.form), kobo_workbook(plain.form)

    with ZipFile(BytesIO(neutral)) as opened:
        assert all(b"kuid" not in opened.read(name) for name in opened.namelist())
    for sheet in ("survey", "choices"):
        rows = read_rows(upload, sheet)
        at = rows[0].index("$kuid")
        kuids = [str(r[at]) for r in rows[1:]]
        assert len(set(kuids)) == len(kuids)
        assert all(re.fullmatch(r"[0-9A-Za-z]{12}", kuid) for kuid in kuids)
        without = [[c for n, c in enumerate(r) if n != at] for r in rows]
        assert without == read_rows(neutral, sheet)


def test_a_row_keeps_its_id_when_another_is_added(plain: BuiltForm, tmp_path: Path) -> None:
    more = built(
        tmp_path, changed(("concepts: [core,", "concepts: [core, nationality, norms,"))
    )

    before, after = (_kuids(each.form) for each in (plain, more))
    common = set(before) & set(after)
    assert len(common) > 40
    assert all(before[name] == after[name] for name in common)


def _kuids(form: XlsForm) -> dict[str, str]:
    header, *rows = read_rows(kobo_workbook(form), "survey")
    name, kuid = header.index("name"), header.index("$kuid")
    return {str(r[name]): str(r[kuid]) for r in rows if r[name]}


def test_the_build_id_follows_the_words_and_nothing_else(tmp_path: Path) -> None:
    first = built(tmp_path / "a").codebook.build_id
    same = built(tmp_path / "b").codebook.build_id
    reworded = built(
        tmp_path / "c", changed(("en: Laketown", "en: Lake Town"))
    ).codebook.build_id
    (tmp_path / "d").mkdir()
    from kobosmix.people.register import write_register

    write_register(
        tmp_path / "d" / "register.xlsx",
        Register((Respondent(id="14343144", group="locals", arm="programme"),)),
    )
    registered = built(tmp_path / "d").codebook.build_id

    assert first == same == registered
    assert first != reworded
    assert re.fullmatch(r"kx[0-9a-f]{12}", first)


def test_the_arm_is_in_no_form_and_in_no_list_that_phones_carry(plain: BuiltForm) -> None:
    person = Respondent(id="14343144", group="locals", site="north", arm="programme")

    carried = register_csv(Register((person,))).decode()

    assert "arm" not in carried.split("\n", maxsplit=1)[0]
    assert "programme" not in carried
    names = set(column(plain.form, "name"))
    assert not [name for name in names if "arm" in name.split("_")]
    assert "Cooks along" not in str(plain.form)


@given(st.text(alphabet="0123456789", min_size=8, max_size=8))
def test_the_check_digit_rule_is_that_of_the_standard(digits: str) -> None:
    weights = [int(w) for w in re.findall(r"(\d+) \* substr", ID_CONSTRAINT)]

    holds = sum(w * int(d) for w, d in zip(weights, digits, strict=True)) % 11 == 1

    assert holds == mod_11_2.is_valid(digits)
