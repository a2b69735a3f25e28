"""A form as a phone has it, and answers as the XML a phone makes of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from re import compile as regex
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from defusedxml import ElementTree  # type: ignore[import-untyped]
from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]

from kobosmix.codebook import Codebook
from kobosmix.conditions import holds
from kobosmix.errors import ServerError

_QUOTED = regex(r"'([^']*)'")


@dataclass(frozen=True, slots=True)
class PhoneForm:
    """The empty submission of a form, and the values the form puts in by itself, by path."""

    empty: Element
    constants: Mapping[str, str]


def read_form(xml: str) -> PhoneForm:
    """The form out of the XForm that phones get."""
    action = "read the form that phones get"
    try:
        root: Element = ElementTree.fromstring(xml, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise ServerError(action, 200, "no XML, or only a part of it") from error
    # The first instance is what will be sent; further ones are the lists that travel with it.
    for instance in _called(root, "instance"):
        for empty in instance:
            return PhoneForm(empty, dict(_constants(root, _bare(empty.tag))))
    raise ServerError(action, 200, "it has nothing to fill in")


def submission(
    form: PhoneForm,
    codebook: Codebook,
    answers: Mapping[str, str],
    uuid: str,
    constants: Mapping[str, str] | None = None,
) -> bytes:
    """The XML of one submission. `constants` goes before what the form puts in, by variable name.

    What was not to be asked is left out, as phones do; a question left blank is an empty element.
    """
    paths = {variable.name: variable.path for variable in codebook.variables}
    said = {**answers, **(constants or {})}
    values = {**form.constants, **{paths[name]: text for name, text in said.items()}}
    values["meta/instanceID"] = f"uuid:{uuid}"
    values["meta/instanceName"] = f"{codebook.wave} {answers.get('rid', '')}"
    asked = {
        variable.path
        for variable in codebook.variables
        if variable.labels and holds(variable.asked_if, answers)
    }
    root = Element(_bare(form.empty.tag), dict(form.empty.attrib))
    _fill(root, form.empty, "", values, asked)
    package: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return package


def _fill(
    copy: Element,
    empty: Element,
    path: str,
    values: Mapping[str, str],
    asked: Collection[str],
) -> None:
    for child in empty:
        here = path + _bare(child.tag)
        if len(child):
            group = Element(_bare(child.tag))
            _fill(group, child, f"{here}/", values, asked)
            # A group in which nothing was asked was not shown. Notes hold no answer, so they are
            # left out everywhere: to a server an empty element and none are the same.
            if len(group):
                copy.append(group)
        elif here in values or here in asked:
            SubElement(copy, _bare(child.tag)).text = values.get(here)


def _constants(root: Element, name: str) -> Iterator[tuple[str, str]]:
    """Hidden constants, the version and the form's uuid: calculations that are one quoted text."""
    for bind in _called(root, "bind"):
        quoted = _QUOTED.fullmatch(bind.get("calculate", ""))
        if quoted:
            yield bind.get("nodeset", "").removeprefix(f"/{name}/"), quoted[1]


def _called(root: Element, name: str) -> Iterator[Element]:
    return (each for each in root.iter() if _bare(each.tag) == name)


def _bare(tag: str) -> str:
    return tag.rpartition("}")[2]
