"""The page for whoever brings the forms to a server by hand."""

from __future__ import annotations

from pathlib import Path

from kobosmix.build import builds_by_form, write_build
from kobosmix.printed import upload_page
from tests.english_study import changed, prepare_text


def test_a_build_says_which_file_goes_where(tmp_path: Path) -> None:
    prepared = prepare_text(tmp_path / "lake")

    write_build(prepared)

    folder = prepared.study.build_folder
    said = (folder / "UPLOAD.html").read_text("utf-8")
    for built in prepared.forms:
        assert (folder / f"kobo_upload/{built.key}.xlsx").is_file()
        assert f"<code>kobo_upload/{built.key}.xlsx</code>" in said
        assert built.codebook.title in said
    for name in ("enumerators.csv", "register.csv"):
        assert (folder / "media" / name).is_file()
        assert f"<code>media/{name}</code>" in said
    assert builds_by_form(prepared.study) == {
        built.key: built.codebook.build_id for built in prepared.forms
    }


def test_the_first_screens_are_those_of_the_form(tmp_path: Path) -> None:
    prepared = prepare_text(tmp_path / "lake")
    book = prepared.forms[0].codebook

    said = upload_page("lake", {"pre_locals": book}, ["register.csv"], is_interview=True)

    text = said.decode()
    first = next(variable for variable in book.variables if variable.labels)
    assert first.labels["en"] in text
    assert book.notes[0].labels["en"] in text
    assert "enumerators.csv" not in text
    assert "http://" not in text
    assert said == upload_page(
        "lake", {"pre_locals": book}, ["register.csv"], is_interview=True
    )


def test_who_fills_in_alone_needs_no_account(tmp_path: Path) -> None:
    context = changed(("mode: interview", "mode: self_administered"))
    prepared = prepare_text(tmp_path / "lake", context)
    books = {built.key: built.codebook for built in prepared.forms}

    said = upload_page("lake", books, [], is_interview=False).decode()

    assert "without an account" in said
    assert "Add submissions" not in said
    assert "Attach files" not in said
