"""Functions of JavaRosa, the engine of the phones, and the number of their arguments."""

from __future__ import annotations

from collections.abc import Mapping

_ONE, _TWO = (1, 1), (2, 2)
ANY_NUMBER = 99
# JavaRosa 5: how many arguments each function takes, at least and at most.
FUNCTIONS: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(("true", "false", "pi", "today", "now", "random", "version"), (0, 0)),
    "current": (0, 0),
    **dict.fromkeys(("boolean", "number", "int", "string", "date", "date-time", "not"), _ONE),
    **dict.fromkeys(("decimal-date-time", "decimal-time", "boolean-from-string"), _ONE),
    **dict.fromkeys(("abs", "acos", "asin", "atan", "cos", "exp", "exp10", "log"), _ONE),
    **dict.fromkeys(("log10", "sin", "sqrt", "tan", "count", "count-non-empty", "sum"), _ONE),
    **dict.fromkeys(("count-selected", "once", "property", "area", "enclosed-area"), _ONE),
    **dict.fromkeys(("base64-decode", "instance", "jr:itext", "intersects"), _ONE),
    **dict.fromkeys(("coalesce", "format-date", "format-date-time", "selected"), _TWO),
    **dict.fromkeys(("is-selected", "selected-at", "atan2", "pow", "regex", "contains"), _TWO),
    **dict.fromkeys(("starts-with", "ends-with", "substring-before", "geofence"), _TWO),
    **dict.fromkeys(("substring-after", "extract-signed", "jr:choice-name"), _TWO),
    "if": (3, 3),
    "translate": (3, 3),
    **dict.fromkeys(("position", "string-length", "normalize-space", "uuid"), (0, 1)),
    **dict.fromkeys(("round", "randomize"), (1, 2)),
    **dict.fromkeys(("substr", "digest"), (2, 3)),
    **dict.fromkeys(("max", "min", "join", "depend", "distance"), (1, ANY_NUMBER)),
    "concat": (0, ANY_NUMBER),
    **dict.fromkeys(("checklist", "weighted-checklist"), (2, ANY_NUMBER)),
    "indexed-repeat": (3, 11),
    # A function of Collect, not of JavaRosa.
    "pulldata": (4, ANY_NUMBER),
}
# These take a whole set of answers, so a question inside a repeat may stand in them.
OVER_MANY = frozenset(
    {
        *("sum", "count", "max", "min", "join", "concat", "count-non-empty", "indexed-repeat"),
        *("position", "randomize", "distance", "area", "enclosed-area", "checklist"),
        "weighted-checklist",
    }
)
INSTEAD: Mapping[str, str] = {
    "floor": "int(), which cuts the decimals off",
    "ceiling": "round() or int(): no engine of the phones has ceiling()",
    "ceil": "round() or int()",
    "substring": "substr(), which counts from 0 and takes an end, not a length",
    "len": "string-length()",
    "length": "string-length()",
    "last": "count()",
    "isnull": "${question} = ''",
    "isblank": "${question} = ''",
    "empty": "${question} = ''",
    "lower-case": "translate()",
    "upper-case": "translate()",
    "relevant": "the condition itself",
    "and": "and between two conditions: a and b",
    "or": "or between two conditions: a or b",
    "sqr": "pow(x, 2)",
    "power": "pow()",
    "average": "sum() div count()",
    "avg": "sum() div count()",
    "mean": "sum() div count()",
    "ifelse": "if()",
    "iif": "if()",
    "choice-label": "jr:choice-name()",
    "choice-name": "jr:choice-name()",
    "jr:choice-label": "jr:choice-name()",
}
