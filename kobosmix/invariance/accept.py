"""Why a difference between two forms is right, in a sentence; nothing where nobody can say so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from kobosmix.codebook import Adaptation, Codebook, NoteEntry, Variable
from kobosmix.conditions import All, AnyOf, Condition, Equals, Not, variables_of
from kobosmix.invariance.align import OTHER, Asked, View
from kobosmix.invariance.model import Difference, What
from kobosmix.questionnaire.consent import LANGUAGE
from kobosmix.questionnaire.keys import ALPHABET, LETTERS
from kobosmix.questionnaire.lists import SPOKEN
from kobosmix.slots import Slot, fill
from kobosmix.wording.render import Rendering

# Of those it is not known of; a paper form asks everybody.
_UNLESS_KNOWN = AnyOf((Not(Equals("rid_known", "1")), Equals("mode", "paper")))
# On the first screen of the form, for the team.
_NOTICES = frozenset({"about_wording", "about_review"})
_NOTICE = "says how far the wording of the form has been read and signed"
_OTHER_LANGUAGES = "the languages of the forms differ"
_WORDS = frozenset({What.WORDS, What.HINT, What.LABELS})


@dataclass(frozen=True)
class Grounds:
    """What can make a difference right, besides the forms themselves.

    `renderings` are the sentences of today's forms; `later_only` the names of what only those are
    asked or told who were interviewed before.
    """

    renderings: Iterable[Rendering] = ()
    later_only: frozenset[str] = frozenset()
    right_to_left: frozenset[str] = field(default_factory=frozenset)

    @cached_property
    def _by_text(self) -> Mapping[tuple[str, str, str], list[Rendering]]:
        found = defaultdict[tuple[str, str, str], list[Rendering]](list)
        for each in self.renderings:
            tag, _, group, _ = each.way
            found[tag, group, each.text].append(each)
        return found

    def one_sentence(
        self, tag: str, said: Mapping[str, str]
    ) -> tuple[Rendering, Rendering] | None:
        """The sentence that two groups hear with other names in it; `said` has each its text."""
        (group_a, text_a), (group_b, text_b) = said.items()
        for one in self._by_text.get((tag, group_a, text_a), ()):
            for other in self._by_text.get((tag, group_b, text_b), ()):
                if one.way[1] == other.way[1] and one.template == other.template:
                    return one, other
        return None

    def is_filled(self, rendering: Rendering) -> bool:
        """Whether the text is the template with its names, and nothing else."""
        put_in = dict((*rendering.names, *rendering.counts))

        def look_up(slot: Slot) -> str:
            return put_in.get(f"{slot.name}.{slot.form}", "")

        tag = rendering.way[0]
        text = fill(rendering.template, look_up, tag, right_to_left=tag in self.right_to_left)
        return text == rendering.text


def reason_for(shared: str, found: Difference, a: View, b: View, grounds: Grounds) -> str:
    """Why this difference is right; empty where there is no reason on record."""
    if not found.variable:
        return _of_whole_forms(found, a)
    one, other = a.asked.get(shared), b.asked.get(shared)
    if not (one and other):
        has, lacks = (a, b) if one else (b, a)
        return _why_not_asked(has.asked[shared], has, lacks, grounds)
    if one.name in _NOTICES:
        return _NOTICE
    if one.name in (LANGUAGE, ALPHABET) and _have_other_languages(a, b):
        return _OTHER_LANGUAGES
    if found.what in _WORDS:
        return _why_other_words(found, (one, a), (other, b), grounds)
    if found.what is What.ROUTING:
        return _why_routed(one.asked_if, other.asked_if)
    return _why_other_answers(found, (one.entry, other.entry), a, b)


def _have_other_languages(a: View, b: View) -> bool:
    return set(a.version.codebook.languages) != set(b.version.codebook.languages)


def _of_whole_forms(found: Difference, a: View) -> str:
    if not a.partner:
        return ""
    if found.what is What.LANGUAGES:
        return (
            "each group is asked in its own languages; where they share none, the English behind "
            "the words is compared"
        )
    if found.what is What.ORDER:
        return "each group is asked about the others in the order that context.yaml gives"
    return ""


def _why_not_asked(asked: Asked, has: View, lacks: View, grounds: Grounds) -> str:
    if asked.name in _NOTICES:
        return _NOTICE
    if asked.about not in ("", OTHER) and has.partner and asked.about not in lacks.others:
        return f"{lacks.version.codebook.group} is not asked about {asked.about}"
    if asked.measuring:
        return _why_left_out(asked, has, lacks) or _why_led_to_nothing(asked, has, lacks)
    return _why_frame_differs(asked, has, lacks, grounds)


def _why_left_out(asked: Asked, has: View, lacks: View) -> str:
    """The plan's reason for the item, its concept, or the concept it introduces."""
    reasons = lacks.version.left_out
    entry = asked.entry
    beside = [entry] if isinstance(entry, Variable) else has.variables_beside(asked)
    named = (name for each in beside for name in (each.concept, each.item))
    return next((reasons[name] for name in named if name in reasons), "")


def _why_led_to_nothing(asked: Asked, has: View, lacks: View) -> str:
    """A question whose answer decides on others goes with them."""
    led_to = [
        each for each in has.asked.values() if asked.shared in variables_of(each.asked_if)
    ]
    if not led_to or any(each.shared in lacks.asked for each in led_to):
        return ""
    reasons = [_why_left_out(each, has, lacks) for each in led_to]
    return f"it decides on questions that are not asked: {reasons[0]}" if all(reasons) else ""


def _why_frame_differs(asked: Asked, has: View, lacks: View, grounds: Grounds) -> str:
    one, other = has.version.codebook, lacks.version.codebook
    if asked.name in (ALPHABET, LANGUAGE) and _have_other_languages(has, lacks):
        return _OTHER_LANGUAGES
    if one.mode != other.mode:
        return f"belongs to the mode '{one.mode}'"
    if asked.name in grounds.later_only:
        return "only for people who were interviewed before"
    return ""


def _why_routed(one: Condition | None, other: Condition | None) -> str:
    """Background that was told before is not asked once more."""
    differing = set(_parts(one)) ^ set(_parts(other))
    if differing == {_UNLESS_KNOWN}:
        return "asked later only of those of whom it is not known yet"
    return ""


def _parts(condition: Condition | None) -> Iterator[Condition]:
    match condition:
        case None:
            return
        case All(several):
            for each in several:
                yield from _parts(each)
        case _:
            yield condition


def _why_other_answers(
    found: Difference, entries: tuple[Variable | NoteEntry, ...], a: View, b: View
) -> str:
    books = a.version.codebook, b.version.codebook
    lists = {each.scale for each in entries if isinstance(each, Variable)} - {""}
    if LETTERS in lists and _have_other_languages(a, b):
        return _OTHER_LANGUAGES
    for scale, spoken in SPOKEN.items():
        if found.what is What.SCALE and lists == {scale, spoken}:
            told = (each for book in books for each in book.adaptations)
            return next((each.reason for each in told if each.key == f"scale.{scale}"), "")
    return ""


def _why_other_words(
    found: Difference, one: tuple[Asked, View], other: tuple[Asked, View], grounds: Grounds
) -> str:
    (asked_a, a), (asked_b, b) = one, other
    books = a.version.codebook, b.version.codebook
    for entry, book in zip((asked_a.entry, asked_b.entry), books, strict=True):
        texts = _texts(found, entry)
        for each in book.adaptations:
            if each.language == found.language and each.text in texts:
                return _adapted(book, each)
    if found.what is What.HINT and books[0].mode != books[1].mode:
        return "the hint goes by the mode"
    if a.partner:
        return _why_names(found, (asked_a, books[0]), (asked_b, books[1]), grounds)
    return ""


def _adapted(book: Codebook, adaptation: Adaptation) -> str:
    whose = ", ".join(filter(None, (adaptation.by, adaptation.on)))
    return f"{book.group} is told so in other words: {adaptation.reason} ({whose})"


def _texts(found: Difference, entry: Variable | NoteEntry) -> tuple[str, ...]:
    """The words that differ, in the one language."""
    tag = found.language
    if found.what is What.LABELS and isinstance(entry, Variable):
        return tuple(option.labels.get(tag, "") for option in entry.options)
    return ((entry.hints if found.what is What.HINT else entry.labels).get(tag, ""),)


def _why_names(
    found: Difference,
    one: tuple[Asked, Codebook],
    other: tuple[Asked, Codebook],
    grounds: Grounds,
) -> str:
    """Each text that differs is one sentence with other names in it."""
    (asked_a, a), (asked_b, b) = one, other
    put_in = dict[str, None]()
    texts = zip(_texts(found, asked_a.entry), _texts(found, asked_b.entry), strict=False)
    for text_a, text_b in texts:
        if text_a == text_b:
            continue
        sentence = grounds.one_sentence(found.language, {a.group: text_a, b.group: text_b})
        if sentence is None or not all(grounds.is_filled(each) for each in sentence):
            return ""
        for (slot, name_a), (_, name_b) in zip(*(s.names for s in sentence), strict=False):
            if name_a != name_b:
                put_in[f"[{slot}] is '{name_a}' and '{name_b}'"] = None
    return f"one sentence with other names in it: {', '.join(put_in)}" if put_in else ""
