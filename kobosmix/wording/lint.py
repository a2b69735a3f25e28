"""What can be seen in a translated sentence without speaking its language.

These checks see spelling, marks and lengths. Whether a sentence says what the English says is for
a reader to tell.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from kobosmix.bank.model import Bank, Language
from kobosmix.findings import Finding, Place, Severity
from kobosmix.slots import LEFT_TO_RIGHT_MARK, RIGHT_TO_LEFT_MARK, fill
from kobosmix.wording.catalogue import SOURCE, Catalogue

EXPLANATIONS: Mapping[str, tuple[str, str]] = {
    "W501": (
        "A sentence is not in Unicode's composed form (NFC): it looks right, but a search misses it.",
        "Type the letter with its accent as one character.",
    ),
    "W502": (
        "A sentence has invisible direction marks in it. kobosmix adds them where a form needs them.",
        "Delete them in the catalogue.",
    ),
    "W503": (
        "A letter or mark is not the one this language is written with, although it looks alike.",
        "Type the sentence with the keyboard of the language.",
    ),
    "W504": (
        "A group is named in the sentence itself, so every study would name it.",
        "Write a slot such as [group.pl] in its place.",
    ),
    "W505": (
        "A word is written for both genders at once, which cannot be read aloud.",
        "Say it so that it fits everybody, or write both words out.",
    ),
    "W506": (
        "A sentence says no twice. Who answers 'disagree' to it says no a third time.",
        "Say it with one negation or none.",
    ),
    "W507": (
        "A sentence asks two things at once, so nobody can tell which one was answered.",
        "Ask one thing.",
    ),
    "W508": (
        "A sentence is too long for the screen of a phone.",
        "Say it more briefly, without leaving out what is asked.",
    ),
    "W509": (
        "A translation is much shorter or much longer than its English: a part may be missing, or "
        "something added.",
        "Compare the two.",
    ),
}

# Stands for a name of usual length where the sentence has a slot. No letter, space or mark.
_NAME = "\ufffc" * 12
_DIRECTION_MARKS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SHORTEST_NAME = 4

_WRONG_LETTERS: Mapping[str, Mapping[str, str]] = {
    "ro": {"ş": "ș", "ţ": "ț", "Ş": "Ș", "Ţ": "Ț"},
    "ar": {"ی": "ي", "ک": "ك"},
    "prs": {"ي": "ی", "ك": "ک"},
    "fa": {"ي": "ی", "ك": "ک"},
    "ckb": {"ي": "ی", "ك": "ک"},
    # Pashto has both yehs: ي is a letter of its own.
    "ps": {"ك": "ک"},
}
_ARABIC_MARKS = {"?": "؟", ",": "،", ";": "؛"}
_ASCII_MARK = re.compile(r"(\S?)\s*([?,;])\s*(\S?)")
_CYRILLIC, _LATIN = "\u0400-\u052f", "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f"
_MIXED_WORD = re.compile(rf"(?=[^\W\d_]*[{_CYRILLIC}])(?=[^\W\d_]*[{_LATIN}])(?<!\w)[^\W\d_]+")
# Words of one letter that looks the same in both scripts.
_LATIN_ALONE = re.compile(r"(?<![\w'’-])[aceijkoy](?![\w'’)-])")
_CYRILLIC_ALONE = re.compile(r"(?<![\w'’-])[асеијкоуі](?![\w'’)-])")
_FRENCH_MARK = re.compile(r"(?<![\u00a0\u202f?!])[?!:;](?=[\s»\")?!]|$)")

# A letter with the marks over and under it.
_LETTER = r"[^\W\d_][\u0300-\u036f\u064b-\u0652]*"
_WORD = f"(?:{_LETTER})+"
_ENDING = f"(?:(?:{_LETTER}){{1,4}}|innen)"
_SLASH = re.compile(rf"(?<![\w./@])({_WORD}|\ufffc+)/-?({_ENDING})(?![\w/])")
_GLUED = re.compile(
    rf"(?:{_WORD}|\ufffc+)(?:\({_ENDING}\)|\s?\(-{_ENDING}\)|\s/\s?-{_ENDING}(?!\w)|/[\u064b-\u0652])"
)
_GLUED_IN: Mapping[str, re.Pattern[str]] = {
    "de": re.compile(r"[^\W\d_]+(?<=[a-zäöüß])(?:[:*_·](?:in|innen)|In(?:nen)?)(?!\w)"),
    "fr": re.compile(r"[^\W\d_]+(?:[·•‧]|\.(?=(?:e|es|ne|se)(?:\.s)?(?!\w)))[^\W\d_]{1,4}"),
    "es": re.compile(r"[^\W\d_]+@s?(?!\w)"),
}
_AND_OR = re.compile(
    "and/or|und/oder|et/ou|y/o|e/o|e/ou|ve/veya|i/ili|и/или|та/або|і/або|й/або|și/sau|و/أو|و/یا"
)
_OTHER_PAIRS = re.compile(
    "km/h|m/s|km/sa|км/ч|км/год|км/с|км/х|كم/س|yes/no|ja/nein|oui/non|sí/no|da/ne|da/nu|да/не|да/нет|так/ні|نعم/لا"
)

_SENTENCE_END = re.compile(r"[.!?؟…;؛:()]+")
# Only words that deny by themselves: Turkish hiç and asla go with a negated verb, and that is one.
_NEGATIONS: Mapping[str, re.Pattern[str]] = {
    "en": re.compile(
        r"\b(?:not(?! only)|cannot|\w+n['’]t|never|nobody|nothing|nowhere|neither|without|no(?= \w))\b"
    ),
    "de": re.compile(
        r"\b(?:nicht(?! nur)|nichts|kein(?:e|en|em|er|es)?|nie|niemals|niemand(?:en|em)?|nirgends|weder|ohne)\b"
    ),
    "tr": re.compile(r"\b(?:değil(?:dir|im|sin|iz|siniz|ler|se)?|yok(?:tur|sa)?)\b"),
    "ar": re.compile(r"(?<!\w)[فو]?(?:لم|لن|ليس|ليست|ليسوا|غير|بدون)(?!\w)|(?<!\w)ف?لا(?= \w)"),
}
# 'Neither this nor that' denies once, and so does 'whether or not'.
_OR_NOT = re.compile(r"\b(?:or not|oder nicht|ya da değil|veya değil)\b|(?<!\w)أو غير(?!\w)")

_LONGEST = {"scale": 60, "item": 200}
_LONGEST_OTHER = 320
_LONG_ENOUGH, _SHORTER, _SHORTER_ARABIC, _LONGER = 30, 0.45, 0.35, 2.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A translated sentence as it is checked: as stored, and with a stand-in for each name."""

    key: str
    text: str
    bare: str
    english: str
    place: Place
    language: Language

    @property
    def primary(self) -> str:
        """The language without its region and script."""
        return self.language.tag.partition("-")[0]

    @property
    def is_arabic_script(self) -> bool:
        """Whether the language has the marks of the Arabic script."""
        return self.language.question_mark == _ARABIC_MARKS["?"]

    def finding(
        self, code: str, problem: str, remedy: str, severity: Severity = Severity.WARNING
    ) -> Finding:
        """Something to be said about this sentence."""
        return Finding(
            code=code, place=self.place, problem=problem, remedy=remedy, severity=severity
        )


def check_sentences(
    catalogue: Catalogue, bank: Bank, group_names: Iterable[str]
) -> Iterator[Finding]:
    """Whatever looks wrong in the sentences of a language; `group_names` are in this language."""
    names = _any_of(group_names)
    for sentence in _sentences(catalogue, bank):
        for check in _CHECKS:
            yield from check(sentence)
        if names:
            yield from check_names(sentence, names)


def check_composed(sentence: Sentence) -> Iterator[Finding]:
    """A sentence is stored in Unicode's composed form."""
    if not unicodedata.is_normalized("NFC", sentence.text):
        yield sentence.finding(
            "W501",
            "letters and their accents are stored apart (not NFC)",
            "Type the letter with its accent as one character.",
        )


def check_direction_marks(sentence: Sentence) -> Iterator[Finding]:
    """Direction marks are added when a form is written, not stored."""
    found = sorted({f"U+{ord(mark):04X}" for mark in _DIRECTION_MARKS.findall(sentence.text)})
    if found:
        yield sentence.finding(
            "W502",
            f"there are invisible direction marks in the sentence: {', '.join(found)}",
            "Delete them: kobosmix adds them where a form needs them.",
        )


def check_letters(sentence: Sentence) -> Iterator[Finding]:
    """A language is written with its own letters, not with some that look alike."""
    wanted = _WRONG_LETTERS.get(sentence.primary, {})
    for wrong in sorted(set(sentence.bare) & set(wanted)):
        yield sentence.finding(
            "W503",
            f"'{wrong}' (U+{ord(wrong):04X}) is not a letter of {sentence.language.english}",
            f"Write '{wanted[wrong]}' (U+{ord(wanted[wrong]):04X}).",
        )


def check_scripts(sentence: Sentence) -> Iterator[Finding]:
    """A word is Latin or Cyrillic, and a word of one letter is of the script around it."""
    cyrillic = re.findall(f"[{_CYRILLIC}]", sentence.bare)
    latin = re.findall(f"[{_LATIN}]", sentence.bare)
    if not (cyrillic and latin):
        return
    if len(cyrillic) > len(latin):
        script, strange, alone = "Latin", set(latin), _LATIN_ALONE
    else:
        script, strange, alone = "Cyrillic", set(cyrillic), _CYRILLIC_ALONE
    for word in (*_MIXED_WORD.findall(sentence.bare), *alone.findall(sentence.bare)):
        letters = ", ".join(letter for letter in word if letter in strange)
        yield sentence.finding(
            "W503",
            f"'{word}' has {script} letters that look like others: {letters}",
            "Type the word anew with the keyboard of the language.",
        )


def check_arabic_marks(sentence: Sentence) -> Iterator[Finding]:
    """The Arabic script has a comma, semicolon and question mark of its own."""
    if not sentence.is_arabic_script:
        return
    for before, mark, after in _ASCII_MARK.findall(sentence.bare):
        # '1,000' and 'Tropp, Morhayim' keep theirs.
        if not _is_ascii_word(before) or not _is_ascii_word(after):
            yield sentence.finding(
                "W503", f"'{mark}' is the Latin mark", f"Write '{_ARABIC_MARKS[mark]}'."
            )


def check_spanish_marks(sentence: Sentence) -> Iterator[Finding]:
    """A Spanish question opens with ¿."""
    if sentence.primary == "es":
        *questions, _ = sentence.bare.split("?")
        if any("¿" not in question for question in questions):
            yield sentence.finding("W503", "a question does not open with '¿'", "Add the '¿'.")


def check_french_spaces(sentence: Sentence) -> Iterator[Finding]:
    """In French a no-break space stands before ? ! : and ;."""
    if sentence.primary == "fr":
        for mark in sorted(set(_FRENCH_MARK.findall(sentence.bare))):
            yield sentence.finding(
                "W503",
                f"there is no no-break space before '{mark}'",
                "Put one there (U+00A0), so that the mark does not open a line.",
                Severity.NOTICE,
            )


def check_names(sentence: Sentence, names: re.Pattern[str]) -> Iterator[Finding]:
    """A group is named by a slot only."""
    for name in sorted(set(names.findall(_folded(sentence.bare)))):
        yield sentence.finding(
            "W504",
            f"the group '{name}' is named in the sentence itself",
            "Write a slot in its place, such as [group.…], so that each study fills in its own.",
        )


def check_genders(sentence: Sentence) -> Iterator[Finding]:
    """A sentence can be read aloud: no second ending is glued to a word."""
    found = [pair[0] for pair in _SLASH.finditer(sentence.bare) if _is_both_genders(pair)]
    found += [glued[0] for glued in _GLUED.finditer(sentence.bare)]
    if sentence.primary in _GLUED_IN:
        found += [glued[0] for glued in _GLUED_IN[sentence.primary].finditer(sentence.bare)]
    for word in found:
        yield sentence.finding(
            "W505",
            f"'{word.replace(_NAME, '[…]')}' has a second ending and cannot be read aloud",
            "Say it so that it fits everybody, or write both words out.",
        )


def check_negations(sentence: Sentence) -> Iterator[Finding]:
    """A sentence says no once at most; told of languages where two negations cancel."""
    negation = _NEGATIONS.get(sentence.primary)
    if negation is None:
        return
    for part in _SENTENCE_END.split(sentence.bare.lower()):
        found = negation.findall(_OR_NOT.sub("", part))
        if len(found) > 1:
            yield sentence.finding(
                "W506",
                f"a sentence has {len(found)} negations: {', '.join(found)}",
                "Say it with one negation or none.",
                Severity.NOTICE,
            )


def check_one_question(sentence: Sentence) -> Iterator[Finding]:
    """A question asks one thing."""
    marks = len(re.findall("[?؟]+", sentence.bare))
    if marks > 1:
        yield sentence.finding("W507", f"there are {marks} questions in one", "Ask one thing.")
    for word in re.findall(rf"(?<![\w/]){_WORD}/{_WORD}(?![\w/])", sentence.bare):
        if _AND_OR.fullmatch(word.casefold()):
            yield sentence.finding(
                "W507", f"'{word}' leaves open what is asked", "Decide between 'and' and 'or'."
            )


def check_length(sentence: Sentence) -> Iterator[Finding]:
    """A sentence fits the screen of a phone, names included."""
    longest = _LONGEST.get(sentence.key.partition(".")[0], _LONGEST_OTHER)
    if len(sentence.bare) > longest:
        yield sentence.finding(
            "W508",
            f"it has {len(sentence.bare)} characters, where a phone shows {longest} well",
            "Say it more briefly.",
            Severity.NOTICE,
        )


def check_proportion(sentence: Sentence) -> Iterator[Finding]:
    """A translation is about as long as what it was made from."""
    if sentence.language.tag == SOURCE or len(sentence.english) < _LONG_ENOUGH:
        return
    ratio = len(sentence.bare) / len(sentence.english)
    shorter = _SHORTER_ARABIC if sentence.primary == "ar" else _SHORTER
    if not shorter <= ratio <= _LONGER:
        yield sentence.finding(
            "W509",
            f"it is {ratio:.1f} times as long as the English",
            "Compare the two: a part may be missing, or something added.",
            Severity.NOTICE,
        )


_CHECKS: tuple[Callable[[Sentence], Iterator[Finding]], ...] = (
    check_composed,
    check_direction_marks,
    check_letters,
    check_scripts,
    check_arabic_marks,
    check_spanish_marks,
    check_french_spaces,
    check_genders,
    check_negations,
    check_one_question,
    check_length,
    check_proportion,
)


def _sentences(catalogue: Catalogue, bank: Bank) -> Iterator[Sentence]:
    language = bank.languages[catalogue.tag]
    for key, message in catalogue.messages.items():
        if message.text and key in bank.sentences:
            yield Sentence(
                key=key,
                text=message.text,
                bare=_bare(message.text, language),
                english=_bare(message.source, bank.languages[SOURCE]),
                place=catalogue.place(key),
                language=language,
            )


def _bare(template: str, language: Language) -> str:
    filled = fill(template, lambda _: _NAME, language.tag, right_to_left=language.right_to_left)
    return unicodedata.normalize(
        "NFC", filled.removeprefix(LEFT_TO_RIGHT_MARK).removeprefix(RIGHT_TO_LEFT_MARK)
    )


def _any_of(names: Iterable[str]) -> re.Pattern[str] | None:
    composed = {_folded(unicodedata.normalize("NFC", name).strip()) for name in names}
    telling = [
        re.escape(name)
        for name in sorted(composed, key=lambda name: (-len(name), name))
        if sum(letter.isalpha() for letter in name) >= _SHORTEST_NAME
    ]
    return re.compile(rf"(?<!\w)(?:{'|'.join(telling)})(?!\w)") if telling else None


def _folded(text: str) -> str:
    # Turkish capitals: casefold leaves a dot over the i of İ, and makes no ı of I.
    return text.casefold().replace("i\u0307", "i").replace("ı", "i")


def _is_ascii_word(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _is_both_genders(pair: re.Match[str]) -> bool:
    ending = pair[2]
    # 'TV' and 'UN' are no endings, and 'mm' is part of how a date is written.
    is_abbreviation = ending != ending.lower() or (len(ending) > 1 and len(set(ending)) == 1)
    is_usual = _AND_OR.fullmatch(pair[0].casefold()) or _OTHER_PAIRS.fullmatch(
        pair[0].casefold()
    )
    return not (is_abbreviation or is_usual)
