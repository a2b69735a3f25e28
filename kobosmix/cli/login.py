"""`login` and `logout`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from kobosmix.cli.console import say
from kobosmix.errors import UsageError

if TYPE_CHECKING:
    from kobosmix.server.credentials import Credential, Kept

_LONGEST_INPUT = 10_000


@click.command("login")
@click.option("--server", "server_url", default="", metavar="URL", help="The server's address.")
@click.option(
    "--stdin",
    "from_stdin",
    is_flag=True,
    help="Read the token or password from standard input.",
)
@click.option("--email", default="", help="ODK Central: the e-mail address of the account.")
@click.option(
    "--keep-password",
    is_flag=True,
    help="ODK Central: keep the password too, in the system keyring, for work over a day.",
)
def login_command(
    server_url: str, *, from_stdin: bool, email: str, keep_password: bool
) -> None:
    """Sign in to KoboToolbox or ODK Central, once for all studies.

    Asks for what the server wants, unseen: on KoboToolbox the token of your account, on ODK
    Central e-mail address and password, for a session of a day. The server is asked whose it is;
    then it is kept in the system keyring, or where there is none in a file only you can read.

    \b
    kobosmix login
    kobosmix login --server https://eu.kobotoolbox.org
    kobosmix login --server https://eu.kobotoolbox.org --stdin < token.txt
    """
    from kobosmix.server.address import typed_server
    from kobosmix.server.credentials import Kind, keep
    from kobosmix.server.kinds import ask_kind
    from kobosmix.server.private_file import read_entries
    from kobosmix.server.signin import first_contact

    read_entries()  # a file that cannot be used is told before anything secret is typed
    if from_stdin and not server_url:
        raise UsageError("with --stdin name the server too: --server URL")
    server = typed_server(server_url or _chosen_server())
    kind = ask_kind(server, first_contact(server))
    if kind is Kind.CENTRAL:
        credential = _central_credential(server, email, from_stdin, keep_password)
    else:
        _refuse_central_only(server, email, keep_password)
        credential = _kobo_credential(server, from_stdin)
    say(f"Signed in to {server} ({kind.label}) as {credential.account}.")
    _tell_where(credential, keep(credential, say), keep_password)


@click.command("logout")
@click.option("--server", "server_url", default="", metavar="URL", help="The server's address.")
def logout_command(server_url: str) -> None:
    """Sign out: forget what login kept, and end the session on ODK Central.

    \b
    kobosmix logout
    kobosmix logout --server https://eu.kobotoolbox.org
    """
    from kobosmix.server.address import typed_server
    from kobosmix.server.credentials import forget, kept_credential
    from kobosmix.server.signin import sign_out

    server = typed_server(server_url) if server_url else _only_server()
    credential = kept_credential(server, say)
    if credential is None:
        raise UsageError(f"nobody is signed in to {server} on this machine")
    still_valid = sign_out(credential)
    forget(server, say)
    say(f"Signed out of {server}.")
    if still_valid:
        say(still_valid)
    _tell_environment(credential)


def _chosen_server() -> str:
    from kobosmix.server.address import EUROPEAN, GLOBAL

    say(f"1  KoboToolbox, global: {GLOBAL}")
    say(f"2  KoboToolbox, European Union: {EUROPEAN}")
    say("3  another server: your organisation's own KoboToolbox, or ODK Central")
    choice = click.prompt("Which server?", type=click.Choice(["1", "2", "3"]), err=True)
    if choice == "3":
        return str(click.prompt("Its address", err=True))
    return GLOBAL if choice == "1" else EUROPEAN


def _kobo_credential(server: str, from_stdin: bool) -> Credential:
    from kobosmix.server.signin import sign_in_kobo, token_of

    if from_stdin:
        return sign_in_kobo(server, _line_of_stdin().strip())
    say(f"Your token stands at {server}/token/ when you are signed in there in a browser,")
    say("and on its pages under Account Settings > Security > API key.")
    token = _hidden(
        "Token (nothing is shown; Enter alone to give user name and password)"
    ).strip()
    if not token:
        username = str(click.prompt("User name", err=True)).strip()
        token = token_of(server, username, _hidden("Password (it is not kept)"))
    return sign_in_kobo(server, token)


def _central_credential(
    server: str, email: str, from_stdin: bool, keep_password: bool
) -> Credential:
    from dataclasses import replace

    from kobosmix.server.signin import sign_in_central

    email = email or os.environ.get("KOBOSMIX_EMAIL", "")
    if not email and from_stdin:
        raise UsageError(f"{server} is an ODK Central: name the account with --email too")
    email = str(email or click.prompt("E-mail address", err=True)).strip()
    password = _line_of_stdin() if from_stdin else _hidden("Password (nothing is shown)")
    if not password:
        raise UsageError("no password was given; nothing was kept")
    credential = sign_in_central(server, email, password)
    return credential if keep_password else replace(credential, password="")


def _refuse_central_only(server: str, email: str, keep_password: bool) -> None:
    if email or keep_password:
        raise UsageError(
            f"{server} is a KoboToolbox, where a token signs in; --email and --keep-password are "
            "for ODK Central"
        )


def _hidden(question: str) -> str:
    answer = click.prompt(question, hide_input=True, default="", show_default=False, err=True)
    return str(answer)


def _line_of_stdin() -> str:
    content = sys.stdin.buffer.read(_LONGEST_INPUT)
    # What PowerShell writes with > is UTF-16.
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding).strip("\r\n")
    except UnicodeDecodeError:
        text = ""
    if not text or "\n" in text:
        raise UsageError(
            "standard input must hold one line of text: the token, or the password"
        )
    return text


def _tell_where(credential: Credential, kept: Kept, keep_password: bool) -> None:
    from kobosmix.server.credentials import Kind

    what = "token" if credential.kind is Kind.KOBO else f"session{_for_how_long(credential)}"
    if not kept.no_keyring:
        also = " with the password" if keep_password else ""
        say(f"The {what} is kept in the system keyring{also}.")
    else:
        say(
            f"The {what} is kept in {kept.path}, which only you can read, for the system keyring "
            f"cannot be used: {kept.no_keyring}."
        )
        if keep_password:
            say("The password was not kept: it never goes into a file.")
    _tell_environment(credential)


def _for_how_long(credential: Credential) -> str:
    if credential.lifetime is None:
        return ""
    return f", which lasts {credential.lifetime.total_seconds() / 3600:.0f} hours,"


def _tell_environment(credential: Credential) -> None:
    from kobosmix.server.credentials import TOKEN_VARIABLE, Kind

    if credential.kind is Kind.KOBO and os.environ.get(TOKEN_VARIABLE):
        say(f"{TOKEN_VARIABLE} is set in this session and goes before what login keeps.")


def _only_server() -> str:
    from kobosmix.server.credentials import known_servers

    servers = sorted(known_servers())
    if not servers:
        raise UsageError("nobody is signed in to a server on this machine")
    if len(servers) > 1:
        raise UsageError(f"name one with --server; signed in to: {', '.join(servers)}")
    return servers[0]
