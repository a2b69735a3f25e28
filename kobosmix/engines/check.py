"""The forms, linted and put before the engines; their words as findings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from kobosmix.engines.jvm import find_java
from kobosmix.engines.odk_validate import validate
from kobosmix.engines.xform import FormRefused, Row, XForm, convert_rows, convert_workbook
from kobosmix.findings import Finding, Place, Severity
from kobosmix.xlsform.columns import SHEETS
from kobosmix.xlsform.lint import lint
from kobosmix.xlsform.model import XlsSheets, sheets_of_rows
from kobosmix.xlsform.read import read_form

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


# What a study records about people is decided, with a reason, in its context.yaml.
_SETTLED = ("L272",)
_IN_THE_STUDY = "Correct what the sentence names in the bank, the catalogue or context.yaml."
_IN_THE_FILE = "Correct what the sentence names in the workbook."


def check_forms(forms: Mapping[str, Mapping[str, tuple[Row, ...]]]) -> list[Finding]:
    """What lint, pyxform and, where Java is found, ODK Validate say of the sheets of each form.

    Notices of lint are left out: a study's forms are made so on purpose.
    """
    findings, xforms = list[Finding](), dict[str, str]()
    for key, sheets in forms.items():
        place = Place(f"form {key}")
        findings += [
            finding
            for finding in lint(sheets_of_rows(place.file, sheets))
            if finding.severity is not Severity.NOTICE and finding.code not in _SETTLED
        ]
        try:
            converted = convert_rows(sheets)
        except FormRefused as refusal:
            findings.append(_finding("F101", place, f"pyxform: {refusal}", _IN_THE_STUDY))
            continue
        xforms[place.file] = converted.xml
        findings += _warnings(place, converted, _IN_THE_STUDY)
    return [*findings, *_validated(xforms, _IN_THE_STUDY)]


def check_workbook(path: Path) -> list[Finding]:
    """What lint, pyxform and, where Java is found, ODK Validate say of the XLSForm in a file."""
    reading = read_form(path)
    if reading.sheets is None:
        return list(reading.findings)
    findings, place = lint(reading.sheets), Place(path.name)
    try:
        converted = _converted(path, reading.sheets)
    except FormRefused as refusal:
        return [*findings, _finding("F101", place, f"pyxform: {refusal}", _IN_THE_FILE)]
    findings += _warnings(place, converted, _IN_THE_FILE, Severity.WARNING)
    return [*findings, *_validated({place.file: converted.xml}, _IN_THE_FILE)]


def _converted(path: Path, sheets: XlsSheets) -> XForm:
    """The form as the servers convert it: KoboToolbox takes its own columns ($kuid) off before."""
    rows = {
        name: [
            {header: text for header, text in row.items() if not header.startswith("$")}
            for row in rows
        ]
        for name, rows in sheets.rows().items()
        if name in SHEETS
    }
    has_own = any(
        header.startswith("$") for sheet in sheets.sheets.values() for header in sheet.headers
    )
    return convert_rows(rows) if has_own else convert_workbook(path.read_bytes())


def is_harmless(warning: str) -> bool:
    """Whether the warning only is that a language tag has a region or a script."""
    found = _HARMLESS.search(warning)
    if found is None:
        return False
    # Autonyms have commas of their own (српски, ћирилица), so the list is cut behind brackets.
    named = re.split(r"(?<=\)),\s*", found["named"])
    return all(_WITH_SUBTAG.match(name) for name in named)


def _warnings(
    place: Place, converted: XForm, remedy: str, severity: Severity = Severity.ERROR
) -> Iterator[Finding]:
    for warning in converted.warnings:
        if not is_harmless(warning):
            yield _finding("F102", place, f"pyxform: {warning}", remedy, severity)


def _validated(xforms: Mapping[str, str], remedy: str) -> Iterator[Finding]:
    """What ODK Validate says of each XForm, by the name it goes by."""
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
    for file, said in validate(xforms, java).items():
        yield _finding("F103", Place(file), f"ODK Validate: {said}", remedy)


def _finding(
    code: str, place: Place, problem: str, remedy: str, severity: Severity = Severity.ERROR
) -> Finding:
    return Finding(
        code=code,
        place=place,
        problem=" ".join(problem.split()),
        remedy=remedy,
        severity=severity,
    )
