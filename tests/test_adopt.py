"""The published wording is found in a copy by fingerprint, verbatim or not at all.

All sentences here are invented; the toolkit's stand nowhere in the repository.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from kobosmix import content
from kobosmix.errors import StudyError
from kobosmix.slots import slots_of
from kobosmix.wording.adopt import (
    Published,
    adopt,
    find_published,
    fingerprint,
    read_copy,
    read_published,
)
from kobosmix.wording.adopted import read_adopted
from kobosmix.wording.catalogue import read_catalogue
from tests.english_study import bank

SENTENCE = (
    "Whenever [river people] bring fish to [this harbour], our boats don't leave before noon."
)
WITH_SLOTS = (
    "Whenever [group.pl] bring fish to [country.np], our boats don't leave before noon."
)
KEY = "item.trust_1"


def published(sentence: str = SENTENCE, *slots: str) -> Published:
    slots = slots or ("group.pl", "country.np")
    return Published("An invented source.", {KEY: (fingerprint(sentence, slots),)})


def found_in(text: str, wanted: Published | None = None) -> str:
    return find_published(text, wanted or published()).texts.get(KEY, "")


@given(
    breaks=st.lists(st.sampled_from([" ", "\n", "  ", "\n    ", "\t", "\u00a0"]), min_size=30)
)
def test_it_does_not_matter_where_the_lines_break(breaks: list[str]) -> None:
    words = SENTENCE.split(" ")
    broken = "".join(word + space for word, space in zip(words, breaks, strict=False))

    assert found_in(f"1. {broken}\n1\t2\t3") == WITH_SLOTS


@given(at=st.integers(2, 7), mark=st.sampled_from(["-\n", "\u00ad\n", "\u2010\n  "]))
def test_a_word_broken_at_the_end_of_a_line_is_whole_again(at: int, mark: str) -> None:
    broken = SENTENCE.replace("Whenever", "Whenever"[:at] + mark + "Whenever"[at:])

    assert found_in(broken) == WITH_SLOTS


@given(at=st.integers(1, 13), number=st.sampled_from(["56", "xlv", "| 7 |"]))
def test_a_page_may_end_in_the_middle_of_a_sentence(at: int, number: str) -> None:
    words = SENTENCE.split(" ")
    first, second = " ".join(words[:at]), " ".join(words[at:])
    head = "A HANDBOOK OF HARBOURS"

    text = f"{head}\nSome text\n{first}\n{number}\n\f\n{head}\n{second}\n57\n\f\n{head}\nMore"

    assert found_in(text) == WITH_SLOTS
    assert found_in(text.replace("\f", "")) == WITH_SLOTS


@pytest.mark.parametrize(
    "text",
    [
        SENTENCE.replace("fish", "<u>fish</u>"),
        SENTENCE.replace("fish", "**fish**").replace("noon", "_noon_"),
        SENTENCE.replace("[", r"\[").replace("]", r"\]"),
        SENTENCE.replace("[river people]", "____[river\npeople]___"),
        SENTENCE.replace("fish", "\ufb01sh"),
        "> " + SENTENCE.replace("fish", "\n> fish"),
        "(a) " + SENTENCE.replace("noon.", "noon . 3"),
        SENTENCE.replace("fish", "\u2022 fish"),
    ],
)
def test_markup_and_ligatures_do_not_hinder_and_do_not_stay(text: str) -> None:
    assert found_in(text) == WITH_SLOTS


def test_typographic_quotes_do_not_hinder_and_stay_as_the_copy_has_them() -> None:
    assert found_in(SENTENCE.replace("'", "\u2019")) == WITH_SLOTS.replace("'", "\u2019")


@pytest.mark.parametrize(
    "text",
    [
        SENTENCE.replace("fish", "salt"),
        SENTENCE.replace("bring fish", "bringfish"),
        SENTENCE.replace("before ", ""),
        SENTENCE.replace("our boats", "our old boats"),
        # The placeholders cannot be told any more.
        SENTENCE.replace("[", "").replace("]", ""),
        SENTENCE.replace("[this harbour]", "[this harbour"),
    ],
)
def test_a_damaged_sentence_is_missing_and_not_guessed(text: str) -> None:
    found = find_published(text, published())

    assert not found.texts
    assert found.missing == (KEY,)


def test_a_slot_that_opens_a_sentence_is_capitalised() -> None:
    sentence = "[River people] sing. [This harbour] listens to [river people]."
    wanted = published(sentence, "group.pl", "country.np", "ingroup.pl")

    assert (
        found_in(sentence, wanted) == "[Group.pl] sing. [Country.np] listens to [ingroup.pl]."
    )


def test_a_form_with_an_article_takes_the_place_of_the_article() -> None:
    sentence = "I met a [river] person at the harbour gate."

    found = found_in(sentence, published(sentence, "group.a_adj"))

    assert found == "I met [group.a_adj] person at the harbour gate."


def test_words_of_a_placeholder_may_stay_or_be_said_aloud() -> None:
    sentence = "I am [my own name], and I am [a friend of boats]."

    found = found_in(sentence, published(sentence, "aloud", "words"))

    assert found == "I am (my own name), and I am a friend of boats."


def test_a_sentence_in_parts_is_found_only_when_all_its_parts_are() -> None:
    stem, ending = "How do [river people] look to you...", "calm or in a hurry?"
    wanted = Published("", {KEY: (fingerprint(stem, ["group.pl"]), fingerprint(ending))})

    text = found_in(f"{stem}\n - ...loud or quiet?\n - ...{ending}", wanted)

    assert text == "How do [group.pl] look to you... calm or in a hurry?"
    assert not found_in(stem, wanted)


def test_the_label_of_an_answer_box_may_stand_in_a_sentence() -> None:
    wanted = published()
    labelled = Published(wanted.source, wanted.texts, (fingerprint("Count the boats here:"),))
    text = SENTENCE.replace("fish to ", "fish to\nCount the boats here:")

    assert found_in(text, labelled) == WITH_SLOTS
    assert not found_in(text, wanted)


def test_adopting_writes_the_sentence_and_its_record_and_twice_changes_nothing(
    tmp_path: Path,
) -> None:
    adopted = adopt(SENTENCE, bank(), tmp_path, "copy.txt", published())
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    again = adopt(SENTENCE, bank(), tmp_path, "copy.txt", published())

    assert adopted == again
    assert (adopted.found, adopted.missing) == ((KEY,), ())
    assert written == {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    english, _ = read_catalogue((tmp_path,), bank(), "en")
    assert english.messages[KEY].text == WITH_SLOTS
    assert english.messages[KEY].source == bank().sentences[KEY]
    assert read_adopted(tmp_path, english)[0] == {KEY}


def test_a_copy_that_shows_less_takes_nothing_back(tmp_path: Path) -> None:
    other = Published("", {"item.trust_2": (fingerprint("Boats are slow."),)})
    adopt(SENTENCE, bank(), tmp_path, "copy.txt", published())

    adopt("Boats are slow.", bank(), tmp_path, "other.txt", other)

    english, _ = read_catalogue((tmp_path,), bank(), "en")
    assert read_adopted(tmp_path, english)[0] == {KEY, "item.trust_2"}


def test_a_copy_with_nothing_in_it_writes_nothing(tmp_path: Path) -> None:
    adoption = adopt("Another book.", bank(), tmp_path, "copy.txt", published())

    assert adoption.missing == (KEY,)
    assert not list(tmp_path.iterdir())


def test_a_broken_catalogue_of_the_study_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "en.po").write_text("not a catalogue\n", encoding="utf-8")

    with pytest.raises(StudyError, match=r"en\.po.*Nothing was changed"):
        adopt(SENTENCE, bank(), tmp_path, "copy.txt", published())


def pdf(path: Path, pages: list[list[str]], password: str = "") -> Path:
    """A PDF with these lines on its pages."""
    writer = PdfWriter()
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    for lines in pages:
        page = writer.add_blank_page(500, 700)
        page[NameObject("/Resources")] = DictionaryObject(
            {NameObject("/Font"): DictionaryObject({NameObject("/F"): font})}
        )
        stream = DecodedStreamObject()
        said = "".join(f"({line}) Tj T* " for line in lines)
        stream.set_data(f"BT /F 11 Tf 14 TL 40 650 Td {said}ET".encode("latin-1"))
        page[NameObject("/Contents")] = writer._add_object(stream)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    writer.write(path)
    return path


def test_a_pdf_is_read_page_by_page(tmp_path: Path) -> None:
    head = "A HANDBOOK OF HARBOURS"
    first = ["1. Whenever [river people] bring", "fish to [this har-"]
    second = ["bour], our boats don't", "leave before noon."]
    path = pdf(tmp_path / "copy.pdf", [[head, *first, "8"], [head, *second, "9"]])

    assert len(PdfReader(path).pages) == 2
    # Helvetica sets the plain apostrophe as the typographic one.
    assert found_in(read_copy(path)).replace("\u2019", "'") == WITH_SLOTS


def test_a_copy_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    broken, latin = tmp_path / "broken.pdf", tmp_path / "latin.txt"
    broken.write_bytes(b"%PDF-1.7 and then nothing")
    latin.write_bytes("r\u00e9gion".encode("latin-1"))
    faults = {
        broken: "not a PDF that can be read",
        latin: "not UTF-8",
        tmp_path / "absent.txt": "could not read",
        tmp_path / "absent.pdf": "could not read",
        pdf(tmp_path / "scan.pdf", [[]]): "holds no text",
        pdf(tmp_path / "locked.pdf", [["Text"]], password="secret"): "locked with a password",
    }

    for path, said in faults.items():
        with pytest.raises(StudyError, match=said) as stopped:
            read_copy(path)
        assert path.name in str(stopped.value)


def test_every_fingerprint_belongs_to_a_sentence_of_the_bank() -> None:
    shipped = read_published(content.item_templates() / "published.yaml")
    special = {"words", "aloud"}
    slots = {slot for parts in shipped.texts.values() for part in parts for slot in part.slots}
    names = {slot.name for text in bank().sentences.values() for slot in slots_of(text)}

    assert shipped.texts.keys() <= bank().sentences.keys()
    assert {slot.partition(".")[0] for slot in slots - special} <= names
    assert all(len(part.sha256) == 64 for parts in shipped.texts.values() for part in parts)
