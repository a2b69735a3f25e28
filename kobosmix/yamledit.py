"""Changing a YAML file a person wrote: their comments, order and quotes stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from kobosmix.files import write_text
from kobosmix.yamlfile import Path_

_WIDTH = 10_000


def put_entries(
    path: Path,
    key: str,
    entries: Sequence[Mapping[str, Any]],
    is_same: Callable[[Mapping[str, Any], Mapping[str, Any]], bool],
    header: str,
) -> None:
    """Put entries into the list under `key`: over the same one where there is one, else behind.

    A file that is not there yet begins with `header` and `format: 1`.
    """
    content = _load(path)
    if content is None:
        content = _editor().load(header + f"format: 1\n{key}: []\n")
    if not content.get(key):
        # A list in one line, as an empty one is written, would not hold comments.
        content[key] = _editor().load("- x\n")
        content[key].clear()
    for entry in entries:
        there = next((each for each in content[key] if is_same(each, entry)), None)
        if there is None:
            content[key].append(dict(entry))
        else:
            there.update(entry)
    _save(path, content)


def set_values(path: Path, values: Mapping[Path_, str]) -> None:
    """Set texts at ways such as `("groups", "turks", "names", "tr", "acc_pl")`.

    What is missing on the way is made. The file has to be there.
    """
    content = _load(path)
    for way, value in values.items():
        below: Any = content
        for step in way[:-1]:
            if below.get(step) is None:
                below[step] = {}
            below = below[step]
        below[way[-1]] = value
    _save(path, content)


def _editor() -> Any:
    from ruamel.yaml import YAML

    editor = YAML(typ="rt")
    editor.preserve_quotes = True
    editor.width = _WIDTH
    editor.indent(mapping=2, sequence=4, offset=2)
    return editor


def _load(path: Path) -> Any:
    if not path.is_file():
        return None
    return _editor().load(path.read_text(encoding="utf-8-sig"))


def _save(path: Path, content: Any) -> None:
    written = StringIO()
    _editor().dump(content, written)
    write_text(path, written.getvalue())
