"""Types of XLSForm rows, as pyxform reads them (a test holds them to it) and KoboToolbox adds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

SELECTS = frozenset({"select_one", "select_multiple", "rank"})
GROUPS = frozenset({"group", "repeat", "loop"})
# What a person answers. Also shown: notes.
ANSWERED = frozenset(
    {
        *SELECTS,
        *("text", "integer", "decimal", "range", "date", "time", "datetime", "barcode"),
        *("geopoint", "geotrace", "geoshape", "image", "audio", "video", "file"),
        *("acknowledge", "osm"),
    }
)
# Filled in by the device, without anybody being asked.
METADATA = frozenset(
    {
        *("start", "end", "today", "deviceid", "username", "phonenumber", "email", "audit"),
        *("simserial", "subscriberid", "start-geopoint", "background-audio"),
        "background-geopoint",
    }
)
EXTERNAL_FILES = frozenset({"csv-external", "xml-external"})
TYPES = frozenset({*ANSWERED, *METADATA, *EXTERNAL_FILES, "note", "calculate", "hidden"})

# Spellings pyxform takes for one of these types.
SPELLINGS: Mapping[str, str] = {
    **{name: name for name in TYPES - SELECTS},
    **dict.fromkeys(("string", "q string", "add text prompt"), "text"),
    **dict.fromkeys(("int", "q int", "add integer prompt"), "integer"),
    **dict.fromkeys(("q decimal", "add decimal prompt", "percentage"), "decimal"),
    **dict.fromkeys(("q date", "add date prompt"), "date"),
    **dict.fromkeys(("dateTime", "date time", "q date time", "q dateTime"), "datetime"),
    **dict.fromkeys(("add date time prompt", "add dateTime prompt"), "datetime"),
    **dict.fromkeys(("location", "gps", "q geopoint", "q location"), "geopoint"),
    "add location prompt": "geopoint",
    "q geotrace": "geotrace",
    "q geoshape": "geoshape",
    **dict.fromkeys(("photo", "q image", "q picture", "add image prompt"), "image"),
    "add photo prompt": "image",
    **dict.fromkeys(("q audio", "add audio prompt"), "audio"),
    **dict.fromkeys(("q video", "add video prompt"), "video"),
    "add file prompt": "file",
    **dict.fromkeys(("q barcode", "add barcode prompt"), "barcode"),
    **dict.fromkeys(("trigger", "q acknowledge", "add acknowledge prompt"), "acknowledge"),
    **dict.fromkeys(("q note", "add note prompt"), "note"),
    **dict.fromkeys(("q calculate", "add calculate prompt"), "calculate"),
    **dict.fromkeys(("start time", "get start time"), "start"),
    **dict.fromkeys(("end time", "get end time"), "end"),
    "get today": "today",
    **dict.fromkeys(("device id", "get device id", "imei", "uri:deviceid"), "deviceid"),
    "uri:username": "username",
    **dict.fromkeys(("phone number", "get phone number", "uri:phonenumber"), "phonenumber"),
    "uri:email": "email",
    **dict.fromkeys(("sim id", "get sim id", "uri:simserial"), "simserial"),
    **dict.fromkeys(("subscriber id", "get subscriber id", "uri:subscriberid"), "subscriberid"),
    **dict.fromkeys(("number of days in last month", "number of days in last year"), "integer"),
    "number of days in last six months": "integer",
    # Rows inside the matrices and rankings of KoboToolbox.
    **dict.fromkeys(("score__row", "rank__level"), "hidden"),
}
# A type cell with one of these sets something of the whole form.
SETTING_TYPES = frozenset({"form_title", "set_form_title", "form_id", "set_form_id", "prefix"})

_SELECT = re.compile(
    r"(?P<word>select_one_external|select_one_from_file|select_multiple_from_file"
    r"|select one from file|select multiple from file|add select one prompt using"
    r"|add select multiple prompt using|select all that apply from|select all that apply"
    r"|select one from|select_one|select one|select1|select_multiple|rank|q select1?"
    r"|select (?:one|multiple) using|select multiple from)"
    r" (?P<list>.+?)(?P<other> (?:or specify other|or_other|or other))?"
)
_GROUP = re.compile(
    r"(?P<edge>begin|end)[ _](?P<kind>group|repeat|lgroup|looped group|loop"
    r"|kobomatrix|score|rank)(?: (?:over )?(?P<list>\S+))?"
)
_MANY = re.compile("multiple|all that apply|q select$")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a type cell means.

    `name` is one of TYPES, `begin group` and its like, or empty where nobody knows the type;
    `list` is the list of choices, or the file with them where `from_file` is set.
    """

    name: str
    list: str = ""
    from_file: bool = False
    or_other: bool = False


@lru_cache(maxsize=2048)
def kind_of(type_cell: str) -> Kind:
    """What the cell says, read as pyxform reads it: capitals count, doubled blanks do not."""
    text = " ".join(type_cell.split())
    if text in SPELLINGS:
        return Kind(SPELLINGS[text])
    if group := _GROUP.fullmatch(text):
        of = group["kind"]
        means = "group" if of in ("group", "kobomatrix", "score", "rank") else "repeat"
        return Kind(f"{group['edge']} {'loop' if of == 'loop' else means}", group["list"] or "")
    if select := _SELECT.fullmatch(text):
        word = select["word"]
        name = "select_multiple" if _MANY.search(word) else "select_one"
        outside = word.endswith(("from_file", "from file", "external"))
        return Kind(
            "rank" if word == "rank" else name, select["list"], outside, bool(select["other"])
        )
    return Kind("osm") if text.startswith("osm ") else Kind("")


# For 'did you mean': how these are written today.
USUAL_TYPES = (
    *sorted(TYPES - {"hidden", "rank"}),
    *("select_one", "select_multiple", "select_one_from_file", "select_multiple_from_file"),
    *("rank", "begin_group", "end_group", "begin_repeat", "end_repeat"),
)
