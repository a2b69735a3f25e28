"""The forms, put before the engines; their words as findings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from kobosmix.engines.jvm import find_java
from kobosmix.engines.odk_validate import validate
from kobosmix.engines.xform import FormRefused, Row, XForm, convert_rows
from kobosmix.findings import Finding, Place, Severity

# pyxform knows bare language codes only; a region or a script behind one is right all the same.
_HARMLESS = re.compile(
    r"The following language declarations do not contain valid machine-readable codes: "
    r"(?P<named>.+?)\. Learn more"
)
_WITH_SUBTAG = re.compile(r"^[^()]+ \([a-z]{2,3}(-[A-Za-z0-9]{2,8})+\)$")

EXPLANATIONS: Mapping[str, tuple[str, str]] = {
    "F101": ("pyxform, which every server uses, cannot convert the form.", "See its sentence."),
    "F102": ("pyxform converts the form, but warns of something.", "See its sentence."),
    "F103": ("ODK Validate, the engine of the phones, refuses the form.", "See its sentence."),
    "F104": (
        "There is no Java on this machine, so ODK Validate was not run.",
        "The form was checked by pyxform and by kobosmix. Install a Java runtime (17 or newer) to "
        "have it checked by the engine of the phones as well; KoboToolbox does so at deployment.",
    ),
}


def check_forms(forms: Mapping[str, Mapping[str, tuple[Row, ...]]]) -> list[Finding]:
    """What pyxform and, where Java is found, ODK Validate say of the sheets of each form."""
    findings, xforms = list[Finding](), dict[str, str]()
    for key, sheets in forms.items():
        try:
            converted = convert_rows(sheets)
        except FormRefused as refusal:
            findings.append(_finding("F101", key, f"pyxform: {refusal}", Severity.ERROR))
            continue
        xforms[key] = converted.xml
        findings += _warnings(key, converted)
    return [*findings, *_validated(xforms)]


def is_harmless(warning: str) -> bool:
    """Whether the warning only is that a language tag has a region or a script."""
    found = _HARMLESS.search(warning)
    if found is None:
        return False
    # Autonyms have commas of their own (српски, ћирилица), so the list is cut behind brackets.
    named = re.split(r"(?<=\)),\s*", found["named"])
    return all(_WITH_SUBTAG.match(name) for name in named)


def _warnings(key: str, converted: XForm) -> Iterator[Finding]:
    for warning in converted.warnings:
        if not is_harmless(warning):
            yield _finding("F102", key, f"pyxform: {warning}", Severity.ERROR)


def _validated(xforms: Mapping[str, str]) -> Iterator[Finding]:
    java = find_java()
    if java is None:
        yield Finding(
            code="F104",
            place=Place("the forms"),
            problem="Java was not found, so ODK Validate, the engine of the phones, was not run",
            remedy="pyxform accepted the forms. With a Java runtime (17 or newer) they are "
            "checked by that engine too.",
            severity=Severity.NOTICE,
        )
        return
    for key, said in validate(xforms, java).items():
        yield _finding("F103", key, f"ODK Validate: {said}", Severity.ERROR)


def _finding(code: str, key: str, problem: str, severity: Severity) -> Finding:
    return Finding(
        code=code,
        place=Place(f"form {key}"),
        problem=" ".join(problem.split()),
        remedy="Correct what the sentence names in the bank, the catalogue or context.yaml.",
        severity=severity,
    )
