"""What one submission shows by itself, held against its codebook, the register and the windows.

The tests are put in this order, and the first that speaks decides:

     0  test           sent to a project that only rehearsed, or with a form for practice
     1  withdrawn      nothing is left of it but its key: it was erased
     2  unknown_form   another study's, or no codebook for its build, or not what that build says
     3  not_contacted  the attempt ended in something other than an interview or a refusal
     4  refused_minor  not of age, and no consent of guardian and child
     5  refused        at the door, or no consent
     6  no_id          from here on there are answers, and the question is whose
     7  check_failed
     8  unknown_id     nobody in the register has the ID, or the personal link
     9  link_conflict  the personal link is one person's, the ID that was typed another's
    10  withdrawn      the register says so
    11  group_conflict
    12  wave_conflict

A personal link stands for the ID. What no test speaks on is `linked`, unless another submission stands in its way: duplicates are
looked for next, then contradictions with the person's earlier waves. So an attempt without an
interview stays what it is, whatever its ID; and a submission set aside here never makes a
duplicate of a good one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from kobosmix.codebook import PERSONAL_LINK, Codebook, Kind
from kobosmix.match.answers import (
    answers_of,
    contradicts_consent,
    day_of,
    interview_day,
)
from kobosmix.match.model import Bucket, Entry, Flag, MatchDesign, Submission
from kobosmix.people.model import SPARE, WITHDRAWN, Register, Respondent
from kobosmix.store.content import JOINED, SOURCE

INTERVIEW = "interview"
REFUSED_AT_THE_DOOR = "refused"
_ATTEMPTS = frozenset({INTERVIEW, REFUSED_AT_THE_DOOR})
_YES, _NO = "1", "0"


@dataclass(frozen=True, slots=True)
class Reading:
    """A submission under judgement: its ledger entry so far, and its answers by variable name."""

    entry: Entry
    codebook: Codebook | None
    answers: Mapping[str, str]

    def set_apart(self, bucket: Bucket, reason: str) -> Reading:
        """The same submission in another bucket."""
        return replace(self, entry=replace(self.entry, bucket=bucket, reason=reason))

    def flagged(self, *flags: Flag) -> Reading:
        """The same submission with further flags."""
        return replace(self, entry=replace(self.entry, flags=self.entry.flags + flags))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a test says: the bucket, why, and what may help to resolve it."""

    bucket: Bucket
    reason: str
    suggestion: str = ""
    other_wave: str = ""


@dataclass(frozen=True)
class Evidence:
    """One submission, and all that it is held against."""

    submission: Submission
    codebooks: Mapping[str, Codebook]
    register: Register
    design: MatchDesign

    @cached_property
    def codebook(self) -> Codebook | None:
        """The codebook of the build the submission names."""
        return self.codebooks.get(self.hidden("kx_build"))

    @cached_property
    def answers(self) -> dict[str, str]:
        """Raw answers by variable name; none without a codebook to read them by."""
        return answers_of(self.submission.content, self.codebook) if self.codebook else {}

    @cached_property
    def rid(self) -> str:
        """The ID as entered, in its stored spelling."""
        from kobosmix.people.ids import normalise_id

        return normalise_id(self.answers.get("rid", ""))

    @cached_property
    def link_token(self) -> str:
        """What the personal link put in; empty where the form was opened without one."""
        return self.answers.get(PERSONAL_LINK, "").strip()

    @cached_property
    def respondent(self) -> Respondent | None:
        """Whose personal link it is, or without a link whose ID, if anyone's."""
        if self.link_token:
            return self.register.by_link_token.get(self.link_token)
        return self.register.by_id.get(self.rid)

    @cached_property
    def wave(self) -> str:
        """The wave by the form used."""
        return self.codebook.wave if self.codebook else ""

    @cached_property
    def edited_form(self) -> tuple[str, str] | None:
        """Project and version of the form, where that was edited on the server."""
        project = self.submission.key.partition("/")[0]
        form = (project, str(self.submission.content.get("__version__") or ""))
        return form if form in self.design.edited_forms else None

    def hidden(self, name: str) -> str:
        """A constant of the form; they stand at the top, readable before the form is known."""
        return str(self.submission.content.get(name) or "")


def screen(evidence: Evidence) -> Reading:
    """The submission in the bucket of the first test that speaks, else in `linked`."""
    verdict = Verdict(Bucket.LINKED, "")
    for test in _TESTS:
        found = test(evidence)
        if found is not None:
            verdict = found
            break
    codebook = None if verdict.bucket is Bucket.UNKNOWN_FORM else evidence.codebook
    return Reading(
        entry=_entry(evidence, verdict, codebook),
        codebook=codebook,
        answers=evidence.answers if codebook else {},
    )


def _entry(evidence: Evidence, verdict: Verdict, codebook: Codebook | None) -> Entry:
    answers = evidence.answers if codebook else {}
    respondent = evidence.respondent if codebook else None
    return Entry(
        key=evidence.submission.key,
        received=evidence.submission.received,
        form=evidence.hidden("kx_build"),
        wave=codebook.wave if codebook else "",
        group=codebook.group if codebook else "",
        bucket=verdict.bucket,
        reason=verdict.reason,
        id_entered=answers.get("rid", ""),
        id_used=respondent.id if respondent else "",
        enumerator=answers.get("enumerator", ""),
        outcome=answers.get("attempt", INTERVIEW) if codebook else "",
        suggestion=verdict.suggestion,
        other_wave=verdict.other_wave,
        flags=(
            *(_flags(evidence, respondent, verdict.bucket) if respondent else ()),
            *((Flag.FORM_EDITED,) if evidence.edited_form else ()),
            *((Flag.HAND_MADE_FORM,) if evidence.hidden(SOURCE) == JOINED else ()),
        ),
    )


def _test(evidence: Evidence) -> Verdict | None:
    purpose = evidence.hidden("kx_purpose")
    if purpose:
        return Verdict(Bucket.TEST, "it was sent with a form for training or a pretest")
    project = evidence.submission.key.partition("/")[0]
    if project not in evidence.design.tests:
        return None
    return Verdict(Bucket.TEST, "its project only rehearsed; the people are invented")


def _erased(evidence: Evidence) -> Verdict | None:
    if evidence.submission.content:
        return None
    return Verdict(Bucket.WITHDRAWN, "its content was erased")


def _unknown_form(evidence: Evidence) -> Verdict | None:
    codebook, study = evidence.codebook, evidence.hidden("kx_study")
    if study != evidence.design.study:
        problem = f"it belongs to the study {study!r}" if study else "it names no study"
    elif codebook is None or codebook.study != study:
        problem = f"no codebook of this study has the build id {evidence.hidden('kx_build')!r}"
    elif codebook.wave not in evidence.design.waves:
        problem = f"the study has no wave {codebook.wave!r}"
    elif not _says_what_the_build_says(evidence, codebook):
        problem = (
            "its group or wave is not that of its build: the form was changed on the server"
        )
    else:
        return None
    return Verdict(Bucket.UNKNOWN_FORM, problem)


def _says_what_the_build_says(evidence: Evidence, codebook: Codebook) -> bool:
    said = (evidence.hidden("kx_group"), evidence.hidden("kx_wave"))
    return said == (codebook.group, codebook.wave)


def _not_contacted(evidence: Evidence) -> Verdict | None:
    attempt = evidence.answers.get("attempt", INTERVIEW)
    if attempt in _ATTEMPTS:
        return None
    return Verdict(Bucket.NOT_CONTACTED, f"the attempt ended as {attempt!r}")


def _refused_minor(evidence: Evidence) -> Verdict | None:
    answers = evidence.answers
    is_minor = answers.get("of_age") == _NO
    if not is_minor or answers.get("attempt") == REFUSED_AT_THE_DOOR or _has_consent(answers):
        return None
    lacking = [who for who in ("guardian_consent", "assent") if answers.get(who) != _YES]
    return Verdict(Bucket.REFUSED_MINOR, f"not of age, without {' and '.join(lacking)}")


def _refused(evidence: Evidence) -> Verdict | None:
    answers = evidence.answers
    if answers.get("attempt") == REFUSED_AT_THE_DOOR:
        return Verdict(
            Bucket.REFUSED, "refused at the door" + _coded(evidence, "refusal_reason")
        )
    if _has_consent(answers):
        return None
    said = "consent was refused" if answers.get("consent") == _NO else "no consent is recorded"
    return Verdict(Bucket.REFUSED, said + _coded(evidence, "refusal_reason"))


def _has_consent(answers: Mapping[str, str]) -> bool:
    # A single 'no' outweighs the form's own sum: nobody's answers are used against their word.
    asked = (answers.get(name) for name in ("consent", "guardian_consent", "assent"))
    return answers.get("consent_ok") == _YES and _NO not in asked


def _coded(evidence: Evidence, name: str) -> str:
    """The reason given, by its code; a reason in free words is not repeated."""
    raw = evidence.answers.get(name, "")
    variables = evidence.codebook.variables if evidence.codebook else ()
    is_coded = any(
        v.name == name and v.kind is Kind.SELECT_ONE and v.option(raw) for v in variables
    )
    return f" ({raw})" if raw and is_coded else ""


def _no_id(evidence: Evidence) -> Verdict | None:
    if evidence.rid or evidence.link_token:
        return None
    return Verdict(Bucket.NO_ID, "no ID was entered")


def _check_failed(evidence: Evidence) -> Verdict | None:
    from kobosmix.people.ids import is_valid_id, one_edit_candidates

    if evidence.link_token or is_valid_id(evidence.rid):
        return None
    near = one_edit_candidates(evidence.rid, evidence.register.by_id)
    suggestion = near[0] if len(near) == 1 else ""
    return Verdict(Bucket.CHECK_FAILED, "not a valid ID", suggestion=suggestion)


def _unknown_id(evidence: Evidence) -> Verdict | None:
    if evidence.respondent:
        return None
    if evidence.link_token:
        # The token itself is not repeated: it opens a form in somebody's name.
        problem = "opened by a personal link that is nobody's in the register"
        return Verdict(Bucket.UNKNOWN_ID, problem)
    problem = "a valid ID that is not in the register" + _coded(evidence, "rid_reason")
    return Verdict(Bucket.UNKNOWN_ID, problem)


def _link_conflict(evidence: Evidence) -> Verdict | None:
    respondent = evidence.respondent
    if not evidence.link_token or not evidence.rid or respondent is None:
        return None
    if evidence.rid == respondent.id:
        return None
    return Verdict(
        Bucket.LINK_CONFLICT,
        f"opened by the personal link of {respondent.id}, but another ID was typed",
    )


def _withdrawn(evidence: Evidence) -> Verdict | None:
    if evidence.respondent and evidence.respondent.status == WITHDRAWN:
        return Verdict(Bucket.WITHDRAWN, "the person has withdrawn")
    return None


def _group_conflict(evidence: Evidence) -> Verdict | None:
    if not _is_of_another_group(evidence):
        return None
    registered = evidence.respondent.group if evidence.respondent else ""
    asked = evidence.codebook.group if evidence.codebook else ""
    problem = f"registered as {registered!r}, asked with the form of {asked!r}"
    return Verdict(Bucket.GROUP_CONFLICT, problem + _coded(evidence, "rid_reason"))


def _wave_conflict(evidence: Evidence) -> Verdict | None:
    day = _day_that_counts(evidence)
    other = _wave_by_receipt(evidence)
    if day is None or not other or _timing(evidence) is None:
        return None
    was = "is dated on paper" if _paper_day(evidence) else "was received"
    reason = f"the form is that of {evidence.wave!r}, but it {was} in {other!r}, on {day}"
    by_phone = interview_day(evidence.answers, evidence.submission.received)
    if by_phone != day:
        reason += f"; the phone says {by_phone}, so it may have been sent late"
    return Verdict(Bucket.WAVE_CONFLICT, reason, other_wave=other)


_TESTS: tuple[Callable[[Evidence], Verdict | None], ...] = (
    _test,
    _erased,
    _unknown_form,
    _not_contacted,
    _refused_minor,
    _refused,
    _no_id,
    _check_failed,
    _unknown_id,
    _link_conflict,
    _withdrawn,
    _group_conflict,
    _wave_conflict,
)


def _is_of_another_group(evidence: Evidence) -> bool:
    # A spare ID may be registered without a group; then the form used says which it is.
    registered = evidence.respondent.group if evidence.respondent else ""
    return bool(registered and evidence.codebook and registered != evidence.codebook.group)


def _is_of_another_age(evidence: Evidence) -> bool:
    day = interview_day(evidence.answers, evidence.submission.received)
    needed = evidence.design.age_of_consent
    book = evidence.codebook
    return book is not None and contradicts_consent(book, evidence.answers, day, needed)


def _day_that_counts(evidence: Evidence) -> date | None:
    """The day of receipt, by the server's clock; of a paper form typed in later, that on the paper."""
    return _paper_day(evidence) or day_of(evidence.submission.received)


def _paper_day(evidence: Evidence) -> date | None:
    return day_of(evidence.answers.get("paper_day", ""))


def _timing(evidence: Evidence) -> Flag | None:
    """EARLY or LATE by the window of the form's wave; None inside it, or where there is none."""
    day = _day_that_counts(evidence)
    cohort = evidence.respondent.cohort if evidence.respondent else ""
    window = evidence.design.window(evidence.wave, cohort)
    if day is None or window is None or window[0] <= day <= window[1]:
        return None
    return Flag.EARLY if day < window[0] else Flag.LATE


def _wave_by_receipt(evidence: Evidence) -> str:
    """The first other wave in whose window it was received, or nothing."""
    day = _day_that_counts(evidence)
    cohort = evidence.respondent.cohort if evidence.respondent else ""
    for wave in evidence.design.waves:
        window = evidence.design.window(wave, cohort)
        if wave != evidence.wave and day and window and window[0] <= day <= window[1]:
            return wave
    return ""


def _flags(evidence: Evidence, respondent: Respondent, bucket: Bucket) -> tuple[Flag, ...]:
    timing = None if bucket is Bucket.WAVE_CONFLICT else _timing(evidence)
    site = evidence.answers.get("site", "")
    is_elsewhere = bool(site and respondent.site and site != respondent.site)
    has_other_group = bucket is not Bucket.GROUP_CONFLICT and _is_of_another_group(evidence)
    found = (
        (Flag.SITE_DIFFERS, is_elsewhere),
        (Flag.GROUP_DIFFERS, has_other_group),
        (Flag.SPARE_USED, respondent.status == SPARE),
        (Flag.AGE_CONTRADICTS_CONSENT, _is_of_another_age(evidence)),
    )
    return (*([timing] if timing else []), *(flag for flag, applies in found if applies))
