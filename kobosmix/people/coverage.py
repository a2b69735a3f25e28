"""Who is missing among the enumerators: of a group, of a language, from outside, of a gender."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from kobosmix.findings import Finding
from kobosmix.people.enumerators import EXPLANATIONS, Enumerator, Table


def check_coverage(
    enumerators: Collection[Enumerator],
    languages_by_group: Mapping[str, Collection[str]],
    file: str = "enumerators.xlsx",
) -> Iterator[Finding]:
    """Each group has an enumerator of its own who speaks a language it is interviewed in."""
    table = Table(file, EXPLANATIONS)
    for group, languages in languages_by_group.items():
        own = [one for one in enumerators if one.group == group]
        if not any(set(one.languages) & set(languages) for one in own):
            spoken = " or ".join(sorted(languages))
            problem = (
                f"{len(own)} of the enumerators are of this group, and none of these speaks {spoken}"
                if own
                else f"no enumerator is of this group, which is interviewed in {spoken}"
            )
            yield table.finding("E202", f"group {group}", (), problem)


def check_variety(
    enumerators: Collection[Enumerator], file: str = "enumerators.xlsx"
) -> Iterator[Finding]:
    """Somebody stands outside the programme, and not all are of one gender."""
    table = Table(file, EXPLANATIONS)
    if not any(one.independent for one in enumerators):
        problem = "no enumerator is independent of the programme"
        yield table.finding("E203", "column independent", (), problem)
    genders = {one.gender.casefold() for one in enumerators}
    if len(enumerators) > 1 and len(genders) == 1 and "" not in genders:
        yield table.finding("E204", "column gender", (), "all enumerators are of one gender")
