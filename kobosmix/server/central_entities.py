"""The register as a list of entities on ODK Central: always fresh on phones, without a new version.

What is in it is what register.csv has and no more: numbers, groups and sites, never a name. The
list is called as the file is, so that ODK Central hands it to every form that asks for the file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

from kobosmix.errors import ServerError
from kobosmix.form.central import OWN_CODE
from kobosmix.people.enumerators import csv_bytes
from kobosmix.server.central_api import IS_THERE, CentralApi, CentralRefusal, at, held

LIST_FILE = "register.csv"
_LIST = LIST_FILE.removesuffix(".csv")
_CHANGED_MEANWHILE, _WAS_DELETED = "409.15", "409.19"
_MOST_AT_ONCE, _LAPS = 1000, 4


@dataclass(frozen=True, slots=True)
class Person:
    """One row of the register as an entity. `version` counts its changes on the server."""

    uuid: str
    label: str
    properties: Mapping[str, str]
    version: str = field(default="", compare=False)


class RegisterList:
    """The list of one project, which may not be there yet."""

    def __init__(self, api: CentralApi, project: int) -> None:
        self.api, self.project = api, project

    def as_file(self) -> bytes:
        """What the list holds, as register.csv would have it."""
        columns, persons = self._read()
        others = [column for column in columns if column != OWN_CODE]
        rows = sorted(
            (p.properties[OWN_CODE], p.label, *(p.properties[name] for name in others))
            for p in persons.values()
        )
        return csv_bytes([("name", "label", *others), *rows])

    def hold(self, register: bytes) -> None:
        """Make the list say what register.csv says: persons added, changed, and taken out.

        Each has a name of its own that follows from the ID, so that doing it again adds nobody.
        """
        columns, wanted = self._wanted(register)
        self._make(columns)
        for _ in range(_LAPS):
            _, present = self._read()
            if present == wanted:
                return
            try:
                self._add([p for uuid, p in wanted.items() if uuid not in present])
                self._change(wanted, present)
                self._take_out(uuid for uuid in present if uuid not in wanted)
            except CentralRefusal as error:
                self._settle(error)
        raise ServerError("bring the register to ODK Central", 200, "it changes meanwhile")

    def _make(self, columns: Sequence[str]) -> None:
        action = "make the list of the register"
        path = at("projects", self.project, "datasets")
        self._once(action, path, {"name": _LIST})
        for name in columns:
            self._once(action, f"{path}/{_LIST}/properties", {"name": name})

    def _once(self, action: str, path: str, content: Mapping[str, str]) -> None:
        try:
            self.api.write(action, path, content=content)
        except CentralRefusal as error:
            if error.code != IS_THERE:
                raise

    def _add(self, persons: Sequence[Person]) -> None:
        for start in range(0, len(persons), _MOST_AT_ONCE):
            batch = persons[start : start + _MOST_AT_ONCE]
            content = {
                "entities": [{"uuid": p.uuid, **_told(p)} for p in batch],
                "source": {"name": LIST_FILE, "size": len(batch)},
            }
            self.api.write("add to the register", self._path("entities"), content=content)

    def _change(self, wanted: Mapping[str, Person], present: Mapping[str, Person]) -> None:
        for uuid, before in present.items():
            person = wanted.get(uuid, before)
            if person != before:
                path = f"{self._path('entities', uuid)}?baseVersion={before.version}"
                self.api.change("change the register", path, _told(person))

    def _take_out(self, uuids: Iterable[str]) -> None:
        for uuid in uuids:
            self.api.remove("take somebody out of the register", self._path("entities", uuid))

    def _settle(self, error: CentralRefusal) -> None:
        """Somebody came back, or somebody else was faster: the next lap sees what is there."""
        if error.code == _WAS_DELETED:
            for uuid in held(error.details, "entityUuids", list, error.action):
                self.api.write("bring somebody back", self._path("entities", uuid, "restore"))
        elif error.code not in (IS_THERE, _CHANGED_MEANWHILE):
            raise error

    def _read(self) -> tuple[list[str], dict[str, Person]]:
        """The names of the properties, and everybody by uuid."""
        body = self.api.raw("read the register", self._path("entities.csv"))
        columns, *rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))
        own = [name for name in columns if name != "label" and not name.startswith("__")]
        found = (dict(zip(columns, row, strict=True)) for row in rows)
        return own, {each["__id"]: _person(each, own) for each in found}

    def _wanted(self, register: bytes) -> tuple[list[str], dict[str, Person]]:
        columns, *rows = list(csv.reader(io.StringIO(register.decode("utf-8-sig"), newline="")))
        own = [OWN_CODE if name == "name" else name for name in columns]
        persons = (self._from_row(dict(zip(own, row, strict=True))) for row in rows)
        return [name for name in own if name != "label"], {p.uuid: p for p in persons}

    def _from_row(self, row: dict[str, str]) -> Person:
        label = row.pop("label")
        # ODK Central takes no other than version 4, whose other bits may be anything; and no two
        # entities of one server may share a uuid.
        digest = sha256(f"{_LIST} {self.project} {row[OWN_CODE]}".encode()).digest()
        return Person(str(UUID(bytes=digest[:16], version=4)), label, row)

    def _path(self, *segments: str) -> str:
        return at("projects", self.project, "datasets", _LIST, *segments)


def _person(row: Mapping[str, str], own: Sequence[str]) -> Person:
    properties = {name: row[name] for name in own}
    return Person(row["__id"], row["label"], properties, row["__version"])


def _told(person: Person) -> dict[str, Any]:
    return {"label": person.label, "data": dict(person.properties)}
