"""What a server's answer says, in one line that is fit to be shown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

_LONGEST = 400
_TELLING = ("detail", "error", "message")


def parse_json(body: bytes) -> Any:
    """JSON as the standard has it; ValueError for anything else, NaN included."""
    content = json.loads(body, parse_constant=_refuse)
    if b"\\ud" in body.lower():
        # Half a surrogate pair is JSON, but no text: it could be neither stored nor printed.
        json.dumps(content, ensure_ascii=False).encode("utf-8")
    return content


def explanation(content_type: str, body: bytes) -> str:
    """What the body says about a failure. A page of HTML is named, never repeated."""
    text = body.decode("utf-8", "replace").strip()
    if not text:
        return "no explanation"
    if "html" in content_type or text[:100].lower().startswith(("<!doctype", "<html")):
        return "an HTML error page"
    return one_line(_sentences(text))


def one_line(text: str) -> str:
    """Text from a server, cut to one line of printable letters."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    line = " ".join(shown.split())
    if not line:
        return "no explanation"
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def wait_asked_s(retry_after: str, date: str = "") -> float | None:
    """Seconds that a Retry-After header asks to wait, whichever of its two spellings it has.

    `date` is the answer's own Date: where it is given, the clock of this machine is not asked.

    >>> wait_asked_s("2")
    2.0
    """
    if not retry_after:
        return None
    if retry_after.isdigit():
        return float(retry_after)
    when = moment(retry_after)
    sent = moment(date) or datetime.now(UTC)
    return None if when is None else max(0.0, (when - sent).total_seconds())


def moment(http_date: str) -> datetime | None:
    """The time that a header such as Date names, or None where it names none."""
    try:
        when = parsedate_to_datetime(http_date)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _sentences(text: str) -> str:
    try:
        return "; ".join(_leaves(json.loads(text)))
    except (ValueError, RecursionError):
        # OpenRosa answers in XML; its words stand between the tags.
        return re.sub(r"<[^>]*>", " ", text) if text.startswith("<") else text


def _leaves(content: Any, name: str = "") -> Iterator[str]:
    match content:
        case dict():
            for key, value in content.items():
                yield from _leaves(value, "" if key in _TELLING else str(key))
        case list():
            for value in content:
                yield from _leaves(value, name)
        case None:
            pass
        case _:
            yield f"{name}: {content}" if name else str(content)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
