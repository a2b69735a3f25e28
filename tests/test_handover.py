"""After deploying: the page for the team, QR codes, web links, and personal links to send."""

from __future__ import annotations

import base64
import json
import re
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import segno

from kobosmix.errors import StudyError
from kobosmix.handover import write_handover
from kobosmix.handover.phone_settings import phone_settings, settings_code
from kobosmix.handover.qr import qr_svg
from kobosmix.people import ids, links
from kobosmix.people.links import with_link_tokens
from kobosmix.people.model import SPARE, WITHDRAWN, Register
from kobosmix.people.register import add_respondents, write_register
from kobosmix.prepare import Prepared, prepare
from kobosmix.server.http import Connection
from kobosmix.server.kobo import KoboServer
from kobosmix.study import Study
from kobosmix.xlsx import Sheet, read_rows, records, workbook_bytes
from tests.english_study import CONTEXT, changed, write_study

SAMPLES = Path(__file__).parent.parent / "sample_forms"
ALONE = changed(("mode: interview", "mode: self_administered"))
ENKETO = {
    "url": "https://ee.example.org/AbCd12",
    "single_url": "https://ee.example.org/single/AbCd12",
}
OPEN = {
    "user": "http://x/api/v2/users/AnonymousUser/",
    "permission": "http://x/api/v2/permissions/add_submissions/",
}


@dataclass
class Projects:
    """What the server says of every project."""

    links: dict[str, str] = field(default_factory=lambda: dict(ENKETO))
    permissions: list[dict[str, str]] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)


@contextmanager
def serving(projects: Projects) -> Iterator[KoboServer]:
    """A server that is asked about projects only."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            uid = self.path.strip("/").rpartition("/")[2]
            told: dict[str, Any] = {"username": "alice", "projects_url": ""}
            if uid != "me":
                told = {
                    "name": f"Project {uid}",
                    "deployment__links": projects.links,
                    "permissions": projects.permissions,
                    "deployment__active": uid not in projects.closed,
                }
            body = json.dumps(told).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Silence."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with Connection(f"http://127.0.0.1:{server.server_port}", "t" * 40) as connection:
            yield KoboServer(connection)
        server.shutdown()


@pytest.fixture
def projects() -> Projects:
    return Projects()


@pytest.fixture
def server(projects: Projects) -> Iterator[KoboServer]:
    with serving(projects) as server:
        yield server


def study_of(folder: Path, text: str = ALONE) -> Study:
    """Three locals, two newcomers, a spare number, and somebody who withdrew."""
    study = write_study(folder, text)
    fresh = ids.issue_ids(7, ())
    register = add_respondents(Register(), fresh[:3], group="locals", site="north")
    register = add_respondents(register, fresh[3:5], group="syrians")
    register = add_respondents(register, fresh[5:6], group="locals", status=SPARE)
    register = add_respondents(register, fresh[6:], group="locals", status=WITHDRAWN)
    write_register(study.register_file, register)
    return study


def prepared_of(study: Study) -> Prepared:
    found = prepare(study, engines=False)
    found.sound()
    return found


def uids(prepared: Prepared, wave: str = "pre") -> dict[str, str]:
    return {b.key: f"a{b.key}" for b in prepared.forms if b.codebook.wave == wave}


def hand_over(study: Study, server: KoboServer, **how: Any) -> list[Path]:
    prepared = prepared_of(study)
    return write_handover(prepared, server, uids(prepared), **how)


def sheet(study: Study, name: str) -> list[dict[str, str]]:
    rows = records(read_rows(study.handover_folder / name, "links"))
    return [{column: str(cell) for column, cell in row.items()} for row in rows]


def tokens(study: Study) -> dict[str, str]:
    register = prepared_of(study).register
    return {each.id: each.link_token for each in register.respondents if each.link_token}


def decoded(code: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(code)))
    return found


def test_the_code_for_a_phone_is_what_collect_reads_and_has_no_password() -> None:
    said = decoded(settings_code(phone_settings("https://kc.example.org", "جيران", "tun_01")))

    assert said == {
        "general": {
            "server_url": "https://kc.example.org",
            "username": "tun_01",
            "form_update_mode": "match_exactly",
            "autosend": "wifi_and_cellular",
        },
        "admin": {},
        "project": {"name": "جيران"},
    }
    assert "username" not in phone_settings("https://kc.example.org", "x")["general"]


def test_the_drawn_code_is_the_code_of_the_text_with_a_white_border() -> None:
    text = "https://ee.example.org/single/AbCd12?lang=ar"
    svg = qr_svg(text)

    # Dark runs as segno's own path tells them: 'm' moves, 'h' draws to the right.
    # The last path: below it lies the white square.
    paths = re.findall(r' d="([^"]+)"', svg)
    size = re.search(r'viewBox="0 0 (\d+) ', svg)
    assert size
    drawn, x, y = set[tuple[int, int]](), 0.0, 0.0
    for move, numbers in re.findall(r"([Mmh])([-\d. ]+)", paths[-1]):
        values = [float(each) for each in numbers.split()]
        if move == "h":
            drawn |= {(int(x) + step, int(y)) for step in range(int(values[0]))}
            x += values[0]
        else:
            x, y = (values[0], values[1]) if move == "M" else (x + values[0], y + values[1])
    matrix = segno.make(text, error="m", micro=False).matrix
    dark = {(c + 4, r + 4) for r, row in enumerate(matrix) for c, bit in enumerate(row) if bit}
    assert drawn == dark
    assert int(size[1]) == len(matrix) + 8


def test_the_page_is_one_file_with_the_server_the_forms_and_a_link_per_language(
    tmp_path: Path, server: KoboServer
) -> None:
    study = study_of(tmp_path, CONTEXT)

    (page,) = hand_over(study, server, senders={"en02": "acc_2", "en01": "acc_1"})

    text = page.read_text(encoding="utf-8")
    assert page.relative_to(study.root).as_posix() == "handover/handover.html"
    assert not re.findall(r'(?:src|url\(|<link|@import)=?\s*["\']?https?:', text)
    assert server.phones.url in text
    assert "Project apre_locals" in text
    assert text.count("https://ee.example.org/AbCd12?lang=en</a>") == 2
    assert text.index("acc_1") < text.index("acc_2")
    assert "EXERCISE" not in text
    assert "post" not in re.findall(r'<td class="short">(\w+)</td>', text)
    assert text.count('class="qr"') == 2 + 2


def test_without_web_forms_the_page_says_so_and_nobody_is_given_a_link(
    tmp_path: Path, projects: Projects, server: KoboServer
) -> None:
    projects.links = {}
    study = study_of(tmp_path)
    before = study.register_file.read_bytes()

    (page,) = hand_over(study, server)

    assert "This server has no web forms" in page.read_text(encoding="utf-8")
    assert study.register_file.read_bytes() == before


@pytest.mark.parametrize("mark", ["EXERCISE", "PRETEST"])
def test_an_exercise_says_so_in_a_page_of_its_own_and_gives_nobody_a_link(
    tmp_path: Path, server: KoboServer, mark: str
) -> None:
    study = study_of(tmp_path)

    (page,) = hand_over(study, server, mark=mark)

    assert page.name == f"handover_{mark.lower()}.html"
    assert f'<p class="mark">{mark}</p>' in page.read_text(encoding="utf-8")
    assert tokens(study) == {}


def test_whether_people_without_an_account_get_in_is_told(
    tmp_path: Path, projects: Projects, server: KoboServer
) -> None:
    study = study_of(tmp_path)

    page, *_ = hand_over(study, server)
    closed = page.read_text(encoding="utf-8")
    projects.permissions = [OPEN]
    hand_over(study, server)

    warning = "without a username and password"
    assert warning in closed
    assert warning not in page.read_text(encoding="utf-8")


def test_each_active_person_has_one_row_and_a_link_that_only_the_register_understands(
    tmp_path: Path, server: KoboServer
) -> None:
    study = study_of(tmp_path)

    written = hand_over(study, server)

    assert [path.name for path in written[1:]] == [
        "links_pre_locals.xlsx",
        "links_pre_syrians.xlsx",
    ]
    rows = [*sheet(study, "links_pre_locals.xlsx"), *sheet(study, "links_pre_syrians.xlsx")]
    assert list(rows[0]) == ["id", "group", "language", "link", "link_en"]
    known = tokens(study)
    assert {row["id"] for row in rows} == known.keys()
    assert len(set(known.values())) == len(known) == 5
    for row in rows:
        query = parse_qs(urlsplit(row["link"]).query)
        path = f"d[/apre_{row['group']}/staff/link_token]"
        assert query == {"lang": ["en"], path: [known[row["id"]]]}
        assert row["id"] not in row["link"]
        assert not set("[]") & set(row["link"])
    first_read = str(read_rows(study.handover_folder / "links_pre_locals.xlsx", "read first"))
    assert "one person's" in first_read


def test_the_language_of_a_person_is_that_of_the_register_if_the_form_has_it(
    tmp_path: Path, server: KoboServer
) -> None:
    text = (SAMPLES / "tunisia" / "context.yaml").read_text(encoding="utf-8")
    alone = text.replace("mode: interview", "mode: self_administered")
    (tmp_path / "context.yaml").write_text(alone, encoding="utf-8")
    study = Study(tmp_path)
    fresh = ids.issue_ids(4, ())
    french, unsaid, sudanese = fresh[:1], fresh[1:2], fresh[2:]
    register = add_respondents(Register(), [*french, *unsaid], group="tun")
    register = add_respondents(register, sudanese, group="sdn")
    languages = dict.fromkeys([*french, sudanese[0]], "fr")
    people = (
        replace(each, language=languages.get(each.id, "")) for each in register.respondents
    )
    write_register(study.register_file, Register(tuple(people)))

    hand_over(study, server)

    rows = {row["id"]: row for row in sheet(study, "links_pre_tun.xlsx")}
    rows |= {row["id"]: row for row in sheet(study, "links_pre_sdn.xlsx")}
    own = {rid: (row["language"], row["link"]) for rid, row in rows.items()}
    assert own[french[0]] == ("fr", rows[french[0]]["link_fr"])
    assert own[unsaid[0]] == ("ar-TN", rows[unsaid[0]]["link_ar-TN"])
    assert {own[rid][0] for rid in sudanese} == {"ar-TN"}
    assert "?lang=fr&" in own[french[0]][1]
    assert "?lang=ar&" in own[unsaid[0]][1]


def test_links_stay_when_they_are_written_again_and_only_newcomers_get_new_ones(
    tmp_path: Path, server: KoboServer
) -> None:
    study = study_of(tmp_path)
    hand_over(study, server)
    before, file = tokens(study), study.handover_folder / "links_pre_locals.xlsx"
    bytes_before = file.read_bytes()

    hand_over(study, server)
    assert (tokens(study), file.read_bytes()) == (before, bytes_before)

    known = prepared_of(study).register
    new = ids.issue_ids(1, set(known.by_id))
    write_register(study.register_file, add_respondents(known, new, group="locals"))
    hand_over(study, server)
    after = tokens(study)
    assert {rid: after[rid] for rid in before} == before
    assert after.keys() - before.keys() == set(new)


def test_tokens_are_of_160_random_bits() -> None:
    people = add_respondents(Register(), ids.issue_ids(200, ()), group="locals")
    asked = list[int]()

    def draw(number: int) -> bytes:
        asked.append(number)
        return bytes([255] * number)

    (only,) = with_link_tokens(Register(people.respondents[:1]), draw).respondents
    drawn = {each.link_token for each in with_link_tokens(people).respondents}

    assert asked == [20]
    assert only.link_token == "7" * 32
    assert len(drawn) == 200
    assert all(re.fullmatch("[a-z2-7]{32}", token) for token in drawn)


def test_a_token_in_two_rows_or_of_a_wrong_form_is_an_error(
    tmp_path: Path, server: KoboServer
) -> None:
    study = study_of(tmp_path)
    hand_over(study, server)
    header, *rows = read_rows(study.register_file)
    place = header.index("link_token")
    given = [row for row in rows if row[place]]
    given[1][place], given[2][place] = given[0][place], "abc"
    write_rows(study, [header, *rows])

    codes = [each.code for each in prepare(study, engines=False).findings]

    assert {"R113", "R114"} <= set(codes)


def test_a_column_of_tokens_that_was_sorted_or_emptied_is_an_error(
    tmp_path: Path, server: KoboServer
) -> None:
    study = study_of(tmp_path)
    hand_over(study, server)
    header, *rows = read_rows(study.register_file)
    place = header.index("link_token")
    given = [row for row in rows if row[place]]
    given[0][place], given[1][place] = given[1][place], given[0][place]
    given[2][place] = None
    write_rows(study, [header, *rows])

    found = [each for each in prepare(study, engines=False).findings if each.code == "R207"]

    assert [str(each.problem)[:1] for each in found] == ["3"]
    assert links.EXPLANATIONS["R207"][1] == found[0].remedy


def test_what_people_added_to_the_register_is_not_lost_to_issuing_links(
    tmp_path: Path, server: KoboServer
) -> None:
    study = study_of(tmp_path)
    header, *rows = read_rows(study.register_file)
    write_rows(study, [[*header, "remark"], *([*row, "x"] for row in rows)])
    before = study.register_file.read_bytes()

    with pytest.raises(StudyError, match="something of your own"):
        hand_over(study, server)

    assert study.register_file.read_bytes() == before
    assert not (study.handover_folder / "links_pre_locals.xlsx").exists()


def test_a_sheet_of_links_that_is_open_elsewhere_is_named_and_nothing_is_lost(
    tmp_path: Path, server: KoboServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_of(tmp_path)
    hand_over(study, server)
    before, file = tokens(study), study.handover_folder / "links_pre_locals.xlsx"
    kept, replace_file = file.read_bytes(), Path.replace

    def held(source: Path, target: Path) -> Path:
        if Path(target).name == file.name:
            raise PermissionError
        return replace_file(source, target)

    monkeypatch.setattr(Path, "replace", held)
    with pytest.raises(StudyError, match=r"links_pre_locals\.xlsx is open in another program"):
        hand_over(study, server)

    assert file.read_bytes() == kept
    assert tokens(study) == before


def test_nothing_of_a_person_is_in_what_travels_with_the_form_or_on_the_page(
    tmp_path: Path, server: KoboServer
) -> None:
    study = study_of(tmp_path)
    page, *_ = hand_over(study, server)
    prepared = prepared_of(study)

    carried = [
        *prepared.media().values(),
        *(str(b.form.sheets()).encode() for b in prepared.forms),
    ]
    text = b"".join([*carried, page.read_bytes()]).decode()
    for each in prepared.register.respondents:
        assert each.id not in text
        assert not each.link_token or each.link_token not in text
        assert not each.link_token or each.link_token not in repr(each)
    assert prepared.media() == {}


def test_a_form_that_is_closed_is_not_shown_and_nobody_is_sent_there(
    tmp_path: Path, projects: Projects, server: KoboServer
) -> None:
    study = study_of(tmp_path)
    projects.closed = {"apre_locals"}

    page, *files = hand_over(study, server)

    assert "apre_locals" not in page.read_text(encoding="utf-8")
    assert [file.name for file in files] == ["links_pre_syrians.xlsx"]


def test_forms_that_are_nowhere_have_no_page(tmp_path: Path, server: KoboServer) -> None:
    study = study_of(tmp_path)

    with pytest.raises(StudyError, match="'kobosmix deploy' comes first"):
        write_handover(prepared_of(study), server, {})

    assert not study.handover_folder.exists()


def write_rows(study: Study, rows: list[list[Any]]) -> None:
    sheet = Sheet(title="register", rows=rows, text_columns=(0,))
    study.register_file.write_bytes(workbook_bytes([sheet]))
