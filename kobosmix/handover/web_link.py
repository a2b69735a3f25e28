"""Addresses of web forms, with the language chosen and the person known."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from kobosmix.codebook import PERSONAL_LINK, Codebook


def web_link(form: str, language: str) -> str:
    """The web form in a language, by the tag the form engine knows it by.

    >>> web_link("https://ee.kobotoolbox.org/single/AbCd", "ar")
    'https://ee.kobotoolbox.org/single/AbCd?lang=ar'
    """
    return f"{form}{'&' if '?' in form else '?'}{urlencode({'lang': language})}"


def personal_link(link: str, root: str, codebook: Codebook, token: str) -> str:
    """The same link for one person: the form knows by the token who it is, and asks no ID."""
    # Brackets and slashes are escaped: mail programs end a link at the first bracket.
    field = quote(f"d[/{root}/{codebook.variable(PERSONAL_LINK).path}]", safe="")
    return f"{link}&{field}={token}"
