"""Whether today's forms ask what those ask that may have been fielded before."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kobosmix.codebook import Codebook, read_codebook
from kobosmix.errors import StudyError
from kobosmix.findings import Finding
from kobosmix.invariance import (
    FormVersion,
    Grounds,
    Proof,
    Standing,
    check_invariance,
    later_only,
    not_kept,
    prove,
)
from kobosmix.plan import FormPlan
from kobosmix.study import Study
from kobosmix.wording import Wording


def proven(
    study: Study, wording: Wording, forms: Sequence[tuple[FormPlan, Codebook]]
) -> tuple[Proof, list[Finding]]:
    """Whether today's forms ask the same as each other and as those fielded; what is against it.

    `wording` is that of today's forms: it has rendered their sentences.
    """
    if not forms:
        return Proof(), []
    today = [
        FormVersion(codebook=book, left_out={left.what: left.reason for left in plan.left_out})
        for plan, book in forms
    ]
    earlier = earlier_builds(study, today)
    languages = wording.bank.languages.values()
    grounds = Grounds(
        renderings=tuple(wording.renderings.values()),
        later_only=later_only(today, next(iter(wording.context.waves))),
        right_to_left=frozenset(each.tag for each in languages if each.right_to_left),
    )
    proof = prove((*today, *earlier.versions), grounds)
    return proof, [*check_invariance(proof), *not_kept(earlier.lost)]


@dataclass(frozen=True, slots=True)
class EarlierBuilds:
    """Earlier builds to compare with; `lost` are fielded ones whose codebook is not there."""

    versions: tuple[FormVersion, ...] = ()
    lost: tuple[str, ...] = ()


def earlier_builds(study: Study, today: Sequence[FormVersion]) -> EarlierBuilds:
    """What today's forms are to be compared with.

    Builds that have answers or are deployed, but for rehearsals; where nothing was ever deployed
    from here, the newest kept build of each form.
    """
    standings = _standings(study)
    if not (standings or study.state().get("deployments")):
        kept = _newest(study, today)
        return EarlierBuilds(tuple(_version(book, Standing.KEPT, today) for book in kept))
    versions, lost = list[FormVersion](), list[str]()
    for build_id in sorted(standings.keys() - _build_ids(today)):
        book = _read(study.codebook_file(build_id))
        if book is None:
            lost.append(build_id)
        elif _is_one_of(book, today):
            versions.append(_version(book, standings[build_id], today))
    return EarlierBuilds(tuple(versions), tuple(lost))


def _standings(study: Study) -> dict[str, Standing]:
    state = study.state()
    rehearsed = set(state.get("rehearsed", ()))
    found = {
        told["build_id"]: Standing.DEPLOYED
        for told in state.get("deployments", {}).values()
        if told["uid"] not in rehearsed
    }
    return found | dict.fromkeys(state.get("answered", ()), Standing.ANSWERED)


def _newest(study: Study, today: Sequence[FormVersion]) -> Iterator[Codebook]:
    """Of each of today's forms the build before, by the time at which it was written."""
    files = sorted(
        study.build_folder.glob("*/codebook.json"),
        key=lambda path: (-path.stat().st_mtime_ns, path.parent.name),
    )
    current, found = _build_ids(today), set[tuple[str, str]]()
    for path in files:
        if len(found) == len(today):
            return
        book = _read(path) if path.parent.name not in current else None
        if book and _is_one_of(book, today) and (book.wave, book.group) not in found:
            found.add((book.wave, book.group))
            yield book


def _version(book: Codebook, standing: Standing, today: Sequence[FormVersion]) -> FormVersion:
    """The build; why it leaves something out is known as far as the form still does so today."""
    same = next(each for each in today if _is_one_of(book, [each]))
    return FormVersion(codebook=book, standing=standing, left_out=same.left_out)


def _is_one_of(book: Codebook, today: Sequence[FormVersion]) -> bool:
    forms = ((t.codebook.study, t.codebook.wave, t.codebook.group) for t in today)
    return (book.study, book.wave, book.group) in forms


def _build_ids(today: Sequence[FormVersion]) -> Collection[str]:
    return {each.codebook.build_id for each in today}


def _read(path: Path) -> Codebook | None:
    try:
        return read_codebook(path)
    except StudyError:
        return None
