"""What nobody expects to differ between two forms, as findings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from kobosmix.findings import Finding, Place, Severity, around_difference
from kobosmix.invariance.model import Difference, Pair, Proof, Relation, Standing, What

EXPLANATIONS: Mapping[str, tuple[str, str]] = {
    "I101": (
        "Two forms offer other answers to the same question: other codes, another order of codes, "
        "another list, or the same code with another meaning. Their answers must not be compared.",
        "Put the answers back as they were asked first; or give what is asked now an id of its own.",
    ),
    "I102": (
        "Two forms ask the same questions in another order, and what was asked before colours what "
        "comes after.",
        "Take back what moved them: 'item_order' in context.yaml, or the order in item_templates/.",
    ),
    "I103": (
        "A question counts for its concept in one form and against it in another, or belongs to "
        "another concept there, so their scores mean different things.",
        "Put 'reversed' and the concept of the item back; or give the item an id of its own.",
    ),
    "I104": (
        "A question is put to other people, or takes other numbers, in one form than in another.",
        "Put 'asked_if', 'low' and 'high' of the item back as they were asked first.",
    ),
    "I105": (
        "A question is asked in one form and not in another, or under another name, and nothing "
        "in the study's files says why.",
        "If that is wanted, leave it: whoever was not asked has 'not asked' in the tables. If not, "
        "name its concept in 'concepts' again.",
    ),
    "I106": (
        "In one form a question can be passed over, or answered by 'does not know', and in another "
        "it cannot. Missing answers then mean different things.",
        "Ask every wave in one mode; or tell of the difference where the answers are reported.",
    ),
    "I107": (
        "Two forms put the same question in other words, and no reason is on record.",
        "Put the words back; or, where they were wrong, correct them as an override with its reason "
        "('kobosmix wording import' writes it) and tell of it in the report.",
    ),
    "I108": (
        "One form is asked in another language or mode than another of the same group.",
        "Ask each person in one language and mode at every wave. The variables 'language' and 'mode' "
        "say how each interview was.",
    ),
    "I109": (
        "A build that was deployed or has answers is not in build/ any more, so today's forms could "
        "not be compared with it.",
        "Copy the folder build/ID back from a backup. Its answers cannot be decoded without it.",
    ),
    "I110": (
        "Earlier builds are kept in build/ that ask otherwise than today's forms, and nothing says "
        "which was fielded.",
        "If you uploaded one of them by hand and it has answers, see build/invariance.xlsx. Otherwise "
        "there is nothing to do.",
    ),
}

_CODES: Mapping[What, str] = {
    **dict.fromkeys((What.CODES, What.SCALE, What.MEANING, What.KIND), "I101"),
    What.ORDER: "I102",
    **dict.fromkeys((What.DIRECTION, What.CONCEPT), "I103"),
    **dict.fromkeys((What.ROUTING, What.LIMITS), "I104"),
    **dict.fromkeys((What.NOT_ASKED, What.NAME), "I105"),
    **dict.fromkeys((What.REQUIRED, What.MISSING_CODES), "I106"),
    **dict.fromkeys((What.WORDS, What.HINT, What.LABELS, What.ENGLISH), "I107"),
    **dict.fromkeys((What.LANGUAGES, What.MODE, What.NOTES), "I108"),
}
_ERRORS = frozenset({"I101", "I102", "I103", "I104", "I105"})
_SAID = {
    "I101": "offers other answers than",
    "I102": "asks in another order than",
    "I103": "counts otherwise than",
    "I104": "is put to others, or takes other numbers, than",
    "I105": "does not ask the same as",
    "I106": "treats missing answers otherwise than",
    "I107": "has other words than",
    "I108": "is asked otherwise than",
}
_SHOWN, _LONGEST = 2, 60


def check_invariance(proof: Proof) -> Iterator[Finding]:
    """Forms whose answers are compared ask the same, in the same way."""
    for pair in proof.pairs:
        by_kind = defaultdict[tuple[str, Severity], list[Difference]](list)
        for found in pair.unexpected:
            severity = _severity(found, pair)
            if severity:
                by_kind[_CODES[found.what], severity].append(found)
        for (code, severity), several in by_kind.items():
            yield _finding(code, pair, several, severity)
    yield from _nobody_knows(proof)


def not_kept(build_ids: Sequence[str]) -> Iterator[Finding]:
    """The codebook of a build that was fielded is kept for good."""
    for build_id in build_ids:
        yield Finding(
            code="I109",
            place=Place(f"build/{build_id}/codebook.json"),
            problem="this build was fielded, and its codebook is not there or cannot be read",
            remedy=EXPLANATIONS["I109"][1],
            severity=Severity.WARNING,
        )


def _severity(found: Difference, pair: Pair) -> Severity | None:
    """How much it matters; None where it is enough that the proof lists it."""
    standings = {pair.a.standing, pair.b.standing}
    if Standing.KEPT in standings:
        return None
    is_error = found.measuring and _CODES[found.what] in _ERRORS
    if standings == {Standing.TODAY}:
        return _one_of(found, is_error=is_error)
    if Standing.DEPLOYED in standings:
        # Without answers it is replaced at the next deploy, and its own new build is compared.
        if pair.relation is Relation.BUILDS:
            return None
        return Severity.WARNING if is_error else Severity.NOTICE
    # Answers there are cannot be asked anew: what stops a build is what would spoil the next wave.
    stops = pair.relation is Relation.WAVES and Standing.TODAY in standings
    return _one_of(found, is_error=is_error and stops and found.what is not What.NOT_ASKED)


def _one_of(found: Difference, *, is_error: bool) -> Severity:
    if is_error:
        return Severity.ERROR
    return Severity.WARNING if found.measuring else Severity.NOTICE


def _finding(
    code: str, pair: Pair, several: Sequence[Difference], severity: Severity
) -> Finding:
    shown = [_in_words(each, pair) for each in several[:_SHOWN]]
    if len(several) > _SHOWN:
        shown.append(f"and {len(several) - _SHOWN} more")
    if code == "I107":
        shown += _other_names(pair)
    return Finding(
        code=code,
        place=Place("the forms", spot=f"{pair.a.key} and {pair.b.key}"),
        problem=f"{pair.b} {_SAID[code]} {pair.a}: {'; '.join(shown)}",
        remedy=EXPLANATIONS[code][1],
        severity=severity,
    )


def _other_names(pair: Pair) -> Iterator[str]:
    """The groups that are called otherwise since: the usual reason for other words."""
    before, now = pair.a.codebook, pair.b.codebook
    for group, names in now.names.items():
        for tag in now.languages:
            called, calls = before.names.get(group, {}).get(tag), names.get(tag)
            if called and calls and called != calls:
                yield f"'{called}' are called '{calls}' since"


def _in_words(found: Difference, pair: Pair) -> str:
    if found.what is What.NOT_ASKED:
        return f"{found.variable} is asked in {pair.a.key if found.in_a else pair.b.key} only"
    what = f"{found.what} ({found.language})" if found.language else str(found.what)
    where = f"{found.variable}, {what}" if found.variable else what
    here, there = around_difference(found.in_b, found.in_a, _LONGEST)
    return f"{where}: '{here}', there '{there}'"


def _nobody_knows(proof: Proof) -> Iterator[Finding]:
    kept = [
        pair
        for pair in proof.pairs
        if pair.unexpected and Standing.KEPT in (pair.a.standing, pair.b.standing)
    ]
    if kept:
        builds = sorted(
            {v.codebook.build_id for p in kept for v in (p.a, p.b) if not v.is_today}
        )
        number = sum(len(pair.unexpected) for pair in kept)
        yield Finding(
            code="I110",
            place=Place("build/"),
            problem=f"nothing was deployed from here, and {len(builds)} earlier builds differ from "
            f"today's forms in {number} places",
            remedy=EXPLANATIONS["I110"][1],
            severity=Severity.NOTICE,
        )
