"""The client that speaks a server's language."""

from __future__ import annotations

from kobosmix.errors import UsageError
from kobosmix.server.credentials import Kind
from kobosmix.server.http import Connection
from kobosmix.server.kobo import KoboServer


def client(connection: Connection, kind: Kind) -> KoboServer:
    """What deploying and pulling work with, by the kind of server."""
    if kind is Kind.CENTRAL:
        raise UsageError(
            f"{connection.server} is an ODK Central. kobosmix signs in there, but does not yet "
            "deploy to it or pull from it."
        )
    return KoboServer(connection)
