"""Rules for what is called how: names in every form a language has, and texts of the team's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kobosmix.bank.adaptation import inherited, inherited_forms
from kobosmix.context.model import Group
from kobosmix.context.rule import At
from kobosmix.findings import Finding, Severity
from kobosmix.yamlfile import Path_

# Longer names do not fit beside their sentence on a phone.
_LONGEST = 60


def check_usual_groups(at: At) -> Iterator[Finding]:
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


def check_names_differ(at: At) -> Iterator[Finding]:
    """No two groups have one name in a language: nobody could tell which is meant."""
    for tag in at.context.languages:
        seen = dict[str, str]()
        for group in at.context.groups.values():
            own = inherited_forms(group.names, at.bank.lineage(tag))
            for form, name in (own or _ready_names(at, group, tag)).items():
                other = seen.setdefault(f"{form} {name}".casefold(), group.id)
                if other != group.id:
                    key = ("names", tag, form) if tag in group.names else ("use",)
                    yield at.finding(
                        "C110",
                        ("groups", group.id, *key),
                        f"'{other}' and '{group.id}' are both called '{name}'",
                        "Give each a name of its own.",
                    )
                    break


def _ready_names(at: At, group: Group, tag: str) -> Mapping[str, str]:
    language = at.bank.languages.get(tag)
    return language.groups.get(group.use, {}) if language else {}


def check_lengths(at: At) -> Iterator[Finding]:
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


def check_alphabets(at: At) -> Iterator[Finding]:
    """A self-generated code asks for letters, so each language of the forms has its alphabet."""
    if at.context.has_issued_ids:
        return
    yield at.finding(
        "C119",
        ("id_method",),
        "kobosmix collects self-generated codes and does not match by them yet; and the letters "
        "are those of the language chosen at each interview, so nobody may change it",
        "Use 'id_method: register' wherever one person can keep a list.",
        Severity.WARNING,
    )
    for tag in at.context.languages:
        if tag in at.bank.languages and not at.bank.languages[tag].alphabet:
            yield at.finding(
                "C117",
                ("languages", tag),
                f"kobosmix has no alphabet for '{tag}', and a self-generated code asks for letters",
                "Leave the language out, or use 'id_method: register'.",
            )


def check_name_forms(at: At) -> Iterator[Finding]:
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


def check_texts(at: At) -> Iterator[Finding]:
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


def check_phrases(at: At) -> Iterator[Finding]:
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
