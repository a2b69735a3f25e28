"""The store: append-only, whole, and never guessing about a file it cannot read."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobosmix.errors import StudyError
from kobosmix.server.kobo_rows import RowRefused, head_of, row_of
from kobosmix.store import AssetCounts, Change, Fate, Head, Store, Sweep, Tally, open_store
from kobosmix.store.content import DROPPED_FIELDS, keep, without_dropped
from tests.kobo_double import row


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with open_store(path) as opened:
        yield opened


def sweep_all(store: Store, *rows: Mapping[str, Any], asset: str = "aForm") -> Tally:
    sweep = store.begin_sweep(asset, anew=True)
    sweep = write(store, sweep, *rows)
    return store.finish_sweep(sweep, len(rows))


def write(store: Store, sweep: Sweep, *rows: Mapping[str, Any]) -> Sweep:
    last = max((each["_id"] for each in rows), default=0)
    return store.write_page(sweep, [row_of(each) for each in rows], str(last))


def test_a_submission_comes_out_as_it_went_in_less_the_device(store: Store) -> None:
    sweep_all(store, row(7, deviceid="phone:1", member=[{"member/age": "20"}]))

    [stored] = store.current()

    assert stored.key == "aForm/root-7"
    assert (stored.asset_uid, stored.root_uuid, stored.server_id) == ("aForm", "root-7", "7")
    assert stored.received == "2026-11-24T02:19:43Z"
    assert stored.content["member"] == [{"member/age": "20"}]
    assert not {"deviceid", "_geolocation", "_submitted_by"} & stored.content.keys()


def test_submissions_come_by_form_and_by_the_number_of_the_server(store: Store) -> None:
    sweep_all(store, row(10), row(9), asset="b")
    sweep_all(store, row(11), row(2), asset="a")

    assert [(s.asset_uid, s.server_id) for s in store.current()] == [
        ("a", "2"), ("a", "11"), ("b", "9"), ("b", "10"),
    ]  # fmt: skip


def test_the_same_rows_again_store_nothing(store: Store) -> None:
    assert sweep_all(store, row(1), row(2)) == Tally(new=2)
    assert sweep_all(store, row(1), row(2)) == Tally(unchanged=2)
    assert store.counts()["aForm"].versions == 2


def test_an_edit_is_added_and_the_first_answer_kept(store: Store) -> None:
    sweep_all(store, row(1))

    tally = sweep_all(store, row(1, **{"interview/trust_1": "5"}))

    assert tally == Tally(edited=1)
    first, second = store.history("aForm/root-1")
    assert first.content is not None
    assert second.content is not None
    assert first.content["interview/trust_1"] == "4"
    assert second.content["interview/trust_1"] == "5"
    assert [s.content["interview/trust_1"] for s in store.current()] == ["5"]


def test_what_only_the_phone_and_its_place_say_is_no_edit(store: Store) -> None:
    sweep_all(store, row(1))

    assert sweep_all(store, row(1, _geolocation=[1, 2], _submitted_by="bob")) == Tally(
        unchanged=1
    )


def test_a_supervisors_verdict_is_kept_without_their_name(store: Store) -> None:
    verdict = {"uid": "validation_status_approved", "by_whom": "alice", "timestamp": 1}
    sweep_all(store, row(1, _validation_status=verdict))

    [stored] = store.current()

    assert stored.validation == "validation_status_approved"
    assert "alice" not in json.dumps(dict(stored.content))


def test_a_deleted_submission_leaves_a_tombstone_and_its_history(store: Store) -> None:
    sweep_all(store, row(1), row(2))

    assert sweep_all(store, row(2)) == Tally(deleted=1, unchanged=1)
    assert sweep_all(store, row(2)) == Tally(unchanged=1)
    assert [s.server_id for s in store.current()] == ["2"]
    assert [v.fate for v in store.history("aForm/root-1")] == [Fate.NEW, Fate.DELETED]
    assert store.counts()["aForm"].deleted == 1


def test_a_submission_sent_again_after_deletion_comes_back_under_its_key(store: Store) -> None:
    sweep_all(store, row(1))
    sweep_all(store)
    back = {**row(9), "meta/rootUuid": "uuid:root-1"}

    assert sweep_all(store, back) == Tally(restored=1)
    assert [(s.key, s.server_id) for s in store.current()] == [("aForm/root-1", "9")]


def test_two_rows_under_one_uuid_are_both_kept_and_stay_put(store: Store) -> None:
    twin = {**row(2), "meta/rootUuid": "uuid:root-1"}

    assert sweep_all(store, row(1), twin) == Tally(new=2)
    assert sweep_all(store, row(1), twin) == Tally(unchanged=2)
    assert [s.server_id for s in store.current()] == ["1", "2"]


def test_a_twin_on_a_page_where_the_other_is_unchanged_does_not_take_its_place(
    store: Store,
) -> None:
    sweep_all(store, row(1))
    twin = {**row(2), "meta/rootUuid": "uuid:root-1"}

    sweep = store.begin_sweep("aForm")
    sweep = store.write_page(sweep, [row_of(twin)], "2", unchanged=[head_of(row(1))])

    assert store.finish_sweep(sweep, 2) == Tally(new=1, unchanged=1)
    assert [s.server_id for s in store.current()] == ["1", "2"]


def test_one_deleted_and_sent_again_during_a_sweep_keeps_its_key(store: Store) -> None:
    again = {**row(9), "meta/rootUuid": "uuid:root-1"}
    # The first page had it, and a later one has it again under its new number.
    sweep = write(store, store.begin_sweep("aForm"), row(1))
    assert write(store, sweep, again).seen == 2

    sweep = store.begin_sweep("aForm", anew=True)
    assert store.changed(sweep, [head_of(again)]) == ("9",)
    store.finish_sweep(write(store, sweep, again), 1)

    assert [(s.key, s.server_id) for s in store.current()] == [("aForm/root-1", "9")]


def test_what_a_supervisor_says_and_a_late_file_are_no_edits(store: Store) -> None:
    first = [row(number, note="x.jpg") for number in (1, 2, 3)]
    sweep_all(store, *first)
    verdict = {"uid": "validation_status_approved", "by_whom": "alice", "timestamp": 1}
    photo = [{"uid": "att1", "media_file_basename": "x.jpg", "is_deleted": False}]

    now = (
        row(1, note="x.jpg", _validation_status=verdict),
        row(2, note="x.jpg", _attachments=photo),
        row(3, note="y.jpg", _attachments=photo, _validation_status=verdict),
    )

    assert sweep_all(store, *now) == Tally(reviewed=1, media=1, edited=1)
    assert list(store.changes("aForm")) == [
        Change(asset_uid="aForm", key="aForm/root-1", server_id="1", fate=Fate.REVIEWED),
        Change(asset_uid="aForm", key="aForm/root-2", server_id="2", fate=Fate.MEDIA),
        Change(
            asset_uid="aForm",
            key="aForm/root-3",
            server_id="3",
            fate=Fate.EDITED,
            fields=("note",),
        ),
    ]
    assert sweep_all(store, *now) == Tally(unchanged=3)
    assert list(store.changes("aForm")) == []


def test_only_what_is_not_as_before_has_to_be_read(store: Store) -> None:
    sweep_all(store, row(1), row(2), row(3))
    sweep_all(store, row(1), row(2))
    sweep = store.begin_sweep("aForm")
    edited = {**row(2), "_uuid": "edit-of-2"}

    heads = [head_of(each) for each in (row(1), edited, row(3), row(4))]

    assert store.changed(sweep, heads) == ("2", "3", "4")
    assert store.changed(sweep, [Head(server_id="1", mark="")]) == ("1",)


def test_rows_out_of_a_file_bury_nothing(store: Store) -> None:
    sweep_all(store, row(1), row(2))

    found = store.add_rows({"aForm": [row_of(row(2)), row_of(row(3))], "another": []})

    assert found == {"aForm": Tally(new=1, unchanged=1), "another": Tally()}
    assert [s.server_id for s in store.current()] == ["1", "2", "3"]
    assert sweep_all(store, row(1), row(2)) == Tally(deleted=1, unchanged=2)


def test_rows_that_differ_from_the_store_are_named(store: Store) -> None:
    sweep_all(store, row(1), row(2))

    there = [row_of(each) for each in (row(1), row(2, **{"interview/trust_1": "1"}), row(3))]

    assert store.differing("aForm", there) == ("2", "3")


def test_a_version_of_the_form_is_asked_for_once(store: Store) -> None:
    sweep_all(store, row(1, __version__="v1"), row(2, __version__="v2"), row(3))
    assert store.undefined_versions("aForm") == ("v1", "v2")

    store.write_definition("aForm", "v1", {"survey": []})
    store.write_definition("aForm", "v2", None)
    sweep_all(store, row(1, __version__="v1"), row(2, __version__="v2"), row(3))

    assert store.undefined_versions("aForm") == ()
    assert list(store.definitions()) == [
        ("aForm", "v1", {"survey": []}),
        ("aForm", "v2", None),
    ]


def test_a_gap_is_never_taken_for_a_deletion(store: Store) -> None:
    sweep_all(store, row(1), row(2))
    sweep = store.begin_sweep("aForm")
    write(store, sweep, row(1))

    with pytest.raises(StudyError, match=r"1 submissions .* counts 2"):
        store.finish_sweep(sweep, 2)

    assert len(list(store.current())) == 2


def test_one_forms_sweep_buries_nothing_of_another(store: Store) -> None:
    sweep_all(store, row(1), asset="a")
    sweep_all(store, row(1), asset="b")
    sweep_all(store, asset="a")

    assert [s.asset_uid for s in store.current()] == ["b"]


def test_a_page_with_one_bad_row_is_not_stored_at_all(store: Store) -> None:
    sweep = store.begin_sweep("aForm")
    nameless = {"_id": 2, "_submission_time": "2026-11-24T02:19:43"}

    with pytest.raises(RowRefused, match="submission 2 without a uuid"):
        write(store, sweep, row(1), nameless)

    assert not list(store.current())
    assert store.begin_sweep("aForm").cursor == ""


@pytest.mark.parametrize(
    "broken",
    [{"_id": None}, {"_id": True}, {"_submission_time": "yesterday"}],
)
def test_a_row_that_cannot_be_told_from_others_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(RowRefused):
        row_of({**row(1), **broken})


def test_a_sweep_cut_short_is_taken_up_where_it_stopped(path: Path) -> None:
    with open_store(path) as store:
        write(store, store.begin_sweep("aForm"), row(1), row(2))

    with open_store(path) as store:
        sweep = store.begin_sweep("aForm")

        assert (sweep.cursor, sweep.seen) == ("2", 2)


def test_a_sweep_of_yesterday_starts_from_the_first_submission(path: Path) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    with open_store(path, clock=lambda: yesterday) as store:
        write(store, store.begin_sweep("aForm"), row(1), row(2))

    with open_store(path) as store:
        assert store.begin_sweep("aForm").cursor == ""


def test_a_finished_sweep_takes_no_more_pages(store: Store) -> None:
    sweep = store.begin_sweep("aForm")
    store.finish_sweep(sweep, 0)

    with pytest.raises(StudyError, match="another pull has finished"):
        write(store, sweep, row(1))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE version SET content = '{}'",
        "DELETE FROM version",
        "DELETE FROM submission",
        "UPDATE submission SET root_uuid = 'x'",
        "INSERT OR REPLACE INTO submission VALUES (1, 'aForm', 'x')",
        "INSERT OR REPLACE INTO version SELECT id, submission, sweep, fate, stored, server_id,"
        " received, validation, digest, '{}' FROM version",
    ],
)
def test_not_even_sql_changes_what_was_stored(path: Path, statement: str) -> None:
    with open_store(path) as store:
        sweep_all(store, row(1))
    connection = sqlite3.connect(path)

    with pytest.raises(sqlite3.IntegrityError, match="never changed"):
        connection.execute(statement)

    connection.close()


def test_the_store_is_read_while_it_is_written(store: Store, path: Path) -> None:
    sweep_all(store, row(1))
    with open_store(path, read_only=True) as reader:
        reading = reader.current()
        write(store, store.begin_sweep("aForm"), row(1), row(2))

        assert next(reading).server_id == "1"
        assert len(list(reader.current())) == 2


def test_a_reader_cannot_write(store: Store, path: Path) -> None:
    sweep_all(store, row(1))
    with open_store(path, read_only=True) as reader, pytest.raises(StudyError, match="rights"):
        reader.begin_sweep("aForm")


def test_a_second_writer_is_told_to_wait(store: Store, path: Path) -> None:
    with (
        store._database.transaction(),
        pytest.raises(StudyError, match="being written by another"),
    ):
        open_store(path, busy_timeout_s=0.01)


def test_nothing_pulled_yet_is_said(path: Path) -> None:
    with pytest.raises(StudyError, match="nothing has been pulled"):
        open_store(path, read_only=True)

    assert not path.exists()


def test_a_file_left_empty_by_a_kill_becomes_a_store(path: Path) -> None:
    path.touch()

    with open_store(path) as store:
        assert store.counts() == {}


def test_a_store_of_a_newer_kobosmix_is_refused(path: Path) -> None:
    open_store(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 3")
    connection.close()

    with pytest.raises(StudyError, match=r"format 3 .* update kobosmix"):
        open_store(path)


FORMAT_1 = """
CREATE TABLE submission (id INTEGER PRIMARY KEY, asset_uid TEXT NOT NULL,
    root_uuid TEXT NOT NULL, UNIQUE (asset_uid, root_uuid)) STRICT;
CREATE TABLE sweep (id INTEGER PRIMARY KEY, asset_uid TEXT NOT NULL, begun TEXT NOT NULL,
    expected INTEGER NOT NULL, cursor INTEGER NOT NULL, finished TEXT) STRICT;
CREATE UNIQUE INDEX one_sweep_at_a_time ON sweep (asset_uid) WHERE finished IS NULL;
CREATE TABLE version (id INTEGER PRIMARY KEY, submission INTEGER NOT NULL REFERENCES submission,
    sweep INTEGER NOT NULL REFERENCES sweep, fate TEXT NOT NULL, stored TEXT NOT NULL,
    server_id INTEGER NOT NULL, received TEXT NOT NULL, validation TEXT NOT NULL,
    digest TEXT NOT NULL, content TEXT, CHECK ((fate = 'deleted') = (content IS NULL))) STRICT;
CREATE INDEX version_of ON version (submission);
CREATE INDEX version_in ON version (sweep, submission);
CREATE TABLE seen (sweep INTEGER NOT NULL REFERENCES sweep, server_id INTEGER NOT NULL,
    submission INTEGER NOT NULL REFERENCES submission, PRIMARY KEY (sweep, server_id)) STRICT;
CREATE TRIGGER version_is_never_changed BEFORE UPDATE ON version
    BEGIN SELECT RAISE(ABORT, 'x'); END;
CREATE TRIGGER version_is_never_removed BEFORE DELETE ON version
    BEGIN SELECT RAISE(ABORT, 'x'); END;
CREATE TRIGGER version_is_never_replaced BEFORE INSERT ON version
    WHEN EXISTS (SELECT 1 FROM version WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'x'); END;
CREATE TRIGGER submission_is_never_changed BEFORE UPDATE ON submission
    BEGIN SELECT RAISE(ABORT, 'x'); END;
CREATE TRIGGER submission_is_never_removed BEFORE DELETE ON submission
    BEGIN SELECT RAISE(ABORT, 'x'); END;
CREATE TRIGGER submission_is_never_replaced BEFORE INSERT ON submission
    WHEN EXISTS (SELECT 1 FROM submission WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'x'); END;
PRAGMA application_id = 0x6B627378;
PRAGMA user_version = 1;
INSERT INTO sweep VALUES (1, 'aForm', '2026-11-01T00:00:00Z', 2, 9, '2026-11-01T00:01:00Z'),
    (2, 'aForm', '2026-11-02T00:00:00Z', 2, 1, NULL);
"""


def test_a_store_of_format_1_is_brought_up_to_date_after_a_backup(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(FORMAT_1)
    for number in (1, 2, 3):
        kept = keep(row_of(row(number, __version__="v1")))
        values = (number, f"root-{number}", number, number, kept.digest, kept.content)
        connection.execute("INSERT INTO submission VALUES (?, 'aForm', ?)", values[:2])
        connection.execute(
            "INSERT INTO version VALUES (?, ?, 1, 'new', 'x', ?, '2026-11-24T02:19:43Z', '', ?, ?)",
            (number, *values[2:]),
        )
    connection.execute(
        "INSERT INTO version VALUES (4, 3, 1, 'deleted', 'x', 3, '2026-11-24T02:19:43Z', '', '',"
        " NULL)"
    )
    connection.commit()
    connection.close()
    with pytest.raises(StudyError, match=r"older kobosmix; the next 'kobosmix pull'"):
        open_store(path, read_only=True)

    with open_store(path) as store:
        assert [s.server_id for s in store.current()] == ["1", "2"]
        assert store.counts()["aForm"] == AssetCounts(current=2, deleted=1, versions=4)
        assert store.undefined_versions("aForm") == ("v1",)
        sweep = store.begin_sweep("aForm")
        assert store.changed(sweep, [head_of(row(1)), head_of(row(2))]) == ("1", "2")
        now = (row(1, __version__="v1"), row(3, __version__="v1"))
        assert sweep_all(store, *now) == Tally(unchanged=1, deleted=1, restored=1)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            connection.execute("DELETE FROM version")
    with closing(sqlite3.connect(path.with_name("store.format1.sqlite"))) as backup:
        assert backup.execute("SELECT count(*) FROM seen").fetchone() == (0,)


def test_another_programs_database_is_left_alone(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE photos (id)")
    connection.close()
    before = path.read_bytes()

    with pytest.raises(StudyError, match="not a kobosmix store"):
        open_store(path)

    assert path.read_bytes() == before


@pytest.mark.parametrize("damage", ["overwritten", "shortened", "a torn page"])
def test_a_damaged_store_is_said_to_be_so_and_not_touched(path: Path, damage: str) -> None:
    with open_store(path) as store:
        sweep_all(store, *(row(number, note="x" * 500) for number in range(200)))
    whole = path.read_bytes()
    path.write_bytes(
        {
            "overwritten": b"\x00ransom" * 1000,
            "shortened": whole[: len(whole) // 2],
            "a torn page": whole[:8192] + b"\xff" * 4096 + whole[12288:],
        }[damage]
    )
    before = path.read_bytes()

    with pytest.raises(StudyError, match="is damaged"):
        open_store(path)

    assert path.read_bytes() == before


names = st.sampled_from(["trust_1", "deviceid", "meta/deviceid", "a/b/IMEI", "g", "username"])
contents = st.recursive(
    st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


@given(contents)
def test_no_dropped_field_is_left_at_any_depth(content: Any) -> None:
    def fields(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            yield from part
        for inner in part.values() if isinstance(part, dict) else part:
            if isinstance(inner, dict | list):
                yield from fields(inner)

    kept = without_dropped(content)

    if isinstance(kept, dict | list):
        last_parts = {name.rpartition("/")[2].lower() for name in fields(kept)}
        assert not last_parts & DROPPED_FIELDS
    assert without_dropped(kept) == kept


@given(st.permutations(["_id", "meta/rootUuid", "_submission_time", "interview/trust_1"]))
def test_the_order_of_the_answers_makes_no_version(order: list[str]) -> None:
    sent = row(1)

    there, back = ({name: sent[name] for name in names} for names in (order, order[::-1]))

    assert keep(row_of(there)).digest == keep(row_of(back)).digest
