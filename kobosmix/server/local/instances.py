"""A submission: from the XML a device sends to the answers the API gives back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree  # type: ignore[import-untyped]
from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]

Answers = dict[str, Any]


class InstanceRefused(Exception):
    """The XML is no submission; the message is what the device is told."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A submission as sent: what it says of itself, and its answers, still as XML.

    The identifiers are without their `uuid:`; `form_uuid` and `replaces` are "" if not given.
    """

    xml: bytes
    root: Element
    form_id: str
    form_uuid: str
    uuid: str
    replaces: str


def read_instance(xml: bytes) -> Instance:
    """Read a submission safely: a document type, and so any entity of its own, is refused."""
    try:
        root: Element = ElementTree.fromstring(xml, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise InstanceRefused("Improperly formatted XML.") from error
    uuid = _text_at(root, "meta", "instanceID").removeprefix("uuid:")
    if not uuid:
        raise InstanceRefused("Instance ID is required")
    return Instance(
        xml=xml,
        root=root,
        form_id=root.get("id", ""),
        form_uuid=_text_at(root, "formhub", "uuid"),
        uuid=uuid,
        replaces=_text_at(root, "meta", "deprecatedID").removeprefix("uuid:"),
    )


def answers(instance: Instance, repeats: Collection[str]) -> Answers:
    """The answers by full path, all of them text; what was left empty is not there.

    `repeats` are the paths of the form's repeats: each becomes a list, however many were filled.

        {"start": "2026-11-24T05:00:00.000+03:00", "hh/size": "3",
         "member": [{"member/name": "Ali"}, {"member/name": "Ayşe"}]}
    """
    return _answers(instance.root, "", frozenset(repeats))


def _answers(parent: Element, path: str, repeats: frozenset[str]) -> Answers:
    found: Answers = {}
    for child in parent:
        here = path + _name(child)
        if here in repeats:
            if inner := _answers(child, f"{here}/", repeats):
                found.setdefault(here, []).append(inner)
        elif len(child):
            found |= _answers(child, f"{here}/", repeats)
        elif child.text and child.text.strip():
            found[here] = child.text
    return found


def _text_at(root: Element, *names: str) -> str:
    place = root
    for name in names:
        found = next((child for child in place if _name(child) == name), None)
        if found is None:
            return ""
        place = found
    return (place.text or "").strip()


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]
