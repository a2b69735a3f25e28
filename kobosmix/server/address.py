"""Addresses of servers: which are one and the same, and which may be talked to."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from kobosmix.errors import UsageError

_PORTS = {"http": 80, "https": 443}
GLOBAL = "https://kf.kobotoolbox.org"
EUROPEAN = "https://eu.kobotoolbox.org"
# Addresses of KoboToolbox that people know from phones, web forms, advertising and earlier years.
_NOT_THE_SERVER = {
    **dict.fromkeys(
        ("kc.kobotoolbox.org", "ee.kobotoolbox.org", "www.kobotoolbox.org", "kobotoolbox.org"),
        GLOBAL,
    ),
    **dict.fromkeys(
        (
            *("kc-eu.kobotoolbox.org", "ee-eu.kobotoolbox.org", "kf-eu.kobotoolbox.org"),
            *("kc.humanitarianresponse.info", "ee.humanitarianresponse.info"),
            *("kobo.humanitarianresponse.info", "kc-ee.humanitarianresponse.info"),
        ),
        EUROPEAN,
    ),
}


def server_origin(typed: str) -> str:
    """The server's address as `https://host[:port]`; a UsageError says what to write instead.

    Plain http is for a server on this machine only: it would show the token to the network.

    >>> server_origin("https://KF.kobotoolbox.org/")
    'https://kf.kobotoolbox.org'
    """
    parts = _split(typed)
    found = origin(typed)
    if parts is None or not found:
        raise UsageError(f"'{typed}' is no server address; write https://kf.kobotoolbox.org")
    if parts.username or parts.password:
        raise UsageError("a server address must not hold a user name or password")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise UsageError(f"give the server only, without a page on it: {found}")
    if parts.scheme == "http" and not is_loopback(found):
        raise UsageError(f"{found} would send the token readable over the network; use https")
    return found


def typed_server(typed: str) -> str:
    """The same of what a person types when asked for a server: `https://` may be left out.

    >>> typed_server("eu.kobotoolbox.org/")
    'https://eu.kobotoolbox.org'
    >>> typed_server("127.0.0.1:8085")
    'http://127.0.0.1:8085'
    """
    typed = typed.strip()
    if typed and "://" not in typed:
        # A server on this machine has no certificate.
        typed = f"{'http' if is_loopback(f'http://{typed}') else 'https'}://{typed}"
    server = server_origin(typed)
    refuse_side_door(server)
    return server


def refuse_side_door(server: str) -> None:
    """Raise a UsageError naming the right address where this is another one of KoboToolbox's."""
    right = _NOT_THE_SERVER.get(urlsplit(server).hostname or "")
    if right:
        raise UsageError(
            f"{server} is not where people sign in; phones and web forms use such addresses. "
            f"The server is {right}"
        )


def origin(url: str) -> str:
    """Scheme, host and port in one spelling; empty for what is no http address.

    >>> origin("https://kf.kobotoolbox.org:443/me/") == origin("https://kf.kobotoolbox.org")
    True
    """
    parts = _split(url)
    if parts is None or parts.scheme not in _PORTS or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port in (None, _PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def is_loopback(server: str) -> bool:
    """Whether the address never leaves this machine."""
    host = urlsplit(server).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def phones_origin(server: str, projects_url: str = "") -> str:
    """Where phones fetch forms and send answers: on KoboToolbox another host than the API.

    `projects_url` is what the server itself says; it is believed only where it names the server
    or its known sibling, for the token goes there.

    >>> phones_origin("https://eu.kobotoolbox.org")
    'https://kc-eu.kobotoolbox.org'
    >>> phones_origin("http://127.0.0.1:8000")
    'http://127.0.0.1:8000'
    """
    said = origin(projects_url)
    sibling = _sibling(server)
    return server if said == server else sibling


def _sibling(server: str) -> str:
    scheme, _, host = server.partition("://")
    if host == "eu.kobotoolbox.org":
        return "https://kc-eu.kobotoolbox.org"
    if host.startswith("kf."):
        return f"{scheme}://kc.{host.removeprefix('kf.')}"
    return server


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port  # read here, for it is checked only when read
    except ValueError:
        return None
    return parts
