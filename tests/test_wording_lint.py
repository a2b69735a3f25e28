"""Lookalike letters, glued endings and double questions are seen; good sentences are let be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kobosmix import content
from kobosmix.bank.model import Bank
from kobosmix.findings import Finding, Severity, in_order
from kobosmix.wording import Catalogue, read_catalogue
from kobosmix.wording.catalogue import Message
from kobosmix.wording.lint import EXPLANATIONS, check_sentences
from tests.english_study import bank

ITEM, LABEL, TEXT = "item.gen_trust_2", "scale.agree.1", "text.bye"
# Languages the bank may not have, and one it has that is written alike.
WRITTEN_LIKE = {"prs": "ar", "fa": "ar", "ps": "ar", "ckb": "ar"}


def findings(
    tag: str, text: str, *, key: str = ITEM, english: str = "", names: tuple[str, ...] = ()
) -> list[Finding]:
    """What is found in one sentence of a language."""
    message = Message(english, text, 7, f"{tag}.po")
    return list(check_sentences(Catalogue(tag, {key: message}), with_language(tag), names))


def codes(tag: str, text: str, *, names: tuple[str, ...] = ()) -> set[str]:
    return {finding.code for finding in findings(tag, text, names=names)}


def with_language(tag: str) -> Bank:
    shipped = bank()
    if tag in shipped.languages:
        return shipped
    language = replace(shipped.languages[WRITTEN_LIKE[tag]], tag=tag, english=tag)
    return replace(shipped, languages={**shipped.languages, tag: language})


BAD = [
    ("W501", "ro", "Ave\u021bi i\u0302ncredere."),
    ("W502", "ar", "\u200fأثق بهم."),
    ("W502", "tr", "Onlara \u2068güvenirim\u2069."),
    ("W503", "ro", "Aveţi încredere."),
    ("W503", "ro", "Și aş vrea."),
    ("W503", "prs", "من به آنها باور دارم كه خوب اند."),
    ("W503", "fa", "زندگي خوب است."),
    ("W503", "ckb", "ژیانی من باشە ك."),
    ("W503", "ps", "زه هغوی ته كار ورکوم."),
    ("W503", "ar", "الثقة بین الناس."),
    ("W503", "sr", "Верујeм им."),
    ("W503", "uk", "Вони i ми."),
    ("W503", "ru", "Люди, c которыми я живу."),
    ("W503", "bs", "Vjerujеm im."),
    ("W503", "ar", "هل تثق بهم?"),
    ("W503", "ar", "[group.def_pl_nom], [ingroup.def_pl_nom]"),
    ("W503", "fa", "من خوب هستم; تو هم."),
    ("W503", "es", "Confía en ellos?"),
    ("W503", "es-EC", "Confía en ellos? Sí, ¡mucho!"),
    ("W503", "fr", "Leur faites-vous confiance ?"),
    ("W503", "fr", "Comparez: huit chiffres."),
    ("W505", "es", "Me siento bienvenido/a aquí."),
    ("W505", "es", "Tod@s se llevan bien."),
    ("W505", "fr", "Je suis né(e) ici."),
    ("W505", "fr", "Je suis né·e ici."),
    ("W505", "fr", "Les habitant.e.s sont ici."),
    ("W505", "sr", "Ја сам рад/а овде."),
    ("W505", "ru", "Я желанный(-ая) гость."),
    ("W505", "ru", "Я желанный (-ая) гость."),
    ("W505", "ru", "Я участник/ница."),
    ("W505", "ar", "أنا مرحب/ة بي."),
    ("W505", "ar", "كنتَ/تِ هنا."),
    ("W505", "de", "Teilnehmer/-innen sind hier."),
    ("W505", "de", "Teilnehmer:innen sind hier."),
    ("W505", "de", "TeilnehmerInnen sind hier."),
    ("W505", "en", "He/she is here."),
    ("W505", "tr", "[group.pl]/a inanırım."),
    ("W506", "en", "I do not think that nobody can be trusted."),
    ("W506", "en", "They don't live without fear."),
    ("W506", "de", "Ich glaube nicht, dass niemand hilft."),
    ("W506", "tr", "Güven yok değil."),
    ("W506", "ar", "لا أشعر أن الحياة غير آمنة."),
    ("W507", "tr", "Güvenir misiniz? Neden?"),
    ("W507", "ar", "هل تثق بهم؟ ولماذا؟"),
    ("W507", "en", "My family and/or my friends agree."),
    ("W507", "uk", "Моя родина та/або друзі."),
    ("W507", "ar", "أسرتي و/أو أصدقائي."),
]

GOOD = [
    ("ro", "Aveți încredere și în alții."),
    ("prs", "من به آنها باور دارم که خوب اند، هر روز."),
    ("ps", "سړي زه هغوی ته کار ورکوم."),
    ("ckb", "ژیانی من باشە."),
    ("ar", "الأسئلة من Tropp, Morhayim (2022)، والعدد 1,000 شخص؛ هل هذا صحيح؟"),
    ("sr", "Верујем им, а они мени."),
    ("ru", "SMS-сообщение от Tropp и Morhayim (2022), МОМ; я и ты."),
    ("uk", "Ти і я: вітамін C."),
    ("bs", "Vjerujem im i oni meni."),
    ("es", "¿Confía en ellos? (no leer)"),
    ("fr", "Leur faites-vous confiance\u00a0? À 10:30\u202f: oui\u00a0!"),
    ("fr", "Ne sait pas (ne pas lire), M. Untel."),
    ("de", "Abitur (12. oder 13. Klasse) oder Lehre, 50 km/h, 24/7, 31/12/2026."),
    ("de", "Menschen aus der Gruppe: innen und außen. In dieser Stadt."),
    ("de", "Ich bin nicht nur hier. Niemand ist allein."),
    ("tr", "Bölüm [study.part] / [study.parts]"),
    ("tr", "Onlara hiç güvenmem, hiçbir zaman."),
    ("de", "Weiß es nicht (nicht vorlesen)"),
    ("ru", "Пишите: example.org/form, дд/мм/гггг, радио/ТВ; да/нет."),
    ("en", "It is not true. Nobody knows whether or not."),
    ("en", "Nothing will be taken from you if you say no."),
    ("ar", "لا أثق بهم. ليس هذا صحيحاً."),
    ("sr", "Да ли им верујете?"),
]


@pytest.mark.parametrize(("code", "tag", "text"), BAD)
def test_a_bad_sentence_is_found_for_what_is_wrong_with_it(
    code: str, tag: str, text: str
) -> None:
    assert codes(tag, text) == {code}
    assert code in EXPLANATIONS


@pytest.mark.parametrize(("tag", "text"), GOOD)
def test_a_good_sentence_is_let_be(tag: str, text: str) -> None:
    assert findings(tag, text) == []


def test_a_finding_has_the_place_the_letter_and_a_remedy() -> None:
    (finding,) = findings("ro", "Aveţi încredere.")

    assert str(finding) == (
        "ro.po:7: item.gen_trust_2\n"
        "  warning W503: 'ţ' (U+0163) is not a letter of Romanian\n"
        "  Write 'ț' (U+021B)."
    )


@pytest.mark.parametrize(
    ("tag", "text", "severity"),
    [
        ("fr", "Vraiment ?", Severity.NOTICE),
        ("es", "Confía en ellos?", Severity.WARNING),
        ("en", "I do not trust nobody.", Severity.NOTICE),
        ("es", "Me siento bienvenido/a.", Severity.WARNING),
    ],
)
def test_what_may_be_meant_so_is_a_notice(tag: str, text: str, severity: Severity) -> None:
    assert [finding.severity for finding in findings(tag, text)] == [severity]


def test_every_question_opens_with_its_mark_in_spanish() -> None:
    assert codes("es", "¿Confía? Y por qué?") == {"W503", "W507"}
    assert codes("es", "¿Confía? ¿Por qué?") == {"W507"}


def test_a_group_is_named_by_a_slot_only() -> None:
    names = ("Suriyeliler", "Iraklılar", "Güney Sudanlılar", "Rus")

    assert codes("tr", "Çoğu SURİYELİLER iyidir.", names=names) == {"W504"}
    assert codes("tr", "IRAKLILAR iyidir.", names=names) == {"W504"}
    assert codes("tr", "Bazı Güney Sudanlılar iyidir.", names=names) == {"W504"}
    assert codes("tr", "[Group.pl] iyidir, Suriyelilerce de.", names=names) == set()
    assert codes("tr", "Bir Rus iyidir.", names=names) == set(), "short names are words too"
    assert codes("tr", "Suriyeliler iyidir.") == set(), "nobody said that this is a group"


@pytest.mark.parametrize(("key", "longest"), [(LABEL, 60), (ITEM, 200), (TEXT, 320)])
def test_a_sentence_fits_a_phone(key: str, longest: int) -> None:
    (finding,) = findings("tr", "a" * (longest + 1), key=key)

    assert (finding.code, finding.severity) == ("W508", Severity.NOTICE)
    assert findings("tr", "a" * longest, key=key) == []


@pytest.mark.parametrize(
    ("tag", "length", "codes_found"),
    [
        ("tr", 17, ["W509"]),
        ("tr", 18, []),
        ("ar", 13, ["W509"]),
        ("ar", 14, []),
        ("tr", 84, []),
        ("tr", 85, ["W509"]),
    ],
)
def test_a_translation_is_about_as_long_as_its_english(
    tag: str, length: int, codes_found: list[str]
) -> None:
    found = findings(tag, "\u0628" * length, english="e" * 40)

    assert [finding.code for finding in found] == codes_found
    assert all(finding.severity is Severity.NOTICE for finding in found)


def test_a_short_english_tells_nothing_of_length_and_a_slot_counts_alike_everywhere() -> None:
    assert findings("tr", "a" * 80, english="e" * 29) == []
    assert findings("ar", "[group.def_pl_obl] " * 3, english="[group.pl] " * 3) == []


def test_a_sentence_no_form_asks_for_is_not_read() -> None:
    assert findings("ro", "Aveţi încredere.", key="item.long_gone") == []


@pytest.mark.parametrize("tag", sorted(bank().languages))
def test_the_shipped_catalogues_are_free_of_warnings(tag: str) -> None:
    catalogue, _ = read_catalogue([content.translations()], bank(), tag)
    names = [
        name
        for language in bank().lineage(tag)
        for forms in language.groups.values()
        for name in forms.values()
    ]

    found = in_order(check_sentences(catalogue, bank(), names))

    assert [str(f) for f in found if f.severity is not Severity.NOTICE] == []
