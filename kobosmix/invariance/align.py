"""Two forms beside each other: what in one is the counterpart of what in the other.

Where two groups are asked about each other, `trust_1__bos` of one is `trust_1__srb` of the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from kobosmix.codebook import NoteEntry, Role, Variable
from kobosmix.conditions import All, AnyOf, Blank, Condition, Equals, Not
from kobosmix.invariance.model import FormVersion

OTHER, _OWN = "(the other group)", "(the own group)"
_MEASURING = frozenset({Role.KEY, Role.ITEM})

Entry = Variable | NoteEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question, value or instruction of a form.

    `shared` is the name it has in common with its counterpart: its `base`, and the group it is
    `about`. The condition `asked_if` is in shared names.
    """

    entry: Entry
    base: str
    about: str
    measuring: bool
    asked_if: Condition | None
    required_if: Condition | None

    @property
    def shared(self) -> str:
        """The name in common."""
        return _joined(self.base, self.about)

    @property
    def name(self) -> str:
        """What it is called in its form."""
        return self.entry.name


@dataclass(frozen=True)
class View:
    """A form, seen beside that of `partner`: the group it is compared with, "" for its own."""

    version: FormVersion
    partner: str = ""

    @cached_property
    def asked(self) -> Mapping[str, Asked]:
        """Everything in the form, in order, by the shared name."""
        return {each.shared: each for each in self._all()}

    @cached_property
    def others(self) -> tuple[str, ...]:
        """The groups that are asked about, in order."""
        return tuple(dict.fromkeys(self._abouts.values()))

    def variables_beside(self, asked: Asked) -> list[Variable]:
        """The variables of the block in which it stands."""
        block = _block(asked.entry)
        return [each for each in self.version.codebook.variables if _block(each) == block]

    @cached_property
    def _abouts(self) -> Mapping[str, str]:
        """The group that each block is about, by the path of the block."""
        found = dict[str, str]()
        for variable in self.version.codebook.variables:
            if variable.about:
                found.setdefault(_block(variable), variable.about)
        return found

    @cached_property
    def _measuring_blocks(self) -> frozenset[str]:
        variables = self.version.codebook.variables
        return frozenset(_block(each) for each in variables if each.role in _MEASURING)

    @cached_property
    def _shared_names(self) -> Mapping[str, str]:
        return {
            variable.name: _joined(*self._split(variable))
            for variable in self.version.codebook.variables
        }

    def _all(self) -> Iterator[Asked]:
        codebook = self.version.codebook
        before = dict[str, list[NoteEntry]]()
        for note in codebook.notes:
            before.setdefault(note.before, []).append(note)
        for variable in codebook.variables:
            yield from map(self._note, before.get(variable.name, ()))
            base, about = self._split(variable)
            yield Asked(
                entry=variable,
                base=base,
                about=about,
                measuring=variable.role in _MEASURING,
                asked_if=self._shared(variable.asked_if),
                required_if=self._shared(variable.required_if),
            )
        yield from map(self._note, before.get("", ()))

    def _note(self, note: NoteEntry) -> Asked:
        base, about = self._split(note)
        return Asked(
            entry=note,
            base=base,
            about=about,
            measuring=_block(note) in self._measuring_blocks,
            asked_if=self._shared(note.shown_if),
            required_if=None,
        )

    def _split(self, entry: Entry) -> tuple[str, str]:
        """The name without the group that is asked about, and that group as it is shared."""
        in_block = self._abouts.get(_block(entry), "")
        about = entry.about if isinstance(entry, Variable) else in_block
        if not about:
            return entry.name, ""
        return (
            entry.name.removesuffix(f"__{about}"),
            OTHER if about == self.partner else about,
        )

    def _shared(self, condition: Condition | None) -> Condition | None:
        """The condition in shared names."""
        return None if condition is None else self._renamed(condition)

    def _renamed(self, condition: Condition) -> Condition:
        match condition:
            case Equals(variable, value):
                is_own = bool(self.partner) and value == self.version.codebook.group
                return Equals(self._name(variable), _OWN if is_own else value)
            case Blank(variable):
                return Blank(self._name(variable))
            case Not(inner):
                return Not(self._renamed(inner))
            case All(several):
                return All(tuple(self._renamed(each) for each in several))
            case AnyOf(several):
                return AnyOf(tuple(self._renamed(each) for each in several))

    def _name(self, variable: str) -> str:
        return self._shared_names.get(variable, variable)


def common(a: View, b: View) -> tuple[list[Asked], list[Asked]]:
    """What both forms have, in the order of each."""
    return (
        [each for name, each in a.asked.items() if name in b.asked],
        [each for name, each in b.asked.items() if name in a.asked],
    )


def _joined(base: str, about: str) -> str:
    return f"{base}__{about}" if about else base


def _block(entry: Entry) -> str:
    return entry.path.rpartition("/")[0]
