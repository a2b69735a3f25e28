"""`build` writes the pages, `print` draws them: files, words and exit codes."""

from __future__ import annotations

import json
import re
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kobosmix.build import write_build
from kobosmix.cli.main import main
from kobosmix.cli.print_ import WHAT
from kobosmix.files import sha256
from kobosmix.people.read import read_people
from kobosmix.prepare import prepare
from kobosmix.printed import WHAT as PRINTED
from kobosmix.printed.review import review_columns
from kobosmix.printed.sheet import Asked
from kobosmix.study import Study
from tests.english_study import changed, prepare_text, write_study


@pytest.fixture
def lake(tmp_path: Path) -> Study:
    """The English study, built."""
    study = write_study(tmp_path / "lake")
    write_build(prepare(study, engines=False))
    return study


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def printed(study: Study) -> set[str]:
    return {path.name for path in study.print_folder.iterdir()}


def test_a_build_writes_the_pages_and_tells_of_them(lake: Study) -> None:
    names = {
        f"paper_{wave}_{g}_en.html"
        for wave in ("pre", "post", "fu")
        for g in ("locals", "syrians")
    }
    assert printed(lake) == names | {"show_cards.html", "manual_en.html"}

    told = json.loads((lake.build_folder / "manifest.json").read_text("utf-8"))["printed"]

    assert told == {
        f"sha256 print/{name}": sha256((lake.print_folder / name).read_bytes())
        for name in printed(lake)
    }


def test_pages_of_what_is_no_longer_in_the_study_are_taken_away(lake: Study) -> None:
    mine = lake.print_folder / "paper_fu_syrians_en.html"
    mine.write_bytes(b"changed by hand")
    drawn = lake.print_folder / "paper_fu_locals_en.pdf"
    drawn.write_bytes(b"%PDF")
    write_study(lake.root, changed(("  fu: {}\n", "")))

    write_build(prepare(lake, engines=False))

    assert "paper_pre_locals_en.html" in printed(lake)
    assert {name for name in printed(lake) if "_fu_" in name} == {mine.name}


def test_a_pdf_of_what_a_page_was_before_is_taken_away(lake: Study) -> None:
    for name in ("paper_pre_locals_en.pdf", "show_cards.pdf"):
        (lake.print_folder / name).write_bytes(b"%PDF")
    write_study(lake.root, changed(("minutes: 90", "minutes: 95")))

    write_build(prepare(lake, engines=False))

    assert "paper_pre_locals_en.pdf" not in printed(lake)
    assert "show_cards.pdf" in printed(lake)


def test_print_writes_what_is_asked_for(lake: Study) -> None:
    for path in lake.print_folder.iterdir():
        path.unlink()

    result = run("print", str(lake.root), "--what", "cards", "--what", "manual")

    assert result.exit_code == 0
    assert result.output.splitlines() == [
        *("build/print/show_cards.html", "build/print/manual_en.html")
    ]
    assert printed(lake) == {"show_cards.html", "manual_en.html"}


def test_only_what_was_built_is_printed(lake: Study) -> None:
    write_study(lake.root, changed(("minutes: 90", "minutes: 95")))

    result = run("print", str(lake.root))

    assert result.exit_code == 4
    assert "'kobosmix build' comes first" in result.output
    assert "pre_locals" in result.output


@pytest.mark.parametrize(
    ("arguments", "library", "extra"),
    [
        (("--pdf",), "weasyprint", "kobosmix[pdf]"),
        (("--docx",), "docx", "kobosmix[docx]"),
        (("--what", "review"), "docx", "kobosmix[docx]"),
    ],
)
def test_without_its_extra_a_print_says_what_to_install(
    lake: Study,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    library: str,
    extra: str,
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    before = printed(lake)

    result = run("print", str(lake.root), *arguments)

    assert result.exit_code == 2
    assert extra in result.output
    assert printed(lake) == before


def test_the_command_knows_all_that_can_be_printed() -> None:
    assert WHAT == PRINTED


def test_no_enumerator_and_no_number_of_a_person_is_printed_anywhere(lake: Study) -> None:
    issued = run("ids", str(lake.root), "--group", "locals", "--site", "north", "--count", "20")
    assert issued.exit_code == 0, issued.output
    prepared = prepare(lake, engines=False)
    enumerators, register, _ = read_people(lake, prepared.sound())

    pages = b"\n".join(prepared.pages().values()).decode("utf-8")

    numbers = set(register.by_id)
    assert len(numbers) >= 20
    assert not numbers & set(re.findall(r"[0-9]{8}", pages))
    names = {enumerator.name for enumerator in enumerators}
    assert names == {"Ann", "Samir"}
    assert not [name for name in names if re.search(rf"\b{name}\b", pages)]
    assert "Cooks along" not in pages


def test_a_page_becomes_a_pdf(lake: Study) -> None:
    # Without Pango the import is an OSError; both leave nothing to draw with.
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError) as absent:
        pytest.skip(str(absent))

    result = run("print", str(lake.root), "--what", "cards", "--pdf")

    assert result.exit_code == 0, result.output
    assert (lake.print_folder / "show_cards.pdf").read_bytes().startswith(b"%PDF")


# Review -----------------------------------------------------------------------------------


def test_the_review_has_the_same_questions_in_each_column_and_the_english_last() -> None:
    prepared = _sample("tunisia")
    built = next(form for form in prepared.forms if form.key == "post_tun")

    columns = review_columns(built.questionnaire, prepared.wording)

    assert [column.say.tag for column in columns] == ["ar-TN", "fr", "en"]
    names = [
        [
            part.question.name
            for s in column.sections
            for part in s.parts
            if isinstance(part, Asked)
        ]
        for column in columns
    ]
    assert len(names[0]) > 40
    assert names[0] == names[1] == names[2]
    english = {part.question.name: part.text for s in columns[2].sections for part in s.asked}
    assert all(english.values())
    assert "Sudanese" in english["trust_1"]
    assert not re.search(r"\[[a-z_]+\.", str(english))


def test_english_is_not_shown_twice(tmp_path: Path) -> None:
    prepared = prepare_text(tmp_path)
    assert prepared.wording is not None

    (column,) = review_columns(prepared.forms[0].questionnaire, prepared.wording)

    assert column.say.tag == "en"


def test_the_review_can_be_read_back_and_runs_to_the_left_where_it_should() -> None:
    docx: Any = pytest.importorskip("docx")
    from kobosmix.printed import review_document

    prepared = _sample("tunisia")
    built = next(form for form in prepared.forms if form.key == "post_tun")
    assert prepared.wording is not None

    document = docx.Document(
        BytesIO(review_document(built.key, built.questionnaire, prepared.wording))
    )

    section, (table,) = document.sections[0], document.tables
    assert section.page_width > section.page_height
    assert [cell.text for cell in table.rows[0].cells][2:4] == ["Français", "English"]
    assert "w:tblHeader" in table.rows[0]._tr.xml
    numbered = [row for row in table.rows if row.cells[0].text]
    assert [int(row.cells[0].text) for row in numbered] == list(range(1, len(numbered) + 1))
    for row in numbered:
        _, arabic, french, english, comment = row.cells
        assert comment.text == ""
        assert all("w:bidi" in p._p.xml and "<w:rtl" in p._p.xml for p in arabic.paragraphs)
        assert "w:rtl" not in french._tc.xml + english._tc.xml
        assert arabic.text
        assert french.text
        assert english.text


def _sample(name: str) -> Any:
    from kobosmix import content

    return prepare(Study(content.sample_study(name)), engines=False)
