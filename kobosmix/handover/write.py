"""Writing the handover folder of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from kobosmix.errors import StudyError
from kobosmix.files import write_bytes
from kobosmix.handover.model import FieldedForm
from kobosmix.handover.page import Handover, handover_page
from kobosmix.handover.personal import personal_links
from kobosmix.people.links import remember_link_tokens, with_link_tokens
from kobosmix.people.model import Register
from kobosmix.people.read import refuse_to_drop
from kobosmix.people.register import write_register
from kobosmix.prepare import Prepared
from kobosmix.server.model import Server


def write_handover(
    prepared: Prepared,
    server: Server,
    uids: Mapping[str, str],
    *,
    senders: Mapping[str, str] | None = None,
    without: Sequence[str] = (),
    mark: str = "",
) -> list[Path]:
    """Write the page for the team, and the personal links; the files written, the page first.

    `uids` says by form key under which uid a form is on the server; forms that are not in it are
    left out. `senders` gives by enumerator's code who that is on the server, `without` the codes of
    those who are nobody there. With a `mark` (EXERCISE,
    PRETEST) the page says so and has a file of its own, and nobody is given a personal link: what
    is sent there never counts.
    """
    forms = _fielded(prepared, server, uids)
    folder = prepared.study.handover_folder
    addressed = {} if mark else _addressed(prepared, forms)
    handover = Handover(
        study=_english(prepared.sound().title),
        server=server.url,
        forms=forms,
        logins=server.phone_logins(forms[0].uid, senders or {}),
        without=without if senders else (),
        mark=mark,
        personal=tuple(addressed),
    )
    page = folder / f"handover{'_' + mark.lower() if mark else ''}.html"
    write_bytes(page, handover_page(handover))
    if any(login.is_secret for login in handover.logins):
        # Its codes let in whoever has them. Windows keeps a person's files apart by itself.
        page.chmod(0o600)
    if addressed:
        register = _issued(prepared)
        for name, form in addressed.items():
            write_bytes(folder / name, personal_links(form, register))
    return [page, *(folder / name for name in addressed)]


def _fielded(prepared: Prepared, server: Server, uids: Mapping[str, str]) -> list[FieldedForm]:
    languages = prepared.bank.languages
    forms = [
        FieldedForm(
            key=built.key,
            uid=uids[built.key],
            codebook=built.codebook,
            languages=tuple(languages[tag] for tag in built.codebook.languages),
            web=web,
        )
        for built in prepared.forms
        if built.key in uids and (web := server.web_forms(uids[built.key])).takes_answers
    ]
    if not forms:
        raise StudyError(
            f"none of the study's forms is open on {server.url}; 'kobosmix deploy' comes first. "
            "Nothing was written."
        )
    return forms


def _english(title: Mapping[str, str]) -> str:
    return title.get("en") or next(iter(title.values()))


def _addressed(prepared: Prepared, forms: Sequence[FieldedForm]) -> dict[str, FieldedForm]:
    """The forms that people get a link of their own to, by the name of the file."""
    has_ids = prepared.sound().has_issued_ids
    return {
        f"links_{form.key}.xlsx": form
        for form in forms
        if has_ids and form.is_self_administered and form.web.one
    }


def _issued(prepared: Prepared) -> Register:
    """The register with a token for everybody, written where somebody had none."""
    register = with_link_tokens(prepared.register)
    if register != prepared.register:
        refuse_to_drop(prepared.findings, "issuing personal links")
        write_register(prepared.study.register_file, register)
    # After the register: a token that is noted and lost would look like one that was changed.
    remember_link_tokens(prepared.study, register)
    return register
