"""The pull of a study: every form it has on a server, and what became of the answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from kobosmix.errors import KobosmixError, ServerError, StudyError
from kobosmix.fielded import FieldedForm, fielded_forms
from kobosmix.files import as_json
from kobosmix.steps import deployments
from kobosmix.store import Change, Store, open_store
from kobosmix.study import Study

if TYPE_CHECKING:
    from kobosmix.server.attachments import Fetched
    from kobosmix.server.model import Server
    from kobosmix.server.pull import Progress, PullReport, Verification


@dataclass(frozen=True, kw_only=True)
class Pulled:
    """What a pull of a study found. `keys` names each form by its uid on the server.

    `changes` are all but the new submissions, `forms` every version that answers came from,
    `verified` is empty unless that was asked for, `attachments` None.
    """

    keys: Mapping[str, str]
    report: PullReport
    changes: tuple[Change, ...]
    forms: tuple[FieldedForm, ...]
    verified: tuple[Verification, ...] = ()
    attachments: Fetched | None = None

    def require_whole(self) -> Pulled:
        """The same; with a form that could not be pulled it raises what stood in the way."""
        failures = self.report.failures
        if failures:
            raise FormsNotPulled({self.keys[uid]: error for uid, error in failures.items()})
        return self

    def as_json(self) -> dict[str, Any]:
        """The same for a program: counts and names of answers, never an answer."""
        return {
            "forms": {
                self.keys[uid]: asdict(tally) for uid, tally in self.report.assets.items()
            },
            "failures": {
                self.keys[uid]: str(error) for uid, error in self.report.failures.items()
            },
            "changes": [
                {**asdict(change), "form": self.keys[change.asset_uid]}
                for change in self.changes
            ],
            "versions": [
                {**as_json(form), "changes": [as_json(change) for change in form.changes]}
                for form in self.forms
            ],
            "verified": [asdict(each) for each in self.verified],
        }


class FormsNotPulled(KobosmixError):
    """Some forms could not be pulled; the others were."""

    exit_code = 3

    def __init__(self, why: Mapping[str, KobosmixError]) -> None:
        told = [f"{key}: {error}{_advice(error)}" for key, error in why.items()]
        super().__init__("\n".join(["not pulled:", *told] if len(told) > 1 else told))


def _advice(error: KobosmixError) -> str:
    if isinstance(error, ServerError) and error.status == 404:  # noqa: PLR2004
        return (
            ". Its project is not there any more, or not for this account. What was pulled before "
            "is kept. Ask whoever manages the account; 'kobosmix deploy' makes the project anew"
        )
    return ""


def pull_study(
    study: Study,
    server: Server,
    on_progress: Callable[[Progress], None] = lambda _: None,
    *,
    verified: bool = False,
    with_attachments: bool = False,
) -> Pulled:
    """Make the study's store hold what the server holds of its forms.

    With `verified` all of it is read once more and compared; with `with_attachments` the files
    that came with submissions are fetched into the study's folder.
    """
    from kobosmix.server.pull import pull, verify

    keys = _forms_on(study, server)
    refuse_emptied_store(study)
    with open_store(study.store_file) as store:
        report = pull(server, store, list(keys), on_progress=on_progress)
        proofs = [
            verify(server, store, uid, on_progress=on_progress)
            for uid in report.assets
            if verified
        ]
        files = _attachments(study, server, store, keys) if with_attachments else None
        note_stored(study, store)
        return Pulled(
            keys=keys,
            report=report,
            changes=tuple(chain.from_iterable(store.changes(uid) for uid in report.assets)),
            forms=tuple(f for f in fielded_forms(study, store) if f.asset_uid in keys),
            verified=tuple(proofs),
            attachments=files,
        )


def note_stored(study: Study, store: Store) -> None:
    """Remember that there are answers, and of which builds."""
    study.remember(pulled=True, answered=_answered_builds(study, store))


def _forms_on(study: Study, server: Server) -> dict[str, str]:
    """The keys of the study's forms on this server, by uid."""
    known = deployments(study).values()
    keys = {each.uid: each.key for each in known if each.server == server.url}
    if not keys:
        raise StudyError(
            f"no form of this study was deployed to {server.url}; 'kobosmix deploy' comes first"
        )
    return keys


def _attachments(
    study: Study, server: Server, store: Store, keys: Mapping[str, str]
) -> Fetched:
    from kobosmix.server.attachments import fetch_attachments

    folders = {uid: study.attachments_folder / key for uid, key in keys.items()}
    return fetch_attachments(server, store, folders)


def _answered_builds(study: Study, store: Store) -> list[str]:
    """The builds that people have answered: what is asked later must be comparable with them."""
    rehearsed = set(study.state().get("rehearsed", ()))
    builds = {
        str(submission.content.get("kx_build", ""))
        for submission in store.current()
        if submission.asset_uid not in rehearsed and not submission.content.get("kx_purpose")
    }
    return sorted(builds - {""})


def refuse_emptied_store(study: Study) -> None:
    """A store that was cut to nothing must not pass for a new one: its history would be gone."""
    file = study.store_file
    if study.state().get("pulled") and file.exists() and file.stat().st_size == 0:
        raise StudyError(
            f"{file} is empty, though answers were pulled before. Copy it back from a backup. If "
            "there is none, delete the file: the next pull fetches what the server still has, but "
            "earlier versions and deletions are lost."
        )
