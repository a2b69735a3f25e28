from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kobosmix.codebook import MISSING_CODES, Option
from kobosmix.context import Indicator
from kobosmix.tables import missing, tabulate, wide, write_tables
from kobosmix.tables.toolkit import ARM_HEADING, GROUP_HEADING, ID_HEADING, survey_name
from kobosmix.tables.write import csv_text
from kobosmix.xlsx import Cell, read_rows, records, sheet_names
from tests.answers import WAVES, Scenario, choices, codebook, rebuilt

PRE_LOCAL = ("trust_1", "trust_2", "hope_1", "hope_2", "immigration_1")


@pytest.fixture
def study() -> Scenario:
    """Ana is a local of the programme, Nur a newcomer of the comparison; Ben was never met."""
    scenario = Scenario()
    scenario.person("ana", arm="programme", site="north")
    scenario.person("nur", group="newcomer", arm="comparison")
    scenario.person("ben", arm="comparison")
    return scenario


def answered(study: Scenario) -> None:
    study.answers("ana", trust_1="4", immigration_1="99", comment='He said "hi",\nthen left')
    study.answers("nur", trust_1="2", trust_2="98")
    study.answers("ana", "post", took_part="0", trust_1="5", comment=None, immigration_1="1")


def row_of(study: Scenario, name: str, table: pd.DataFrame) -> dict[str, object]:
    row = table[table["rid"] == study.rid(name)].iloc[0]
    return {str(key): None if pd.isna(value) else value for key, value in row.items()}


def reasons(study: Scenario, name: str, wave: str = "pre") -> dict[str, int]:
    table = missing(tabulate(study.matched()))
    of_person = table[(table["rid"] == study.rid(name)) & (table["wave"] == wave)]
    return dict(zip(of_person["variable"], of_person["code"], strict=True))


def test_the_wide_table_has_one_row_a_person_with_whole_numbers(study: Scenario) -> None:
    answered(study)

    table = wide(tabulate(study.matched()))

    assert list(table["rid"]) == sorted([study.rid("ana"), study.rid("nur")])
    ana = row_of(study, "ana", table)
    assert (ana["group"], ana["group_role"], ana["arm"]) == ("local", "host", "programme")
    assert (ana["pre_trust_1"], ana["post_trust_1"]) == (4, 5)
    assert (ana["pre_gender"], ana["pre_birth_year"]) == ("female", 1990)
    assert (ana["pre_immigration_1"], ana["fu_trust_1"]) == (None, None)
    assert (ana["pre_date"], ana["pre_enumerator"]) == ("2026-03-10", "e1")
    assert (ana["post_outcome"], ana["fu_outcome"]) == ("completed", "not_due")
    assert table["pre_trust_1"].dtype == "Int64"


def test_columns_stand_in_the_order_of_the_forms_wave_by_wave(study: Scenario) -> None:
    answered(study)

    columns = list(wide(tabulate(study.matched())).columns)

    assert columns[:7] == ["rid", "group", "group_role", "site", "cohort", "partner", "arm"]
    pre = [name.removeprefix("pre_") for name in columns if name.startswith("pre_")]
    assert pre == [
        *("date", "enumerator", "outcome"),
        *("gender", "birth_year", *PRE_LOCAL, "comment"),
    ]
    assert "post_took_part" in columns
    assert "pre_took_part" not in columns
    assert "pre_note" not in columns


def test_everyone_of_the_register_can_be_shown(study: Scenario) -> None:
    answered(study)

    table = wide(tabulate(study.matched()), everyone=True)

    assert len(table) == 3
    assert row_of(study, "ben", table)["pre_outcome"] == "overdue"


def test_a_missing_answer_says_why_it_is_missing(study: Scenario) -> None:
    answered(study)
    code = {reason.value: number for reason, number in MISSING_CODES.items()}

    assert reasons(study, "ana") == {"immigration_1": code["refused"]}
    assert reasons(study, "nur") == {
        "trust_2": code["dont_know"],
        "immigration_1": code["not_asked"],
    }
    assert reasons(study, "ana", "post") == {
        "comment": code["blank"],
        "programme_contact_1": code["not_asked"],
    }


def test_a_blank_in_the_middle_is_no_break_off(study: Scenario) -> None:
    study.answers("ana", trust_2=None, hope_2=None, immigration_1=None, comment=None)

    assert reasons(study, "ana") == {
        "trust_2": -96,
        "hope_2": -95,
        "immigration_1": -95,
        "comment": -95,
    }


def test_a_value_that_is_no_code_is_missing_in_the_tables(study: Scenario) -> None:
    study.answers("ana", trust_1="7", birth_year="19 90", immigration_1="3")
    tabulation = tabulate(study.matched())

    row = row_of(study, "ana", wide(tabulation))

    assert (row["pre_trust_1"], row["pre_birth_year"]) == (None, None)
    assert set(missing(tabulation)["reason"]) == {
        "not one of the form's codes",
        "not a whole number",
    }


def test_codes_with_a_leading_zero_stay_text(study: Scenario) -> None:
    book = study.codebooks["local-pre"]
    study.codebooks["zeros"] = rebuilt(book, "zeros", "trust_1", options=choices("01", "04"))
    study.answers("ana", trust_1="04", form="zeros")

    assert row_of(study, "ana", wide(tabulate(study.matched())))["pre_trust_1"] == "04"


def test_a_list_from_a_file_is_taken_as_it_comes(study: Scenario) -> None:
    book = study.codebooks["local-pre"]
    study.codebooks["file"] = rebuilt(book, "file", "trust_1", options=())
    study.answers("ana", trust_1="TR-27", form="file")

    matched = study.matched()

    assert matched.odd_values == ()
    assert row_of(study, "ana", wide(tabulate(matched)))["pre_trust_1"] == "TR-27"


def test_a_build_nobody_used_adds_no_column(study: Scenario) -> None:
    book = study.codebooks["local-pre"]
    study.codebooks["draft"] = rebuilt(book, "draft", "comment", name="draft_only")
    before = wide(tabulate(study.matched())).columns
    study.answers("ana")

    assert "pre_draft_only" in before
    assert "pre_draft_only" not in wide(tabulate(study.matched())).columns


def test_the_csv_gives_every_answer_back_with_ids_as_quoted_text(
    study: Scenario, tmp_path: Path
) -> None:
    answered(study)
    matched = study.matched()

    write_tables(tmp_path, matched)

    raw = (tmp_path / "wide.csv").read_bytes()
    assert not raw.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in raw
    assert f'\n"{study.rid("ana")}","local","host"'.encode() in raw
    assert b".0" not in raw
    back = pd.read_csv(tmp_path / "wide.csv", dtype="string")
    table = wide(tabulate(matched)).astype("string")
    pd.testing.assert_frame_equal(back, table, check_dtype=False)
    gaps = pd.read_csv(tmp_path / "missing.csv", dtype="string")
    assert list(gaps.columns) == ["rid", "wave", "variable", "code", "reason"]
    assert set(gaps["code"]) <= {str(code) for code in MISSING_CODES.values()}


def test_the_workbook_defuses_what_a_spreadsheet_would_run_and_the_csv_does_not(
    study: Scenario, tmp_path: Path
) -> None:
    study.answers("ana", comment="=HYPERLINK(1)")

    write_tables(tmp_path, study.matched())

    row = records(read_rows(tmp_path / "wide.xlsx"))[0]
    assert row["rid"] == study.rid("ana")
    assert row["pre_comment"] == "'=HYPERLINK(1)"
    assert row["pre_trust_1"] == 4
    assert '"=HYPERLINK(1)"' in (tmp_path / "wide.csv").read_text(encoding="utf-8")


def test_the_toolkits_sample_sheet_can_be_printed(study: Scenario, tmp_path: Path) -> None:
    answered(study)
    study.person("zoe", group="visitors", arm="waiting list")
    study.codebooks["visitors-pre"] = codebook("visitors", "pre")
    study.answers("zoe")

    write_tables(tmp_path, study.matched(), headings="toolkit")

    table = records(read_rows(tmp_path / "wide.xlsx"))
    assert list(table[0])[:5] == [
        ID_HEADING,
        GROUP_HEADING,
        ARM_HEADING,
        "Pre-survey question 1",
        "Pre-survey question 2",
    ]
    people = {row[ID_HEADING]: (row[GROUP_HEADING], row[ARM_HEADING]) for row in table}
    assert people == {
        study.rid("ana"): ("Host society", "Programme"),
        study.rid("nur"): ("Migrant", "Comparison"),
        study.rid("zoe"): ("visitors", "waiting list"),
    }
    ana = next(row for row in table if row[ID_HEADING] == study.rid("ana"))
    assert (ana["Pre-survey question 1"], ana["Post-survey question 1"]) == (4, 5)
    assert "Follow-up survey question 1" in ana
    explained = {
        row["heading"]: row
        for row in records(read_rows(tmp_path / "wide.xlsx", sheet="Headings"))
    }
    assert set(explained) == set(table[0])
    assert explained["Post-survey question 1"]["variable"] == "post_trust_1"
    assert "How about trust_1, you local?" in str(
        explained["Post-survey question 1"]["wording"]
    )
    assert explained["Post-survey question 1"]["scale"] == "agree_5"


def test_a_question_has_the_same_number_in_every_wave(study: Scenario, tmp_path: Path) -> None:
    answered(study)

    write_tables(tmp_path, study.matched(), headings="toolkit")

    numbers = dict[str, set[str]]()
    for row in records(read_rows(tmp_path / "wide.xlsx", sheet="Headings")):
        if row["wave"]:
            item = str(row["variable"]).removeprefix(f"{row['wave']}_")
            numbers.setdefault(item, set()).add(str(row["heading"]).rsplit(" ", 1)[-1])
    assert all(len(found) == 1 for found in numbers.values())
    assert numbers["programme_contact_1"] == {"6"}


def test_waves_are_named_as_the_sample_sheet_names_them() -> None:
    assert [survey_name(wave) for wave in (*WAVES, "fu2", "mid")] == [
        "Pre-survey",
        "Post-survey",
        "Follow-up survey",
        "Follow-up 2 survey",
        "mid survey",
    ]


def codebook_rows(folder: Path) -> dict[tuple[Cell, Cell], dict[str, Cell]]:
    rows = records(read_rows(folder / "codebook.xlsx", "Answers"))
    return {(row["column"], row["asked in the form of"]): dict(row) for row in rows}


def test_the_codebook_explains_each_column_in_each_wording(
    study: Scenario, tmp_path: Path
) -> None:
    answered(study)
    matched = study.matched()

    write_tables(tmp_path, matched)

    rows = codebook_rows(tmp_path)
    local, newcomer = rows["pre_trust_1", "local"], rows["pre_trust_1", "newcomer"]
    assert local["wording [en]"] == "How about trust_1, you local?"
    assert newcomer["wording [en]"] == "How about trust_1, you newcomer?"
    assert local["wording [ar]"] == "ما رأيك في trust_1؟"
    assert str(local["codes [en]"]).startswith("1 = Label 1; 2 = Label 2")
    assert (local["scale"], local["direction of the concept"]) == ("agree_5", "up")
    assert rows["pre_hope_2", "local"]["direction of the concept"] == "down"
    assert rows["pre_hope_1", "local"]["reversed"] == "yes"
    assert local["missing codes"] == (
        "98 is -98; 99 is -99; not_asked is -97; blank is -96; break_off is -95"
    )
    assert (local["toolkit section"], local["toolkit position"]) == ("4.1", "1")
    assert local["toolkit heading"] == "Pre-survey question 1"
    assert (local["n answered"], rows["pre_immigration_1", "local"]["n answered"]) == (1, 0)
    others = {
        row["column"] for row in records(read_rows(tmp_path / "codebook.xlsx", "Other columns"))
    }
    explained = others | {column for column, _ in rows}
    assert explained == set(wide(tabulate(matched)).columns)


def test_builds_with_equal_words_share_a_row_and_reworded_ones_do_not(
    study: Scenario, tmp_path: Path
) -> None:
    study.person("kim")
    study.codebooks["b2"] = codebook("local", "pre", "b2")
    study.codebooks["b3"] = rebuilt(
        codebook("local", "pre"), "b3", "trust_1", labels={"en": "Other words?"}
    )
    for name, form in (("ana", "local-pre"), ("ben", "b2"), ("kim", "b3")):
        study.answers(name, form=form)

    write_tables(tmp_path, study.matched())

    rows = records(read_rows(tmp_path / "codebook.xlsx", "Answers"))
    found = [(r["builds"], r["n answered"]) for r in rows if r["column"] == "pre_trust_1"]
    assert (
        found == [("b2, local-pre", 2), ("b3", 1)] or found[0] == ("newcomer-pre", 0) or found
    )


def topline(folder: Path, sheet: str, item: str = "trust_1") -> dict[Cell, dict[str, Cell]]:
    rows = records(read_rows(folder / "topline.xlsx", sheet))
    return {row["answer"]: dict(row) for row in rows if row["item"] == item}


def test_the_topline_counts_each_answer_and_keeps_the_missing_apart(
    study: Scenario, tmp_path: Path
) -> None:
    study.person("kim")
    study.answers("ana", trust_1="4")
    study.answers("ben", trust_1="98")
    study.answers("kim", trust_1="4", gender="male")
    study.answers("nur", trust_1="2", gender="99")

    write_tables(tmp_path, study.matched())

    overall = topline(tmp_path, "Overall")
    assert (overall["Label 4"]["pre: count"], overall["Label 4"]["pre: %"]) == (2, 66.7)
    assert overall["n (valid answers)"]["pre: count"] == 3
    assert overall["does not know"]["pre: count"] == 1
    assert overall["does not know"]["pre: %"] is None
    by_group = topline(tmp_path, "By group")
    assert by_group["Label 4"]["pre, Lake people: count"] == 2
    assert by_group["Label 2"]["pre, =Newcomers: %"] == 100
    assert (
        topline(tmp_path, "By group", "immigration_1")["not asked"]["pre, =Newcomers: count"]
        == 1
    )
    by_sex = topline(tmp_path, "By sex")
    assert by_sex["Label 4"]["pre, Label male: count"] == 1
    assert by_sex["Label 2"]["pre, (not given): count"] == 1
    by_arm = topline(tmp_path, "By arm")
    assert by_arm["Label 4"]["pre, programme: count"] == 1
    assert by_arm["Label 4"]["pre, (no arm yet): count"] == 1
    assert topline(tmp_path, "Overall", "comment")["n (valid answers)"]["pre: count"] == 4


def test_groups_that_share_no_language_share_a_row_with_both_labels(
    study: Scenario, tmp_path: Path
) -> None:
    book = study.codebooks["newcomer-pre"]
    options = (Option(value="4", labels={"tr": "Katılıyorum"}),)
    turkish = rebuilt(book, book.build_id, "trust_1", labels={"tr": "Güven?"}, options=options)
    study.codebooks = {
        "local-pre": study.codebooks["local-pre"],
        "newcomer-pre": replace(turkish, languages=("tr",)),
    }
    study.answers("ana", trust_1="4")
    study.answers("nur", trust_1="4")

    write_tables(tmp_path, study.matched())

    row = topline(tmp_path, "Overall")["Label 4 / Katılıyorum"]
    assert row["pre: count"] == 2
    assert row["question"] == "How about trust_1, you local? / Güven?"
    assert codebook_rows(tmp_path)["pre_trust_1", "local"]["codes [tr]"] is None


def test_counts_of_an_item_add_up_to_the_interviews(study: Scenario, tmp_path: Path) -> None:
    answered(study)

    write_tables(tmp_path, study.matched())

    for item in PRE_LOCAL:
        rows = topline(tmp_path, "Overall", item)
        n = sum(int(str(row["pre: count"])) for row in rows.values())
        assert n - int(str(rows["n (valid answers)"]["pre: count"])) == 2


def test_before_any_interview_the_tables_say_so_in_words(
    study: Scenario, tmp_path: Path
) -> None:
    files = write_tables(tmp_path, study.matched(date(2026, 1, 1)))

    assert all(path.is_file() for path in files)
    about = [row[1] for row in read_rows(tmp_path / "topline.xlsx")]
    assert "Linked interviews: 0, of 0 submissions." in about
    assert "No interview of the wave 'pre' is linked yet, so it has no counts." in about
    for sheet in sheet_names(tmp_path / "topline.xlsx")[1:]:
        words = read_rows(tmp_path / "topline.xlsx", sheet)[1][1]
        assert words == "No interview is linked yet, so there is nothing to count."
    header = (tmp_path / "wide.csv").read_text(encoding="utf-8").splitlines()
    assert len(header) == 1
    assert '"pre_trust_1"' in header[0]


def test_without_any_form_the_tables_still_open(tmp_path: Path) -> None:
    study = Scenario(codebooks={})

    write_tables(tmp_path, study.matched(), headings="toolkit")

    assert read_rows(tmp_path / "wide.xlsx") == [[ID_HEADING, GROUP_HEADING, ARM_HEADING]]


def test_pre_answers_alone_are_enough(study: Scenario, tmp_path: Path) -> None:
    study.answers("ana")

    write_tables(tmp_path, study.matched())

    about = [row[1] for row in read_rows(tmp_path / "topline.xlsx")]
    assert "Linked interviews: 1, partial among them: 0." in about
    assert "No interview of the wave 'post' is linked yet, so it has no counts." in about
    assert list(topline(tmp_path, "Overall")["Label 4"])[4:] == ["pre: count", "pre: %"]


@given(
    answers=st.lists(
        st.tuples(
            st.sampled_from(["ana", "nur", "ben"]),
            st.sampled_from(WAVES),
            st.sampled_from(["1", "5", "9", "98", "99", None]),
            st.text(
                alphabet=st.characters(codec="utf-8", exclude_categories=["C"]), max_size=9
            ),
        ),
        max_size=6,
    ),
    shuffled=st.randoms(use_true_random=False),
)
@settings(deadline=None, max_examples=40)
def test_every_cell_is_an_answer_or_has_a_reason(
    answers: list[tuple[str, str, str | None, str]], shuffled: st.DataObject
) -> None:
    study = Scenario()
    study.person("ana")
    study.person("nur", group="newcomer")
    study.person("ben")
    for name, wave, trust, comment in answers:
        study.answers(name, wave, trust_1=trust, comment=comment)
    in_another_order = list(study.submissions)
    shuffled.shuffle(in_another_order)  # type: ignore[attr-defined]

    tabulation = tabulate(study.matched())
    table, gaps = wide(tabulation), missing(tabulation)

    again = tabulate(study.matched(submissions=in_another_order))
    assert csv_text(table) == csv_text(wide(again))
    assert csv_text(gaps) == csv_text(missing(again))
    empty = {
        (rid, wave, variable)
        for rid, wave, variable in gaps[["rid", "wave", "variable"]].itertuples(index=False)
    }
    for (rid, wave), row in tabulation.given.items():
        for name in row:
            cell = table.loc[table["rid"] == rid, f"{wave}_{name}"].iloc[0]
            assert pd.isna(cell) == ((rid, wave, name) in empty)
    assert len(empty) == len(gaps)


def test_equal_answers_give_equal_bytes(study: Scenario, tmp_path: Path) -> None:
    answered(study)

    first = write_tables(tmp_path / "one", study.matched())
    second = write_tables(tmp_path / "two", study.matched())

    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_the_tables_do_not_wake_pandas_before_they_are_asked_for() -> None:
    woken = "import sys, kobosmix.tables, kobosmix.match; sys.exit('pandas' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", woken], check=False).returncode == 0


def test_the_results_matrix_counts_the_answers_of_its_group_and_arm(
    study: Scenario, tmp_path: Path
) -> None:
    study.person("eve", arm="programme")
    study.answers("ana", trust_1="4")
    study.answers("eve", trust_1="2")
    study.answers("nur", trust_1="5")
    study.answers("ana", "post", trust_1="98")
    neighbours = Indicator(
        id="trusting",
        title="Locals who trust",
        item="trust_1",
        answers=("4", "5"),
        group="local",
        baseline=40,
        target=60,
    )

    write_tables(tmp_path, study.matched(), indicators=[neighbours])

    (row,) = records(read_rows(tmp_path / "topline.xlsx", "Indicators"))
    assert (row["baseline planned: %"], row["target: %"]) == (40, 60)
    assert (row["pre: n"], row["pre: %"]) == (2, 50), "the newcomer does not count"
    assert (row["pre, programme: n"], row["pre, programme: %"]) == (2, 50)
    assert row["pre, comparison: n"] is None, "nobody of the group is in that arm"
    assert row["post: n"] is None, "one who does not know gave no valid answer"


def test_without_indicators_there_is_no_empty_results_matrix(
    study: Scenario, tmp_path: Path
) -> None:
    write_tables(tmp_path, study.matched())

    assert "Indicators" not in sheet_names(tmp_path / "topline.xlsx")


def test_without_a_comparison_everybody_is_in_the_programme(
    study: Scenario, tmp_path: Path
) -> None:
    study.person("joe")
    study.answers("joe", trust_1="4")
    matched = study.matched()
    alone = replace(matched, design=replace(matched.design, sole_arm="programme"))

    write_tables(tmp_path, alone, headings="toolkit")

    (row,) = records(read_rows(tmp_path / "wide.xlsx"))
    assert row[ARM_HEADING] == "Programme"
    assert "By arm" in sheet_names(tmp_path / "topline.xlsx"), "others of the study have arms"
