"""What KoboToolbox and the phones do with a form, and what it records about people."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from kobosmix.findings import Finding, Severity
from kobosmix.xlsform.columns import MEDIA
from kobosmix.xlsform.kinds import EXTERNAL_FILES
from kobosmix.xlsform.outline import Outline
from kobosmix.xlsform.tell import listed, quoted, rows_of, tell
from kobosmix.xlsform.xpath import Text

EXPLANATIONS: Mapping[str, tuple[str, str]] = {
    "L171": (
        "The form has entities. KoboToolbox breaks off its deployment with an error of its own; "
        "ODK Central takes it.",
        "For KoboToolbox take the sheet 'entities' and the column 'save_to' out.",
    ),
    "L271": (
        "KoboToolbox replaces form_id and version by its own. Neither tells later which form an "
        "answer was given to.",
        "Keep a version of your own in a calculate.",
    ),
    "L272": (
        "The form records something about a person, a device or a place. Each needs a reason that "
        "can be told to the people concerned.",
        "Take it out where there is none, and name it in the consent where there is.",
    ),
    "L273": (
        "The form needs files that are not in the workbook. It is deployed without them in "
        "silence, and its lists are empty.",
        "Upload them as media files, then deploy again.",
    ),
    "L274": (
        "Answers go to an address of the form's own, past the server it was fetched from.",
        "Take submission_url out.",
    ),
    "L275": (
        "The list comes from the sheet 'external_choices' or from search(), which web forms do "
        "not have.",
        "Use select_one_from_file, which every app has.",
    ),
}

_WHY: Mapping[str, str] = {
    "audit": "how the enumerator moved through the form",
    "deviceid": "the device",
    "username": "the account on the phone",
    "phonenumber": "a phone number",
    "email": "an e-mail address",
    "simserial": "the SIM card",
    "subscriberid": "the SIM card",
    "start-geopoint": "the place, unasked",
    "background-geopoint": "the place, unasked",
    "background-audio": "everything that is said, from the first screen on",
    "geopoint": "a place",
    "geotrace": "a way",
    "geoshape": "an area",
}
_SEARCHED = re.compile(r"search\(\s*['\"]([^'\"]+)['\"]")


def check_entities(form: Outline) -> Iterator[Finding]:
    """KoboToolbox has no entities."""
    saved = [row.number for row in form.rows["survey"] if row.cells.get("save_to")]
    if form.sheet("entities").rows or saved:
        at = ("entities", 0, "") if not saved else ("survey", saved[0], "save_to")
        said = "KoboToolbox cannot deploy a form with entities"
        remedy = "Take the sheet and the column 'save_to' out, or use ODK Central."
        yield tell(form, "L171", at, said, remedy)


def check_ids(form: Outline) -> Iterator[Finding]:
    """KoboToolbox goes by IDs of its own."""
    given = [name for name in ("form_id", "version") if form.settings.get(name)]
    if given:
        said = f"KoboToolbox replaces {listed(given)} by its own"
        at = ("settings", 2, given[0])
        remedy = "Keep a version of your own in a calculate."
        yield tell(form, "L271", at, said, remedy, severity=Severity.NOTICE)


def check_privacy(form: Outline) -> Iterator[Finding]:
    """What is recorded about people, their devices and places has a reason."""
    recorded = dict[str, list[int]]()
    for node in form.nodes:
        if node.type in _WHY:
            recorded.setdefault(node.type, []).append(node.row.number)
    for type_, rows in recorded.items():
        said = f"{type_} records {_WHY[type_]} ({rows_of(rows)})"
        remedy = "Take it out, or tell people why it is needed."
        yield tell(form, "L272", ("survey", rows[0], "type"), said, remedy)


def check_files(form: Outline) -> Iterator[Finding]:
    """Files that a form needs are uploaded beside it."""
    files = dict[str, int]()
    for name, row in (*_files_of_questions(form), *_files_in_expressions(form), *_media(form)):
        files.setdefault(name, row)
    if files:
        said = f"the form needs {quoted(files)}"
        remedy = "Upload them as media files, then deploy again."
        at = ("survey", min(files.values()), "")
        yield tell(form, "L273", at, said, remedy, severity=Severity.NOTICE)


def _files_of_questions(form: Outline) -> Iterator[tuple[str, int]]:
    for node in form.nodes:
        row = node.row.number
        if node.type in EXTERNAL_FILES and node.name:
            yield f"{node.name}.{node.type[:3]}", row
        elif node.kind.from_file and "." in node.kind.list:
            yield node.kind.list, row
        for found in _SEARCHED.finditer(node.cell("appearance")):
            yield f"{found[1].removesuffix('.csv')}.csv", row


def _files_in_expressions(form: Outline) -> Iterator[tuple[str, int]]:
    for used in form.expressions:
        for call in used.expression.calls:
            if (
                call.name == "pulldata"
                and call.arguments
                and isinstance(call.arguments[0], Text)
            ):
                yield (
                    f"{call.arguments[0].value.removesuffix('.csv')}.csv",
                    used.node.row.number,
                )


def _media(form: Outline) -> Iterator[tuple[str, int]]:
    for said in form.texts:
        for text in said.texts.values() if said.column in MEDIA else ():
            if "${" not in text and text.strip() != "-":
                yield text.strip(), said.row


def check_submission_url(form: Outline) -> Iterator[Finding]:
    """Answers go to the server the form came from."""
    address = form.settings.get("submission_url", "")
    if address:
        at = ("settings", 2, "submission_url")
        said = f"answers go to {address}, whatever server the form was fetched from"
        yield tell(form, "L274", at, said, "Take submission_url out.")


def check_lists_of_one_app(form: Outline) -> Iterator[Finding]:
    """Lists come from places that every app can read."""
    for node in form.nodes:
        if node.cell("type").startswith("select_one_external"):
            column = "type"
        elif "search(" in node.cell("appearance"):
            column = "appearance"
        else:
            continue
        said = f"web forms cannot show the list of '{node.name}'"
        at = ("survey", node.row.number, column)
        yield tell(form, "L275", at, said, "Use select_one_from_file.")


RULES = (
    check_entities,
    check_ids,
    check_privacy,
    check_files,
    check_submission_url,
    check_lists_of_one_app,
)
