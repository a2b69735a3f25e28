"""The steps of a study that need more than one stage: one function for each command."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kobosmix.build import write_pages
from kobosmix.context.model import EVERY_COHORT, Context
from kobosmix.errors import StudyError, UsageError
from kobosmix.files import write_bytes
from kobosmix.form import kobo_workbook
from kobosmix.match import MatchDesign, Matched, background_known, link
from kobosmix.prepare import Prepared, prepare
from kobosmix.store import Store, open_store
from kobosmix.study import Study

if TYPE_CHECKING:
    from kobosmix.server.deploy import FormToDeploy, Plan
    from kobosmix.server.kobo import KoboServer
    from kobosmix.server.pull import Progress, PullReport
    from kobosmix.tables.write import Headings


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One form as it was last brought to a server."""

    key: str
    server: str
    uid: str
    build_id: str


@contextmanager
def signed_in(server_url: str) -> Iterator[KoboServer]:
    """The server, with the token kept for it; a wrong token is told before anything is done.

    At first contact nobody waits long: an address that was mistyped never answers. Once the
    server has answered, a request waits out a server that is busy for minutes.
    """
    from kobosmix.server.address import is_loopback
    from kobosmix.server.credentials import token_for
    from kobosmix.server.http import Connection, Patience
    from kobosmix.server.kobo import KoboServer

    token = token_for(server_url)
    at_first = Patience(total_s=2 if is_loopback(server_url) else 20)
    with Connection(server_url, token, patience=at_first) as connection:
        KoboServer(connection).username()
    with Connection(server_url, token) as connection:
        yield KoboServer(connection)


def server_of(study: Study, named: str, context: Context | None = None) -> str:
    """The server's address: the one named now, else the last one, else that of context.yaml."""
    from kobosmix.server.address import server_origin

    url = named or study.state().get("server", "") or (context.server if context else "")
    if not url:
        raise UsageError(
            "no server is named. Add --server URL, for example --server "
            "https://eu.kobotoolbox.org, or --server http://127.0.0.1:8085 after 'kobosmix serve'."
        )
    return server_origin(url)


def deployments(study: Study) -> dict[str, Deployment]:
    """Where each form of the study was last deployed, by form key."""
    return {
        key: Deployment(
            key=key, server=told["server"], uid=told["uid"], build_id=told["build_id"]
        )
        for key, told in study.state().get("deployments", {}).items()
    }


def plan_study_deploy(
    study: Study, prepared: Prepared, server: KoboServer, *, replace_answered: bool = False
) -> Plan:
    """What a deploy would do on this server, from looking only."""
    from kobosmix.server.deploy import plan_deploy

    forms = _forms_to_deploy(prepared)
    remembered = study.state().get("deployments", {})
    return plan_deploy(server, forms, remembered, replace_answered=replace_answered)


def deploy_study(
    study: Study, plan: Plan, on_step: Callable[[str], None] = lambda _: None
) -> None:
    """Do what the plan says, remembering after each form how far it has come."""
    from kobosmix.server.deploy import carry_out

    def remember(key: str, told: dict[str, Any]) -> None:
        known = study.state().get("deployments", {})
        study.remember(server=plan.server.url, deployments={**known, key: told})

    carry_out(plan, remember, on_step)
    study.remember(server=plan.server.url)


def links_of_study(study: Study, server: KoboServer) -> list[Path]:
    """Write handover/ for the forms as they are on the server; the files written.

    A form that was changed since it was deployed is a StudyError: the page would tell of another.
    """
    from kobosmix.handover import write_handover

    prepared = prepare(study, engines=False)
    prepared.sound()
    there = {key: each for key, each in deployments(study).items() if each.server == server.url}
    changed = [
        built.key
        for built in prepared.forms
        if built.key in there and there[built.key].build_id != built.codebook.build_id
    ]
    if changed:
        raise StudyError(
            f"{', '.join(changed)}: changed since the last deploy, so the server has another "
            "form; 'kobosmix deploy' comes first. Nothing was written."
        )
    return write_handover(prepared, server, {key: each.uid for key, each in there.items()})


def note_rehearsal(study: Study) -> None:
    """Remember that the projects the study is deployed to now hold invented people.

    Once it is deployed elsewhere, their submissions are tests and never answers.
    """
    known = study.state().get("rehearsed", ())
    uids = {each.uid for each in deployments(study).values()}
    study.remember(rehearsed=sorted({*known, *uids}))


def is_rehearsing(study: Study) -> bool:
    """Whether the projects the study is deployed to now hold invented people."""
    uids = {each.uid for each in deployments(study).values()}
    return not uids.isdisjoint(study.state().get("rehearsed", ()))


def pull_study(
    study: Study, server: KoboServer, on_progress: Callable[[Progress], None] = lambda _: None
) -> PullReport:
    """Make the study's store hold what the server holds of its forms."""
    from kobosmix.server.pull import pull

    uids = [each.uid for each in deployments(study).values() if each.server == server.url]
    if not uids:
        raise StudyError(
            f"no form of this study was deployed to {server.url}; 'kobosmix deploy' comes first"
        )
    _refuse_emptied_store(study)
    with open_store(study.store_file) as store:
        report = pull(server, store, uids, on_progress=on_progress)
        answered = _answered_builds(study, store)
    study.remember(pulled=True, answered=answered)
    return report


def _answered_builds(study: Study, store: Store) -> list[str]:
    """The builds that people have answered: what is asked later must be comparable with them."""
    rehearsed = set(study.state().get("rehearsed", ()))
    builds = {
        str(submission.content.get("kx_build", ""))
        for submission in store.current()
        if submission.asset_uid not in rehearsed
    }
    return sorted(builds - {""})


def _refuse_emptied_store(study: Study) -> None:
    """A store that was cut to nothing must not pass for a new one: its history would be gone."""
    file = study.store_file
    if study.state().get("pulled") and file.exists() and file.stat().st_size == 0:
        raise StudyError(
            f"{file} is empty, though answers were pulled before. Copy it back from a backup. If "
            "there is none, delete the file: the next pull fetches what the server still has, but "
            "earlier versions and deletions are lost."
        )


def with_background_known(study: Study, prepared: Prepared, today: date) -> Prepared:
    """The same, with the list for the phones telling of whom the background was asked before.

    By what was pulled and linked so far: whoever is missing from it is asked once more.
    """
    nothing_pulled = not study.store_file.exists() or not study.codebooks()
    if nothing_pulled or not prepared.forms or not prepared.sound().carries_register:
        return prepared
    interviews = _match(study, prepared, today).interviews
    known = background_known(interviews, [b.codebook for b in prepared.forms])
    return replace(prepared, background_known=known)


def print_study(
    study: Study,
    what: Collection[str],
    *,
    pdf: bool = False,
    docx: bool = False,
    report: Callable[[str, int, int], None] = lambda *_: None,
) -> list[Path]:
    """Write what goes on paper into build/print/; the files, those to be printed or sent first.

    Pages are written in HTML, with `pdf` beside it as PDF; a review only as .docx, with `docx` or
    where it is asked for. Only forms that were built are printed: a paper form is typed into them.
    `report` is told how many PDFs of how many are drawn.
    """
    from kobosmix.printed import REVIEW, as_pdf, review_document

    prepared = prepare(study, engines=False)
    _require_built(study, prepared)
    drawn, pages = dict[str, bytes](), prepared.pages(what)
    for number, (name, page) in enumerate(pages.items() if pdf else (), start=1):
        drawn[f"{Path(name).stem}.pdf"] = as_pdf(page)
        report("drawing PDF", number, len(pages))
    if prepared.wording and (docx or REVIEW in what):
        for built in prepared.forms:
            document = review_document(built.key, built.questionnaire, prepared.wording)
            drawn[f"review_{built.key}.docx"] = document
    written = write_pages(study, pages)
    for name, data in drawn.items():
        write_bytes(study.print_folder / name, data)
    return [*(study.print_folder / name for name in drawn), *written]


def _require_built(study: Study, prepared: Prepared) -> None:
    """Raise a StudyError where a form was changed since it was built, or an InputError."""
    prepared.sound()
    builds = {built.key: built.codebook.build_id for built in prepared.forms}
    unbuilt = [key for key, id_ in builds.items() if not study.codebook_file(id_).exists()]
    if unbuilt:
        raise StudyError(
            f"not built as they are now: {', '.join(unbuilt)}. 'kobosmix build' comes first, so "
            "that paper and phone ask the same. Nothing was written."
        )


def match_study(study: Study, today: date) -> Matched:
    """Every submission pulled so far, matched. Reads only; `today` decides what is overdue."""
    return _match(study, prepare(study, engines=False), today)


def export_study(
    study: Study, today: date, *, headings: Headings = "variables", everyone: bool = False
) -> tuple[Matched, tuple[Path, ...]]:
    """Match anew and write every table; what was matched, and the files written."""
    from kobosmix.tables import write_tables

    prepared = prepare(study, engines=False)
    matched = _match(study, prepared, today)
    written = write_tables(
        study.tables_folder,
        matched,
        headings=headings,
        everyone=everyone,
        indicators=prepared.trusted("Y", "C", "R").indicators,
    )
    return matched, written


def _match(study: Study, prepared: Prepared, today: date) -> Matched:
    # Windows and groups of a faulty context, or IDs of a faulty register, would match people
    # wrongly. What a sentence still lacks does not matter here.
    context = prepared.trusted("Y", "C", "R")
    if not context.has_issued_ids:
        raise StudyError(
            "this study has self-generated codes, and kobosmix does not match by them yet. Every "
            "answer is in the store all the same; each element of the code is a field of its own."
        )
    codebooks = study.codebooks()
    if not codebooks:
        raise StudyError("no form was built yet; 'kobosmix build' comes first")
    if not study.store_file.exists():
        raise StudyError("nothing was pulled yet; 'kobosmix pull' comes first")
    with open_store(study.store_file, read_only=True) as store:
        # What only rehearsed counts as long as the study is still deployed there: to see it work.
        current = {each.uid for each in deployments(study).values()}
        tests = frozenset(study.state().get("rehearsed", ())) - current
        design = replace(design_of(context), tests=tests)
        return link(store.current(), codebooks, prepared.register, design, today)


def design_of(context: Context) -> MatchDesign:
    """Waves and windows, as matching wants them."""
    return MatchDesign(
        study=context.study,
        waves=tuple(context.waves),
        age_of_consent=context.age_of_consent,
        sole_arm="programme" if context.design == "no_comparison" else "",
        windows={
            wave.id: {
                "" if cohort == EVERY_COHORT else cohort: (window.opens, window.closes)
                for cohort, window in wave.windows.items()
            }
            for wave in context.waves.values()
        },
    )


def _forms_to_deploy(prepared: Prepared) -> list[FormToDeploy]:
    from kobosmix.server.deploy import FormToDeploy

    media = prepared.media()
    return [
        FormToDeploy(
            key=built.key,
            title=built.codebook.title,
            study=built.codebook.study,
            wave=built.codebook.wave,
            group=built.codebook.group,
            build_id=built.codebook.build_id,
            workbook=kobo_workbook(built.form),
            media=media,
            sheets=built.form.sheets(),
        )
        for built in prepared.forms
    ]
