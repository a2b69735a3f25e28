"""A survey under way on a server: people send, correct, delete and review while others pull."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from kobosmix.store.content import without_dropped
from tests.local_forms import Client, instance, workbook

FORM = """
| survey |              |        |                   |
|        | type         | name   | label             |
|        | begin group  | hh     | Household         |
|        | text         | head   | Name of the head  |
|        | end group    |        |                   |
|        | begin repeat | member | Member            |
|        | text         | m_name | Name              |
|        | end repeat   |        |                   |
|        | image        | photo  | A picture         |
"""
_REVIEWS = ("approved", "not_approved", "on_hold")
# What the server had of a submission at one time; None once it was deleted.
Version = Mapping[str, Any] | None


@dataclass
class _Sent:
    """A submission as the phone that sent it last has it."""

    root: str
    uuid: str
    xml: str
    number: int = 0
    is_edited: bool = False
    has_file: bool = False


class Fieldwork:
    """People at work with one form. `seen` is everything that the server ever had, by root uuid."""

    def __init__(self, client: Client, seed: int) -> None:
        self.client, self.uid = client, client.deployed(workbook(FORM))
        self.seen = dict[str, list[Version]]()
        self._chance = random.Random(seed)  # noqa: S311 - not a secret
        self._held = dict[str, _Sent]()
        self._deleted = dict[str, _Sent]()

    def anything(self) -> None:
        """One thing that people do, at random."""
        doings = [self.add] * 4 + [self.edit] * 4 + [self.review] * 2
        doings += [self.delete] * 2 + [self.send_again] * 2 + [self.send_file] * 2
        self._chance.choice(doings)()

    def add(self) -> None:
        """Send a new submission."""
        uuid = self._uuid()
        sent = _Sent(root=uuid, uuid=uuid, xml=self._xml(uuid))
        self._send(sent)

    def fill(self, number: int) -> None:
        """Send so many new submissions, before anybody pulls."""
        for uuid in [self._uuid() for _ in range(number)]:
            self._held[uuid] = _Sent(root=uuid, uuid=uuid, xml=self._xml(uuid))
            assert self.client.submit(self._held[uuid].xml).status_code == 201
        for row in self.now().values():
            root = str(row["meta/rootUuid"]).removeprefix("uuid:")
            self._held[root].number = row["_id"]
            self.seen[root] = [row]

    def edit(self) -> None:
        """Correct a submission that is there."""
        if self._held:
            sent = self._one(self._held)
            before, sent.uuid = sent.uuid, self._uuid()
            meta = f"<deprecatedID>uuid:{before}</deprecatedID>"
            sent.xml, sent.is_edited = self._xml(sent.uuid, meta=meta), True
            self._send(sent)

    def review(self) -> None:
        """Say what became of a review, or take it back."""
        if self._held:
            sent = self._one(self._held)
            path = f"/api/v2/assets/{self.uid}/data/{sent.number}/validation_status/"
            status = f"validation_status_{self._chance.choice(_REVIEWS)}"
            asked = {"json": {"validation_status.uid": status}}
            method = self._chance.choice(("PATCH", "PATCH", "DELETE"))
            self._ask(method, path, **(asked if method == "PATCH" else {}))
            self._look(sent)

    def delete(self) -> None:
        """Delete a submission."""
        if self._held:
            sent = self._one(self._held)
            self._ask("DELETE", f"/api/v2/assets/{self.uid}/data/{sent.number}/")
            self._deleted[sent.root] = self._held.pop(sent.root)
            self._look(sent)

    def send_again(self) -> None:
        """Let a phone send what was deleted meanwhile, or what is being deleted right now."""
        if not self._deleted:
            self.delete()
        # What corrects a submission that is no more would be refused.
        whole = {k: s for k, s in self._deleted.items() if not s.is_edited}
        if whole:
            sent = self._one(whole)
            del self._deleted[sent.root]
            sent.has_file = False
            self._send(sent)

    def send_file(self) -> None:
        """Let a picture come after its submission."""
        waiting = {k: s for k, s in self._held.items() if not s.has_file}
        if waiting:
            sent = self._one(waiting)
            sent.has_file = True
            picture = ("p.jpg", sent.root.encode(), "image/jpeg")
            assert self.client.submit(sent.xml, files={"p.jpg": picture}).status_code == 201
            self._look(sent)

    def now(self) -> dict[str, Mapping[str, Any]]:
        """What the server has, by number, less what is never kept."""
        rows = self.client.rows(self.uid, limit="1000")
        assert len(rows) < 1000
        return {str(row["_id"]): without_dropped(row) for row in rows}

    def roots_never_deleted(self) -> set[str]:
        """The submissions that are there and always were."""
        return {root for root, versions in self.seen.items() if None not in versions}

    def _send(self, sent: _Sent) -> None:
        answer = self.client.submit(sent.xml)
        assert answer.status_code == 201, answer.text
        self._held[sent.root] = sent
        self._look(sent)

    def _look(self, sent: _Sent) -> None:
        query = {"meta/rootUuid": f"uuid:{sent.root}"}
        rows = self.client.rows(self.uid, query=query)
        assert len(rows) == (sent.root in self._held)
        sent.number = rows[0]["_id"] if rows else 0
        version = without_dropped(rows[0]) if rows else None
        self.seen.setdefault(sent.root, []).append(version)

    def _ask(self, method: str, path: str, **sent: Any) -> None:
        answer = self.client.ask(method, path, **sent)
        assert answer.ok, answer.text

    def _one(self, among: Mapping[str, _Sent]) -> _Sent:
        return among[self._chance.choice(sorted(among))]

    def _uuid(self) -> str:
        return str(UUID(int=self._chance.getrandbits(128), version=4))

    def _xml(self, uuid: str, meta: str = "") -> str:
        names = [f"<m_name>M{number}</m_name>" for number in range(self._chance.randrange(4))]
        members = "".join(f"<member>{name}</member>" for name in names)
        head = f"<hh><head>Head {self._chance.randrange(10**9)}</head></hh>"
        body = f"{head}{members}<photo>p.jpg</photo>"
        return instance(self.uid, body, uuid=uuid, meta=meta)
