"""The client that speaks a server's language."""

from __future__ import annotations

from kobosmix.server.central import CentralServer
from kobosmix.server.credentials import Kind
from kobosmix.server.http import Connection
from kobosmix.server.kobo import KoboServer
from kobosmix.server.model import Server


def client(connection: Connection, kind: Kind) -> Server:
    """What deploying and pulling work with, by the kind of server."""
    return CentralServer(connection) if kind is Kind.CENTRAL else KoboServer(connection)
