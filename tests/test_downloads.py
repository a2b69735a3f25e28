"""What was downloaded by hand is the same as what a pull would have brought, or is refused."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kobosmix.by_hand import ImportReport, import_files, link_project, project_of
from kobosmix.cli.main import main
from kobosmix.downloads.explained import EXPLANATIONS
from kobosmix.downloads.read import read_submissions
from kobosmix.downloads.table import Line, Table
from kobosmix.errors import InputError, StudyError, UsageError
from kobosmix.prepare import prepare
from kobosmix.store import Row, StoredSubmission, Tally, open_store
from kobosmix.study import Study
from tests.downloaded import (
    SERVER,
    UID,
    Content,
    Field,
    Heading,
    as_csv,
    as_xlsx,
    briefcase,
    by_label,
    by_label_in_group,
    by_name,
    by_path,
    central,
    edited,
    field_study,
    labelled,
    on_server,
    table,
)

Rows = list[list[str]]
SAMPLES = Path(__file__).parent.parent / "sample_forms"


@pytest.fixture
def field(tmp_path: Path) -> Field:
    """A study whose form was uploaded by hand, and what is on the server."""
    return field_study(tmp_path)


def take(field: Field, content: bytes, name: str = "download") -> ImportReport:
    return import_files(field.study, [field.write(name, content)])


def refusal(field: Field, content: bytes) -> dict[str, str]:
    """Code and problem of what stops a file; nothing may be stored then."""
    before = stored(field) if field.study.store_file.exists() else []
    with pytest.raises(InputError) as refused:
        take(field, content)
    after = stored(field) if field.study.store_file.exists() else []
    assert [(each.key, each.digest) for each in after] == [(b.key, b.digest) for b in before]
    assert {finding.code for finding in refused.value.findings} <= EXPLANATIONS.keys()
    return {finding.code: finding.problem for finding in refused.value.findings}


def stored(field: Field) -> list[StoredSubmission]:
    with open_store(field.study.store_file, read_only=True) as store:
        return list(store.current())


def answers(field: Field, content: Any) -> dict[str, str]:
    paths = {variable.path for variable in field.codebook.variables}
    return {path: content[path] for path in paths & content.keys()}


def pull(field: Field, rows: Sequence[Content]) -> Tally:
    """What a pull of these rows makes of the store."""
    with open_store(field.study.store_file) as store:
        sweep = store.begin_sweep(UID, anew=True)
        store.write_page(sweep, [as_row(row) for row in rows], "end", in_full=True)
        return store.finish_sweep(sweep, len(rows))


def as_row(row: Content) -> Row:
    return Row(
        server_id=str(row["_id"]),
        root_uuid=row["meta/rootUuid"].removeprefix("uuid:"),
        received=f"{row['_submission_time']}Z",
        content=row,
        mark=row["_uuid"],
    )


def as_table(rows: Rows) -> Table:
    lines = tuple(Line(n, tuple(row)) for n, row in enumerate(rows[1:], start=2))
    return Table(file="download", header=tuple(rows[0]), lines=lines)


def changed_cell(rows: Rows, heading: str, line: int, text: str) -> Rows:
    at = rows[0].index(heading)
    return [
        [*row[:at], text, *row[at + 1 :]] if n == line else row for n, row in enumerate(rows)
    ]


@pytest.mark.parametrize("save", [as_csv, as_xlsx])
@pytest.mark.parametrize("heading", [by_name, by_path, by_label, by_label_in_group])
def test_a_download_says_what_the_server_would_have_said(
    field: Field, heading: Heading, save: Callable[[Rows], bytes]
) -> None:
    report = take(field, save(table(field, heading)))

    assert [(e.form, e.read, e.new) for e in report.entries] == [("pre_locals", 3, 3)]
    found = {each.root_uuid: each for each in stored(field)}
    for row in field.rows:
        here = found[row["_uuid"]]
        assert answers(field, here.content) == answers(field, row)
        assert (here.server_id, here.received) == (
            str(row["_id"]),
            f"{row['_submission_time']}Z",
        )


@pytest.mark.parametrize("name", ["bosnia", "ecuador", "gaziantep", "tunisia"])
def test_labels_lead_back_to_codes_in_every_language_of_every_sample_form(name: str) -> None:
    for built in prepare(Study(SAMPLES / name), engines=False).forms:
        book = built.codebook
        rows = [on_server(book, number) for number in range(1, 8)]
        for tag in book.languages:
            whole = as_table(labelled(book, rows, tag))

            found, findings = read_submissions(whole, {book.build_id: book})

            assert findings == []
            paths = {variable.path for variable in book.variables}
            assert [
                {p: each.content[p] for p in paths & each.content.keys()} for each in found
            ] == [{path: row[path] for path in paths & row.keys()} for row in rows]


def test_apostrophes_that_a_spreadsheet_put_before_values_are_taken_off(field: Field) -> None:
    header, *rows = table(field, by_name)
    quoted = [header, *([f"'{cell}" if cell else "" for cell in row] for row in rows)]

    report = take(field, as_csv(quoted))

    assert {finding.code for finding in report.findings} == {"D301"}
    found = {each.root_uuid: answers(field, each.content) for each in stored(field)}
    assert found == {row["_uuid"]: answers(field, row) for row in field.rows}


def test_questions_that_the_file_has_no_column_for_are_named(field: Field) -> None:
    rows = table(field, by_name)
    at = rows[0].index("trust_1")

    report = take(field, as_csv([[*row[:at], *row[at + 1 :]] for row in rows]))

    [said] = [finding for finding in report.findings if finding.code == "D206"]
    assert said.problem == "1 questions have no column: trust_1"


def test_a_file_brings_each_submission_once(field: Field) -> None:
    take(field, as_csv(table(field, by_name)))
    again = take(field, as_xlsx(table(field, by_label)))

    assert [(e.new, e.changed, e.unchanged) for e in again.entries] == [(0, 0, 3)]
    assert len(stored(field)) == 3


def test_a_pull_confirms_what_a_file_said_and_finds_nothing_changed(field: Field) -> None:
    take(field, as_csv(table(field, by_name)))

    first, second = pull(field, field.rows), pull(field, field.rows)

    assert first == second == Tally(unchanged=3)
    assert all("formhub/uuid" in each.content for each in stored(field))
    with open_store(field.study.store_file, read_only=True) as store:
        assert list(store.changes(UID)) == []
        fates = [v.fate for v in store.history(f"{UID}/{field.rows[0]['_uuid']}")]
    assert fates == ["new", "confirmed"]
    assert take(field, as_csv(table(field, by_name))).entries[0].unchanged == 3


def test_an_edit_on_the_server_is_one_change_in_a_file_and_none_in_the_pull_after(
    field: Field,
) -> None:
    pull(field, field.rows)
    path = field.codebook.variable("trust_1").path
    now = [edited(field.rows[0], 9, {path: "5"}), *field.rows[1:]]

    report = take(field, as_csv(table(field, by_name, now)))

    assert [(e.changed, e.unchanged) for e in report.entries] == [(1, 2)]
    assert pull(field, now) == Tally(unchanged=3)
    older = take(field, as_csv(table(field, by_name)))
    assert [(e.changed, e.kept) for e in older.entries] == [(0, 1)]
    assert stored(field)[0].content[path] == "5"


def test_what_a_file_lacks_is_not_taken_for_deleted(field: Field) -> None:
    pull(field, field.rows)

    report = take(field, as_csv(table(field, by_name, field.rows[:1])))

    assert report.entries[0].absent == 2
    assert [f.code for f in report.findings] == ["D302"]
    assert len(stored(field)) == 3


def test_a_file_that_was_changed_by_hand_is_refused(field: Field) -> None:
    pull(field, field.rows)
    now = "2" if field.rows[1][field.codebook.variable("trust_1").path] != "2" else "3"

    said = refusal(field, as_csv(changed_cell(table(field, by_name), "trust_1", 2, now)))

    assert said["D113"].startswith("row 3:")


@pytest.mark.parametrize(
    "respell",
    [
        lambda rows: as_csv(rows, ","),
        lambda rows: as_csv(rows, "\t"),
        lambda rows: b"\xef\xbb\xbf" + as_csv(rows),
        lambda rows: b"sep=;\r\n" + as_csv(rows),
        lambda rows: as_csv(rows, "\t").decode().encode("utf-16"),
    ],
)
def test_separators_and_encodings_of_excel_change_nothing(
    field: Field, respell: Callable[[Rows], bytes]
) -> None:
    assert take(field, respell(table(field, by_name))).entries[0].new == 3


def test_days_that_excel_respelled_come_back_where_one_reading_is_possible(
    field: Field,
) -> None:
    rows = table(field, by_name)
    for line, (today, paper) in enumerate(
        (
            ("46063", "10/02/2026"),
            ("2026-02-11 00:00:00", "11/02/2026"),
            ("46065.0", "25/02/2026"),
        ),
        start=1,
    ):
        rows = changed_cell(changed_cell(rows, "today", line, today), "paper_day", line, paper)

    report = take(field, as_csv(rows))

    days = [field.codebook.variable(name).path for name in ("today", "paper_day")]
    assert [[each.content[path] for path in days] for each in stored(field)] == [
        ["2026-02-10", "2026-02-10"],
        ["2026-02-11", "2026-02-11"],
        ["2026-02-12", "2026-02-25"],
    ]
    assert "D301" in {finding.code for finding in report.findings}


@pytest.mark.parametrize(
    ("heading", "text", "code"),
    [
        ("rid", "1.43E+07", "D108"),
        ("birth_year", "1,9E+03", "D108"),
        ("paper_day", "03/04/2026", "D109"),
        ("paper_day", "44602", "D109"),
        ("start", "yesterday", "D109"),
        ("rid_reason_other", "??? ????", "D103"),
        ("kx_study", "other_2025", "D111"),
    ],
)
def test_what_a_program_destroyed_is_refused_with_its_row(
    field: Field, heading: str, text: str, code: str
) -> None:
    assert code in refusal(field, as_csv(changed_cell(table(field, by_name), heading, 2, text)))


def test_letters_of_an_unknown_code_page_are_not_guessed(field: Field) -> None:
    rows = changed_cell(table(field, by_name), "rid_reason_other", 1, "Ayşe")

    assert "D101" in refusal(field, as_csv(rows).decode().encode("cp1254"))


def test_words_that_are_no_answer_of_the_question_are_refused(field: Field) -> None:
    heading = by_label(field.codebook.variable("trust_1"))

    said = refusal(field, as_csv(changed_cell(table(field, by_label), heading, 1, "perhaps")))

    assert said["D107"].startswith("row 2:")


def test_a_heading_that_two_questions_share_is_refused_for_its_column(field: Field) -> None:
    rows = table(field, by_name)
    rows[0][rows[0].index("trust_1")] = "trust_2"

    assert "trust_2" in refusal(field, as_csv(rows))["D106"]


def test_a_row_that_does_not_say_which_it_is_is_left_out_and_the_others_are_taken(
    field: Field,
) -> None:
    rows = table(field, by_name)
    for heading in ("_uuid", "meta/rootUuid"):
        rows = changed_cell(rows, heading, 2, "")
    rows = changed_cell(rows, "kx_wave", 3, "post")

    report = take(field, as_csv(rows))

    assert report.entries[0].new == 1
    assert {f.code: f.place.line for f in report.findings} == {"D202": 3, "D204": 4}


def test_one_submission_twice_in_a_file_is_taken_once_or_not_at_all(field: Field) -> None:
    rows = table(field, by_name)
    assert take(field, as_csv([*rows, rows[1]])).entries[0].new == 3

    rows = [*rows, changed_cell([rows[0], rows[1]], "trust_1", 1, "98")[1]]
    assert refusal(field, as_csv(rows))["D112"].startswith("rows 2 and 5")


def test_of_two_files_the_newer_one_counts_in_whichever_order_they_are_named(
    field: Field,
) -> None:
    path = field.codebook.variable("trust_1").path
    older = field.write("older", as_csv(table(field, by_name, field.rows[:2])))
    now = [edited(field.rows[0], 9, {path: "98"}), *field.rows[1:]]
    newer = field.write("newer", as_xlsx(table(field, by_label, now)))

    report = import_files(field.study, [newer, older])

    assert [(e.read, e.new) for e in report.entries] == [(3, 3)]
    assert stored(field)[0].content[path] == "98"
    as_new = field.write("as_new", as_csv(table(field, by_name)))
    with pytest.raises(InputError) as refused:
        import_files(field.study, [newer, as_new])
    assert [finding.code for finding in refused.value.findings] == ["D112"]


def test_a_label_that_two_questions_share_is_refused_for_its_column(field: Field) -> None:
    rows = table(field, by_label)
    one, other = (field.codebook.variable(name) for name in ("trust_1", "trust_2"))
    same = replace(other, labels=one.labels)
    variables = [same if v.name == other.name else v for v in field.codebook.variables]
    book = replace(field.codebook, variables=tuple(variables))

    _, findings = read_submissions(as_table(rows), {book.build_id: book})

    assert [(f.code, f.problem) for f in findings if f.code == "D105"] == [
        ("D105", "it is the label of trust_1 and trust_2")
    ]


def test_a_zip_of_central_is_read_and_each_row_has_its_first_uuid_as_key(field: Field) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as parts:
        parts.writestr("lake_pre.csv", as_csv(central(field), ","))
        parts.writestr("media/photo.csv", "no table of ours")

    assert take(field, packed.getvalue()).entries[0].new == 3

    found = stored(field)
    assert [each.server_id for each in found] == [row["meta/rootUuid"] for row in field.rows]
    assert found[0].received == "2026-02-10T10:00:00.123000Z"
    assert answers(field, found[0].content) == answers(field, field.rows[0])


def test_what_briefcase_decrypted_stays_when_the_server_has_it_sealed(field: Field) -> None:
    sealed = [
        {name: row[name] for name in row if name.startswith(("_", "meta/"))}
        | {"base64EncryptedKey": "x"}
        for row in field.rows
    ]
    pull(field, sealed[:2])

    report = take(field, as_csv(briefcase(field), ","))

    assert [(e.new, e.changed) for e in report.entries] == [(1, 2)]
    assert pull(field, sealed) == Tally(unchanged=3)
    path = field.codebook.variable("today").path
    assert [each.content[path] for each in stored(field)] == [
        *("2026-02-10", "2026-02-11", "2026-02-12")
    ]
    assert "D304" in {finding.code for finding in report.findings}


def test_a_form_whose_project_nobody_named_is_refused_with_what_to_type(tmp_path: Path) -> None:
    field = field_study(tmp_path, linked=False)

    assert "pre_locals" in refusal(field, as_csv(table(field, by_name)))["D114"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a;kx_build\r\n1",
        b"\x89PNG\r\n\x1a\n\x00\x00",
        b"PK\x03\x04 and no more",
        b"PK\x05\x06" + b"\0" * 18,
    ],
)
def test_what_is_no_table_is_refused_in_words(field: Field, content: bytes) -> None:
    assert {"D101", "D110"} & refusal(field, content).keys()


def test_a_workbook_with_a_password_is_refused_for_that(field: Field) -> None:
    locked = b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le")

    assert "password" in refusal(field, locked)["D101"]


@pytest.mark.parametrize(
    "address",
    [
        f"{SERVER}/#/forms/{UID}/summary",
        f"{SERVER}/#/forms/{UID}",
        f"{SERVER}/api/v2/assets/{UID}/",
    ],
)
def test_a_project_is_named_by_its_address(address: str) -> None:
    assert project_of(address) == (SERVER, UID)
    assert project_of(UID, SERVER) == (SERVER, UID)


@pytest.mark.parametrize(
    "page", ["#/projects/5/forms/lake_pre/submissions", "projects/5/forms/lake_pre"]
)
def test_a_form_on_central_is_named_by_its_project_and_id(page: str) -> None:
    assert project_of(f"{SERVER}/{page}") == (SERVER, "5.lake_pre")


def test_a_project_is_one_form_only(tmp_path: Path) -> None:
    field = field_study(tmp_path)
    manifest = field.study.build_folder / "manifest.json"
    forms = (
        '{"key": "pre_locals", "build_id": "kx1"}, {"key": "post_locals", "build_id": "kx2"}'
    )
    manifest.write_text(f'{{"format": 1, "forms": [{forms}]}}')

    linked = link_project(field.study, "pre_locals", UID, SERVER, ask=False)

    assert (linked.build_id, linked.checked) == ("kx1", False)
    with pytest.raises(StudyError, match="pre_locals already"):
        link_project(field.study, "post_locals", UID, SERVER, ask=False)
    with pytest.raises(UsageError, match="no form 'fu_locals'"):
        link_project(field.study, "fu_locals", UID, SERVER)
    with pytest.raises(UsageError, match="is no project"):
        link_project(field.study, "pre_locals", "https://kobo.example.org/forms", ask=False)


def test_the_commands_say_what_became_of_a_file(field: Field) -> None:
    good = field.write("good.csv", as_csv(table(field, by_name)))
    bad = field.write(
        "bad.csv", as_csv(changed_cell(table(field, by_name), "rid", 1, "1.4E+07"))
    )
    study = str(field.study.root)
    run = CliRunner()

    taken = run.invoke(main, ["import", str(good), study], catch_exceptions=False)
    refused = run.invoke(main, ["import", str(bad), study], catch_exceptions=False)
    missing = run.invoke(main, ["import", "no.csv", study], catch_exceptions=False)
    nowhere = run.invoke(
        main, ["link", "pre_locals", "lakeside", study], catch_exceptions=False
    )

    assert (taken.exit_code, "pre_locals   3" in taken.output) == (0, True)
    assert (refused.exit_code, "bad.csv:2" in refused.output) == (1, True)
    assert (missing.exit_code, nowhere.exit_code) == (2, 2)
    assert "Traceback" not in refused.output + missing.output + nowhere.output
