"""Where a study stands, and what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from kobosmix.context.model import Context
from kobosmix.errors import InputError, KobosmixError
from kobosmix.findings import has_errors
from kobosmix.match.model import UNRESOLVED, Matched
from kobosmix.prepare import Prepared, prepare
from kobosmix.steps import deployments, is_rehearsing, match_study
from kobosmix.study import Study
from kobosmix.waves import Stand, WaveStand, is_inside, wave_stands, window_of


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveStatus:
    """One wave: its windows, how it stands on the server, how many persons are in which state."""

    wave: str
    window: str
    stand: str
    submissions: int
    states: Counter[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """All of it on one screen. `next_command` is what to type, `why` says what for."""

    study: str
    facts: tuple[tuple[str, str], ...]
    waves: tuple[WaveStatus, ...]
    next_command: str
    why: str


def study_status(study: Study, shown: str, today: date) -> Status:
    """Look at everything, change nothing. `shown` is the study's folder as the person typed it."""
    prepared = prepare(study, engines=False)
    context = prepared.context
    matched, trouble = _matched(study, today)
    server = _server_url(study, context)
    stands = wave_stands(study, context, server) if context and server else {}
    facts = [("files", _files(prepared)), ("forms", _forms(study, prepared))]
    facts += [("register", _register(prepared)), ("server", _server(study))]
    if stands and deployments(study):
        facts.append(("phones", _on_phones(stands)))
    facts += [
        ("answers", trouble or _whose(study) + _answers(matched)),
        ("tables", _tables(study)),
    ]
    command, why = _next(study, prepared, matched, stands, today)
    return Status(
        study=context.study if context else study.root.name,
        facts=tuple(facts),
        waves=tuple(_waves(context, matched, stands)) if context else (),
        next_command=f"kobosmix {command} {shown}",
        why=why,
    )


def _matched(study: Study, today: date) -> tuple[Matched | None, str]:
    """The matching, where there is something to match yet; else what stands in the way."""
    if not study.store_file.exists():
        return None, ""
    try:
        return match_study(study, today), ""
    except InputError:
        return None, "cannot be matched before the files are put right"
    except KobosmixError as error:
        return None, str(error)


def _files(prepared: Prepared) -> str:
    counts = Counter(str(finding.severity) for finding in prepared.findings)
    told = [f"{n} {severity}{'s' * (n != 1)}" for severity, n in sorted(counts.items())]
    return ", ".join(told) or "in order"


def _forms(study: Study, prepared: Prepared) -> str:
    if not prepared.forms:
        return "none can be built yet"
    built = sum(_is_built(study, form.codebook.build_id) for form in prepared.forms)
    total = len(prepared.forms)
    if built == total:
        return f"{total} built, as the files say"
    return f"{built} of {total} built as the files say now"


def _is_built(study: Study, build_id: str) -> bool:
    return study.codebook_file(build_id).exists()


def _register(prepared: Prepared) -> str:
    if not _has_issued_ids(prepared):
        return "none: respondents make codes of their own"
    persons = prepared.register.respondents
    if not persons:
        return "no IDs issued yet"
    statuses = Counter(person.status for person in persons)
    assigned = sum(bool(person.arm) for person in persons)
    told = ", ".join(f"{n} {status}" for status, n in sorted(statuses.items()))
    return f"{len(persons)} IDs: {told}; {assigned} with an arm"


def _has_issued_ids(prepared: Prepared) -> bool:
    return prepared.context is None or prepared.context.has_issued_ids


def _server(study: Study) -> str:
    known = deployments(study)
    if not known:
        return "nothing deployed yet"
    lost = [key for key in study.state().get("not_pulled", ()) if key in known]
    told = f"; {', '.join(lost)} could not be pulled" if lost else ""
    return f"{len(known)} forms on {next(iter(known.values())).server}{told}"


def _on_phones(stands: Mapping[str, WaveStand]) -> str:
    waves = dict[str, list[str]]()
    for wave, stand in stands.items():
        waves.setdefault(str(stand), []).append(wave)
    return "; ".join(f"{', '.join(named)} {stand}" for stand, named in waves.items())


def _whose(study: Study) -> str:
    return "a rehearsal: " if is_rehearsing(study) else ""


def _answers(matched: Matched | None) -> str:
    if matched is None:
        return "nothing pulled yet"
    linked, total = len(matched.interviews), len(matched.entries)
    undecided = sum(entry.bucket in UNRESOLVED for entry in matched.entries)
    waiting = f"; {undecided} need a person" if undecided else ""
    return f"{total} submissions, {linked} linked{waiting}"


def _tables(study: Study) -> str:
    # Written last: an export that was cut short leaves none.
    manifest = study.tables_folder / "manifest.json"
    if not manifest.exists():
        begun = (study.tables_folder / "wide.csv").exists()
        return "not all written; export again" if begun else "none yet"
    if not study.store_file.exists():
        return "in data/"
    newer = study.store_file.stat().st_mtime > manifest.stat().st_mtime
    return "in data/, older than the last pull" if newer else "in data/"


def _server_url(study: Study, context: Context | None) -> str:
    return str(study.state().get("server", "")) or (context.server if context else "")


def _waves(
    context: Context, matched: Matched | None, stands: Mapping[str, WaveStand]
) -> list[WaveStatus]:
    return [
        WaveStatus(
            wave=wave.id,
            window=window_of(wave),
            stand=str(stands.get(wave.id, "")),
            submissions=sum(e.wave == wave.id for e in matched.entries) if matched else 0,
            states=Counter(
                str(person.state)
                for person in (matched.persons if matched else ())
                if person.wave == wave.id
            ),
        )
        for wave in context.waves.values()
    ]


def _next(
    study: Study,
    prepared: Prepared,
    matched: Matched | None,
    stands: Mapping[str, WaveStand],
    today: date,
) -> tuple[str, str]:
    """The first thing that is not done yet, in the order of the work."""
    undone = (
        *_before_fieldwork(study, prepared, stands),
        *_of_waves(prepared.context, stands, today),
        *_after_fieldwork(study, prepared, matched),
        *_of_waves_over(study, prepared.context, stands, today),
    )
    for is_undone, command, why in undone:
        if is_undone:
            return command, why
    return "pull", "everything is up to date; fetch what has come in since"


# Whether it is undone, the command that does it, and why.
_Step = tuple[bool, str, str]


def _before_fieldwork(
    study: Study, prepared: Prepared, stands: Mapping[str, WaveStand]
) -> tuple[_Step, ...]:
    known = deployments(study)
    forms = {form.key: form.codebook.build_id for form in prepared.forms}
    in_field = {
        form.key: form.codebook.build_id
        for form in prepared.forms
        if form.codebook.wave not in stands or stands[form.codebook.wave].is_open
    }
    deployed = {key: each.build_id for key, each in known.items()}
    return (
        (
            has_errors(prepared.findings),
            "check",
            "something written by hand has to be put right first",
        ),
        (
            not all(_is_built(study, build_id) for build_id in forms.values()),
            "build",
            "the forms are not built, or the files have changed since",
        ),
        (
            _has_issued_ids(prepared) and not prepared.register.respondents,
            "ids --group GROUP --count N",
            "nobody has an ID",
        ),
        (not known, "deploy --server URL", "the forms are built and on no server yet"),
        (
            not in_field.items() <= deployed.items(),
            "deploy",
            "the forms on the server are not those built",
        ),
    )


def _of_waves(
    context: Context | None, stands: Mapping[str, WaveStand], today: date
) -> Iterator[_Step]:
    """A wave that was begun to be closed is closed; one whose window has come is opened."""
    for wave, stand in stands.items():
        closing = f"{', '.join(stand.closed) or 'no form'} of it closed so far"
        yield stand.stand is Stand.CLOSING, f"wave close {wave}", closing
        is_due = context is not None and is_inside(context.waves[wave], today)
        why = "its window has come, and no form of it is on phones"
        yield is_due and stand.stand is Stand.NOT_OPENED, f"wave open {wave}", why


def _of_waves_over(
    study: Study, context: Context | None, stands: Mapping[str, WaveStand], today: date
) -> Iterator[_Step]:
    """A wave whose last day is over is closed, but not where one only rehearses."""
    for wave, stand in stands.items():
        windows = context.waves[wave].windows.values() if context else ()
        is_over = bool(windows) and all(window.closes < today for window in windows)
        was_opened = stand.is_open and bool(stand.since) and not is_rehearsing(study)
        yield is_over and was_opened, f"wave close {wave}", "its last day is over"


def _after_fieldwork(
    study: Study, prepared: Prepared, matched: Matched | None
) -> tuple[_Step, ...]:
    return (
        # By codes of their own, people are not matched yet.
        (not _has_issued_ids(prepared), "pull", "the forms are in the field"),
        (matched is None, "pull", "the forms are in the field; nothing was matched yet"),
        (
            matched is not None and not matched.entries and _tables(study) == "none yet",
            "pull",
            "the forms are in the field, and no answer has come yet",
        ),
        (
            not (study.match_folder / "submissions.xlsx").exists(),
            "match",
            "submissions are there to be matched",
        ),
        (_tables(study) != "in data/", "export", "the tables are older than the answers"),
    )
