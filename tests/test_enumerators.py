from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from kobosmix.findings import Finding, Severity
from kobosmix.people import enumerators
from kobosmix.people.coverage import check_coverage, check_variety
from kobosmix.people.enumerators import (
    COLUMNS,
    EXPLANATIONS,
    Enumerator,
    enumerators_csv,
    read_enumerators,
    rows_named,
    write_enumerators_template,
)
from kobosmix.xlsx import Cell, Sheet, read_rows, workbook_bytes

GOOD: list[Cell] = ["en01", "Layla  Demir", "syr", "f", "ar, tr", "yes"]


def read(
    folder: Path, *rows: Sequence[Cell], header: Sequence[Cell] = COLUMNS
) -> tuple[tuple[Enumerator, ...], list[Finding]]:
    path = folder / "enumerators.xlsx"
    path.write_bytes(workbook_bytes([Sheet(title="enumerators", rows=[header, *rows])]))
    return read_enumerators(path, groups=("syr", "tur"), languages=("ar", "tr"))


def said(findings: Sequence[Finding]) -> list[tuple[str, int, str]]:
    return [(one.code, one.place.line, one.problem) for one in findings]


def test_enumerators_are_read_in_the_order_of_their_codes(tmp_path: Path) -> None:
    listed, findings = read(tmp_path, GOOD, ["a-1", "Omar", None, None, "tr، ar;", "NO"])

    assert findings == []
    assert listed == (
        Enumerator(code="a-1", name="Omar", languages=("tr", "ar")),
        Enumerator(code="en01", name="Layla Demir", group="syr", gender="f",
                   languages=("ar", "tr"), independent=True),
    )  # fmt: skip


def test_the_phone_shows_code_and_name_and_stores_the_code() -> None:
    listed = [Enumerator(code="en02", name="Müge, B."), Enumerator(code="en01", name="عمر")]

    assert enumerators_csv(listed).decode("utf-8") == (
        'name,label\nen01,en01 عمر\nen02,"en02 Müge, B."\n'
    )


def test_the_template_has_a_header_and_nobody_in_it(tmp_path: Path) -> None:
    path = tmp_path / "enumerators.xlsx"

    write_enumerators_template(path)

    assert read_rows(path) == [[*COLUMNS, "account"]]
    assert read_enumerators(path, groups=(), languages=()) == ((), [])


def test_a_list_that_is_missing_is_a_finding_only_where_it_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "enumerators.xlsx"

    assert said(read_enumerators(path, groups=(), languages=())[1]) == [
        ("E101", 0, "the file is missing")
    ]
    assert read_enumerators(path, groups=(), languages=(), required=False) == ((), [])


@pytest.mark.parametrize(
    ("column", "cell", "code", "problem"),
    [
        ("code", "EN01", "E104", "not a code of a-z, 0-9, _ and -"),
        ("code", "Layla Demir", "E104", "not a code of a-z, 0-9, _ and -"),
        ("code", None, "E104", "not a code of a-z, 0-9, _ and -"),
        ("name", None, "E107", "no name"),
        ("group", "Layla Demir", "E108", "unknown group; valid: syr, tur"),
        ("languages", "ar, en", "E109", "unknown language; valid: ar, tr"),
        ("languages", None, "E109", "no language"),
        ("languages", " , ", "E109", "no language"),
        ("independent", None, "E110", "neither yes nor no"),
        ("independent", "maybe", "E110", "neither yes nor no"),
    ],
)
def test_a_wrong_cell_is_found_and_not_repeated(
    tmp_path: Path, column: str, cell: Cell, code: str, problem: str
) -> None:
    wrong = list(GOOD)
    wrong[COLUMNS.index(column)] = cell

    findings = read(tmp_path, ["en02", *GOOD[1:]], wrong)[1]

    assert said(findings) == [(code, 3, f"row 3: {problem}")]
    assert "Demir" not in str(findings)


def test_one_code_for_two_belongs_to_neither(tmp_path: Path) -> None:
    listed, findings = read(tmp_path, GOOD, ["en02", *GOOD[1:]], GOOD)

    assert [one.code for one in listed] == ["en02"]
    assert said(findings) == [("E105", 2, "rows 2 and 4: the same code")]


def test_the_header_is_held_to_its_columns(tmp_path: Path) -> None:
    header = ["code", "name", "gender", "languages", "languages", "phone"]

    findings = read(tmp_path, ["en01", "Layla", "f", "ar", "tr", 5321234567], header=header)[1]

    assert said(findings) == [
        ("E102", 1, "row 1: there is no column headed group, independent"),
        ("E103", 1, "row 1: several columns are headed languages"),
        ("E201", 1, "row 1: 1 further column not read"),
    ]


def test_an_account_is_read_and_goes_to_no_phone(tmp_path: Path) -> None:
    listed, findings = read(
        tmp_path,
        [*GOOD, "layla_d"],
        ["en02", *GOOD[1:], None],
        header=[*COLUMNS, "Account"],
    )

    assert findings == []
    assert [one.account for one in listed] == ["layla_d", ""]
    assert b"layla_d" not in enumerators_csv(listed)


@pytest.mark.parametrize(
    "cell", ["layla@example.org", "layla d", "AnonymousUser", "ليلى", "x" * 151]
)
def test_an_account_that_kobotoolbox_cannot_have_is_found_and_not_repeated(
    tmp_path: Path, cell: str
) -> None:
    findings = read(tmp_path, [*GOOD, cell], header=[*COLUMNS, "account"])[1]

    assert said(findings) == [("E112", 2, "row 2: not a KoboToolbox user name")]
    assert cell not in str(findings)


def test_two_columns_of_accounts_are_one_too_many(tmp_path: Path) -> None:
    findings = read(tmp_path, [*GOOD, "a", "b"], header=[*COLUMNS, "account", "account"])[1]

    assert [one.code for one in findings] == ["E103"]


def test_without_a_header_nothing_else_is_said(tmp_path: Path) -> None:
    listed, findings = read(tmp_path, ["en02", *GOOD[1:]], header=GOOD)

    assert listed == ()
    assert [one.code for one in findings] == ["E102"]


def test_a_formula_is_refused_and_called_nothing_else(tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    for cells in ([*COLUMNS], ["=A3", "=B3", "=C3", "f", "ar", "yes"], GOOD):
        book.worksheets[0].append(cells)
    path = tmp_path / "enumerators.xlsx"
    book.save(path)

    listed, findings = read_enumerators(path, groups=("syr",), languages=("ar", "tr"))

    assert [one.code for one in listed] == ["en01"]
    assert {one.code for one in findings} == {"E106"}
    assert [one.place.spot for one in findings] == [
        "column code",
        "column group",
        "column name",
    ]


def test_each_group_is_better_asked_by_one_of_its_own() -> None:
    own = Enumerator(code="en01", name="Layla", group="syr", languages=("ar", "tr"))
    mute = Enumerator(code="en02", name="Omar", group="rom", languages=("tr",))

    warnings = list(check_coverage([own, mute], {"syr": ["ar"], "tur": ["tr"], "rom": ["rmn"]}))

    assert [(one.code, one.place.spot, one.severity) for one in warnings] == [
        ("E202", "group tur", Severity.WARNING),
        ("E202", "group rom", Severity.WARNING),
    ]
    assert warnings[0].problem == "no enumerator is of this group, which is interviewed in tr"
    assert warnings[1].problem == (
        "1 of the enumerators are of this group, and none of these speaks rmn"
    )


def test_every_finding_is_explained_and_listed_in_the_docstring() -> None:
    assert enumerators.__doc__
    for code, (meaning, remedy) in EXPLANATIONS.items():
        assert code in enumerators.__doc__
        assert meaning.endswith(".")
        assert remedy.endswith(".")


def test_many_scattered_rows_are_cut_short() -> None:
    assert rows_named([4]) == "row 4"
    assert rows_named([4, 5, 7]) == "rows 4, 5 and 7"
    assert rows_named([3, 5, 6, 7, 12]) == "rows 3, 5 to 7 and 12"
    assert rows_named(range(2, 100, 2)).endswith("38, 40 and more")


def test_somebody_stands_outside_the_programme_and_not_all_are_of_one_gender() -> None:
    inside = Enumerator(code="e1", name="A", gender="woman", independent=False)
    outside = replace(inside, code="e2", gender="man", independent=True)

    assert [f.code for f in check_variety([inside, replace(inside, code="e3")])] == [
        "E203",
        "E204",
    ]
    assert list(check_variety([inside, outside])) == []
    assert [f.code for f in check_variety([outside, replace(outside, gender="")])] == []
