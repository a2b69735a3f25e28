"""The store: append-only, whole, and never guessing about a file it cannot read."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobosmix.errors import StudyError
from kobosmix.store import Fate, Store, Tally, open_store
from kobosmix.store.content import DROPPED_FIELDS, RowRefused, keep, without_dropped
from tests.kobo_double import row


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with open_store(path) as opened:
        yield opened


def sweep_all(store: Store, *rows: Mapping[str, Any], asset: str = "aForm") -> Tally:
    sweep = store.begin_sweep(asset, len(rows), anew=True)
    if rows:
        store.write_page(sweep, rows, max(each["_id"] for each in rows))
    return store.finish_sweep(sweep, len(rows))


def test_a_submission_comes_out_as_it_went_in_less_the_device(store: Store) -> None:
    sweep_all(store, row(7, deviceid="phone:1", member=[{"member/age": "20"}]))

    [stored] = store.current()

    assert stored.key == "aForm/root-7"
    assert (stored.asset_uid, stored.root_uuid, stored.server_id) == ("aForm", "root-7", 7)
    assert stored.received == "2026-11-24T02:19:43Z"
    assert stored.content["member"] == [{"member/age": "20"}]
    assert not {"deviceid", "_geolocation", "_submitted_by"} & stored.content.keys()


def test_submissions_come_by_form_and_by_the_number_of_the_server(store: Store) -> None:
    sweep_all(store, row(10), row(9), asset="b")
    sweep_all(store, row(11), row(2), asset="a")

    assert [(s.asset_uid, s.server_id) for s in store.current()] == [
        ("a", 2), ("a", 11), ("b", 9), ("b", 10),
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
    assert [s.server_id for s in store.current()] == [2]
    assert [v.fate for v in store.history("aForm/root-1")] == [Fate.NEW, Fate.DELETED]
    assert store.counts()["aForm"].deleted == 1


def test_a_submission_sent_again_after_deletion_comes_back_under_its_key(store: Store) -> None:
    sweep_all(store, row(1))
    sweep_all(store)
    back = {**row(9), "meta/rootUuid": "uuid:root-1"}

    assert sweep_all(store, back) == Tally(restored=1)
    assert [(s.key, s.server_id) for s in store.current()] == [("aForm/root-1", 9)]


def test_two_rows_under_one_uuid_are_both_kept_and_stay_put(store: Store) -> None:
    twin = {**row(2), "meta/rootUuid": "uuid:root-1"}

    assert sweep_all(store, row(1), twin) == Tally(new=2)
    assert sweep_all(store, row(1), twin) == Tally(unchanged=2)
    assert [s.server_id for s in store.current()] == [1, 2]


def test_a_gap_is_never_taken_for_a_deletion(store: Store) -> None:
    sweep_all(store, row(1), row(2))
    sweep = store.begin_sweep("aForm", 2)
    store.write_page(sweep, [row(1)], 1)

    with pytest.raises(StudyError, match=r"1 submissions .* counts 2"):
        store.finish_sweep(sweep, 2)

    assert len(list(store.current())) == 2


def test_one_forms_sweep_buries_nothing_of_another(store: Store) -> None:
    sweep_all(store, row(1), asset="a")
    sweep_all(store, row(1), asset="b")
    sweep_all(store, asset="a")

    assert [s.asset_uid for s in store.current()] == ["b"]


def test_a_page_with_one_bad_row_is_not_stored_at_all(store: Store) -> None:
    sweep = store.begin_sweep("aForm", 2)
    nameless = {"_id": 2, "_submission_time": "2026-11-24T02:19:43"}

    with pytest.raises(RowRefused, match="submission 2 without a uuid"):
        store.write_page(sweep, [row(1), nameless], 2)

    assert not list(store.current())
    assert store.begin_sweep("aForm", 2).cursor == 0


@pytest.mark.parametrize(
    "broken",
    [{"_id": None}, {"_id": True}, {"_submission_time": "yesterday"}],
)
def test_a_row_that_cannot_be_told_from_others_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(RowRefused):
        keep({**row(1), **broken})


def test_a_sweep_cut_short_is_taken_up_where_it_stopped(path: Path) -> None:
    with open_store(path) as store:
        store.write_page(store.begin_sweep("aForm", 3), [row(1), row(2)], 2)

    with open_store(path) as store:
        sweep = store.begin_sweep("aForm", 3)

        assert (sweep.cursor, sweep.seen) == (2, 2)


def test_a_sweep_of_yesterday_starts_from_the_first_submission(path: Path) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    with open_store(path, clock=lambda: yesterday) as store:
        store.write_page(store.begin_sweep("aForm", 3), [row(1), row(2)], 2)

    with open_store(path) as store:
        assert store.begin_sweep("aForm", 3).cursor == 0


def test_a_finished_sweep_takes_no_more_pages(store: Store) -> None:
    sweep = store.begin_sweep("aForm", 0)
    store.finish_sweep(sweep, 0)

    with pytest.raises(StudyError, match="another pull has finished"):
        store.write_page(sweep, [row(1)], 1)


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
        store.write_page(store.begin_sweep("aForm", 2), [row(1), row(2)], 2)

        assert next(reading).server_id == 1
        assert len(list(reader.current())) == 2


def test_a_reader_cannot_write(store: Store, path: Path) -> None:
    sweep_all(store, row(1))
    with open_store(path, read_only=True) as reader, pytest.raises(StudyError, match="rights"):
        reader.begin_sweep("aForm", 1)


def test_a_second_writer_is_told_to_wait(store: Store, path: Path) -> None:
    store._connection.execute("BEGIN IMMEDIATE")

    with pytest.raises(StudyError, match="being written by another"):
        open_store(path, busy_timeout_s=0.01)

    store._connection.execute("ROLLBACK")


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
    connection.execute("PRAGMA user_version = 2")
    connection.close()

    with pytest.raises(StudyError, match=r"format 2 .* update kobosmix"):
        open_store(path)


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

    assert keep({name: sent[name] for name in order}) == keep(
        {name: sent[name] for name in reversed(order)}
    )
