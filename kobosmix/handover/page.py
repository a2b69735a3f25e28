"""The page for the team: one file, no network, good on paper and on a phone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kobosmix.handover.model import FieldedForm
from kobosmix.handover.phone_settings import phone_settings, settings_code
from kobosmix.handover.qr import qr_svg
from kobosmix.server.model import PhoneLogin


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneCode:
    """The settings of one enumerator's phone, or of everybody's where no code is known."""

    login: PhoneLogin
    qr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebLink:
    """A web form in one language."""

    form: FieldedForm
    language: str
    tag: str
    direction: str
    address: str
    qr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What the page tells. `mark` is EXERCISE or PRETEST, and empty for the study itself.

    `logins` say how phones are set up, `without` are the enumerators who have no way in;
    `personal` names the files with personal links.
    """

    study: str
    server: str
    forms: Sequence[FieldedForm]
    logins: Sequence[PhoneLogin]
    without: Sequence[str] = ()
    mark: str = ""
    personal: Sequence[str] = ()


def handover_page(handover: Handover) -> bytes:
    """The page. Equal content gives equal bytes."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    forms = handover.forms
    page = environment.get_template("page.html.j2").render(
        shown=handover,
        codes=tuple(phone_codes(handover)),
        is_secret=any(login.is_secret for login in handover.logins),
        app="ODK Collect"
        if any(login.is_secret for login in handover.logins)
        else "KoboCollect",
        links=tuple(_links(forms)),
        is_interview=not any(form.is_self_administered for form in forms),
        closed=[f for f in forms if f.is_self_administered and f.web.one and not f.web.is_open],
        # QR codes are our own SVG, which the template lets through as it is.
        self_administered=[form for form in forms if form.is_self_administered],
    )
    return page.encode("utf-8")


def phone_codes(handover: Handover) -> Iterator[PhoneCode]:
    """One QR code for each way in."""
    named = f"{handover.mark}: {handover.study}" if handover.mark else handover.study
    for login in handover.logins:
        settings = phone_settings(login.address, named, login.account)
        yield PhoneCode(login=login, qr=qr_svg(settings_code(settings)))


def _links(forms: Sequence[FieldedForm]) -> Iterator[WebLink]:
    for form in forms:
        for language in form.languages:
            address = form.link(language)
            if address:
                yield WebLink(
                    form=form,
                    language=language.autonym,
                    tag=language.tag,
                    direction="rtl" if language.right_to_left else "ltr",
                    address=address,
                    qr=qr_svg(address),
                )
