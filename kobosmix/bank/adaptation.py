"""Varieties of a language: an adaptation holds only what differs from its parent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kobosmix.bank.model import Language

# Serbian is written in Cyrillic and read in Latin script as well. This way round nothing is lost:
# each Cyrillic letter has one Latin spelling, but not the other way (инјекција, надживети).
_CYRILLIC = "абвгдђежзијклмнопрстћуфхцчш"
_LATIN = "abvgdđežzijklmnoprstćufhcčš"
_DIGRAPHS = {"љ": "lj", "њ": "nj", "џ": "dž"}
_LETTERS = {**dict(zip(_CYRILLIC, _LATIN, strict=True)), **_DIGRAPHS}


def latin(text: str) -> str:
    """Serbian in Latin script; what is not Serbian Cyrillic, slots among it, stays as it is."""
    return "".join(_latin_letter(text, place) for place in range(len(text)))


def whole_language(tag: str, contents: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A language file with everything it does not say taken from its parent, in its script."""
    own = dict(contents[tag])
    if not own.get("parent"):
        return own
    inherited = whole_language(own["parent"], contents)
    if own.get("script") == "Latn":
        inherited = _latin_values(inherited)
    return {**_over(inherited, own), "script": own.get("script", "")}


def inherited(values: Mapping[str, str], lineage: Sequence[Language]) -> str | None:
    """What is given for a language, or else for one it adapts, in its own script."""
    found = None
    for language in lineage:
        if found is not None and language.script == "Latn":
            found = latin(found)
        found = values.get(language.tag, found)
    return found


def inherited_forms(
    values: Mapping[str, Mapping[str, str]], lineage: Sequence[Language]
) -> dict[str, str]:
    """Name forms given for a language, over those given for the ones it adapts."""
    found = dict[str, str]()
    for language in lineage:
        if language.script == "Latn":
            found = {form: latin(name) for form, name in found.items()}
        found |= values.get(language.tag, {})
    return found


def _over(parent: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(parent)
    for key, value in own.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = _over(below, value)
        else:
            merged[key] = value
    return merged


def _latin_values(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _latin_values(below) for key, below in value.items()}
    return latin(value) if isinstance(value, str) else value


def _latin_letter(text: str, place: int) -> str:
    letter = text[place]
    found = _LETTERS.get(letter.lower(), letter)
    if not letter.isupper() or found == letter:
        return found
    # ЉУДИ is LJUDI, Људи is Ljudi.
    before, after = text[place - 1 : place], text[place + 1 : place + 2]
    shouted = after.isupper() or (before.isupper() and not after.isalpha())
    return found.upper() if shouted or len(found) == 1 else found.capitalize()
