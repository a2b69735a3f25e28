"""Invented submissions of a real form, and the files servers make of them for people."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kobosmix.codebook import Codebook, Kind, Variable, write_codebook
from kobosmix.study import Study
from kobosmix.xlsx import Sheet, workbook_bytes
from tests.english_study import prepare_text
from tests.interviews import FIRST, entered

UID = "aBcDeFgHiJkLmNoPqRsTuV"
SERVER = "https://kobo.example.org"
_LATER = ("_id", "_uuid", "_submission_time", "_validation_status", "_submitted_by")
Content = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """A study with one form that was uploaded by hand, and what the server has of it."""

    study: Study
    codebook: Codebook
    rows: list[Content]

    def write(self, name: str, content: bytes) -> Path:
        """A downloaded file."""
        path = self.study.root.parent / name
        path.write_bytes(content)
        return path


def field_study(folder: Path, key: str = "pre_locals", *, linked: bool = True) -> Field:
    """The English study, its forms built, three interviews on the server."""
    prepared = prepare_text(folder / "lake")
    for built in prepared.forms:
        codebook = built.codebook
        write_codebook(prepared.study.codebook_file(codebook.build_id), codebook)
    book = next(built.codebook for built in prepared.forms if built.key == key)
    if linked:
        told = {"server": SERVER, "uid": UID, "build_id": book.build_id}
        prepared.study.remember(server=SERVER, deployments={key: told})
    return Field(prepared.study, book, [on_server(book, number) for number in range(1, 4)])


def on_server(codebook: Codebook, number: int, **said: str) -> Content:
    """A submission as KoboToolbox's API gives it."""
    uuid = f"{number:08x}-0000-4000-8000-00000000abcd"
    constants = {"kx_study": codebook.study, "kx_build": codebook.build_id}
    constants |= {"kx_group": codebook.group, "kx_wave": codebook.wave}
    times = {f"{at}": f"2026-02-{9 + number:02}T09:00:00.000+03:00" for at in ("start", "end")}
    answers = {**entered(codebook), **constants, **times, "rid": FIRST, "consent_ok": "1"}
    # Every option in turn, so that each label comes back as its own code.
    for variable in codebook.variables:
        if variable.options:
            answers[variable.name] = variable.options[number % len(variable.options)].value
    answers |= {
        "today": f"2026-02-{9 + number:02}",
        "rid_reason_other": " two  words\nand more ",
    }
    answers |= {"paper_day": f"2026-02-{9 + number:02}", **said}
    paths = {v.name: v.path for v in codebook.variables}
    content = {paths[n]: text for n, text in answers.items() if n in paths and text}
    return content | {
        "_id": number,
        "_uuid": uuid,
        "meta/instanceID": f"uuid:{uuid}",
        "meta/rootUuid": f"uuid:{uuid}",
        "_submission_time": f"2026-02-{9 + number:02}T10:00:00",
        "_validation_status": {},
        "_attachments": [],
        "__version__": "vAbc",
        "formhub/uuid": "f0",
        "_xform_id_string": UID,
    }


def edited(row: Content, number: int, changes: Mapping[str, str]) -> Content:
    """The submission after an edit on the server."""
    uuid = f"{number:08x}-0000-4000-8000-00000000edit"
    return {**row, **changes, "_uuid": uuid, "meta/instanceID": f"uuid:{uuid}"}


Heading = Callable[[Variable], str]


def by_name(variable: Variable) -> str:
    """XML values and headers."""
    return variable.name


def by_path(variable: Variable) -> str:
    """The same, with groups."""
    return variable.path


def by_label(variable: Variable) -> str:
    """Labels."""
    return variable.labels.get("en") or variable.name


def by_label_in_group(variable: Variable) -> str:
    """Labels, with groups."""
    return f"Some group - {by_label(variable)}"


def table(field: Field, heading: Heading, rows: Sequence[Content] = ()) -> list[list[str]]:
    """What KoboToolbox exports, as rows of text under their headings."""
    labels = heading not in (by_name, by_path)
    variables = field.codebook.variables
    header = [*map(heading, variables), *_LATER, "__version__", "meta/rootUuid", "_index"]
    lines = [
        [
            *(
                _shown(variable, row.get(variable.path, ""), labels=labels)
                for variable in variables
            ),
            *(str(row.get(name) or "") for name in (*_LATER, "__version__", "meta/rootUuid")),
            "1",
        ]
        for row in rows or field.rows
    ]
    return [header, *lines]


def labelled(codebook: Codebook, rows: Sequence[Content], tag: str) -> list[list[str]]:
    """What KoboToolbox exports with the labels of a language."""
    told = ("_id", "_uuid", "_submission_time", "meta/rootUuid")
    header = [*(v.labels.get(tag) or v.name for v in codebook.variables), *told]
    lines = [
        [
            *(_said_in(tag, v, row.get(v.path, "")) for v in codebook.variables),
            *(str(row[name]) for name in told),
        ]
        for row in rows
    ]
    return [header, *lines]


def central(field: Field) -> list[list[str]]:
    """What ODK Central has in submissions.csv."""
    variables = field.codebook.variables
    names = [variable.path.replace("/", "-") for variable in variables]
    header = ["SubmissionDate", *names, "meta-instanceID", "KEY", "ReviewState", "FormVersion"]
    return [
        header,
        *(
            [
                f"{row['_submission_time']}.123Z",
                *(row.get(variable.path, "") for variable in variables),
                row["meta/instanceID"],
                row["meta/rootUuid"],
                "approved",
                "7",
            ]
            for row in field.rows
        ),
    ]


def briefcase(field: Field) -> list[list[str]]:
    """What ODK Briefcase writes of an encrypted form: by the clock and in the words of Java."""
    variables = field.codebook.variables
    names = [variable.path.replace("/", "-") for variable in variables]
    header = ["SubmissionDate", *names, "meta-instanceID", "KEY", "isValidated"]
    return [
        header,
        *(_by_java(variables, row, n) for n, row in enumerate(field.rows, start=10)),
    ]


def _by_java(variables: Iterable[Variable], row: Content, day: int) -> list[str]:
    cells = list[str]()
    for variable in variables:
        text = str(row.get(variable.path, ""))
        if variable.name in ("start", "end"):
            text = f"Feb {day}, 2026 9:00:00\u202fAM"
        elif variable.kind is Kind.DATE or variable.name == "today":
            text = f"Feb {day}, 2026"
        cells.append(text)
    uuid = row["meta/instanceID"]
    return [f"Feb {day}, 2026 10:00:00 AM", *cells, uuid, uuid, "true"]


def as_csv(rows: Sequence[Sequence[str]], separator: str = ";") -> bytes:
    """A .csv as KoboToolbox writes it: all quoted, CRLF, UTF-8."""
    text = io.StringIO()
    csv.writer(text, delimiter=separator, quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue().encode()


def as_xlsx(rows: Sequence[Sequence[str]]) -> bytes:
    """A workbook of text, with its sheet named after the project."""
    return workbook_bytes([Sheet(title="Before the programme", rows=rows)])


def _shown(variable: Variable, raw: str, *, labels: bool) -> str:
    option = variable.option(raw) if labels else None
    return option.labels["en"] if option else raw


def _said_in(tag: str, variable: Variable, raw: str) -> str:
    option = variable.option(raw)
    return option.labels.get(tag, raw) if option else raw
