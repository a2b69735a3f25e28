"""A form that was made by hand joins the study by a sheet, and not if its scales cannot be pooled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from kobosmix.by_hand import import_mapped, make_mapping_sheet
from kobosmix.downloads.mapping_check import EXPLANATIONS
from kobosmix.errors import InputError, StudyError, UsageError
from kobosmix.match import link
from kobosmix.match.model import Bucket, Flag
from kobosmix.people.model import Register, Respondent
from kobosmix.steps import design_of
from kobosmix.store import open_store
from kobosmix.study import Study
from kobosmix.xlsx import Sheet, read_rows, sheet_names, workbook_bytes
from tests.downloaded import as_csv, field_study
from tests.english_study import prepare_text
from tests.interviews import FIRST

OLD = [
    ["_uuid", "when", "Card no.", "agrees", "Trust?", "Friends", "phone"],
    ["u-1", "10.02.2026", FIRST, "y", "0", "strongly", "0532 111"],
    ["u-2", "11.02.2026", "58291606", "y", "4", "agree", "0532 222"],
    ["u-3", "25.02.2026", "90617258", "n", "1", "agree", "0532 333"],
    ["u-4", "25.02.2026", "20726125", "y", "2", "", "0532 444"],
    ["u-5", "26.02.2026", "20726125", "y", "3", "99", ""],
]
ITEMS = {
    "_uuid": "(submission)",
    "when": "(received)",
    "Card no.": "rid",
    "agrees": "consent",
    "Trust?": "trust_1",
}
CODES = {("agrees", "y"): "1", ("agrees", "n"): "0"} | {
    ("Trust?", str(old)): str(old + 1) for old in range(5)
}


@dataclass
class Office:
    """A study, the old file, and how its sheet is filled in."""

    study: Study
    file: Path
    sheet: Path

    def fill(
        self,
        items: Mapping[str, str] = ITEMS,
        codes: Mapping[tuple[str, str], str] = CODES,
        about: Mapping[str, str] | None = None,
    ) -> None:
        said = {"wave": "pre", "group": "locals", **(about or {})}
        columns = [
            ("old column", "", "item"),
            *((old, "", item) for old, item in items.items()),
        ]
        rows = [("old column", "old code", "", "code")]
        rows += [(old, code, "", new) for (old, code), new in codes.items()]
        self.sheet.write_bytes(
            workbook_bytes(
                [
                    Sheet(title="Columns", rows=columns),
                    Sheet(title="Codes", rows=rows),
                    Sheet(title="About", rows=[("what", "value"), *said.items()]),
                ]
            )
        )

    def said(self) -> dict[str, str]:
        """Code and place of everything that is said, and whether it stops the file or not."""
        try:
            findings = import_mapped(self.study, self.file, self.sheet).findings
        except InputError as refused:
            findings = refused.findings
            assert not self.study.store_file.exists()
        assert all(f.code in EXPLANATIONS or f.code.startswith("D") for f in findings)
        return {finding.code: f"{finding.place}: {finding.problem}" for finding in findings}


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A study with its forms built, and a file from before."""
    field = field_study(tmp_path, linked=False)
    builds = [
        {"key": f"{book.wave}_{book.group}", "build_id": build}
        for build, book in field.study.codebooks().items()
    ]
    manifest = field.study.build_folder / "manifest.json"
    manifest.write_text(json.dumps({"format": 1, "forms": builds}))
    office = Office(field.study, field.write("old.csv", as_csv(OLD)), tmp_path / "mapping.xlsx")
    office.fill()
    return office


def test_the_sheet_has_all_columns_and_codes_with_what_to_choose_from(office: Office) -> None:
    sheet = office.sheet.with_name("new.xlsx")

    make_mapping_sheet(office.study, office.file, sheet)

    columns, codes = read_rows(sheet, "Columns"), read_rows(sheet, "Codes")
    assert [row[0] for row in columns[1:]] == OLD[0]
    assert columns[1][2] == "(submission)"
    assert [row[1:3] for row in codes if row[0] == "Trust?"] == [[str(n), 1] for n in range(5)]
    assert not [row for row in codes if row[0] in ("phone", "_uuid")]
    assert {"(wave)", "rid", "trust_1"} <= {row[0] for row in read_rows(sheet, "Items")}
    assert "Lists" in sheet_names(sheet)
    with pytest.raises(UsageError, match="is there already"):
        make_mapping_sheet(office.study, office.file, sheet)


def test_joined_rows_are_matched_like_others_and_say_where_they_come_from(
    office: Office, tmp_path: Path
) -> None:
    report = import_mapped(office.study, office.file, office.sheet)

    assert [(e.form, e.read, e.new) for e in report.entries] == [("pre_locals", 5, 5)]
    with open_store(office.study.store_file, read_only=True) as store:
        found = list(store.current())
    context = prepare_text(tmp_path / "again").sound()
    register = Register((Respondent(id=FIRST, group="locals"),))
    matched = link(
        found, office.study.codebooks(), register, design_of(context), date(2026, 3, 1)
    )
    linked = [entry for entry in matched.entries if entry.bucket is Bucket.LINKED]
    assert [entry.id_used for entry in linked] == [FIRST]
    assert [each.answers["trust_1"] for each in matched.interviews] == ["1"]
    assert [e.bucket for e in matched.entries].count(Bucket.REFUSED) == 1
    assert {each.content["kx_source"] for each in found} == {"mapping"}
    assert all(Flag.HAND_MADE_FORM in entry.flags for entry in matched.entries)
    assert "0532" not in json.dumps([each.content for each in found])


def test_joining_twice_stores_nothing_new(office: Office) -> None:
    import_mapped(office.study, office.file, office.sheet)

    again = import_mapped(office.study, office.file, office.sheet)

    assert [(e.new, e.changed, e.unchanged) for e in again.entries] == [(0, 0, 5)]


@pytest.mark.parametrize(
    ("items", "codes", "about", "code"),
    [
        ({**ITEMS, "Colour": "trust_2"}, CODES, {}, "M101"),
        ({**ITEMS, "Friends": "friends_9"}, CODES, {}, "M102"),
        ({**ITEMS, "Friends": "trust_1"}, CODES, {}, "M103"),
        ({k: v for k, v in ITEMS.items() if v != "rid"}, CODES, {}, "M104"),
        ({k: v for k, v in ITEMS.items() if v != "consent"}, CODES, {}, "M104"),
        (ITEMS, CODES, {"wave": "before"}, "M105"),
        (ITEMS, {k: v for k, v in CODES.items() if k != ("Trust?", "3")}, {}, "M106"),
        (ITEMS, {**CODES, ("Trust?", "4"): "7"}, {}, "M107"),
        (ITEMS, {**CODES, ("Trust?", "4"): "4"}, {}, "M108"),
        (ITEMS, {**CODES, ("Trust?", "1"): "3", ("Trust?", "2"): "2"}, {}, "M109"),
    ],
)
def test_a_sheet_that_would_join_wrong_answers_stores_nothing(
    office: Office,
    items: dict[str, str],
    codes: dict[tuple[str, str], str],
    about: dict[str, str],
    code: str,
) -> None:
    office.fill(items, codes, about)

    assert code in office.said()
    assert not office.study.store_file.exists()


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ({**CODES, ("Trust?", "4"): "-"}, "M201"),
        ({**CODES, **{("Trust?", str(old)): str(5 - old) for old in range(5)}}, "M202"),
        (
            {
                **CODES,
                ("Friends", "agree"): "2",
                ("Friends", "strongly"): "5",
                ("Friends", "99"): "99",
            },
            "M203",
        ),
    ],
)
def test_what_may_be_a_shorter_or_a_turned_scale_is_said(
    office: Office, codes: dict[tuple[str, str], str], code: str
) -> None:
    office.fill({**ITEMS, "Friends": "trust_2"} if code == "M203" else ITEMS, codes)

    assert office.said()[code].startswith("mapping.xlsx:")
    assert office.study.store_file.exists()


def test_everybody_agreed_where_the_sheet_says_so(office: Office) -> None:
    items = {old: item for old, item in ITEMS.items() if item != "consent"}
    office.fill(items, CODES, {"everybody in the file agreed to take part": "yes"})

    assert import_mapped(office.study, office.file, office.sheet).entries[0].new == 5


def test_a_workbook_that_is_no_mapping_sheet_is_refused(office: Office) -> None:
    office.sheet.write_bytes(workbook_bytes([Sheet(title="Tabelle1", rows=[("a",)])]))

    with pytest.raises(StudyError, match="is no mapping sheet"):
        import_mapped(office.study, office.file, office.sheet)
