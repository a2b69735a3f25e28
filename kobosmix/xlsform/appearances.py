"""Appearances, and the types of question they do something for."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kobosmix.xlsform.kinds import ANSWERED

_LISTS = frozenset({"select_one", "select_multiple"})
_DATES = frozenset({"date", "datetime"})
_GROUP_OR_REPEAT = frozenset({"begin group", "begin repeat"})
_PLACES = frozenset({"geopoint", "geotrace", "geoshape"})
_RECORDED = frozenset({"image", "audio", "video"})
_ANY = frozenset({*ANSWERED, *_GROUP_OR_REPEAT, "note", "begin loop", "calculate"})

APPEARANCES: Mapping[str, frozenset[str]] = {
    "numbers": frozenset({"text"}),
    "multiline": frozenset({"text"}),
    "masked": frozenset({"text"}),
    "printer": frozenset({"text"}),
    "url": frozenset({"text", "note"}),
    "thousands-sep": frozenset({"integer", "decimal", "text"}),
    "counter": frozenset({"integer"}),
    "bearing": frozenset({"decimal"}),
    **dict.fromkeys(
        ("vertical", "no-ticks", "picker", "rating", "distress", "analog-scale"),
        frozenset({"range", "integer", "decimal"}),
    ),
    "new": _RECORDED,
    **dict.fromkeys(("new-front", "front", "selfie"), frozenset({"image", "video"})),
    **dict.fromkeys(("draw", "annotate", "signature"), frozenset({"image"})),
    **dict.fromkeys(
        (
            *("no-calendar", "month-year", "year", "ethiopian", "coptic", "islamic"),
            *("bikram-sambat", "myanmar", "persian", "buddhist"),
        ),
        _DATES,
    ),
    **dict.fromkeys(("placement-map", "maps", "hide-input", "streets", "satellite"), _PLACES),
    **dict.fromkeys(("map", "quick"), frozenset({"select_one", "select_multiple"})),
    **dict.fromkeys(
        (
            *("search", "autocomplete", "columns-pack", "columns", "no-buttons", "image-map"),
            *("compact", "quickcompact", "horizontal", "horizontal-compact", "list"),
            *("label", "list-nolabel", "list_nolabel"),
        ),
        _LISTS,
    ),
    "minimal": frozenset({*_LISTS, "rank"}),
    "likert": frozenset({"select_one"}),
    "field-list": _GROUP_OR_REPEAT,
    "table-list": _GROUP_OR_REPEAT,
    **dict.fromkeys(("no-collapse", "pages", "page-break", "no-print"), _ANY),
    "hidden-answer": frozenset({"barcode"}),
    "comment": frozenset({"text"}),
    "dn": _ANY,
    # Passed on to an app beside the form.
    "intent": _ANY,
    "other": _ANY,
    "default": _ANY,
}
# Written with something of their own behind.
APPEARANCE_PATTERNS: tuple[tuple[re.Pattern[str], frozenset[str]], ...] = (
    (re.compile(r"w(?:[1-9]|10|11|12)"), _ANY),
    (re.compile(r"h[1-9]"), _ANY),
    (re.compile(r"columns-\d+|compact-\d+|quickcompact-\d+|horizontal-\d+"), _LISTS),
    (re.compile(r"ex:.*|bg:.*|printer:.*|url\(.*"), _ANY),
)
