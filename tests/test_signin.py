"""Signing in and out: where a sign-in lies, who gets to see it, and every way it goes wrong."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import keyring
import pytest
from click.testing import CliRunner, Result

from kobosmix.cli.main import main
from kobosmix.errors import LoginRefused, ServerError, ServerUnreachable, UsageError
from kobosmix.server import system_keyring
from kobosmix.server.address import typed_server
from kobosmix.server.authorization import Secret
from kobosmix.server.client import client
from kobosmix.server.credentials import (
    Credential,
    Kind,
    Place,
    credential_for,
    keep,
    save_token,
)
from kobosmix.server.http import Connection, Patience, Request
from kobosmix.server.kinds import ask_kind
from kobosmix.server.private_file import credentials_file
from kobosmix.server.signin import connected, sign_in_central, sign_in_kobo, token_of
from tests.kobo_double import TOKEN, KoboDouble
from tests.signin_servers import (
    EMAIL,
    PAGE,
    PASSWORD,
    CentralDouble,
    MemoryKeyring,
    central,
    self_signed,
    served,
)

KOBO = "https://kf.kobotoolbox.org"
FAULTS = ["locked", "raises", "hangs", "keeps nothing"]


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nobody's own settings are read or written."""
    monkeypatch.setenv("KOBOSMIX_CONFIG_DIR", str(tmp_path / "settings"))
    for name in ("KOBOSMIX_TOKEN", "KOBOSMIX_EMAIL", "KOBOSMIX_PASSWORD", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(system_keyring, "PATIENCE_S", 0.3)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "settings"


@pytest.fixture
def safe() -> Iterator[MemoryKeyring]:
    """A system keyring that works."""
    before, mine = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(mine)
    yield mine
    mine.never.set()
    keyring.set_keyring(before)


@pytest.fixture
def kobo() -> Iterator[KoboDouble]:
    with KoboDouble().running() as double:
        yield double


@pytest.fixture
def odk() -> Iterator[CentralDouble]:
    with central() as double:
        yield double


def run(*arguments: str, typed: str | bytes = "") -> Result:
    return CliRunner().invoke(main, arguments, input=typed, catch_exceptions=False)


def login(server: str, typed: str | bytes, *options: str) -> Result:
    return run("login", "--server", server, "--stdin", *options, typed=typed)


def central_login(odk: CentralDouble, *options: str) -> Result:
    return login(odk.url, PASSWORD, "--email", EMAIL, *options)


def kobo_credential(server: str = KOBO, token: str = TOKEN) -> Credential:
    return Credential(server=server, kind=Kind.KOBO, token=token, account="alice")


def never_asked() -> Kind:
    raise AssertionError("the server was asked what it is")


def found(server: str = KOBO) -> Credential:
    return credential_for(server, never_asked)


# Where a sign-in lies


def test_the_keyring_holds_the_token_and_the_file_only_says_so(
    kobo: KoboDouble, safe: MemoryKeyring
) -> None:
    result = login(kobo.url, TOKEN)

    assert result.exit_code == 0
    assert result.stderr == (
        f"Signed in to {kobo.url} (KoboToolbox) as alice.\n"
        "The token is kept in the system keyring.\n"
    )
    assert TOKEN in "".join(safe.kept.values())
    assert TOKEN not in credentials_file().read_text("utf-8")
    assert (found(kobo.url).token, found(kobo.url).place) == (TOKEN, Place.KEYRING)


def test_without_a_keyring_a_private_file_holds_it(kobo: KoboDouble, settings: Path) -> None:
    result = login(kobo.url, f"  {TOKEN}\r\n")

    assert "credentials.json, which only you can read, for the" in result.stderr
    assert "cannot be used: this system has none" in result.stderr
    assert [path.name for path in settings.iterdir()] == ["credentials.json"]
    assert os.name != "posix" or credentials_file().stat().st_mode & 0o777 == 0o600
    assert (found(kobo.url).token, found(kobo.url).place) == (TOKEN, Place.FILE)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("locked", "it is locked"),
        ("raises", "it failed with OSError"),
        ("hangs", "it did not answer within 0.3 s"),
        ("keeps nothing", "it is switched off"),
    ],
)
def test_a_keyring_that_cannot_be_used_stops_nobody(
    kobo: KoboDouble, safe: MemoryKeyring, fault: str, said: str
) -> None:
    safe.fault = fault

    result = login(kobo.url, TOKEN)

    assert result.exit_code == 0
    assert f"cannot be used: {said}." in result.stderr
    assert TOKEN not in result.output
    assert found(kobo.url).token == TOKEN


def test_a_keyring_that_hangs_is_said_to_wait_for_somebody(
    kobo: KoboDouble, safe: MemoryKeyring
) -> None:
    safe.fault = "hangs"

    assert "in a window of its own" in login(kobo.url, TOKEN).stderr


@pytest.mark.parametrize("fault", ["locked", "raises", "hangs"])
def test_a_keyring_that_locks_later_is_told_with_what_to_do(
    safe: MemoryKeyring, fault: str
) -> None:
    keep(kobo_credential())
    safe.fault = fault
    began = time.monotonic()

    with pytest.raises(UsageError, match="lies in the system keyring, which cannot be used"):
        found()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("fault", ["locked", "hangs"])
def test_the_environment_does_without_a_keyring(
    safe: MemoryKeyring, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(kobo_credential())
    safe.fault = fault
    monkeypatch.setenv("KOBOSMIX_TOKEN", "d" * 40)

    assert found().token == "d" * 40
    assert found().place is Place.ENVIRONMENT


@pytest.mark.parametrize("fault", ["", *FAULTS])
def test_a_token_in_an_older_file_is_still_found(
    safe: MemoryKeyring, settings: Path, fault: str
) -> None:
    settings.mkdir()
    credentials_file().touch(mode=0o600)
    old = {"format": 1, "tokens": {KOBO: "a" * 40}}
    credentials_file().write_text(json.dumps(old), "utf-8")
    safe.fault = fault

    assert found().token == "a" * 40


@pytest.mark.usefixtures("safe")
def test_signing_in_again_leaves_nothing_of_an_older_file(settings: Path) -> None:
    settings.mkdir()
    credentials_file().touch(mode=0o600)
    old = {"format": 1, "tokens": {KOBO: "a" * 40, "https://eu.kobotoolbox.org": "c" * 40}}
    credentials_file().write_text(json.dumps(old), "utf-8")

    keep(kobo_credential())

    assert "a" * 40 not in credentials_file().read_text("utf-8")
    assert found().token == TOKEN
    assert found("https://eu.kobotoolbox.org").token == "c" * 40


def test_what_was_kept_last_counts_when_a_keyring_comes_back(safe: MemoryKeyring) -> None:
    keep(kobo_credential(token="a" * 40))
    safe.fault = "locked"
    keep(kobo_credential(token="c" * 40))
    safe.fault = ""

    assert found().token == "c" * 40


@pytest.mark.usefixtures("safe")
def test_a_keyring_is_found_without_the_file() -> None:
    keep(kobo_credential())
    credentials_file().unlink()

    assert found().token == TOKEN


def test_two_servers_have_two_sign_ins(safe: MemoryKeyring) -> None:
    keep(kobo_credential(token="a" * 40))
    keep(kobo_credential("https://eu.kobotoolbox.org", "c" * 40))

    assert found("https://KF.kobotoolbox.org/").token == "a" * 40
    assert found("https://eu.kobotoolbox.org").token == "c" * 40
    with pytest.raises(UsageError, match=r"signed in to https://kf\.ngo\.example"):
        found("https://kf.ngo.example")
    result = run("logout")
    assert result.exit_code == 2
    assert "name one with --server; signed in to: https://eu.kobo" in result.stderr
    assert len(safe.kept) == 2


def test_nobody_signed_in_is_told_how(settings: Path) -> None:
    with pytest.raises(UsageError, match=r"kobosmix login --server https.*KOBOSMIX_TOKEN"):
        found()
    assert not settings.exists()


@pytest.mark.parametrize("text", ["{", "[]", '{"tokens": 3}', "{}", '{"format":2}', "\xff"])
def test_a_damaged_file_is_told_before_anything_is_typed(text: str) -> None:
    save_token(KOBO, "a" * 40).write_text(text, encoding="latin-1")

    with pytest.raises(UsageError, match="is damaged"):
        found()
    result = run("login", "--server", KOBO, typed=TOKEN)
    assert result.exit_code == 2
    assert "is damaged; delete it and sign in again" in result.stderr


@pytest.mark.skipif(os.name != "posix", reason="rights of this kind are POSIX's")
def test_a_file_others_can_read_is_not_used() -> None:
    save_token(KOBO, "a" * 40).chmod(0o644)

    with pytest.raises(UsageError, match="chmod 600"):
        found()


def test_a_file_that_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    credentials_file().mkdir(parents=True, mode=0o700)

    with pytest.raises(UsageError, match="cannot be read"):
        found()
    monkeypatch.setenv("KOBOSMIX_TOKEN", "d" * 40)
    assert found().token == "d" * 40


def test_a_file_of_a_newer_kobosmix_is_left_alone() -> None:
    text = '{"format": 3, "safes": {}}'
    save_token(KOBO, "a" * 40).write_text(text, encoding="utf-8")

    with pytest.raises(UsageError, match="newer kobosmix"):
        found()
    assert credentials_file().read_text("utf-8") == text


@pytest.mark.parametrize("text", ["", "{", "[]", '{"kind":"kobo"}', '{"kind":"x","token":"y"}'])
def test_a_damaged_entry_of_the_keyring_is_told(safe: MemoryKeyring, text: str) -> None:
    keep(kobo_credential())
    safe.kept = dict.fromkeys(safe.kept, text)

    with pytest.raises(UsageError, match=r"the system keyring holds for .* is damaged"):
        found()


# Signing in to KoboToolbox


def test_a_wrong_token_is_not_kept(kobo: KoboDouble, safe: MemoryKeyring) -> None:
    result = login(kobo.url, "f" * 40)

    assert result.exit_code == 3
    assert f"sign in to {kobo.url}: the server answered 401" in result.stderr
    assert "does not know this token; nothing was kept" in result.stderr
    assert "f" * 40 not in result.output
    assert not safe.kept
    assert not credentials_file().exists()


def test_a_person_who_knows_no_token_signs_in_with_a_password() -> None:
    asked = list[str]()

    def answer(request: str, signed: str, _: bytes) -> tuple[int, object]:
        asked.append(request)
        if request == "GET /token/?format=json" and signed == "Basic YWxpY2U6cMOkc3Mgd29ydCEk":
            return 200, {"token": TOKEN}
        if request == "GET /me/" and signed == f"Token {TOKEN}":
            return 200, {"username": "alice"}
        return 401, {"detail": "Invalid username/password."}

    with served(answer) as url:
        result = run("login", typed=f"3\n{url}\n\nalice\n{PASSWORD}\n")
        refused = run("login", "--server", url, typed="\nalice\nwrong\n")
        with pytest.raises(LoginRefused, match=f"copy the token from {url}/token/"):
            token_of(url, "alice", "wrong")

    assert result.exit_code == 0
    assert f"Your token stands at {url}/token/" in result.output
    assert "1  KoboToolbox, global: https://kf.kobotoolbox.org" in result.output
    assert PASSWORD not in result.output
    assert TOKEN not in result.output
    text = credentials_file().read_text("utf-8")
    assert (TOKEN in text, "wort" in text) == (True, False)
    assert refused.exit_code == 3
    assert "second factor" in refused.output


def test_the_token_is_asked_for_hidden(kobo: KoboDouble) -> None:
    result = run("login", "--server", kobo.url, typed=f"{TOKEN}\n")

    assert result.exit_code == 0
    assert TOKEN not in result.output


def test_no_option_takes_a_secret() -> None:
    shown = run("login", "--help").output

    assert "--token" not in shown
    assert "--password " not in shown


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_token_comes_out_of_the_files_windows_writes(kobo: KoboDouble, encoding: str) -> None:
    assert login(kobo.url, f"{TOKEN}\r\n".encode(encoding)).exit_code == 0


@pytest.mark.parametrize("typed", [b"", b"\n", b"a\nb\n", b"\x80\x81", b"a b", b"\xff\xfea"])
def test_standard_input_that_is_no_token_is_told(kobo: KoboDouble, typed: bytes) -> None:
    result = login(kobo.url, typed)

    assert result.exit_code == 2
    assert "standard input must hold one line" in result.stderr or "no token has" in (
        result.stderr
    )
    assert not credentials_file().exists()


def test_standard_input_alone_does_not_say_where_to() -> None:
    assert "--server URL" in run("login", "--stdin", typed=TOKEN).stderr


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        ("https://kc.kobotoolbox.org", KOBO),
        ("ee.kobotoolbox.org/", KOBO),
        ("https://kc-eu.kobotoolbox.org", "https://eu.kobotoolbox.org"),
        ("https://ee-eu.kobotoolbox.org", "https://eu.kobotoolbox.org"),
        ("kobo.humanitarianresponse.info", "https://eu.kobotoolbox.org"),
    ],
)
def test_an_address_of_phones_is_answered_with_the_right_one(typed: str, right: str) -> None:
    result = login(typed, TOKEN)

    assert result.exit_code == 2
    assert f"The server is {right}" in result.stderr
    with pytest.raises(UsageError, match=right), connected(typed_or_whole(typed)):
        pass


def typed_or_whole(typed: str) -> str:
    return typed if "://" in typed else f"https://{typed}"


def test_https_may_be_left_out_when_typing() -> None:
    assert typed_server(" EU.kobotoolbox.org/ ") == "https://eu.kobotoolbox.org"
    with pytest.raises(UsageError, match="use https"):
        typed_server("http://eu.kobotoolbox.org")
    with pytest.raises(UsageError, match="no server address"):
        typed_server("  ")


def test_options_of_the_other_kind_are_refused(kobo: KoboDouble) -> None:
    result = login(kobo.url, TOKEN, "--keep-password")

    assert result.exit_code == 2
    assert "are for ODK Central" in result.stderr


def test_a_set_variable_is_mentioned(kobo: KoboDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOBOSMIX_TOKEN", "d" * 40)

    assert "KOBOSMIX_TOKEN is set" in login(kobo.url, TOKEN).stderr


@pytest.mark.parametrize("place", ["file", "environment"])
def test_a_token_withdrawn_later_is_told_before_the_work(
    kobo: KoboDouble, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    if place == "file":
        save_token(kobo.url, "f" * 40)
        said = f"wrong token; sign in again: kobosmix login --server {kobo.url}"
    else:
        monkeypatch.setenv("KOBOSMIX_TOKEN", "f" * 40)
        said = "does not take what KOBOSMIX_TOKEN holds"

    with pytest.raises(LoginRefused, match=said), connected(kobo.url):
        pass

    assert kobo.asked == ["GET /me/"]


def test_a_token_withdrawn_during_the_work_is_told_with_what_to_do(kobo: KoboDouble) -> None:
    save_token(kobo.url, TOKEN)
    with connected(kobo.url) as (connection, kind):
        server = client(connection, kind)
        kobo.fail("/data/", status=401, body=b'{"detail":"Invalid token."}', kind="x", times=9)

        with pytest.raises(
            LoginRefused, match=r"Invalid token; to sign in again: kobosmix login --server"
        ):
            server.submission_count("aForm")


# What answers at an address


def test_each_kind_of_server_is_known_by_its_answer(
    kobo: KoboDouble, odk: CentralDouble
) -> None:
    assert ask_kind(kobo.url) is Kind.KOBO
    assert ask_kind(odk.url) is Kind.CENTRAL
    assert all("Authorization" not in headers for headers in kobo.headers)
    assert set(odk.signatures) == {""}


@pytest.mark.parametrize(
    ("status", "content", "headers", "said"),
    [
        (200, PAGE, {}, "a network with a sign-in of its own"),
        (302, b"", {"Location": "https://portal.example/"}, "sends whoever asks to another"),
        (404, {"detail": "Not found."}, {}, "check the address for a mistake"),
        (200, {"hello": "world"}, {}, "check the address for a mistake"),
        (401, b"\x00", {}, "check the address for a mistake"),
        (401, ["detail"], {}, "check the address for a mistake"),
    ],
)
def test_what_is_neither_is_told_before_anything_is_typed(
    status: int, content: object, headers: dict[str, str], said: str
) -> None:
    signatures = list[str]()

    def answer(_: str, signed: str, __: bytes) -> tuple[int, object]:
        signatures.append(signed)
        return status, content

    with served(answer, headers=headers) as url:
        result = login(url, TOKEN)

    assert result.exit_code == 2
    assert "neither as KoboToolbox nor as ODK Central" in result.stderr
    assert said.lower() in result.stderr.lower()
    assert set(signatures) == {""}
    assert not credentials_file().exists()


def test_nobody_at_the_address_is_told() -> None:
    result = login("http://127.0.0.1:9", TOKEN)

    assert result.exit_code == 3
    assert "http://127.0.0.1:9 did not answer" in result.stderr


def test_a_broken_server_is_asked_again_and_then_told(kobo: KoboDouble) -> None:
    hasty = Patience(first_wait_s=0.01)
    kobo.fail("/me/", status=502, times=1)
    assert ask_kind(kobo.url, hasty) is Kind.KOBO

    kobo.fail("/me/", status=500, times=9)
    with pytest.raises(ServerError, match="500"):
        ask_kind(kobo.url, hasty)


# ODK Central


def test_a_session_is_kept_and_the_password_is_not(
    odk: CentralDouble, safe: MemoryKeyring
) -> None:
    result = central_login(odk)

    assert result.exit_code == 0
    assert result.stderr == (
        f"Signed in to {odk.url} (ODK Central) as {EMAIL}.\n"
        "The session, which lasts 24 hours, is kept in the system keyring.\n"
    )
    kept = found(odk.url)
    assert kept.token in odk.sessions
    assert kept.expires
    assert (kept.account, kept.kind, kept.password) == (EMAIL, Kind.CENTRAL, "")
    assert "wort" not in json.dumps([*safe.kept.values()])


def test_a_wrong_password_keeps_nothing(odk: CentralDouble, safe: MemoryKeyring) -> None:
    result = login(odk.url, "wrong", "--email", EMAIL)

    assert result.exit_code == 3
    assert "wrong e-mail address or password; nothing was kept" in result.stderr
    assert not safe.kept
    assert not credentials_file().exists()


def test_a_central_without_passwords_is_told(odk: CentralDouble) -> None:
    odk.has_passwords = False

    result = central_login(odk)

    assert result.exit_code == 3
    assert "OpenID Connect" in result.stderr


def test_central_needs_to_know_who(odk: CentralDouble) -> None:
    unnamed = login(odk.url, PASSWORD)
    typed = run("login", "--server", odk.url, typed=f"{EMAIL}\n{PASSWORD}\n")
    empty = run("login", "--server", odk.url, typed=f"{EMAIL}\n\n")

    assert (unnamed.exit_code, typed.exit_code, empty.exit_code) == (2, 0, 2)
    assert "--email" in unnamed.stderr
    assert PASSWORD not in typed.output


def test_the_session_is_checked_before_the_work(odk: CentralDouble) -> None:
    central_login(odk)
    odk.asked.clear()

    with connected(odk.url) as (connection, kind):
        assert kind is Kind.CENTRAL
        connection.send(Request(action="write", path="/v1/projects", method="POST"))

    assert odk.asked == ["GET /v1/users/current", "POST /v1/projects"]
    assert odk.signatures[-1].startswith("Bearer session1!$")


def test_a_session_that_has_ended_is_told_in_one_sentence(odk: CentralDouble) -> None:
    central_login(odk)
    odk.expire_all()

    with (
        pytest.raises(LoginRefused, match="session has ended; sign in again: kobosmix login"),
        connected(odk.url),
    ):
        pass

    assert odk.logins == 1


@pytest.mark.usefixtures("safe")
def test_a_kept_password_gets_a_new_session(odk: CentralDouble) -> None:
    result = central_login(odk, "--keep-password")
    odk.expire_all()

    with connected(odk.url) as (connection, _):
        connection.ask_json("read", "/v1/users/current")

    assert "is kept in the system keyring with the password." in result.stderr
    assert odk.logins == 2
    assert found(odk.url).token in odk.sessions
    with connected(odk.url):
        pass
    assert odk.logins == 2, "the new session was kept too"
    assert "wort" not in credentials_file().read_text("utf-8")


def test_a_session_that_ends_during_long_work_is_replaced_once_and_nothing_done_twice(
    odk: CentralDouble, safe: MemoryKeyring
) -> None:
    central_login(odk, "--keep-password")
    write = Request(action="write", path="/v1/projects", method="POST")

    with connected(odk.url) as (connection, _):
        connection.send(write)
        odk.expire_all()
        safe.fault = "locked"
        connection.send(write)
        connection.send(write)

    assert odk.logins == 2
    assert odk.written == 3


def test_a_password_changed_meanwhile_is_told(odk: CentralDouble, safe: MemoryKeyring) -> None:
    central_login(odk, "--keep-password")
    safe.kept = {key: text.replace("wort", "wert") for key, text in safe.kept.items()}
    odk.expire_all()

    with pytest.raises(LoginRefused, match="sign in again"), connected(odk.url):
        pass

    assert odk.asked.count("POST /v1/sessions") == 2


@pytest.mark.usefixtures("safe")
def test_a_server_that_refuses_every_session_is_not_asked_for_ever(odk: CentralDouble) -> None:
    odk.lifetime = timedelta(seconds=-1)
    central_login(odk, "--keep-password")
    odk.asked.clear()

    with pytest.raises(LoginRefused), connected(odk.url):
        pass

    assert odk.asked == ["GET /v1/users/current", "POST /v1/sessions", "GET /v1/users/current"]


def test_a_password_never_goes_into_a_file(odk: CentralDouble) -> None:
    result = central_login(odk, "--keep-password")

    assert "The password was not kept: it never goes into a file." in result.stderr
    assert "wort" not in credentials_file().read_text("utf-8")
    assert found(odk.url).token in odk.sessions


@pytest.mark.parametrize("hours", [-30, -5, 0, 5, 4000])
def test_a_wrong_date_on_this_laptop_changes_nothing(odk: CentralDouble, hours: int) -> None:
    odk.clock_ahead = timedelta(hours=hours)
    told = list[str]()

    result = central_login(odk)
    with connected(odk.url, told.append):
        assert told == []
    odk.clock_ahead += timedelta(hours=23, minutes=45, seconds=30)
    with connected(odk.url, told.append):
        pass

    assert "which lasts 24 hours" in result.stderr
    assert len(told) == 1
    assert "ends in 14 minutes. For longer work sign in again first: kobosmix" in told[0]


def test_the_environment_signs_in_for_one_command(
    odk: CentralDouble, safe: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KOBOSMIX_EMAIL", EMAIL)
    monkeypatch.setenv("KOBOSMIX_PASSWORD", PASSWORD)

    with connected(odk.url) as (connection, _):
        odk.expire_all()
        connection.ask_json("read", "/v1/users/current")
        assert len(odk.sessions) == 2

    assert odk.asked[-1] == "DELETE /v1/sessions/current"
    assert [token[:8] for token in odk.sessions] == ["session1"], "the one in use was ended"
    assert not safe.kept
    assert not credentials_file().exists()


def test_secrets_of_one_kind_of_server_never_go_to_the_other(
    odk: CentralDouble, kobo: KoboDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    central_login(odk)
    save_token(kobo.url, TOKEN)
    monkeypatch.setenv("KOBOSMIX_TOKEN", "d" * 40)
    with connected(odk.url):
        pass
    monkeypatch.delenv("KOBOSMIX_TOKEN")
    monkeypatch.setenv("KOBOSMIX_EMAIL", EMAIL)
    monkeypatch.setenv("KOBOSMIX_PASSWORD", PASSWORD)
    with connected(kobo.url):
        pass
    credentials_file().unlink()
    with pytest.raises(UsageError, match="nobody is signed in"), connected(kobo.url):
        pass

    assert not any("d" * 40 in signed for signed in odk.signatures)
    assert not any("/v1/sessions" in asked for asked in kobo.asked)


def test_whoever_names_another_account_does_not_act_as_this_one(
    odk: CentralDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    central_login(odk)
    monkeypatch.setenv("KOBOSMIX_EMAIL", "ben@ngo.example")
    with pytest.raises(UsageError, match=f"{EMAIL} is signed in"), connected(odk.url):
        pass

    monkeypatch.delenv("KOBOSMIX_EMAIL")
    odk.whom = "ben@ngo.example"
    with pytest.raises(UsageError, match="takes us for ben"), connected(odk.url):
        pass


def test_an_answer_without_a_session_is_told() -> None:
    contents: Sequence[Any] = (
        {},
        [],
        {"token": 3},
        {"token": "a b"},
        {"token": "x", "expiresAt": "soon"},
    )
    for content in contents:
        with served(lambda *_, content=content: (200, content)) as url:
            if isinstance(content, dict) and content.get("expiresAt"):
                assert sign_in_central(url, EMAIL, PASSWORD).lifetime is None
                continue
            with pytest.raises(ServerError, match="token"):
                sign_in_central(url, EMAIL, PASSWORD)


# Signing out


def test_signing_out_forgets_the_token(kobo: KoboDouble, safe: MemoryKeyring) -> None:
    login(kobo.url, TOKEN)

    result = run("logout")

    assert result.exit_code == 0
    assert f"Signed out of {kobo.url}." in result.stderr
    assert "The token itself stays valid" in result.stderr
    assert not safe.kept
    assert kobo.url not in credentials_file().read_text("utf-8")
    assert run("logout").exit_code == 2
    assert "nobody is signed in" in run("logout", "--server", kobo.url).stderr


def test_signing_out_ends_the_session_on_central(odk: CentralDouble) -> None:
    central_login(odk)

    result = run("logout", "--server", odk.url)

    assert result.stderr == f"Signed out of {odk.url}.\n"
    assert not odk.sessions
    assert "session1" not in credentials_file().read_text("utf-8")


def test_signing_out_needs_no_live_session_and_no_server(odk: CentralDouble) -> None:
    central_login(odk)
    odk.expire_all()
    assert run("logout").stderr == f"Signed out of {odk.url}.\n"

    with served(odk.answer) as url:
        login(url, PASSWORD, "--email", EMAIL)
    result = run("logout")
    assert result.exit_code == 0
    assert "The session ends by itself within a day; could not end the session" in result.stderr
    assert "session2" not in credentials_file().read_text("utf-8")


def test_a_keyring_that_cannot_forget_is_told(kobo: KoboDouble, safe: MemoryKeyring) -> None:
    login(kobo.url, TOKEN)
    safe.fault = "locked"

    result = run("logout")

    assert result.exit_code == 2
    assert "Unlock the keyring and try again" in result.stderr
    assert kobo.url in credentials_file().read_text("utf-8"), "so that it can be tried again"


def test_with_no_keyring_a_file_is_forgotten_all_the_same(kobo: KoboDouble) -> None:
    login(kobo.url, TOKEN)

    assert run("logout").exit_code == 0
    assert TOKEN not in credentials_file().read_text("utf-8")


# Who gets to see it


@pytest.mark.usefixtures("safe")
def test_secrets_are_in_no_log_no_message_and_no_repr(
    odk: CentralDouble, kobo: KoboDouble, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    seen = login(kobo.url, TOKEN).output + central_login(odk, "--keep-password").output
    odk.expire_all()
    with connected(kobo.url) as (connection, _):
        seen += repr(found(kobo.url)) + repr(connection) + repr(vars(connection))
    with connected(odk.url) as (connection, _):
        seen += repr(found(odk.url)) + repr(connection) + repr(vars(connection))
        seen += repr(connection.send(Request(action="x", path="/v1/users/current")))
    request = Request(action="x", path="/", json={"password": PASSWORD}, hidden=(PASSWORD,))
    seen += repr(request) + repr(Secret(TOKEN, "Token"))
    seen += run("logout", "--server", odk.url).output

    seen += caplog.text
    assert "urllib3" in seen
    assert "session2" not in seen
    assert TOKEN not in seen
    assert "wort" not in seen


def test_a_server_that_repeats_a_password_is_not_repeated() -> None:
    def answer(_: str, __: str, body: bytes) -> tuple[int, object]:
        return 400, {"message": "bad", "details": {"got": json.loads(body)}}

    with served(answer) as url, pytest.raises(ServerError, match="400") as caught:
        sign_in_central(url, EMAIL, PASSWORD)

    assert "wort" not in str(caught.value)


def test_a_token_is_renewed_for_all_connections_of_an_account() -> None:
    secret = Secret("old", "Bearer", lambda: "new")

    assert secret.renew("old")
    assert secret.token == "new"
    assert secret.renew("old"), "somebody else had it renewed meanwhile"
    assert not Secret("old", "Token").renew("old")


# Certificates


@pytest.fixture
def https(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A server whose certificate nobody knows, and the file that vouches for it."""
    with self_signed(tmp_path) as made:
        yield made


def test_a_certificate_nobody_knows_is_refused_with_what_to_do(
    https: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, certificate = https

    with pytest.raises(ServerUnreachable, match=r"could not be verified.*REQUESTS_CA_BUNDLE"):
        sign_in_kobo(url, TOKEN)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert sign_in_kobo(url, TOKEN).account == "alice"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_name("not there.pem")))
    with pytest.raises(ServerUnreachable, match="named in SSL_CERT_FILE cannot be read"):
        sign_in_kobo(url, TOKEN)


def test_nothing_turns_the_check_of_certificates_off(
    https: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("PYTHONHTTPSVERIFY", "0")

    with pytest.raises(ServerUnreachable), Connection(https[0], TOKEN) as connection:
        connection.ask_json("read", "/me/")
