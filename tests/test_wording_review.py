"""Signatures: what was read is signed, what changed since is open again, and nothing else."""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from kobosmix.cli.main import main
from kobosmix.errors import InputError, StudyError
from kobosmix.form.codebook_workbook import codebook_workbook
from kobosmix.prepare import Prepared
from kobosmix.study import Study
from kobosmix.translate import read_sheet, take_sheet_in, write_proof
from kobosmix.wording.check import how_far
from kobosmix.wording.po import Entry, write_po
from kobosmix.wording.render import Wording
from kobosmix.wording.review import (
    Part,
    Purpose,
    Review,
    Signature,
    State,
    add_signatures,
    digest_of,
    read_signatures,
    review_of,
    why_refused,
)
from kobosmix.xlsx import read_rows, sheet_names
from tests.english_study import write_study
from tests.test_wording_sheets import KEY, TODAY, files, refused, sample, seen, taken, write

DAY = datetime.date(2026, 5, 31)
EXCEPTION = "\nunsigned_wording:\n  by: Dr. Vega\n  reason: the reader fell ill\n"


def sign(
    path: Path, *parts: Part, by: str | None = "A. Yilmaz", on: Any = "2026-05-31"
) -> None:
    """Fill in the page to sign, as a reader would."""
    workbook = openpyxl.load_workbook(path)
    for row in workbook["Sign"].iter_rows(min_row=2):
        if row[0].value in list(parts):
            row[2].value, row[3].value, row[4].value = by, "reader", on
    workbook.save(path)


def sign_all(study: Study, *parts: Part) -> None:
    """Have every language of the study read and signed."""
    for tag in seen(study).sound().languages:
        path, _ = write_proof(study, tag)
        sign(path, *(parts or Part))
        taken(study, path)


def review(study: Study, tag: str = "tr") -> Review:
    return seen(study).reviews[tag]


def unsigned(study: Study, tag: str = "tr") -> list[str]:
    return [t.key for t in review(study, tag).texts if t.state is not State.SIGNED]


def edit(study: Study, old: str, new: str) -> None:
    text = study.context_file.read_text(encoding="utf-8")
    assert old in text
    study.context_file.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture(scope="module")
def signed_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample study, read and signed in both languages."""
    study = sample(tmp_path_factory.mktemp("signed"), "gaziantep")
    sign_all(study)
    return study.root


@pytest.fixture
def signed(signed_once: Path, tmp_path: Path) -> Study:
    """A copy of it, to change."""
    return Study(Path(shutil.copytree(signed_once, tmp_path / "signed")))


@pytest.fixture
def drafts(tmp_path: Path) -> Study:
    """The sample study, which nobody has signed."""
    return sample(tmp_path, "gaziantep")


# What a signature covers


def test_a_signed_proof_signs_every_text_but_the_consent(drafts: Study) -> None:
    path, _ = write_proof(drafts, "tr")
    sign(path, Part.QUESTIONS)

    taken(drafts, path)

    after = review(drafts)
    assert after.unsigned(Part.QUESTIONS) == 0
    assert after.count(State.DRAFT, Part.CONSENT) == after.unsigned(Part.CONSENT) > 0
    assert review(drafts, "ar").count(State.SIGNED) == 0

    sign(path, Part.CONSENT, by="B. Kaya")
    taken(drafts, path)

    after = review(drafts)
    assert after.count(State.SIGNED) == len(after.texts)
    assert {t.signed.by for t in after.texts if t.signed and t.part is Part.CONSENT} == {
        "B. Kaya"
    }


def test_a_correction_is_signed_with_the_proof_it_stands_in(drafts: Study) -> None:
    path, _ = write_proof(drafts, "tr")
    write(path, ("düşünün", "lütfen düşünün"))
    sign(path, *Part)

    taken(drafts, path)

    assert unsigned(drafts) == []


def test_an_english_correction_is_signed_with_the_proof_it_stands_in(tmp_path: Path) -> None:
    study = write_study(tmp_path / "lake")
    path, _ = write_proof(study, "en")
    for form in ("locals>syrians", "syrians>locals"):
        write(path, ("people who are", "those who are"), form=form)
    sign(path, *Part)

    taken(study, path)

    assert unsigned(study, "en") == []


def test_what_a_proof_changed_in_another_form_stays_open(tmp_path: Path) -> None:
    study = sample(tmp_path, "ecuador")
    path, _ = write_proof(study, "es-EC")
    write(path, ("Piense", "Por favor, piense"), form="ven>ecu")
    sign(path, *Part)

    result = read_sheet(study, path, TODAY)
    left = [number for _, number in take_sheet_in(study, result, TODAY)]

    assert left == [1, 0]
    (still,) = [t for t in review(study, "es-EC").texts if t.state is not State.SIGNED]
    assert (still.key, still.forms) == (KEY, (("ecu", "ven"),))


def test_a_row_that_was_left_out_is_not_signed(drafts: Study) -> None:
    path, _ = write_proof(drafts, "tr")
    workbook = openpyxl.load_workbook(path)
    sheet = workbook["Sentences"]
    rows = enumerate(sheet.iter_rows(values_only=True), start=1)
    (gone,) = [number for number, row in rows if KEY in row]
    sheet.delete_rows(gone)
    workbook.save(path)
    sign(path, *Part)

    taken(drafts, path)

    assert unsigned(drafts) == [KEY]


def test_a_sentence_the_reader_struck_out_is_not_signed(drafts: Study) -> None:
    path, _ = write_proof(drafts, "tr")
    write(path, None)
    sign(path, *Part)

    taken(drafts, path)

    assert unsigned(drafts) == [KEY]


# What reopens a sentence


def test_changing_a_name_reopens_exactly_the_sentences_with_that_name(signed: Study) -> None:
    wording = seen(signed).wording
    assert wording is not None
    with_name = {
        each.way[1]
        for each in wording.renderings.values()
        if each.way[0] == "tr" and ("group.adj", "Suriyeli") in each.names
    }

    edit(signed, "tr: {pl: Suriyeliler, adj: Suriyeli}", "tr: {pl: Suriyeliler, adj: Şamlı}")

    assert with_name
    assert set(unsigned(signed)) == with_name
    assert {t.state for t in review(signed).texts if t.key in with_name} == {State.STALE}
    assert unsigned(signed, "ar") == []


def test_changing_a_translation_reopens_it_and_no_other(signed: Study) -> None:
    prepared = seen(signed)
    assert prepared.wording is not None
    text = prepared.wording.template(KEY, "tr").replace("düşünün", "bir düşünün")
    entry = Entry(key=KEY, source=prepared.wording.source(KEY), text=text)
    write_po(signed.translations_folder / "tr.po", "tr", [entry])

    after = review(signed)

    assert unsigned(signed) == [KEY]
    number = len(after.texts)
    assert how_far(after) == f"1 of {number} sentences changed since A. Yilmaz signed on {DAY}"
    assert how_far(review(signed, "ar")).startswith("all ")
    found = [f for f in seen(signed).findings if f.code == "W301"]
    assert [f.problem for f in found] == [f"tr: {how_far(after)}"]


def test_changing_the_english_reopens_it_in_every_language(signed: Study) -> None:
    wording = seen(signed).wording
    assert wording is not None
    source = wording.source(KEY)
    entry = Entry(key=KEY, source=source, text=source.replace("Think of", "Picture"))
    write_po(signed.translations_folder / "en.po", "en", [entry])

    assert (unsigned(signed), unsigned(signed, "ar")) == ([KEY], [KEY])


def test_what_is_changed_back_is_signed_as_before(signed: Study) -> None:
    edit(signed, "adj: Suriyeli}", "adj: Şamlı}")
    assert unsigned(signed)

    edit(signed, "adj: Şamlı}", "adj: Suriyeli}")

    assert unsigned(signed) == []


def test_nothing_is_said_to_have_changed_where_nothing_has(drafts: Study) -> None:
    sign_all(drafts, Part.QUESTIONS)

    assert "0 of" not in how_far(review(drafts))


# Signatures that are none


@pytest.mark.parametrize(
    ("by", "on"),
    [
        ("A. Yilmaz", "2026-06-02"),
        ("A. Yilmaz", None),
        ("A. Yilmaz", "soon"),
        ("A. Yilmaz", "31/05/2026"),
        (None, "2026-05-31"),
    ],
)
def test_a_signature_in_the_future_or_without_name_is_none(
    drafts: Study, by: str | None, on: str | None
) -> None:
    path, _ = write_proof(drafts, "tr")
    sign(path, Part.QUESTIONS, by=by, on=on)

    (finding,) = refused(drafts, path)

    assert (finding.code, finding.place.file, finding.place.line) == ("W403", path.name, 2)
    assert review(drafts).count(State.SIGNED) == 0


@pytest.mark.parametrize("on", ["2026-05-31", "31.05.2026", datetime.datetime(2026, 5, 31)])  # noqa: DTZ001
def test_a_day_is_read_as_people_and_excel_write_it(drafts: Study, on: object) -> None:
    path, _ = write_proof(drafts, "tr")
    sign(path, Part.QUESTIONS, on=on)

    (given_signature,) = read_sheet(drafts, path, TODAY).given.signatures

    assert given_signature.on == DAY


DAMAGED = ["", "{}", "[]", "not json", '{"format": 2, "signatures": []}', '{"format": 1}']


@pytest.mark.parametrize("damaged", DAMAGED)
def test_a_damaged_record_signs_nothing_and_is_never_written_over(
    signed: Study, damaged: str
) -> None:
    path, _ = write_proof(signed, "tr")
    sign(path, *Part)
    record = signed.translations_folder / "signatures.json"
    record.write_text(damaged, encoding="utf-8")

    prepared = seen(signed)

    (finding,) = [f for f in prepared.findings if f.code == "W109"]
    assert finding.severity == "error"
    assert all(each.count(State.SIGNED) == 0 for each in prepared.reviews.values())
    with pytest.raises(InputError):
        read_sheet(signed, path, TODAY)
    assert record.read_text(encoding="utf-8") == damaged


@pytest.mark.parametrize(
    "part",
    [{"texts": ["ab"]}, {"texts": {"a": 3}}, {"by": 5}, {"by": ""}, {"language": None}],
)
def test_a_signature_of_another_shape_is_damage(
    tmp_path: Path, part: dict[str, object]
) -> None:
    good = {"language": "tr", "part": "questions", "by": "A", "role": "", "on": "2026-05-31"}
    content = {"format": 1, "signatures": [{**good, "texts": {}, **part}]}
    (tmp_path / "signatures.json").write_text(json.dumps(content), encoding="utf-8")

    _, findings = read_signatures(tmp_path)

    assert [f.code for f in findings] == ["W109"]


def test_signatures_are_added_and_earlier_ones_stay(tmp_path: Path) -> None:
    first = signature("tr", {"d1": "k1"})
    second = signature("ar", {"d2": "k2"})

    add_signatures(tmp_path, [first])
    add_signatures(tmp_path, [second])

    assert read_signatures(tmp_path) == ((first, second), [])


# Counts


def signature(tag: str, texts: dict[str, str]) -> Signature:
    return Signature(
        language=tag, part=Part.QUESTIONS, by="A. Yilmaz", role="reader", on=DAY, texts=texts
    )


@cache
def rendered() -> Wording:
    with TemporaryDirectory() as folder:
        wording = seen(sample(Path(folder), "gaziantep")).wording
    assert wording is not None
    return wording


@given(chosen=st.sets(st.integers(0, 400)), outdated=st.sets(st.integers(0, 400)))
def test_every_text_is_in_one_state_whatever_was_signed(
    chosen: set[int], outdated: set[int]
) -> None:
    wording = rendered()
    all_ = [r for r in wording.renderings.values() if r.way[0] == "tr"]
    digests = {digest_of(r): r.way[1] for n, r in enumerate(all_) if n in chosen}
    others = {f"old {r.way[1]}": r.way[1] for n, r in enumerate(all_) if n in outdated}

    reviews = review_of(wording, [signature("tr", {**digests, **others})])

    for each in reviews.values():
        assert sum(each.count(state) for state in State) == len(each.texts)
        assert each.unsigned(Part.CONSENT) + each.unsigned(Part.QUESTIONS) == each.unsigned()
    assert {t.digest for t in reviews["tr"].texts if t.state is State.SIGNED} == set(digests)
    assert reviews["ar"].count(State.SIGNED) == 0


def test_the_status_for_a_program_counts_every_language(signed: Study) -> None:
    edit(signed, "adj: Suriyeli}", "adj: Şamlı}")

    shown = CliRunner().invoke(
        main,
        ["wording", "status", "--json", "--study", str(signed.root)],
        catch_exceptions=False,
    )

    assert shown.exit_code == 0
    languages = json.loads(shown.stdout)["languages"]
    assert [each["tag"] for each in languages] == ["tr", "ar"]
    for each in languages:
        parts = [each[state] for state in ("missing", "draft", "signed", "stale")]
        assert sum(parts) == each["texts"] == len(review(signed, each["tag"]).texts)
    assert languages[0]["stale"] > 0
    assert languages[1]["signed"] == languages[1]["texts"]


# What may go where


def consent_open(study: Study) -> None:
    sign_all(study, Part.QUESTIONS)


def questions_open(study: Study) -> None:
    sign_all(study, Part.CONSENT)


@pytest.mark.parametrize(
    ("state", "refusing", "refusing_with_exception"),
    [
        (lambda _: None, {"pretest", "field"}, {"pretest", "field"}),
        (consent_open, {"pretest", "field"}, {"pretest", "field"}),
        (questions_open, {"field"}, set()),
        (sign_all, set(), set()),
    ],
    ids=["nothing", "questions", "consent", "all"],
)
def test_practice_needs_no_signature_a_pretest_the_consent_the_field_everything(
    drafts: Study,
    state: Callable[[Study], None],
    refusing: set[str],
    refusing_with_exception: set[str],
) -> None:
    state(drafts)
    reviews = seen(drafts).reviews

    def refused_for(*, has_exception: bool) -> set[str]:
        return {p for p in Purpose if why_refused(reviews, p, has_exception=has_exception)}

    assert refused_for(has_exception=False) == refusing
    assert refused_for(has_exception=True) == refusing_with_exception


def test_unsigned_wording_does_not_go_to_the_field(drafts: Study) -> None:
    prepared = seen(drafts)

    with pytest.raises(StudyError, match=r"tr: \d+ sentences of the consent are not signed"):
        prepared.require_signed(Purpose.FIELD)
    prepared.require_signed(Purpose.LOCAL)
    prepared.require_signed(Purpose.TRAINING)


def test_signed_wording_goes_everywhere(signed: Study) -> None:
    for purpose in Purpose:
        seen(signed).require_signed(purpose)


# What forms say of it


def titles(prepared: Prepared) -> set[bool]:
    return {
        b.codebook.title.startswith(("DRAFT: ", "BORRADOR: ", "TASLAK: ", "مسودة: "))
        for b in prepared.forms
    }


def notes(prepared: Prepared) -> list[str]:
    """What stands on the first screen about the reading, one for each form that says anything."""
    surveys = [built.form.sheets()["survey"] for built in prepared.forms]
    return [str(row) for survey in surveys for row in survey if "about_review" in str(row)]


def test_a_form_is_called_a_draft_until_all_of_it_is_signed(drafts: Study) -> None:
    assert titles(seen(drafts)) == {True}
    assert len(notes(seen(drafts))) == len(seen(drafts).forms)

    consent_open(drafts)
    assert titles(seen(drafts)) == {True}

    sign_all(drafts)
    assert titles(seen(drafts)) == {False}
    assert notes(seen(drafts)) == []
    assert {b.codebook.review for b in seen(drafts).forms} == {"signed"}


def test_the_exception_is_told_on_the_first_screen_and_in_the_codebook(drafts: Study) -> None:
    questions_open(drafts)
    text = drafts.context_file.read_text(encoding="utf-8")
    drafts.context_file.write_text(text + EXCEPTION, encoding="utf-8")

    prepared = seen(drafts)

    assert titles(prepared) == {False}
    assert len(notes(prepared)) == len(prepared.forms) > 0
    assert all("Dr. Vega" in n and "the reader fell ill" in n for n in notes(prepared))
    for built in prepared.forms:
        assert built.codebook.exception == "Dr. Vega: the reader fell ill"
        workbook = codebook_workbook(built.codebook)
        rows = [row for s in sheet_names(workbook) for row in read_rows(workbook, s)]
        assert ["exception", "Dr. Vega: the reader fell ill"] in [row[:2] for row in rows]
    prepared.require_signed(Purpose.FIELD)


def test_no_exception_is_made_for_the_consent(drafts: Study) -> None:
    consent_open(drafts)
    text = drafts.context_file.read_text(encoding="utf-8")
    drafts.context_file.write_text(text + EXCEPTION, encoding="utf-8")

    prepared = seen(drafts)

    assert titles(prepared) == {True}
    assert {b.codebook.review for b in prepared.forms} == {"draft"}
    with pytest.raises(StudyError):
        prepared.require_signed(Purpose.FIELD)


def test_reading_a_proof_writes_nothing(drafts: Study) -> None:
    path, _ = write_proof(drafts, "tr")
    sign(path, *Part)

    read_sheet(drafts, path, TODAY)

    assert files(drafts) == {}
