"""Names in the right form, translations that belong to their English, and nothing guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobosmix import content
from kobosmix.bank.model import Bank
from kobosmix.context import read_context
from kobosmix.wording import Catalogue, open_wording, read_catalogue
from kobosmix.wording.catalogue import Message, check_catalogue
from kobosmix.wording.check import check_question_marks, check_slots_kept
from kobosmix.wording.names import turkish_suffix
from kobosmix.wording.render import Wording
from tests.english_study import bank, built, changed, line_of, prepare_text

SAMPLE = content.sample_study("gaziantep") / "context.yaml"


@pytest.fixture
def sample() -> Wording:
    """The sample study's wording, in Turkish and Arabic."""
    context = read_context(SAMPLE, bank()).context
    assert context is not None
    return open_wording(bank(), context, content.translations(), Path("no study"))


SHIPPED = sorted(path.stem for path in content.translations().glob("*.po"))


def test_a_missing_form_shows_group_language_form_and_every_sentence(tmp_path: Path) -> None:
    text = changed(("pl: Syrians, adj: Syrian", "pl: Syrians"), ("minutes: 90", "minutes: 1"))

    prepared = prepare_text(tmp_path, text)

    (missing,) = [f for f in prepared.findings if f.code == "W201"]
    assert missing.place.line == line_of(text, "en: {pl: Syrians}")
    assert "group 'syrians' has no form 'adj' in English (en)" in missing.problem
    asked = [
        sentence
        for key, sentence in bank().sentences.items()
        if "[group.adj]" in sentence
        and key.split(".")[1][:5] in ("attit", "anxie", "trust", "willi")
    ]
    assert missing.problem.count("⟦adj?⟧") == len(asked)
    assert "people who are ___" in missing.remedy
    assert any(f.code == "P103" for f in prepared.findings), (
        "other findings come in the same run"
    )
    assert prepared.forms == ()


def test_a_form_that_a_rule_would_derive_is_asked_for_by_its_base(sample: Wording) -> None:
    names = dict(sample.context.groups["syrians"].names)
    del names["tr"]
    group = sample.context.groups["syrians"]
    object.__setattr__(group, "names", {**names, "tr": {"adj": "Suriyeli"}})

    sample.render("item.trust_2", ("tr",), "turks", "syrians")

    assert {missing.form for missing in sample.missing_forms} == {"pl"}


@pytest.mark.parametrize(
    ("plural", "suffix", "expected"),
    [
        ("Suriyeliler", "I", "Suriyelileri"),
        ("Türkler", "In", "Türklerin"),
        ("Sırplar", "A", "Sırplara"),
        ("Afganlar", "dAn", "Afganlardan"),
        ("Hırvatlar", "lA", "Hırvatlarla"),
        ("Roman halkı", "I", ""),
    ],
)
def test_turkish_endings_follow_the_plural_and_nothing_else(
    plural: str, suffix: str, expected: str
) -> None:
    assert turkish_suffix(plural, suffix) == expected


def test_a_derived_form_is_told_until_it_is_confirmed(sample: Wording) -> None:
    said = sample.render("item.empathy_1", ("tr",), "turks", "syrians")

    assert said["tr"].startswith("Suriyelilerin ")
    assert {(each.form, each.text) for each in sample.derived} == {("gen_pl", "Suriyelilerin")}


def test_the_own_group_is_the_community_or_its_name_as_the_team_chose(tmp_path: Path) -> None:
    text = changed(("concepts: [core,", "concepts: [core, group_id,"))

    community = built(tmp_path / "c", text).codebook
    named = built(
        tmp_path / "n", text.replace("own_group: community", "own_group: name")
    ).codebook

    assert "people in my community" in community.variable("metaperceptions_1").labels["en"]
    assert "locals do not deserve" in named.variable("metaperceptions_1").labels["en"]
    assert "a member of my community" in community.variable("group_id_1").labels["en"]
    assert "Being local matters" in named.variable("group_id_1").labels["en"]


def test_a_telephone_number_stays_in_order_in_a_right_to_left_line(sample: Wording) -> None:
    said = sample.render("text.consent_contacts", ("ar",), "syrians")["ar"]

    assert "\u20680342 555 01 01\u2069" in said


def test_plain_arabic_has_no_invisible_controls(sample: Wording) -> None:
    said = sample.render("item.attitudes_1", ("ar",), "syrians", "turks")["ar"]

    assert "الأتراك" in said
    assert not set(said) & set("\u200e\u200f\u2068\u2069")


def message(key: str, text: str, source: str | None = None) -> Catalogue:
    english = bank().sentences[key] if source is None else source
    return Catalogue("tr", {key: Message(english, text, 7)})


def test_a_translation_of_an_older_english_is_told_and_kept() -> None:
    older = message("item.trust_2", "x", source="Older words.")

    (stale,) = check_catalogue(older, bank().sentences)

    assert (stale.code, stale.severity, stale.place.line) == ("W103", "warning", 7)
    assert bank().sentences["item.trust_2"] in stale.remedy


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Çoğu güvenilir insanlardır.", "the English has the slots: group"),
        ("[group.gen_pl] çoğu [ingroup.pl]", "the English has the slots: group"),
        ("[group.genitive] çoğu", "no form 'genitive'"),
        ("[gruop.pl] çoğu", "no slot 'gruop'"),
        ("[group.gen_pl] çoğu]", "a bracket"),
    ],
)
def test_a_slot_lost_added_or_misspelt_is_an_error(text: str, problem: str) -> None:
    (lost,) = check_slots_kept(message("item.trust_2", text), bank())

    assert lost.code == "W105"
    assert problem in lost.problem


def test_the_shipped_drafts_keep_every_slot() -> None:
    whole: Bank = bank()

    for tag in SHIPPED:
        catalogue, _ = read_catalogue([content.translations()], bank(), tag)
        assert list(check_slots_kept(catalogue, whole)) == []
        assert list(check_catalogue(catalogue, whole.sentences)) == []


def test_two_entries_with_one_key_are_named_by_their_lines(tmp_path: Path) -> None:
    entry = 'msgctxt "item.trust_1"\nmsgid "a"\nmsgstr "b"\n\n'
    (tmp_path / "tr.po").write_text('msgid ""\nmsgstr ""\n\n' + entry + entry, encoding="utf-8")

    _, findings = read_catalogue([tmp_path], bank(), "tr")

    assert [finding.code for finding in findings] == ["W102"]
    assert "first in line 4" in findings[0].problem


@pytest.mark.parametrize("damage", [b'msgid "a\nmsgstr', b"\xff\xfe\x00nonsense"])
def test_a_broken_catalogue_is_a_finding(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "tr.po").write_bytes(damage)

    catalogue, findings = read_catalogue([tmp_path], bank(), "tr")

    assert [finding.code for finding in findings] == ["W101"]
    assert catalogue.messages == {}


def test_a_language_without_catalogue_can_be_left_in_preparation(tmp_path: Path) -> None:
    _, findings = read_catalogue([tmp_path], bank(), "tr")

    assert "preparing" in findings[0].remedy


def test_a_question_ends_with_the_mark_of_its_language() -> None:
    whole = bank()
    key = "item.attitudes_1"
    asked = Catalogue("ar", {key: Message(whole.sentences[key], "كيف حالكم?", 3)})

    (found,) = check_question_marks(asked, whole)

    assert (found.code, found.severity) == ("W106", "warning")
    assert "؟" in found.problem
    for tag in SHIPPED:
        shipped, _ = read_catalogue([content.translations()], bank(), tag)
        assert list(check_question_marks(shipped, whole)) == []
