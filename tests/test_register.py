from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobosmix.errors import StudyError
from kobosmix.findings import Finding, Severity
from kobosmix.people import register
from kobosmix.people.ids import digest, issue_ids
from kobosmix.people.model import COLUMNS, STATUSES, Register, Respondent
from kobosmix.people.register import (
    EXPLANATIONS,
    add_respondents,
    read_register,
    register_csv,
    write_register,
)
from kobosmix.xlsx import Cell, Sheet, read_rows, workbook_bytes

A, B, C = "14343144", "58291606", "90617258"
CODES = ("syr", "tur")

Rows = Sequence[Sequence[Cell]]


def sheet_file(folder: Path, rows: Rows, *more: Sheet) -> Path:
    path = folder / "register.xlsx"
    path.write_bytes(workbook_bytes([Sheet(title="register", rows=rows), *more]))
    return path


def read(
    path: Path, issued: Collection[str] = frozenset(), *, required: bool = True
) -> tuple[Register, list[Finding]]:
    return read_register(
        path, groups=CODES, sites=("north",), cohorts=("1",), partners=("p1",),
        arms=("treatment", "control"), issued=issued, required=required,
    )  # fmt: skip


def found(folder: Path, *rows: Sequence[Cell], issued: Collection[str] = ()) -> list[Finding]:
    """What a register with our header and these rows is told."""
    return read(sheet_file(folder, [COLUMNS, *rows]), issued)[1]


def row(respondent_id: Cell, group: Cell = "syr", status: Cell = "active") -> list[Cell]:
    return [respondent_id, group, "north", 1, "p1", None, status]


def said(findings: Sequence[Finding]) -> list[tuple[str, int, str]]:
    return [(one.code, one.place.line, one.problem) for one in findings]


def test_a_register_as_kobosmix_writes_it_is_read_back_without_a_finding(
    tmp_path: Path,
) -> None:
    written = add_respondents(Register(), [B, A], group="syr", site="north", cohort="1")
    written = add_respondents(written, [C], group="", status="spare")
    path = tmp_path / "register.xlsx"

    write_register(path, written)

    assert read(path) == (written, [])
    assert [person.id for person in written.respondents] == sorted([A, B, C])
    first = path.read_bytes()
    write_register(path, written)
    assert path.read_bytes() == first


def test_ids_are_written_as_text_that_no_spreadsheet_turns_into_a_number(
    tmp_path: Path,
) -> None:
    path = tmp_path / "register.xlsx"

    write_register(path, Register((Respondent(id=A, group="syr"),)))

    assert read_rows(path) == [list(COLUMNS), [A, "syr", None, None, None, None, "active"]]
    with ZipFile(path) as parts:
        assert b'numFmtId="49"' in parts.read("xl/styles.xml")


@pytest.mark.parametrize("cell", [14343144, "14343144", "1434 3144", "1434-3144", "١٤٣٤٣١٤٤"])
def test_an_id_is_read_as_number_or_text_in_any_digits(tmp_path: Path, cell: Cell) -> None:
    path = sheet_file(tmp_path, [[" ID ", *COLUMNS[1:]], [], row(cell, "tur", None)])

    people, findings = read(path)

    assert findings == []
    assert people.by_id[A] == Respondent(
        id=A, group="tur", site="north", cohort="1", partner="p1"
    )


def test_a_register_that_need_not_be_there_is_empty_without_a_word(tmp_path: Path) -> None:
    assert read(tmp_path / "register.xlsx", required=False) == (Register(), [])

    people, findings = read(tmp_path / "register.xlsx")

    assert people == Register()
    assert said(findings) == [("R101", 0, "the file is missing")]


def test_without_a_header_nothing_else_is_said_and_nobody_is_named(tmp_path: Path) -> None:
    path = sheet_file(tmp_path, [["Amina Yilmaz", A], ["Omar Haddad", B], ["Layla Demir", C]])

    people, findings = read(path)

    assert people == Register()
    assert [one.code for one in findings] == ["R102", "R104"]
    assert "yilmaz" not in str(findings).lower()


def test_missing_and_repeated_columns_are_named(tmp_path: Path) -> None:
    path = sheet_file(
        tmp_path, [["id", "group", "site", "cohort", "status", "Site"], [A, "syr"]]
    )

    assert said(read(path)[1]) == [
        ("R102", 1, "row 1: there is no column headed partner, arm"),
        ("R103", 1, "row 1: several columns are headed site"),
    ]


def test_an_empty_workbook_lacks_every_column(tmp_path: Path) -> None:
    assert [one.code for one in read(sheet_file(tmp_path, []))[1]] == ["R102"]


def test_columns_that_are_not_read_are_a_warning_that_names_them(tmp_path: Path) -> None:
    header = [*COLUMNS, "bus", None, "Ali Kaya", None]
    path = sheet_file(tmp_path, [header, [*row(A), "line 4", None, 1, "x"]])

    (warning,) = read(path)[1]

    assert warning.severity is Severity.WARNING
    assert warning.problem == "row 1: columns that are not read: H (bus), J, K"


@pytest.mark.parametrize("header", [
    "Name", "first_name", "Full name", "SURNAME", "Phone no.", "e-mail", "GSM", "Soyadı",
    "SOYADI", "İSİM", "Telefon", "prénom", "الاسم", "رقم الهاتف", "Прізвище", "ім'я", "phone1",
])  # fmt: skip
def test_a_header_of_personal_data_is_an_error_though_the_column_is_empty(
    tmp_path: Path, header: str
) -> None:
    path = sheet_file(tmp_path, [[*COLUMNS, header], row(A)])

    (error,) = read(path)[1]

    assert error.code == "R104"
    assert error.place.spot == "column H"
    assert error.remedy.startswith("A name does not belong in the register.")


@pytest.mark.parametrize("header", ["site name", "school_name", "admitted", "notes", "village"])
def test_a_header_about_a_thing_is_only_a_warning(tmp_path: Path, header: str) -> None:
    path = sheet_file(tmp_path, [[*COLUMNS, header], row(A)])

    assert [one.code for one in read(path)[1]] == ["R201"]


@pytest.mark.parametrize("cells", [
    ["Amina Yılmaz", "Omar Haddad", None],
    ["أمينة يلماز", "عمر الحداد", "ليلى"],
    ["Jean-Paul O'Neill", "J. Smith", "moved"],
    ["came late", "amina@example.org", None],
    ["+90 532 123 45 67", None, None],
    [5321234567, None, None],
    ["(0532) 123.45.67", None, None],
    ["٠٥٣٢١٢٣٤٥٦٧", None, None],
])  # fmt: skip
def test_contents_that_find_a_person_are_an_error_that_repeats_none_of_them(
    tmp_path: Path, cells: list[Cell]
) -> None:
    rows = [[*row(one), cell] for one, cell in zip((A, B, C), cells, strict=True)]
    path = sheet_file(tmp_path, [[*COLUMNS, "x"], *rows])

    (error,) = read(path)[1]

    assert error.code == "R104"
    assert not any(str(cell) in str(error) for cell in cells if cell)


@pytest.mark.parametrize("cells", [
    ["2024-01-15", "15.01.2024", "15/01/2024"],
    ["moved to Ankara", "Came Late", "speaks two languages"],
    [12, 36.12345678, "7:30"],
    ["36.123456789", "-", "Yes"],
])  # fmt: skip
def test_dates_numbers_and_remarks_are_no_personal_data(
    tmp_path: Path, cells: list[Cell]
) -> None:
    rows = [[*row(one), cell] for one, cell in zip((A, B, C), cells, strict=True)]

    findings = read(sheet_file(tmp_path, [[*COLUMNS, "x"], *rows]))[1]

    assert [one.code for one in findings] == ["R201"]


def test_a_second_sheet_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    path = sheet_file(tmp_path, [COLUMNS, row(A)], Sheet(title="Amina", rows=[["x"]]))

    assert said(read(path)[1]) == [("R203", 0, "1 further sheet not read")]


def test_formulas_are_refused_column_by_column(tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.worksheets[0]
    for cells in ([*COLUMNS], ["=A3+1", *row(A)[1:]], row(A), ["=A3+2", "=B2", "north"]):
        sheet.append(cells)
    book.save(tmp_path / "register.xlsx")

    people, findings = read(tmp_path / "register.xlsx")

    assert list(people.by_id) == [A]
    assert said(findings) == [
        ("R105", 2, "rows 2 and 4: a formula instead of a value"),
        ("R105", 4, "row 4: a formula instead of a value"),
    ]


def test_a_row_without_an_id_is_found_and_an_empty_row_is_not(tmp_path: Path) -> None:
    assert said(found(tmp_path, row(A), [], row(None), ["  "], row(" \N{NO-BREAK SPACE}"))) == [
        ("R106", 4, "rows 4 and 6: no ID")
    ]


@pytest.mark.parametrize("cell", [14343144.5, "1.43E+07", "1,43E+07", "14343144.0", 1.5e-9])
def test_an_id_that_became_a_decimal_is_not_guessed_back(tmp_path: Path, cell: Cell) -> None:
    assert said(found(tmp_path, row(cell))) == [
        ("R107", 2, "row 2: the ID has become a decimal number")
    ]


@pytest.mark.parametrize("cell", ["14343145", "Amina", "1434314", "05321234567", "#REF!"])
def test_an_altered_id_is_found_and_not_repeated(tmp_path: Path, cell: Cell) -> None:
    path = sheet_file(tmp_path, [COLUMNS, row(B), row(cell)])

    people, findings = read(path)

    assert list(people.by_id) == [B]
    assert said(findings) == [("R108", 3, "row 3: not an ID as it was issued")]


def test_the_id_that_was_meant_is_said_when_it_was_issued_and_stands_in_no_row(
    tmp_path: Path,
) -> None:
    ledger = {digest(A), digest(B)}

    (free,) = found(tmp_path, row("14343154"), row(B), issued=ledger)
    (listed,) = found(tmp_path, row("14343154"), row(A), issued=ledger)

    assert f"; {A} was issued" in free.problem
    assert listed.problem == "row 2: not an ID as it was issued"


def test_ids_filled_down_are_one_finding_for_the_whole_run(tmp_path: Path) -> None:
    rows = [row(C), *(row(int(A) + step) for step in range(29)), row(B)]

    path = sheet_file(tmp_path, [COLUMNS, *rows])
    people, findings = read(path, {digest(A), digest(B), digest(C)})

    assert said(findings) == [("R109", 3, "rows 3 to 31: the IDs look filled down")]
    assert {A, B, C} <= people.by_id.keys()


def test_one_id_in_several_rows_names_them_all_and_belongs_to_nobody(tmp_path: Path) -> None:
    path = sheet_file(tmp_path, [COLUMNS, row(A), row(B), row("1434 3144"), row(int(A))])

    people, findings = read(path)

    assert list(people.by_id) == [B]
    assert said(findings) == [("R110", 2, "rows 2, 4 and 5: the same ID")]


def test_unknown_codes_are_found_by_row_with_the_valid_ones_and_never_repeated(
    tmp_path: Path,
) -> None:
    wrong = ["Amina Yilmaz", "n0rth", "2", "p2", "placebo", "gone"]

    findings = found(tmp_path, [A, *wrong], [B, *wrong], [C, "Omar", None, None, None, None])

    assert said(findings) == [
        ("R111", 2, "rows 2 and 3: unknown arm; valid: control, treatment"),
        ("R111", 2, "rows 2 and 3: unknown cohort; valid: 1"),
        ("R111", 2, "rows 2 and 3: unknown group; valid: syr, tur"),
        ("R111", 2, "rows 2 and 3: unknown partner; valid: p1"),
        ("R111", 2, "rows 2 and 3: unknown site; valid: north"),
        ("R111", 2, "rows 2 and 3: unknown status; valid: active, spare, withdrawn"),
        ("R111", 4, "row 4: unknown group; valid: syr, tur"),
    ]


def test_a_code_the_study_declares_none_of_says_so(tmp_path: Path) -> None:
    path = sheet_file(tmp_path, [COLUMNS, row(A)])

    findings = read_register(
        path, groups=CODES, sites=(), cohorts=["1"], partners=["p1"], arms=()
    )[1]

    assert said(findings) == [
        ("R111", 2, "row 2: unknown site; valid: none, as the study declares none")
    ]


def test_an_active_respondent_needs_a_group_and_a_spare_id_does_not(tmp_path: Path) -> None:
    findings = found(tmp_path, row(A, None), row(B, None, "spare"), row(C, None, "withdrawn"))

    assert said(findings) == [("R112", 2, "row 2: active, but without a group")]


def test_an_id_from_elsewhere_is_found_once_there_is_a_ledger(tmp_path: Path) -> None:
    assert found(tmp_path, row(A), row(B)) == []

    (warning,) = found(tmp_path, row(A), row(B), issued={digest(A)})

    assert (warning.code, warning.place.line) == ("R202", 3)
    assert warning.severity is Severity.WARNING


def test_every_finding_is_explained_and_listed_in_the_docstring() -> None:
    assert register.__doc__
    for code, (meaning, remedy) in EXPLANATIONS.items():
        assert code in register.__doc__
        assert meaning.endswith(".")
        assert remedy.endswith(".")


def test_ids_are_never_used_twice() -> None:
    people = add_respondents(Register(), [A], group="syr")

    with pytest.raises(StudyError, match=f"the ID {A} is in the register already"):
        add_respondents(people, [B, A], group="tur")


def test_forms_carry_no_arm_no_partner_no_status_and_nobody_who_withdrew() -> None:
    people = Register((
        Respondent(id=C, group="", status="spare"),
        Respondent(id=B, group="tur", status="withdrawn"),
        Respondent(id=A, group="syr", site="north", cohort="1", partner="p1", arm="control"),
    ))  # fmt: skip

    assert register_csv(people, known={A}).decode("utf-8") == (
        "name,label,group,site,cohort,background\n"
        f"{A},1434\N{NO-BREAK SPACE}3144,syr,north,1,1\n"
        f"{C},9061\N{NO-BREAK SPACE}7258,,,,\n"
    )


@given(st.permutations(issue_ids(12, ())), st.sampled_from(STATUSES))
def test_the_order_of_registration_leaves_no_trace_in_a_form(
    ids: list[str], status: str
) -> None:
    first = add_respondents(Register(), ids[:6], group="syr", status=status)
    first = add_respondents(first, ids[6:], group="syr", status=status)
    second = add_respondents(Register(), sorted(ids), group="syr", status=status)

    assert first == second
    assert register_csv(Register(first.respondents[::-1])) == register_csv(second)
