"""What the client makes of a server's answers, the bad ones above all."""

from __future__ import annotations

import gzip
import json
import logging
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobosmix.errors import (
    KobosmixError,
    LoginRefused,
    ServerError,
    ServerUnreachable,
    UsageError,
)
from kobosmix.server.address import origin, phones_origin, server_origin
from kobosmix.server.answers import explanation, parse_json, wait_asked_s
from kobosmix.server.http import Connection, Patience, Request
from kobosmix.server.kobo import KoboServer
from kobosmix.server.openrosa import OpenRosaServer
from tests.kobo_double import TOKEN, KoboDouble, kobo_double, row

KOBO = "https://kf.kobotoolbox.org"


@pytest.fixture
def both() -> Iterator[tuple[KoboDouble, KoboServer]]:
    with kobo_double() as both:
        yield both


@pytest.fixture
def double(both: tuple[KoboDouble, KoboServer]) -> KoboDouble:
    return both[0]


@pytest.fixture
def server(both: tuple[KoboDouble, KoboServer]) -> KoboServer:
    return both[1]


def test_the_server_says_who_we_are(server: KoboServer) -> None:
    assert server.username() == "alice"


def test_a_wrong_token_is_a_refused_login(double: KoboDouble) -> None:
    with Connection(double.url, "f" * 40) as connection:
        server = KoboServer(connection)
        with pytest.raises(LoginRefused, match=r"could not check the token: .* 401 \(Invalid"):
            server.username()


@pytest.mark.parametrize("status", [429, 502, 503, 504, 500])
def test_a_server_that_recovers_is_asked_again(
    double: KoboDouble, server: KoboServer, status: int
) -> None:
    double.fail("/me/", status=status, times=2)

    assert server.username() == "alice"


@pytest.mark.parametrize(
    "how", [{"hang_up": True}, {"cut": True}, {"body": b'{"username": "al'}]
)
def test_an_answer_that_did_not_come_whole_is_asked_for_again(
    double: KoboDouble, server: KoboServer, how: dict[str, bool]
) -> None:
    double.fail("/me/", kind="application/json", times=2, **how)

    assert server.username() == "alice"


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"status": 500}, r"answered 500 \(an HTML error page\)"),
        ({"status": 200}, r"answered 200 \(an HTML page in place of JSON\)"),
        ({"status": 200, "body": b'{"username": NaN}'}, "no JSON"),
        ({"status": 200, "body": b'{"username": "\\ud800"}'}, "no JSON"),
        ({"status": 200, "body": b"[]", "kind": "application/json"}, "does not give"),
        ({"status": 302, "headers": {"Location": "https://evil.example/"}}, "redirect"),
        ({"status": 404, "body": b'{"detail":"Not found."}', "kind": "x"}, r"404 \(Not found"),
        ({"status": 503, "body": b""}, r"503 \(no explanation\)"),
        ({"status": 429, "headers": {"Retry-After": "86400"}}, "429 .*asks to wait 86400 s"),
    ],
)
def test_a_server_that_stays_broken_is_told_in_one_sentence(
    double: KoboDouble, server: KoboServer, how: dict[str, object], said: str
) -> None:
    double.fail("/me/", times=99, **how)

    with pytest.raises(ServerError, match=said) as caught:
        server.username()

    assert "SECRET PAGE" not in str(caught.value)
    assert len(double.asked) < 25


def test_a_broken_server_is_not_hammered(double: KoboDouble, server: KoboServer) -> None:
    double.fail("/me/", status=500, times=99)

    with pytest.raises(ServerError):
        server.username()

    assert len(double.asked) == 3


def test_a_connection_that_keeps_breaking_is_unreachable(
    double: KoboDouble, server: KoboServer
) -> None:
    double.fail("/me/", cut=True, kind="application/json", times=99)

    with pytest.raises(ServerUnreachable, match="its answer was cut off"):
        server.username()


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with (
            Connection(url, TOKEN, sleep=lambda _: None) as connection,
            pytest.raises(ServerUnreachable, match="did not answer"),
        ):
            KoboServer(connection).username()


def test_a_silent_server_is_given_up() -> None:
    patience = Patience(total_s=0.2, first_wait_s=0.01, answer_timeout_s=0.05)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with (
            Connection(url, TOKEN, patience=patience) as connection,
            pytest.raises(ServerUnreachable, match=r"no answer within 0\.05 s"),
        ):
            KoboServer(connection).username()


def test_the_server_says_how_long_to_wait_and_is_obeyed(double: KoboDouble) -> None:
    slept = list[float]()
    double.fail("/me/", status=429, headers={"Retry-After": "7"})

    with Connection(double.url, TOKEN, sleep=slept.append) as connection:
        KoboServer(connection).username()

    assert slept == [7.0]


def test_waits_grow_and_stay_within_patience(double: KoboDouble) -> None:
    slept = list[float]()
    double.fail("/me/", status=503, times=99)
    patience = Patience(total_s=60, first_wait_s=1, longest_wait_s=10)

    with (
        Connection(double.url, TOKEN, patience=patience, sleep=slept.append) as connection,
        pytest.raises(ServerError),
    ):
        KoboServer(connection).username()

    assert sum(slept) <= 60
    assert max(slept) <= 10
    assert 5 < len(slept) < 20
    assert slept[0] < slept[3]


@pytest.mark.parametrize("how", [{"status": 503}, {"status": 500}, {"hang_up": True}])
def test_what_writes_is_sent_once(
    double: KoboDouble, server: KoboServer, how: dict[str, object]
) -> None:
    double.project()
    double.fail("POST", times=99, **how)

    with pytest.raises(KobosmixError):
        server.put_media("aForm", "villages.csv", b"name,label\n")

    assert sum(asked.startswith("POST") for asked in double.asked) == 1


def test_a_write_cut_off_is_said_to_be_perhaps_done(
    double: KoboDouble, server: KoboServer
) -> None:
    double.fail("POST", hang_up=True)

    with pytest.raises(ServerUnreachable, match="may have been done all the same"):
        server.import_workbook("Form", b"{}")


def test_a_write_put_off_by_429_is_sent_again(double: KoboDouble, server: KoboServer) -> None:
    double.project()
    double.fail("POST", status=429)

    server.put_media("aForm", "villages.csv", b"name,label\n")

    assert [file.name for file in server.media("aForm")] == ["villages.csv"]


def test_the_token_is_in_no_message_and_no_log(
    double: KoboDouble, server: KoboServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    double.fail("/me/", status=400, body=f"no token {TOKEN} here".encode(), kind="text/plain")

    with pytest.raises(ServerError) as caught:
        server.username()

    seen = str(caught.value) + repr(server.connection) + repr(vars(server)) + caplog.text
    assert TOKEN not in seen
    assert "[token]" in seen


def test_the_phones_host_of_kobotoolbox_gets_the_token_too() -> None:
    with Connection(KOBO, TOKEN) as connection:
        sibling = connection.at(phones_origin(KOBO))

        assert sibling.server == "https://kc.kobotoolbox.org"
        assert TOKEN not in repr(sibling)


def test_the_token_goes_to_its_own_server_only(double: KoboDouble) -> None:
    with KoboDouble().running() as other, double.connection() as connection:
        with pytest.raises(ServerError, match="another host"):
            connection.send(Request(action="follow a link", path=f"{other.url}/me/"))
        with pytest.raises(ServerError, match="another host"):
            connection.send(Request(action="follow a link", path="//evil.example/me/"))

        assert other.asked == []


def test_a_netrc_file_does_not_replace_the_token(
    double: KoboDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login alice password pw\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    with double.connection() as connection:
        connection.ask_json("check the token", "/me/")

    assert double.headers[-1]["Authorization"] == f"Token {TOKEN}"


def test_a_compressed_answer_is_whole(double: KoboDouble, server: KoboServer) -> None:
    body = gzip.compress(b'{"username": "alice", "padding": "%s"}' % (b"x" * 9999))
    double.fail(
        "/me/", body=body, headers={"Content-Encoding": "gzip"}, kind="application/json"
    )

    assert server.username() == "alice"
    assert len(double.asked) == 1


def test_cookies_are_not_sent_back(double: KoboDouble, server: KoboServer) -> None:
    double.fail("/me/", status=503, headers={"Set-Cookie": "kobonaut=1; Path=/"})

    server.username()

    assert "Cookie" not in double.headers[-1]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("http://kf.kobotoolbox.org", "use https"),
        ("http://127.0.0.1.evil.example", "use https"),
        ("kf.kobotoolbox.org", "write https"),
        ("ftp://kf.kobotoolbox.org", "write https"),
        ("https://alice:pw@kf.kobotoolbox.org", "must not hold"),
        ("https://kf.kobotoolbox.org/#/projects", "without a page"),
        ("https://kf.kobotoolbox.org:x", "write https"),
        ("https://[::1", "write https"),
        ("", "write https"),
    ],
)
def test_an_address_that_is_none_or_unsafe_is_refused(typed: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        server_origin(typed)


@pytest.mark.parametrize(
    "typed", ["http://localhost:8000/", "http://127.0.0.5", "http://[::1]:80", "https://x.org"]
)
def test_this_machine_needs_no_https(typed: str) -> None:
    assert server_origin(typed)


def test_one_server_has_one_spelling() -> None:
    assert origin("HTTPS://KF.KoboToolbox.org:443/x") == KOBO
    assert origin("http://[::1]:80/") == "http://[::1]"
    assert origin("https://kf.kobotoolbox.org:8443") != KOBO
    assert origin("mailto:alice") == ""


@pytest.mark.parametrize(
    ("server", "said", "phones"),
    [
        (KOBO, "https://kc.kobotoolbox.org/alice", "https://kc.kobotoolbox.org"),
        ("https://eu.kobotoolbox.org", "", "https://kc-eu.kobotoolbox.org"),
        (
            "https://eu.kobotoolbox.org",
            "https://evil.example/a",
            "https://kc-eu.kobotoolbox.org",
        ),
        ("https://kf.ngo.example", "https://kf.ngo.example/alice", "https://kf.ngo.example"),
        ("http://127.0.0.1:8000", "http://evil.example/alice", "http://127.0.0.1:8000"),
        ("https://kobo.example", "https://other.example/alice", "https://kobo.example"),
    ],
)
def test_phones_have_a_host_of_their_own_on_kobotoolbox(
    server: str, said: str, phones: str
) -> None:
    assert phones_origin(server, said) == phones


@pytest.mark.parametrize("token", ["", "a b", "a\nX-Evil: 1", "ü" * 40])
def test_a_token_that_is_none_is_refused_before_it_is_sent(token: str) -> None:
    with pytest.raises(UsageError, match="no token has"):
        Connection(KOBO, token)


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b'{"detail":"Not found."}', "Not found."),
        (b'{"name":["too long","too odd"]}', "name: too long; name: too odd"),
        (b'["No submissions match"]', "No submissions match"),
        (b'{"error":"ODK:\\n>> bad\\n","error_type":null}', "ODK: >> bad"),
        (b"<root><detail>Not found.</detail></root>", "Not found."),
        (b"<html><body>stack trace</body></html>", "an HTML error page"),
        (b"\x1b[31mred\x07", "[31mred"),
        (b"\xff\xfe", "��"),
        (b"", "no explanation"),
        (b"{}", "no explanation"),
    ],
)
def test_every_shape_of_refusal_becomes_one_line(body: bytes, line: str) -> None:
    assert explanation("", body) == line


@given(st.binary(max_size=2000), st.sampled_from(["", "text/html", "application/json"]))
def test_any_body_becomes_one_short_printable_line(body: bytes, kind: str) -> None:
    line = explanation(kind, body)

    assert line
    assert line.isprintable()
    assert len(line) <= 400


def test_emoji_written_as_escapes_are_no_fault() -> None:
    assert parse_json(b'{"a": "\\ud83d\\ude00"}') == {"a": "\U0001f600"}


def test_retry_after_is_read_in_both_spellings() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)

    assert wait_asked_s("30") == 30
    assert 50 < (wait_asked_s(soon) or 0) <= 60
    assert wait_asked_s("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    by_its_own_clock = "Wed, 21 Oct 2015 07:27:30 GMT"
    assert wait_asked_s("Wed, 21 Oct 2015 07:28:00 GMT", by_its_own_clock) == 30
    assert wait_asked_s("soon") is None
    assert wait_asked_s("") is None


def test_an_import_is_over_when_the_server_says_so(
    double: KoboDouble, server: KoboServer
) -> None:
    double.slow_polls = 3

    uid = server.import_workbook("Form", b'{"constants": {"kx_study": "gaziantep"}}')

    assert server.asset(uid).constants == {"kx_study": "gaziantep"}


def test_an_import_that_never_ends_is_given_up(double: KoboDouble, server: KoboServer) -> None:
    double.slow_polls = 999

    with pytest.raises(ServerUnreachable, match="was not done with it after"):
        server.import_workbook("Form", b"{}")


def test_what_the_server_finds_wrong_with_a_workbook_is_told(server: KoboServer) -> None:
    with pytest.raises(ServerError, match="Duplicate node name: a"):
        server.import_workbook("Form", b'{"refused": "Duplicate node name: a"}')


def test_a_workbook_takes_the_place_of_a_project(
    double: KoboDouble, server: KoboServer
) -> None:
    first = server.import_workbook("Form", b'{"constants": {"v": "1"}}')

    assert server.import_workbook("Form", b'{"constants": {"v": "2"}}', replace=first) == first
    assert len(double.projects) == 1
    assert server.asset(first).constants == {"v": "2"}


def test_a_form_is_deployed_and_then_redeployed(double: KoboDouble, server: KoboServer) -> None:
    uid = server.import_workbook("Form", b'{"constants": {"v": "1"}}')
    assert not server.asset(uid).is_live

    assert server.deploy(uid).is_live
    server.import_workbook("Form", b'{"constants": {"v": "2"}}', replace=uid)
    assert not server.asset(uid).is_live
    assert server.deploy(uid).is_live
    assert double.projects[uid].deployments == 2


def test_what_makes_a_form_invalid_is_told_in_the_servers_words(server: KoboServer) -> None:
    uid = server.import_workbook("Form", b'{"invalid": true}')

    with pytest.raises(ServerError, match=r"ODK Validate Errors: >> XForm is invalid"):
        server.deploy(uid)


def test_a_project_that_is_not_there_is_none(server: KoboServer) -> None:
    assert server.find_asset("aGone") is None
    with pytest.raises(ServerError, match="404"):
        server.asset("aGone")


def test_every_project_of_a_long_list_is_seen_once(
    double: KoboDouble, server: KoboServer
) -> None:
    for number in range(230):
        double.project(f"a{number}")

    assert [asset.uid for asset in server.assets()] == [f"a{n}" for n in range(230)]


def test_a_file_is_replaced_and_reaches_phones_after_the_deploy(
    double: KoboDouble, server: KoboServer
) -> None:
    uid = server.import_workbook("Form", b"{}")
    server.put_media(uid, "villages.csv", b"old")
    server.put_media(uid, "villages.csv", b"new")
    server.deploy(uid)
    double.late_manifest = 0

    [file] = server.media(uid)
    assert server.fielded_media(uid) == {"villages.csv": file.md5}


def test_phones_get_the_form(double: KoboDouble, server: KoboServer) -> None:
    double.project(fielded="<model/>")

    assert "<model/>" in server.fielded_form("aForm")
    assert [form.uid for form in server.phones.form_list()] == ["aForm"]


def test_a_form_phones_are_not_offered_is_told(server: KoboServer) -> None:
    with pytest.raises(ServerError, match="phones are not offered it"):
        server.fielded_form("aForm")


@pytest.mark.parametrize("body", [b"<xforms><xform>", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x/>"])
def test_xml_that_is_broken_or_dangerous_is_not_read(
    double: KoboDouble, server: KoboServer, body: bytes
) -> None:
    double.fail("/formList", body=body, kind="text/xml")

    with pytest.raises(ServerError, match="XML"):
        server.phones.form_list()


def test_a_submission_is_sent_as_a_phone_sends_it(
    double: KoboDouble, server: KoboServer
) -> None:
    sent = server.phones.submit(b"<aForm/>")

    assert sent.is_new
    assert double.submitted == [b"<aForm/>"]
    assert double.asked[-1] == "POST /submission"
    assert double.headers[-1]["Accept"] == "*/*"


def test_a_submission_the_server_has_already_is_no_fault(
    double: KoboDouble, server: KoboServer
) -> None:
    double.fail("/submission", status=202, body=b"Duplicate Instance")

    assert not server.phones.submit(b"<aForm/>").is_new


@pytest.mark.parametrize("how", [{"status": 423}, {"status": 503}, {"hang_up": True}])
def test_a_submission_is_sent_until_it_is_in(
    double: KoboDouble, server: KoboServer, how: dict[str, object]
) -> None:
    double.fail("/submission", times=2, **how)

    assert server.phones.submit(b"<aForm/>").status == 201


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "no explanation"),
        (404, "no form on this server takes it"),
        (405, "closed for new submissions"),
        (409, "same instanceID is there already"),
        (410, "corrected since"),
        (400, "Instance ID is required"),
    ],
)
def test_a_submission_refused_is_told_and_not_sent_again(
    double: KoboDouble, server: KoboServer, status: int, said: str
) -> None:
    body = b"<r><message>Instance ID is required</message></r>" if status == 400 else b""
    double.fail("/submission", status=status, body=body, kind="text/xml", times=9)
    phones: OpenRosaServer = server.phones
    double.asked.clear()

    with pytest.raises(ServerError, match=said) as caught:
        phones.submit(b"<aForm/>")

    assert isinstance(caught.value, LoginRefused) == (status == 401)
    assert double.asked == ["POST /submission"]


def test_rows_that_were_not_asked_for_are_left_out_of_a_page(
    double: KoboDouble, server: KoboServer
) -> None:
    double.project(rows=[row(number) for number in (1, 2, 3)])
    mixed = {"count": 1, "results": [row(3), row(1), row(3)]}
    double.fail("/data/", body=json.dumps(mixed).encode(), kind="application/json")

    page = server.rows("aForm", "2", 5)

    assert [each.server_id for each in page.entries] == ["3"]
    assert (page.cursor, page.is_last) == ("3", True)


def test_a_full_page_is_never_the_last_whatever_the_count_says(
    double: KoboDouble, server: KoboServer
) -> None:
    double.project(rows=[row(number) for number in (1, 2, 3)])
    lagging = {"count": 2, "results": [row(1), row(2)]}
    double.fail("/data/", body=json.dumps(lagging).encode(), kind="application/json")

    assert not server.rows("aForm", "", 2).is_last


def test_rows_come_after_an_id_and_say_whether_more_remain(
    double: KoboDouble, server: KoboServer
) -> None:
    double.project(rows=[row(number) for number in (5, 3, 9)])

    page = server.rows("aForm", "3", 1)

    assert [each.server_id for each in page.entries] == ["5"]
    assert (page.cursor, page.is_last) == ("5", False)
    assert server.rows("aForm", page.cursor, 2).is_last
    assert [each.server_id for each in server.rows_of("aForm", ["9", "4", "3"])] == ["3", "9"]
    assert server.submission_count("aForm") == 3


def test_the_fielded_version_can_be_read_back(double: KoboDouble, server: KoboServer) -> None:
    double.project(workbook={"constants": {"kx_build": "b1"}})

    assert server.version_constants("aForm", "v1") == {"kx_build": "b1"}
