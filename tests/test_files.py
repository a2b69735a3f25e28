from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobosmix.conditions import Equals, Not
from kobosmix.errors import StudyError
from kobosmix.files import canonical_json, sha256, write_bytes, write_json, write_text

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("abcé"), inner),
    max_leaves=10,
)


def hold_open(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """As Windows does: a file that another program has open cannot be replaced."""
    replace = Path.replace

    def refused(self: Path, target: Path) -> Path:
        if Path(target).name in names:
            raise PermissionError(13, "in use", str(target))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refused)


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "table.csv"

    write_bytes(path, b"old")
    write_bytes(path, b"new")

    assert path.read_bytes() == b"new"
    assert names_in(path.parent) == {"table.csv"}


def test_a_file_open_in_excel_stays_and_the_new_one_is_kept_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "table.xlsx"
    write_bytes(path, b"old")
    hold_open(monkeypatch, "table.xlsx")

    with pytest.raises(
        StudyError, match=r"table\.xlsx is open .* beside it as table\.new\.xlsx"
    ):
        write_bytes(path, b"new")

    assert path.read_bytes() == b"old"
    assert (tmp_path / "table.new.xlsx").read_bytes() == b"new"
    assert names_in(tmp_path) == {"table.xlsx", "table.new.xlsx"}


def test_with_both_files_open_nothing_is_changed_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "table.xlsx"
    write_bytes(path, b"old")
    hold_open(monkeypatch, "table.xlsx", "table.new.xlsx")

    with pytest.raises(StudyError, match="Nothing was changed"):
        write_bytes(path, b"new")

    assert names_in(tmp_path) == {"table.xlsx"}
    assert path.read_bytes() == b"old"


def test_a_write_that_fails_leaves_no_part_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "table.csv").mkdir()

    with pytest.raises(OSError, match=r"table\.csv"):
        write_bytes(tmp_path / "table.csv", b"new")

    assert names_in(tmp_path) == {"table.csv"}


def test_a_rewritten_file_keeps_who_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_bytes(path, b"old")
    path.chmod(0o640)

    write_bytes(path, b"new")

    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_text_has_line_feeds_and_utf8_on_every_system(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "Şahinbey\nشاهين بيه\n")

    assert (tmp_path / "a.txt").read_bytes() == "Şahinbey\nشاهين بيه\n".encode()


def test_json_is_written_with_real_letters(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"site": "Şahinbey"})

    assert (tmp_path / "a.json").read_text("utf-8") == '{\n  "site": "Şahinbey"\n}\n'


@given(JSON)
def test_canonical_json_says_the_same_whatever_the_order_of_keys(content: Any) -> None:
    turned = _turned(content)

    assert canonical_json(turned) == canonical_json(content)
    assert json.loads(canonical_json(content)) == content


@given(JSON, JSON)
def test_different_content_has_different_canonical_json(first: Any, second: Any) -> None:
    # repr, because to Python 0 == False and to a reader of JSON it is not.
    assert (canonical_json(first) == canonical_json(second)) == (
        repr_of(first) == repr_of(second)
    )


def test_a_number_that_json_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"share": float("nan")})


def test_what_has_no_place_in_json_is_refused() -> None:
    with pytest.raises(TypeError, match="object has no place in JSON"):
        canonical_json({"x": object()})


def test_a_condition_is_spelled_as_itself_all_the_way_down() -> None:
    assert canonical_json(Not(Equals("a", "1"))) == b'{"not":{"equals":["a","1"]}}'


def test_a_digest_is_the_sha256_in_lower_case_hex() -> None:
    assert sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def repr_of(content: Any) -> str:
    if isinstance(content, dict):
        return f"{sorted((key, repr_of(value)) for key, value in content.items())} by key"
    if isinstance(content, list):
        return str([repr_of(each) for each in content])
    return repr(content)


def _turned(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _turned(content[key]) for key in reversed(content)}
    if isinstance(content, list):
        return [_turned(each) for each in content]
    return content
