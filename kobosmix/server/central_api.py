"""How ODK Central is asked, and how it says no: paths, its error codes, and what may be repeated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import quote

from kobosmix.errors import ServerError, UsageError
from kobosmix.server.answers import explanation, one_line, parse_json
from kobosmix.server.http import JSON, Connection, Request

NOT_FOUND, IS_THERE, VERSION_TAKEN, NEVER_PUBLISHED = "404.1", "409.3", "409.6", "409.7"
WARNED, NO_RIGHT = "400.16", "403.1"
# The statuses whose body says by its code what to do. 401 renews the session, 5xx is asked again.
_TELLING = frozenset({400, 403, 404, 409, 501})
T = TypeVar("T")


class CentralRefusal(ServerError):
    """ODK Central said no. `code` is its own number as text, `details` what it adds to it.

    Compared as text because the number is no number: 409.1 and 409.10 would be the same one.
    """

    def __init__(self, action: str, status: int, answer: str, code: str, details: Any) -> None:
        super().__init__(action, status, answer)
        self.code, self.details = code, details


class CentralApi:
    """One ODK Central, asked with one session."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def read(self, action: str, path: str, **query: str) -> Any:
        """JSON from a path; a CentralRefusal says why not."""
        return self.ask(Request(action=action, path=path, query=query))

    def find(self, action: str, path: str, **query: str) -> Any | None:
        """JSON from a path, or None where there is no such thing for us."""
        try:
            return self.read(action, path, **query)
        except CentralRefusal as error:
            if error.code == NOT_FOUND:
                return None
            raise

    def raw(self, action: str, path: str, **query: str) -> bytes:
        """A file as it is."""
        request = Request(action=action, path=path, query=query, accept="*/*", allowed=_TELLING)
        return self._answered(request)[1]

    def find_raw(self, action: str, path: str) -> bytes | None:
        """A file as it is, or None where there is none."""
        try:
            return self.raw(action, path)
        except CentralRefusal as error:
            if error.code == NOT_FOUND:
                return None
            raise

    def write(
        self, action: str, path: str, *, content: Any = None, repeatable: bool = False
    ) -> Any:
        """Tell it something by POST. Not told twice, unless twice is as good as once."""
        return self.ask(
            Request(
                action=action, path=path, method="POST", json=content, repeatable=repeatable
            )
        )

    def change(self, action: str, path: str, content: Mapping[str, Any]) -> Any:
        """Set properties by PATCH, which is the same however often it is told."""
        return self.ask(
            Request(action=action, path=path, method="PATCH", json=content, repeatable=True)
        )

    def send_file(self, action: str, path: str, body: bytes, kind: str, **query: str) -> Any:
        """Put a file where it belongs, in place of the one before: the same told twice."""
        return self.ask(
            Request(
                action=action,
                path=path,
                method="POST",
                query=query,
                body=body,
                body_kind=kind,
                repeatable=True,
            )
        )

    def remove(self, action: str, path: str) -> None:
        """Delete; what is not there any more is deleted."""
        try:
            self.ask(Request(action=action, path=path, method="DELETE", repeatable=True))
        except CentralRefusal as error:
            if error.code != NOT_FOUND:
                raise

    def ask(self, request: Request) -> Any:
        """The JSON of the answer. A refusal with a code is a CentralRefusal."""
        status, body = self._answered(_allowing(request))
        try:
            return parse_json(body) if body else None
        except ValueError as error:
            raise ServerError(request.action, status, explanation("", body)) from error

    def _answered(self, request: Request) -> tuple[int, bytes]:
        answer = self.connection.send(request)
        if answer.status in _TELLING:
            raise _refusal(request.action, answer.status, answer.body)
        return answer.status, answer.body


def at(*segments: str | int) -> str:
    """A path of the API; whatever stands in a name is quoted.

    >>> at("projects", 5, "forms", "my form/é")
    '/v1/projects/5/forms/my%20form%2F%C3%A9'
    """
    return "/v1/" + "/".join(quote(str(segment), safe="") for segment in segments)


def form_at(uid: str) -> tuple[int, str]:
    """The project and the form that a uid names; a UsageError where it is none of ODK Central.

    >>> form_at("5.gaziantep_pre_turks")
    (5, 'gaziantep_pre_turks')
    """
    project, _, form_id = uid.partition(".")
    if not (project.isdigit() and form_id):
        raise UsageError(f"'{uid}' is no form of ODK Central, which are called 5.gaziantep_pre")
    return int(project), form_id


def path_of(uid: str, *segments: str | int) -> str:
    """The path of a form, or of what it has."""
    project, form_id = form_at(uid)
    return at("projects", project, "forms", form_id, *segments)


def held(content: Any, name: str, kind: type[T], action: str) -> T:
    """What an answer must have; a ServerError where it has not."""
    value = content.get(name) if isinstance(content, dict) else None
    if not isinstance(value, kind):
        raise ServerError(action, 200, f"an answer without {name}, which ODK Central has")
    return value


def listed(content: Any, action: str) -> list[dict[str, Any]]:
    """The objects of a list; a ServerError for anything else."""
    if not isinstance(content, list) or not all(isinstance(each, dict) for each in content):
        raise ServerError(action, 200, "an answer that is no list, which ODK Central gives")
    return content


def _allowing(request: Request) -> Request:
    return replace(request, allowed=_TELLING, accept=JSON)


def _refusal(action: str, status: int, body: bytes) -> ServerError:
    """With its code where there is one; a gateway answers in HTML, and a fault has no code."""
    try:
        # As text from the start: 409.10 would come out of a number as 409.1.
        content = json.loads(body, parse_float=str)
    except ValueError:
        content = None
    said = explanation("", body)
    if not isinstance(content, dict) or "code" not in content:
        return ServerError(action, status, said)
    message = str(content.get("message") or said)
    return CentralRefusal(
        action, status, _one(message, content), str(content["code"]), content.get("details")
    )


def _one(message: str, content: Mapping[str, Any]) -> str:
    details = content.get("details")
    error = details.get("error") if isinstance(details, dict) else None
    # What is wrong with a form stands in the details; the message only says that something is.
    return one_line(f"{message} {error}" if error else message)
