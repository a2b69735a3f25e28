"""Submissions as ODK Central's OData has them: nested by group, with typed values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

SYSTEM = "__system"
# Who sent it and with what device: dropped before a row leaves the reader.
_PERSONAL = frozenset({"submitterId", "submitterName", "deviceId"})
_LINK = "@odata."


def is_odata(content: Mapping[str, Any]) -> bool:
    """Whether the content is a row of OData, and not one of KoboToolbox."""
    return "__id" in content and SYSTEM in content


def kept_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row as it is kept: without empty fields, links, and who sent it.

    An empty field comes as null, and comes so too when the version the submission was made with
    did not have it. With them, every old row would look edited when a form gets a new question.

    >>> kept_of({"a": {"b": None, "c": 1}, "r@odata.navigationLink": "x", "__id": "uuid:1"})
    {'a': {'c': 1}, '__id': 'uuid:1'}
    """
    system = row.get(SYSTEM)
    told = system if isinstance(system, Mapping) else {}
    named = {name: value for name, value in told.items() if name not in _PERSONAL}
    return dict(_without_empty({**row, SYSTEM: named} if SYSTEM in row else row))


def flat_answers(content: Mapping[str, Any]) -> dict[str, Any]:
    """The answers by full path and as text, as phones sent them and the codebook names them.

    A repeat is a list of the same. The version of the form is called `__version__`, as everywhere
    else, and what the server says of the submission stays under `__system`. Content that is not
    OData comes back as it is.

    >>> flat = flat_answers({"__id": "uuid:1", "__system": {"formVersion": "kx1.1"}, "hh": {"age": 30}})
    >>> flat["hh/age"], flat["__version__"]
    ('30', 'kx1.1')
    """
    if not is_odata(content):
        return dict(content)
    system = content[SYSTEM]
    version = system.get("formVersion") or ""
    return {**dict(_flat(content, "")), "__version__": version, SYSTEM: system}


def _flat(group: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    for name, value in group.items():
        if name.startswith("__") or _LINK in name or value is None:
            continue
        path = above + name
        if isinstance(value, list):
            yield path, [dict(_flat(each, f"{path}/")) for each in value]
        elif isinstance(value, Mapping) and "coordinates" not in value:
            yield from _flat(value, f"{path}/")
        else:
            yield path, _as_text(value)


def _as_text(value: Any) -> str:
    match value:
        case Mapping():
            return _places(value)
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)


def _places(shape: Mapping[str, Any]) -> str:
    """GeoJSON as an XForm has it: latitude first, then altitude and accuracy."""
    points, properties = shape["coordinates"], shape.get("properties") or {}
    if shape.get("type") == "Point":
        return _place(points, properties.get("accuracy"))
    line = points[0] if shape.get("type") == "Polygon" else points
    accuracies = properties.get("accuracies") or [properties.get("accuracy")] * len(line)
    return ";".join(
        _place(point, accuracy) for point, accuracy in zip(line, accuracies, strict=False)
    )


def _place(point: list[float], accuracy: float | None) -> str:
    longitude, latitude, *altitude = point
    numbers = [latitude, longitude, altitude[0] if altitude else 0, accuracy or 0]
    return " ".join(_as_text(number) for number in numbers)


def _without_empty(value: Any) -> Any:
    if isinstance(value, Mapping):
        kept = {
            name: _without_empty(inner) for name, inner in value.items() if _LINK not in name
        }
        return {name: inner for name, inner in kept.items() if inner not in (None, {}, [])}
    if isinstance(value, list):
        return [_without_empty(inner) for inner in value]
    return value
