"""What the page shows of each form, and where it stands on the server."""

from __future__ import annotations

from dataclasses import dataclass

from kobosmix.bank.model import Language
from kobosmix.codebook import Codebook
from kobosmix.handover.web_link import web_link
from kobosmix.server.model import WebForms


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldedForm:
    """One form of the study as it is on the server."""

    key: str
    uid: str
    codebook: Codebook
    languages: tuple[Language, ...]
    web: WebForms

    @property
    def group(self) -> str:
        """What the respondent group is called in English."""
        names = self.codebook.names.get(self.codebook.group, {})
        return names.get("en", self.codebook.group)

    @property
    def title(self) -> str:
        """What phones call it: the project's name on the server."""
        return self.web.title or self.codebook.title

    @property
    def is_self_administered(self) -> bool:
        """Whether respondents fill it in alone."""
        return self.codebook.mode == "self_administered"

    def link(self, language: Language) -> str:
        """Its web form in this language; empty where the server has none."""
        address = self.web.one if self.is_self_administered else self.web.many
        tags = self.codebook.languages
        return web_link(address, language.form_tag(tags)) if address else ""
