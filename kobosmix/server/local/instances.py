"""A submission: from the XML a device sends to the answers the API gives back."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from defusedxml import ElementTree  # type: ignore[import-untyped]
from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]

Answers = dict[str, Any]
NOWHERE = [None, None]
_POSITION = re.compile(r"(-?\d+(?:\.\d+)?) (-?\d+(?:\.\d+)?)(?: -?\d+(?:\.\d+)?){1,2}")


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


def leaves(given: Answers) -> Iterator[tuple[str, str]]:
    """Path and text of every answer, those in repeats included."""
    for path, value in given.items():
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, list):
            for each in value:
                # A place is a list too, of numbers.
                yield from leaves(each) if isinstance(each, dict) else ()


def position(given: Answers) -> list[float | None]:
    """Latitude and longitude of the first answer that is a place, else twice None."""
    for _, text in leaves(given):
        if found := _POSITION.fullmatch(text):
            return [float(found[1]), float(found[2])]
    return [*NOWHERE]


def from_json(form_id: str, submission: dict[str, Any]) -> bytes:
    """The XML of a submission sent as JSON; lists of words are joined by spaces."""
    root = Element(form_id, {"id": form_id})
    _fill(root, submission)
    return _bytes(root)


def _bytes(root: Element) -> bytes:
    written: bytes = tostring(root, encoding="utf-8")
    return written


def _fill(parent: Element, answers: dict[str, Any]) -> None:
    for name, value in answers.items():
        is_repeat = isinstance(value, list) and any(isinstance(each, dict) for each in value)
        for each in value if is_repeat else [value]:
            child = SubElement(parent, name)
            if isinstance(each, dict):
                _fill(child, each)
            elif isinstance(each, list):
                child.text = " ".join(str(word) for word in each)
            elif each is not None:
                child.text = str(each)


def edited(xml: bytes, uuid: str, changes: dict[str, str]) -> bytes:
    """The submission as a new version of itself under this uuid, with these answers by path.

    A path that is not there is made; in a repeat, the first instance is changed.
    """
    root: Element = ElementTree.fromstring(xml, forbid_dtd=True)
    meta = _made(root, "meta")
    instance_id = _made(meta, "instanceID")
    _made(meta, "deprecatedID").text = instance_id.text
    instance_id.text = f"uuid:{uuid}"
    _write(root, changes)
    return _bytes(root)


def copied(xml: bytes, uuid: str, changes: dict[str, str]) -> bytes:
    """The submission as another one under this uuid, with these answers where it has them."""
    root: Element = ElementTree.fromstring(xml, forbid_dtd=True)
    meta = _made(root, "meta")
    for child in [each for each in meta if _name(each) in ("deprecatedID", "rootUuid")]:
        meta.remove(child)
    _made(meta, "instanceID").text = f"uuid:{uuid}"
    names = {_name(each) for each in root}
    _write(root, {name: text for name, text in changes.items() if name in names})
    return _bytes(root)


def _write(root: Element, changes: dict[str, str]) -> None:
    for path, text in changes.items():
        place = root
        for name in path.split("/"):
            place = _made(place, name)
        place.text = text


def _made(parent: Element, name: str) -> Element:
    found = next((child for child in parent if _name(child) == name), None)
    # In the parent's namespace, which may be that of OpenRosa's metadata.
    space = parent.tag.rpartition("}")[0]
    tag = f"{space}}}{name}" if space else name
    return SubElement(parent, tag) if found is None else found


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
