"""Which submissions of a file are new to the store, which say more than it, and which less."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kobosmix.downloads.explained import EXPLANATIONS
from kobosmix.downloads.read import Submission
from kobosmix.findings import Finding, Place, Severity
from kobosmix.people.enumerators import rows_named
from kobosmix.store import Fate, Row, Store, StoredVersion
from kobosmix.store.content import contradictions, is_from_file, is_sealed, version_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What of one form's submissions in the files goes into the store.

    `kept` are those that stay as they are stored, because the file is older or says no more;
    `absent` the stored ones that no file has. They are never taken for deleted.
    """

    form: str
    asset_uid: str
    rows: tuple[Row, ...]
    new: int
    changed: int
    unchanged: int
    kept: int
    absent: int
    findings: tuple[Finding, ...]

    @property
    def read(self) -> int:
        """How many submissions of the form the files have."""
        return self.new + self.changed + self.unchanged + self.kept


@dataclass
class _Sorted:
    """Submissions as they are sorted."""

    new: list[Row] = field(default_factory=list)
    changed: list[Row] = field(default_factory=list)
    unchanged: int = 0
    kept: list[Submission] = field(default_factory=list)
    altered: dict[tuple[str, str], list[int]] = field(default_factory=dict)


def newest_of_each(submissions: Sequence[Submission]) -> Iterator[Submission | Finding]:
    """Each submission once, though several files have it: as the newest of them has it.

    A file is as new as the last submission in it. Where two equally new ones have different
    versions of one submission, nobody can tell which is the later: that is a finding.
    """
    age = dict[str, str]()
    for each in submissions:
        age[each.file] = max(age.get(each.file, ""), each.received)
    chosen = dict[tuple[str, str], Submission]()
    for each in submissions:
        other = chosen.setdefault((each.form, each.root_uuid), each)
        if age[each.file] > age[other.file]:
            chosen[each.form, each.root_uuid] = each
        elif each.uuid != other.uuid and age[each.file] == age[other.file]:
            problem = f"another version of it is in {other.file}, which is no older"
            yield _finding("D112", Place(each.file, each.line), problem)
    yield from chosen.values()


def plan_entry(
    store: Store, form: str, asset_uid: str, submissions: Sequence[Submission]
) -> Entry:
    """Hold the submissions of one form against the store. Nothing is written."""
    known = _Known.of(store, asset_uid)
    newest = max((each.received for each in submissions), default="")
    is_newest = newest >= known.newest
    into, seen = _Sorted(), set[str]()
    for each in submissions:
        root = known.root_of(each)
        seen.add(root)
        _sort(each, root, store.history(f"{asset_uid}/{root}"), into, is_newest=is_newest)
    absent = len(known.roots - seen)
    return Entry(
        form=form,
        asset_uid=asset_uid,
        rows=(*into.new, *into.changed),
        new=len(into.new),
        changed=len(into.changed),
        unchanged=into.unchanged,
        kept=len(into.kept),
        absent=absent,
        findings=tuple(_findings(submissions[0].file if submissions else "", into, absent)),
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """What the store has of a form: root uuids, by the server's names, and the newest receipt."""

    roots: frozenset[str]
    by_server_id: Mapping[str, str]
    newest: str

    @classmethod
    def of(cls, store: Store, asset_uid: str) -> _Known:
        """What is current now."""
        by_server_id, newest = dict[str, str](), ""
        # One at a time: their answers are not kept in memory.
        for each in store.current():
            if each.asset_uid == asset_uid:
                by_server_id[each.server_id] = each.root_uuid
                newest = max(newest, each.received)
        return cls(frozenset(by_server_id.values()), by_server_id, newest)

    def root_of(self, submission: Submission) -> str:
        """The root uuid; by the server's number where the file has only that of the newest edit."""
        if submission.root_uuid in self.roots:
            return submission.root_uuid
        return self.by_server_id.get(submission.server_id, submission.root_uuid)


def _sort(
    each: Submission,
    root: str,
    history: Sequence[StoredVersion],
    into: _Sorted,
    *,
    is_newest: bool,
) -> None:
    if not history:
        into.new.append(_row(each, root, each.content))
        return
    latest = history[-1]
    uuids = {version_of(v.content) for v in history if v.content is not None}
    if latest.fate is Fate.DELETED or latest.content is None:
        into.kept.append(each)
    elif version_of(latest.content) == each.uuid or is_sealed(latest.content):
        _same_version(each, root, latest, latest.content, into)
    elif each.uuid in uuids or not is_newest:
        into.kept.append(each)
    else:
        into.changed.append(_row(each, root, each.content))


def _same_version(
    each: Submission,
    root: str,
    latest: StoredVersion,
    stored: Mapping[str, Any],
    into: _Sorted,
) -> None:
    """The file has the version that is stored: it can say more of it, and nothing else."""
    if is_sealed(stored):
        into.changed.append(_row(each, root, each.content))
        return
    from_file = is_from_file(stored)
    # What an earlier file had no column for is no contradiction.
    paths = each.paths & stored.keys() if from_file else each.paths
    wrong = contradictions(each.content, stored, sorted(paths))
    if wrong:
        into.altered.setdefault((each.file, wrong[0]), []).append(each.line)
        return
    says_more = {p for p in each.paths if each.content.get(p)} - stored.keys()
    is_reviewed = latest.validation != each.validation
    if from_file and (says_more or is_reviewed):
        into.changed.append(_row(each, root, {**stored, **each.content}))
    else:
        into.unchanged += 1


def _row(each: Submission, root: str, content: Mapping[str, Any]) -> Row:
    return Row(
        server_id=each.server_id,
        root_uuid=root,
        received=each.received,
        content={**content, "meta/rootUuid": f"uuid:{root}"},
        validation=each.validation,
        # Without a mark, the server's own copy is read as soon as there is a pull.
        mark="",
        form_version=str(content.get("__version__", "")),
    )


def _findings(file: str, into: _Sorted, absent: int) -> Iterator[Finding]:
    for (where, path), lines in into.altered.items():
        problem = f"{rows_named(lines)}: not as stored, though the version is the same"
        yield _finding("D113", Place(where, lines[0], path.rpartition("/")[2]), problem)
    if into.kept:
        number = len(into.kept)
        problem = (
            f"{number} submission{'s' * (number != 1)} kept as stored: deleted, edited since"
        )
        yield _finding(
            "D305", Place(file, into.kept[0].line), f"{problem}, or of unknown order"
        )
    if absent:
        problem = (
            f"{absent} stored submission{'s are' if absent != 1 else ' is'} not in the file"
        )
        yield _finding("D302", Place(file), problem)


def _finding(code: str, place: Place, problem: str) -> Finding:
    severity = Severity.NOTICE if code[1] == "3" else Severity.ERROR
    remedy = EXPLANATIONS[code][1]
    return Finding(code=code, place=place, problem=problem, remedy=remedy, severity=severity)
