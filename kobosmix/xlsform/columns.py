"""Columns of the sheets of an XLSForm: which there are, and what a header means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

TRANSLATABLE: Mapping[str, tuple[str, ...]] = {
    "survey": (
        *("label", "hint", "guidance_hint", "constraint_message", "required_message"),
        *("image", "big-image", "audio", "video"),
    ),
    "choices": ("label", "image", "big-image", "audio", "video"),
}
MEDIA = frozenset({"image", "big-image", "audio", "video"})
# Columns whose cells are expressions.
EXPRESSIONS = (
    *("relevant", "constraint", "calculation", "required", "read_only", "choice_filter"),
    "repeat_count",
)
# Columns for people, which are no slip of anybody's.
_REMARKS = ("note", "notes", "comment", "comments", "remark", "remarks")
COLUMNS: Mapping[str, frozenset[str]] = {
    "survey": frozenset(
        {
            *("type", "name", *TRANSLATABLE["survey"], *EXPRESSIONS),
            *("appearance", "default", "trigger", "parameters", "disabled", "save_to"),
            *("autoplay", "rows", "query", "list_name", "no_app_error_string", "compact_tag"),
            *("sms_field", "sms_option", "sms_separator", "sms_allow_media", "sms_response"),
            *("sms_date_format", "sms_datetime_format", "itemset", "choices", "actions"),
            *("media", "bind", "body", "instance", "hxl", "tags", *_REMARKS),
        }
    ),
    "choices": frozenset(
        {
            *("list_name", "name", *TRANSLATABLE["choices"], "sms_option", "media"),
            *("geometry", "hxl", "tags", *_REMARKS),
        }
    ),
    "settings": frozenset(
        {
            *("form_title", "form_id", "version", "instance_name", "default_language", "style"),
            *("public_key", "submission_url", "allow_choice_duplicates", "auto_send", "flat"),
            *("auto_delete", "client_editable", "clean_text_values", "name", "namespaces"),
            *("attribute", "prefix", "delimiter", "sms_keyword", "sms_separator"),
            *("sms_allow_media", "sms_date_format", "sms_datetime_format", "sms_response"),
            *("add_none_option", "omit_instanceID", "instance_id", "instance_xmlns"),
            *("entity_version", *_REMARKS),
        }
    ),
}
# Other spellings of a column, in small letters and with `_` for blanks.
_SURVEY_ALIASES: Mapping[str, str] = {
    **dict.fromkeys(("relevance", "bind::relevant"), "relevant"),
    **dict.fromkeys(("calculate", "bind::calculate"), "calculation"),
    **dict.fromkeys(("readonly", "bind::readonly"), "read_only"),
    "bind::required": "required",
    "bind::constraint": "constraint",
    **dict.fromkeys(
        ("constraining_message", "bind::jr:constraintmsg", "jr:constraintmsg"),
        "constraint_message",
    ),
    **dict.fromkeys(
        ("requiredmsg", "bind::jr:requiredmsg", "jr:requiredmsg"), "required_message"
    ),
    **dict.fromkeys(("noapperrorstring", "bind::jr:noapperrorstring"), "no_app_error_string"),
    **dict.fromkeys(
        ("count", "jr:count", "body::jr:count", "control::jr:count"), "repeat_count"
    ),
    **dict.fromkeys(("body::appearance", "control::appearance"), "appearance"),
    "caption": "label",
    "command": "type",
    **dict.fromkeys(("tag", "value"), "name"),
    **{f"media::{media}": media for media in MEDIA},
    "instance::odk:tag": "compact_tag",
    "control": "body",
}
_CHOICE_ALIASES: Mapping[str, str] = {"caption": "label", "value": "name"}
_SETTING_ALIASES: Mapping[str, str] = {
    **dict.fromkeys(("title", "set_form_title"), "form_title"),
    **dict.fromkeys(("id_string", "set_form_id"), "form_id"),
}
SHEETS = ("survey", "choices", "settings", "external_choices", "osm", "entities")
_ALIASES: Mapping[str, Mapping[str, str]] = {
    "survey": _SURVEY_ALIASES,
    "choices": {**_CHOICE_ALIASES, **{f"media::{media}": media for media in MEDIA}},
    "settings": _SETTING_ALIASES,
}
# Columns with a part of their own behind `::` that is no language.
_WITH_ATTRIBUTE = frozenset({"bind", "body", "instance", "attribute", "media"})


@dataclass(frozen=True, slots=True)
class Column:
    """What a header means: `label::French (fr)` is the column `label` in that language.

    A column nobody knows has its header as `name`.
    """

    header: str
    name: str
    language: str = ""
    is_known: bool = True


@lru_cache(maxsize=4096)
def column_of(header: str, sheet: str, *, by_double_colon: bool) -> Column:
    """What the header means on this sheet, read as pyxform reads it.

    `by_double_colon` is set where any header of the sheet has `::`; otherwise one colon separates
    the language, as it once did.
    """
    separator = "::" if by_double_colon or "::" in header else ":"
    parts = [" ".join(part.split()) for part in header.split(separator)]
    words = [_snake_case(part) for part in parts]
    sheet = "choices" if sheet == "external_choices" else sheet
    aliases, known = _ALIASES.get(sheet, {}), COLUMNS.get(sheet, frozenset())
    for taken in (2, 1):
        said = "::".join(words[:taken])
        name = aliases.get(said, said)
        # Some settings have a capital letter.
        name = parts[0] if taken == 1 and parts[0] in known else name
        if name in known and len(words) >= taken:
            language = "::".join(parts[taken:])
            if language and name in _WITH_ATTRIBUTE:
                return Column(header, f"{name}::{language}")
            return Column(header, name, language)
    return Column(header, " ".join(header.split()), is_known=False)


def _snake_case(text: str) -> str:
    return "_".join(text.split()).lower()
