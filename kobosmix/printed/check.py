"""Which languages of a study cannot be printed yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kobosmix.findings import Finding, Severity
from kobosmix.printed.sentences import WHAT, lacking
from kobosmix.wording import Wording
from kobosmix.yamlfile import YamlFile

EXPLANATIONS: Mapping[str, tuple[str, str]] = {
    "W601": (
        "Sentences that stand on paper forms, show cards, the manual or the review are not "
        "translated into a language. It is left out there; the forms for phones have it.",
        "Translate them in the catalogue of the language: text.paper_..., text.card_..., "
        "text.manual_... and text.review_....",
    ),
}
_IN_WORDS = {
    "paper": "paper form",
    "cards": "show cards",
    "manual": "manual",
    "review": "review",
}


def check_printed(wording: Wording, file: YamlFile) -> Iterator[Finding]:
    """A page is printed in whole sentences of its language, or not at all."""
    for tag in wording.context.languages:
        if tag not in wording.bank.languages:
            continue
        by_kind = {what: lacking(wording, tag, what) for what in WHAT}
        absent = [what for what, keys in by_kind.items() if keys]
        if not absent:
            continue
        keys = sorted({key for keys in by_kind.values() for key in keys})
        yield Finding(
            code="W601",
            place=file.place(("languages", tag)),
            problem=f"{tag}: {len(keys)} sentences for print are not translated, so it is left "
            f"out of: {', '.join(_IN_WORDS[what] for what in absent)}",
            remedy=f"Translate them, beginning with '{keys[0]}'.",
            severity=Severity.NOTICE,
        )
