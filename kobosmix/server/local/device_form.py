"""The form devices get: the XForm of a version, under the server's names instead of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from xml.dom.minidom import Document, Element

from defusedxml import minidom  # type: ignore[import-untyped]

from kobosmix.engines import xform
from kobosmix.server.content import flat_rows
from kobosmix.server.local.content import Content

# The workbook's own id and version never reach a device.
_REPLACED_SETTINGS = ("form_id", "id_string", "version", "name", "title", "form_title")


class FormCrash(Exception):
    """A form that the real server fails on without a word: HTTP 500."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the server calls the form, its version and its deployment."""

    uid: str
    title: str
    label: str
    version: str
    uuid: str


@dataclass(frozen=True, slots=True)
class DeviceForm:
    """The XForm in UTF-8, and the paths of its repeats as JSON: `["member", "member/visit"]`."""

    xml: bytes
    repeats: str


def device_form(content: Content, names: Names) -> DeviceForm:
    """Convert the content for devices. Raises `FormRefused` with what pyxform says of it."""
    survey = flat_rows(content, "survey")
    if content.get("entities") or _has_empty_group(survey):
        raise FormCrash
    settings = {
        key: str(text)
        for key, text in content.get("settings", {}).items()
        if key not in _REPLACED_SETTINGS
    }
    settings |= {
        "form_title": content.get("settings", {}).get("form_title") or names.title,
        "form_id": names.uid,
        "name": names.uid,
        "version": names.label,
    }
    version = {
        "type": "calculate", "name": "__version__", "calculation": f"'{names.version}'"
    }  # fmt: skip
    sheets = {"survey": [*survey, version], "settings": [settings]}
    if choices := flat_rows(content, "choices"):
        sheets["choices"] = choices
    return _with_uuid(xform.convert_rows(sheets).xml, names)


def _has_empty_group(survey: list[dict[str, str]]) -> bool:
    kinds = [row.get("type", "") for row in survey]
    return any(
        kind == "begin_group" and after == "end_group" for kind, after in pairwise(kinds)
    )


def _with_uuid(xml: str, names: Names) -> DeviceForm:
    # minidom, because pyxform writes with it: every namespace declaration stays where it is,
    # also those that only the text of an XPath uses.
    document: Document = minidom.parseString(xml.encode(), forbid_dtd=True)
    root = document.getElementsByTagName(names.uid)[0]
    formhub = document.createElement("formhub")
    formhub.appendChild(document.createElement("uuid"))
    root.insertBefore(formhub, root.firstChild)
    bind = document.createElement("bind")
    bind.setAttribute("nodeset", f"/{names.uid}/formhub/uuid")
    bind.setAttribute("type", "string")
    bind.setAttribute("calculate", f"'{names.uuid}'")
    first = document.getElementsByTagName("bind")[0]
    _parent(first).insertBefore(bind, first)
    return DeviceForm(document.toxml(encoding="utf-8"), json.dumps(_repeats(document, names)))


def _parent(node: Element) -> Any:
    return node.parentNode


def _repeats(document: Document, names: Names) -> list[str]:
    start = f"/{names.uid}/"
    repeats = document.getElementsByTagName("repeat")
    return [each.getAttribute("nodeset").removeprefix(start) for each in repeats]
