"""The steps of a study that need more than one stage: one function for each command."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kobosmix.build import write_pages
from kobosmix.context.model import EVERY_COHORT, Context
from kobosmix.errors import StudyError, UsageError
from kobosmix.fielded import edited, fielded_forms
from kobosmix.files import write_bytes
from kobosmix.form import for_practice, practice_title
from kobosmix.match import MatchDesign, Matched, background_known, link
from kobosmix.prepare import BuiltForm, Prepared, prepare
from kobosmix.store import open_store
from kobosmix.study import Study

if TYPE_CHECKING:
    from kobosmix.server.deploy import FormToDeploy, Plan
    from kobosmix.server.model import Server
    from kobosmix.tables.write import Headings


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One form as it was last brought to a server."""

    key: str
    server: str
    uid: str
    build_id: str


@contextmanager
def signed_in(
    server_url: str, tell: Callable[[str], None] = lambda _: None
) -> Iterator[Server]:
    """The server, in the name of whoever is signed in; a wrong token is told before anything is done.

    At first contact nobody waits long: an address that was mistyped never answers. Once the
    server has answered, a request waits out a server that is busy for minutes. `tell` is given
    what the person should know meanwhile.
    """
    from kobosmix.server.client import client
    from kobosmix.server.signin import connected

    with connected(server_url, tell) as (connection, kind):
        yield client(connection, kind)


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
    study: Study,
    prepared: Prepared,
    server: Server,
    *,
    waves: Collection[str] | None = None,
    practice: str = "",
    replace_answered: bool = False,
) -> Plan:
    """What a deploy of these waves, or of all, would do on this server, from looking only.

    `practice` is `training` or `pretest`: those are projects of their own.
    """
    from kobosmix.server.deploy import plan_deploy

    if prepared.sound().entities:
        server.keep_register_as_list()
    return plan_deploy(
        server,
        _forms_to_deploy(server, prepared, waves, practice),
        remembered_forms(study, practice),
        given=study.state().get("given", {}).get(server.url, {}),
        # What was answered for practice is no answer.
        replace_answered=replace_answered or bool(practice),
    )


def deploy_study(
    study: Study, plan: Plan, on_step: Callable[[str], None] = lambda _: None
) -> tuple[str, ...]:
    """Do what the plan says, remembering after each form how far it has come.

    Returns the codes of enumerators whose account the server does not have.
    """
    from kobosmix.server.deploy import carry_out

    url = plan.server.url
    practice = next((each.form.purpose for each in plan.forms), "")

    def remember(key: str, told: dict[str, Any]) -> None:
        known = {**remembered_forms(study, practice), key: told}
        if practice:
            others = study.state().get("practice", {})
            study.remember(practice={**others, practice: known})
        else:
            study.remember(server=url, deployments=known)

    def remember_given(uid: str, marks: list[str]) -> None:
        given = study.state().get("given", {})
        study.remember(given={**given, url: {**given.get(url, {}), uid: marks}})

    unknown = carry_out(plan, remember, on_step, remember_given)
    if not practice or not study.state().get("server"):
        study.remember(server=url)
    return unknown


def remembered_forms(study: Study, practice: str = "") -> Mapping[str, Mapping[str, Any]]:
    """What the last deploy left to remember of each form: of the field, or of practice."""
    state = study.state()
    if practice:
        return dict(state.get("practice", {}).get(practice, {}))
    return dict(state.get("deployments", {}))


def links_of_study(study: Study, server: Server) -> list[Path]:
    """Write handover/ for the forms as they are on the server; the files written.

    A form that was changed since it was deployed is a StudyError: the page would tell of another.
    """
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
    return hand_over(study, prepared, server)


def hand_over(
    study: Study,
    prepared: Prepared,
    server: Server,
    practice: str = "",
    *,
    unknown: Collection[str] = (),
) -> list[Path]:
    """Write handover/ for the forms just deployed, of the field or of practice; the files.

    `unknown` are enumerators whose account the server does not have: they get no code.
    """
    from kobosmix.form import PRACTICE_MARKS
    from kobosmix.handover import write_handover

    told = remembered_forms(study, practice)
    uids = {key: each["uid"] for key, each in told.items() if each["server"] == server.url}
    named = {e.code: server.sender(e.account, e.code) for e in prepared.enumerators}
    senders = {code: who for code, who in named.items() if who and code not in unknown}
    without = [code for code in named if code not in senders]
    mark = PRACTICE_MARKS.get(practice, "")
    return write_handover(prepared, server, uids, senders=senders, without=without, mark=mark)


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
        forms = edited(fielded_forms(study, store))
        changed = {version: form.changes for version, form in forms.items()}
        design = replace(design_of(context), tests=tests, edited_forms=changed)
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


def _forms_to_deploy(
    server: Server, prepared: Prepared, waves: Collection[str] | None, practice: str
) -> list[FormToDeploy]:
    media, senders = prepared.media(), _senders(server, prepared)
    return [
        _form_to_deploy(server, built, media, senders, practice)
        for built in prepared.forms
        if waves is None or built.codebook.wave in waves
    ]


def _form_to_deploy(
    server: Server,
    built: BuiltForm,
    media: Mapping[str, bytes],
    senders: Mapping[str, str],
    practice: str,
) -> FormToDeploy:
    from kobosmix.server.deploy import FormToDeploy

    book = built.codebook
    form = for_practice(built.form, practice) if practice else built.form
    return FormToDeploy(
        key=built.key,
        title=practice_title(book.title, practice) if practice else book.title,
        study=book.study,
        wave=book.wave,
        group=book.group,
        build_id=book.build_id,
        workbook=server.workbook(form),
        media=media,
        sheets=form.sheets(),
        purpose=practice,
        senders=senders,
    )


def _senders(server: Server, prepared: Prepared) -> dict[str, str]:
    """Who sends, as the server calls them, and their codes; anyone, where nobody interviews."""
    from kobosmix.server.model import ANYONE

    if not prepared.sound().is_interview:
        return {ANYONE: "anyone"}
    # Two may share a phone and its account.
    with_one = {
        server.sender(each.account, each.code): each.code
        for each in reversed(prepared.enumerators)
    }
    return {account: code for account, code in sorted(with_one.items()) if account}
