"""Rules that hold between the entries of context.yaml, and between it and the bank."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from kobosmix.bank.adaptation import inherited
from kobosmix.bank.model import Bank
from kobosmix.context.model import EVERY_COHORT, Context
from kobosmix.findings import Finding, Severity
from kobosmix.yamlfile import Path_, YamlFile

CORE = "core"
# Longer names do not fit beside their sentence on a phone.
_LONGEST = 60
_WAVES = ("pre", "post", "fu", *(f"fu{number}" for number in range(2, 10)))

EXPLANATIONS: Mapping[str, tuple[str, str]] = {
    "C101": (
        "A line of context.yaml does not have the shape it must have.",
        "The finding says what was expected. Text that looks like a number, a date or a yes "
        'needs quotes: site: "007".',
    ),
    "C102": (
        "A language is used that kobosmix has no table for, or that the study does not list.",
        "List it under 'languages'; see item_templates/languages for those there are.",
    ),
    "C103": (
        "A group is asked about itself or about a group that is not there.",
        "Name another.",
    ),
    "C104": ("A concept or an item is named that the bank does not have.", "kobosmix concepts"),
    "C105": (
        "A text that goes into a form is missing in one of the languages.",
        "Add it under that language's tag.",
    ),
    "C106": (
        "A window of a wave contradicts itself, its cohort or the wave before.",
        "Correct it.",
    ),
    "C107": ("Arms and design contradict each other.", "See the finding."),
    "C108": (
        "A ready phrase is named that a language does not have.",
        "Use one that is listed.",
    ),
    "C109": (
        "A concept that compares speakers of two languages was dropped, as both groups share one.",
        "Nothing to do, if that is so; otherwise correct 'speaks'.",
    ),
    "C110": ("Two groups have the same name in one language.", "Give each a name of its own."),
    "C111": ("An indicator names something the study does not ask.", "See the finding."),
    "C112": (
        "A language is being prepared and is left out of the forms for now.",
        "When its wording is ready, change 'preparing' to 'use'.",
    ),
    "C114": (
        "A name is given in a form that the language does not have, so it would never be used.",
        "Correct the name of the form; the finding lists those there are.",
    ),
    "C115": (
        "A group is to be called by ready names that kobosmix does not have.",
        "Use one that is listed, or give 'names'.",
    ),
    "C116": (
        "A name or a title is so long that it does not fit on a phone with its sentence.",
        "Shorten it.",
    ),
    "C117": (
        "A self-generated code asks for letters of a language that kobosmix has no alphabet for.",
        "Leave the language out, or use issued numbers.",
    ),
    "C118": (
        "Respondents are told that answers can be removed until a day before the last wave ends.",
        "Name a later day under 'withdrawal_until'.",
    ),
    "C113": (
        "What newcomers are called was not said, but an item needs it.",
        "Add 'newcomers'.",
    ),
}


@dataclass(frozen=True, slots=True)
class _At:
    """The context with its file, so that a finding has a place."""

    context: Context
    file: YamlFile
    bank: Bank

    def finding(
        self,
        code: str,
        way: Path_,
        problem: str,
        remedy: str,
        severity: Severity = Severity.ERROR,
    ) -> Finding:
        place = self.file.place(way)
        return Finding(
            code=code, place=place, problem=problem, remedy=remedy, severity=severity
        )


def check_context(context: Context, file: YamlFile, bank: Bank) -> Iterator[Finding]:
    """Everything that contradicts something else."""
    at = _At(context, file, bank)
    rules: tuple[Callable[[_At], Iterator[Finding]], ...] = (
        check_languages,
        check_groups,
        check_usual_groups,
        check_names_differ,
        check_lengths,
        check_alphabets,
        check_withdrawal,
        check_name_forms,
        check_concepts,
        check_texts,
        check_windows,
        check_arms,
        check_phrases,
        check_indicators,
        check_preparing,
    )
    for rule in rules:
        yield from rule(at)


def check_languages(at: _At) -> Iterator[Finding]:
    """A language in use is one kobosmix knows, and a group uses only the study's languages."""
    known = ", ".join(sorted(at.bank.languages))
    for tag in at.context.languages:
        if tag not in at.bank.languages:
            yield at.finding(
                "C102",
                ("languages", tag),
                f"kobosmix has no table for the language '{tag}'",
                f"Use one of: {known}; or mark it 'preparing' to leave it out for now.",
            )
    for group in at.context.groups.values():
        for number, tag in enumerate(group.languages):
            if tag not in (*at.context.languages, *at.context.preparing):
                yield at.finding(
                    "C102",
                    ("groups", group.id, "languages", number),
                    f"'{tag}' is not among the study's languages",
                    "Add it to 'languages' at the top, or correct it.",
                )
            if tag in group.languages[:number]:
                yield at.finding(
                    "C102",
                    ("groups", group.id, "languages", number),
                    f"'{tag}' is listed twice",
                    "Keep one.",
                )
        if not set(group.languages) & set(at.context.languages):
            yield at.finding(
                "C102",
                ("groups", group.id, "languages"),
                f"group '{group.id}' has no language that is in use, so it would get no form",
                "Give it at least one language that is not 'preparing'.",
            )


def check_groups(at: _At) -> Iterator[Finding]:
    """A group is asked about other groups of the study, each once."""
    for group in at.context.groups.values():
        for number, other in enumerate(group.asked_about):
            way: Path_ = ("groups", group.id, "asked_about", number)
            if other == group.id:
                yield at.finding(
                    "C103", way, f"'{other}' is asked about itself", "Name another."
                )
            elif other not in at.context.groups:
                known = ", ".join(at.context.groups)
                yield at.finding(
                    "C103", way, f"there is no group '{other}'", f"Name one of: {known}."
                )
            elif other in group.asked_about[:number]:
                yield at.finding("C103", way, f"'{other}' is listed twice", "Keep one.")


def check_usual_groups(at: _At) -> Iterator[Finding]:
    """A usual group that is named is one whose names kobosmix has, in some language."""
    known = sorted({group for each in at.bank.languages.values() for group in each.groups})
    for group in at.context.groups.values():
        if group.use and group.use not in known:
            yield at.finding(
                "C115",
                ("groups", group.id, "use"),
                f"kobosmix has no ready names for '{group.use}'",
                f"Use one of: {', '.join(known)}; or give 'names' of your own.",
            )


def check_names_differ(at: _At) -> Iterator[Finding]:
    """No two groups have one name in a language: nobody could tell which is meant."""
    used = dict[str, str]()
    for group in at.context.groups.values():
        other = used.setdefault(group.use, group.id) if group.use else group.id
        if other != group.id and not (group.names or at.context.groups[other].names):
            yield at.finding(
                "C110",
                ("groups", group.id, "use"),
                f"'{other}' and '{group.id}' are both called by the ready names '{group.use}'",
                "Give each a name of its own.",
            )
    for tag in at.context.languages:
        seen = dict[str, str]()
        for group in at.context.groups.values():
            for form, name in group.names.get(tag, {}).items():
                other = seen.setdefault(f"{form} {name}".casefold(), group.id)
                if other != group.id:
                    yield at.finding(
                        "C110",
                        ("groups", group.id, "names", tag, form),
                        f"'{other}' and '{group.id}' are both called '{name}'",
                        "Give each a name of its own.",
                    )


def check_lengths(at: _At) -> Iterator[Finding]:
    """What stands inside sentences and titles is short enough for a phone screen."""
    context = at.context
    named: dict[Path_, str] = {
        ("groups", group.id, "names", tag, form): name
        for group in context.groups.values()
        for tag, names in group.names.items()
        for form, name in names.items()
    }
    texts = {"title": context.title, "organisation": context.organisation}
    texts |= {"programme": context.programme, "community": context.community}
    named |= {(key, tag): text for key, each in texts.items() for tag, text in each.items()}
    for way, name in named.items():
        if len(name) > _LONGEST:
            yield at.finding(
                "C116",
                way,
                f"{len(name)} characters are too many for a phone screen; "
                f"up to {_LONGEST} can be read",
                "Shorten it to what people say aloud.",
                Severity.WARNING,
            )


def check_alphabets(at: _At) -> Iterator[Finding]:
    """A self-generated code asks for letters, so each language of the forms has its alphabet."""
    if at.context.has_issued_ids:
        return
    for tag in at.context.languages:
        if tag in at.bank.languages and not at.bank.languages[tag].alphabet:
            yield at.finding(
                "C117",
                ("languages", tag),
                f"kobosmix has no alphabet for '{tag}', and a self-generated code asks for letters",
                "Leave the language out, or use 'id_method: register'.",
            )


def check_withdrawal(at: _At) -> Iterator[Finding]:
    """Until when answers can be removed is told at every wave, so it lies behind the last one."""
    closing = [w.closes for wave in at.context.waves.values() for w in wave.windows.values()]
    if closing and at.context.withdrawal_until < max(closing):
        yield at.finding(
            "C118",
            ("contacts", "withdrawal_until"),
            f"{at.context.withdrawal_until} lies before the end of the last wave, {max(closing)}",
            "Give people time to change their minds after their last interview.",
        )


def check_name_forms(at: _At) -> Iterator[Finding]:
    """A name is given in forms its language has: another one would be passed over in silence."""
    named: dict[Path_, Mapping[str, Mapping[str, str]]] = {
        ("groups", group.id, "names"): group.names for group in at.context.groups.values()
    }
    named[("country", "names")] = at.context.country.names
    if at.context.newcomers:
        named[("newcomers", "names")] = at.context.newcomers.names
    for spoken, names in at.context.language_names.items():
        named[("language_names", spoken)] = names
    for way, names in named.items():
        for tag in names.keys() & at.bank.languages.keys():
            known = at.bank.languages[tag].forms
            for form in names[tag].keys() - known.keys():
                yield at.finding(
                    "C114",
                    (*way, tag, form),
                    f"'{tag}' has no name form '{form}'",
                    f"Use one of: {', '.join(known)}.",
                )


def check_concepts(at: _At) -> Iterator[Finding]:
    """Concepts are the bank's, and a concept given to another role is asked at all."""
    known = at.bank.concepts
    switchable = {item.id for _, item in at.bank.items() if not item.default}
    for number, id_ in enumerate(at.context.concepts):
        if id_ != CORE and id_ not in known and id_ not in switchable:
            yield at.finding(
                "C104",
                ("concepts", number),
                f"the bank has no concept '{id_}'",
                "Run 'kobosmix concepts' to see what there is.",
            )
    for id_ in at.context.ask:
        if id_ not in known:
            yield at.finding(
                "C104", ("ask", id_), f"the bank has no concept '{id_}'", "Correct the name."
            )
        elif id_ not in at.context.concepts and not (
            known[id_].core and CORE in at.context.concepts
        ):
            yield at.finding(
                "C104",
                ("ask", id_),
                f"'{id_}' is given to a role, but is not among 'concepts'",
                "Add it to 'concepts', or take it out here.",
            )


def check_texts(at: _At) -> Iterator[Finding]:
    """Every text that goes into a form is there in every language of the forms."""
    context = at.context
    texts: dict[Path_, Mapping[str, str]] = {
        ("title",): context.title,
        ("organisation",): context.organisation,
        ("programme",): context.programme,
        ("community",): context.community,
        ("contacts", "withdrawal"): context.withdrawal,
        ("contacts", "complaints"): context.complaints,
        **({("contacts", "help"): context.help} if context.help else {}),
        **({("compensation", "text"): context.compensation} if context.compensation else {}),
        **{("sites", site): labels for site, labels in context.sites.items()},
    }
    for way, text in texts.items():
        lacking = [
            tag
            for tag in context.languages
            if tag not in text and inherited(text, at.bank.lineage(tag)) is None
        ]
        if lacking:
            yield at.finding(
                "C105",
                way,
                f"'{way[-1]}' has no text in: {', '.join(lacking)}",
                "Add one for each of these languages.",
            )


def check_windows(at: _At) -> Iterator[Finding]:
    """A window closes after it opens, belongs to a cohort, and follows the wave before."""
    waves = list(at.context.waves.values())
    order = [id_ for id_ in _WAVES if id_ in at.context.waves]
    if order != list(at.context.waves):
        yield at.finding(
            "C106",
            ("waves",),
            "the waves do not stand in the order in which they are done",
            f"Write them in this order: {', '.join(order)}.",
        )
    for position, wave in enumerate(waves):
        for cohort, window in wave.windows.items():
            way: Path_ = ("waves", wave.id, "windows", cohort)
            if cohort != EVERY_COHORT and cohort not in at.context.cohorts:
                yield at.finding(
                    "C106", way, f"there is no cohort '{cohort}'", "Add it to 'cohorts'."
                )
            if window.closes < window.opens:
                yield at.finding(
                    "C106", way, "the window closes before it opens", "Correct it."
                )
            before = waves[position - 1].window(cohort) if position else None
            if before and window.opens <= before.opens:
                yield at.finding(
                    "C106",
                    way,
                    f"'{wave.id}' opens no later than '{waves[position - 1].id}'",
                    "Waves stand in the order in which they are done.",
                )


def check_arms(at: _At) -> Iterator[Finding]:
    """A design with a comparison has two arms, one without has none to compare."""
    alone = at.context.design == "no_comparison"
    if alone and ("comparison" in at.context.arms or at.context.random):
        yield at.finding(
            "C107",
            ("design",),
            "a design without comparison has no comparison arm and nothing random",
            "Set 'random: false' and leave out the comparison arm, or name another design.",
        )
    if not alone and set(at.context.arms) != {"programme", "comparison"}:
        yield at.finding(
            "C107",
            ("arms",) if at.context.arms else ("design",),
            f"the design '{at.context.design}' compares two arms, but not both are described",
            "Describe 'programme' and 'comparison' under 'arms'.",
        )


def check_phrases(at: _At) -> Iterator[Finding]:
    """A ready phrase is one that each language of the study has."""
    phrases = {"country": at.context.country, "newcomers": at.context.newcomers}
    for name, phrase in phrases.items():
        if phrase is None:
            continue
        for tag in set(at.context.languages) & set(at.bank.languages):
            ready = at.bank.languages[tag].phrases.get(name, {})
            if phrase.use and phrase.use not in ready:
                yield at.finding(
                    "C108",
                    (name, "use"),
                    f"'{phrase.use}' is not a ready choice in '{tag}'",
                    f"Use one of: {', '.join(ready) or 'none'}; or give 'names' of your own.",
                )


def check_indicators(at: _At) -> Iterator[Finding]:
    """An indicator counts answers that an item of the study has."""
    items = {item.id: item for _, item in at.bank.items()}
    seen = set[str]()
    for number, indicator in enumerate(at.context.indicators):
        way: Path_ = ("indicators", number)
        if indicator.id in seen:
            problem = f"the id '{indicator.id}' is used already"
            yield at.finding("C111", (*way, "id"), problem, "Give each its own id.")
        seen.add(indicator.id)
        item = items.get(indicator.item)
        if item is None or not item.scale:
            yield at.finding(
                "C111",
                (*way, "item"),
                f"the bank has no item '{indicator.item}' with answers to choose from",
                "Run 'kobosmix concepts --json' to see the items.",
            )
            continue
        codes = [option.value for option in at.bank.scales[item.scale].options]
        if not set(indicator.answers) <= set(codes):
            yield at.finding(
                "C111",
                (*way, "answers"),
                f"'{indicator.item}' has no such answer",
                f"Its codes are: {', '.join(codes)}.",
            )
        if indicator.group not in at.context.groups:
            yield at.finding(
                "C111",
                (*way, "group"),
                f"there is no group '{indicator.group}'",
                f"Name one of: {', '.join(at.context.groups)}.",
            )


def check_preparing(at: _At) -> Iterator[Finding]:
    """A language being prepared is left out, and that is said."""
    for tag in at.context.preparing:
        yield at.finding(
            "C112",
            ("languages", tag),
            f"'{tag}' is being prepared, so it is not in any form yet",
            "When its wording is ready, write 'use' in place of 'preparing'.",
            Severity.NOTICE,
        )
