"""`concepts` and `explain`."""

from __future__ import annotations

from typing import Any

import click

from kobosmix.bank.model import Concept, Item
from kobosmix.cli.console import StudyFolder, one_of, show_json, show_table
from kobosmix.study import Study


@click.command("concepts")
@click.argument("concept", default="")
@click.option("--json", "as_json", is_flag=True, help="The whole bank, for a program.")
@click.option(
    "--study", type=StudyFolder(), metavar="DIR", help="With the concepts this study has added."
)
def concepts_command(concept: str, study: Study | None, *, as_json: bool) -> None:
    """Browse the item bank: what it measures, of whom, when.

    With the id of a CONCEPT, its items word for word.

    \b
    kobosmix concepts
    kobosmix concepts trust
    """
    from kobosmix import content
    from kobosmix.bank import read_bank

    bank = read_bank(content.item_templates(), study.items_folder if study else None)
    if as_json:
        show_json([_concept_json(each) for each in bank.concepts.values()])
    elif concept:
        _show_one(bank.concepts[one_of(concept, bank.concepts, "concept")])
    else:
        _show_all(list(bank.concepts.values()))


@click.command("explain")
@click.argument("code")
def explain_command(code: str) -> None:
    """Say more about a finding, by its code.

    \b
    kobosmix explain C101
    """
    known = explanations()
    meaning, remedy = known[one_of(code.upper(), known, "finding")]
    click.echo(f"{code.upper()}: {meaning}\n{remedy}")


def explanations() -> dict[str, tuple[str, str]]:
    """Every code a finding can have: what it means, what to do."""
    from kobosmix import plan_check
    from kobosmix.bank import check as bank_check
    from kobosmix.context import check as context_check
    from kobosmix.downloads import explained as downloads_explained
    from kobosmix.downloads import mapping_check
    from kobosmix.engines import check as engines_check
    from kobosmix.invariance import check as invariance_check
    from kobosmix.people import enumerators, links, read, register
    from kobosmix.printed import check as printed_check
    from kobosmix.wording import check as wording_check
    from kobosmix.wording import lint
    from kobosmix.xlsform import lint as xlsform_lint
    from kobosmix.yamlfile import EXPLANATIONS

    modules = (
        bank_check,
        context_check,
        wording_check,
        lint,
        plan_check,
        engines_check,
        printed_check,
        xlsform_lint,
        invariance_check,
        register,
        enumerators,
        read,
        downloads_explained,
        mapping_check,
        links,
    )
    known = dict(EXPLANATIONS)
    for module in modules:
        known |= module.EXPLANATIONS
    return known


def _concept_json(concept: Concept) -> dict[str, Any]:
    return {
        "id": concept.id,
        "section": concept.section,
        "title": concept.title,
        "score_name": concept.score_name,
        "measures": concept.measures,
        "direction": concept.direction,
        "core": concept.core,
        "optional": concept.optional,
        "audience": concept.audience,
        "waves": list(concept.waves),
        "screen": concept.screen or None,
        "facets": [
            {"id": facet.id, "title": facet.title, "direction": facet.direction}
            for facet in concept.facets
        ],
        "items": [_item_json(item) for item in concept.items],
    }


def _item_json(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "text": item.text,
        "rated": item.rated,
        "scale": item.scale or None,
        "answer": item.answer.kind if item.answer else None,
        "reversed": item.reversed,
        "facet": item.facet or None,
        "audience": item.audience,
        "waves": list(item.waves),
        "position": item.position,
        "intent": item.intent,
        "asked_if": dict([item.asked_if]) if item.asked_if else None,
    }


_WHOM = {"all": "everyone", "host": "hosts", "newcomer": "newcomers"}
_DIRECTIONS = {"up": "should rise", "down": "should fall", "none": "–", "mixed": "by part"}


def _show_all(concepts: list[Concept]) -> None:
    rows = [
        (
            concept.section,
            concept.id + (" *" if concept.core else ""),
            concept.score_name,
            str(len(concept.items)),
            f"{concept.seconds_per_item * len(concept.items) / 60:.1f}",
            _WHOM[concept.audience],
            " ".join(concept.waves) if len(concept.waves) < 3 else "each wave",  # noqa: PLR2004
            _DIRECTIONS[concept.direction],
        )
        for concept in concepts
    ]
    headings = (
        "section",
        "id",
        "high score means",
        "items",
        "min",
        "asked of",
        "when",
        "score",
    )
    show_table(headings, rows)
    click.echo("* part of 'core'.   kobosmix concepts ID shows the items of one concept.")


def _show_one(concept: Concept) -> None:
    click.echo(f"{concept.title} (section {concept.section}), high = {concept.score_name}")
    click.echo(concept.measures)
    rows = [
        (
            item.id,
            item.text + (" (reversed)" if item.reversed else ""),
            item.scale or (item.answer.kind if item.answer else ""),
            _WHOM[item.audience],
            " ".join(item.waves),
        )
        for item in concept.items
    ]
    show_table(("item", "words", "answers", "asked of", "when"), rows)
