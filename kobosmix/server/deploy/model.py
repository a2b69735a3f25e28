"""What is brought to a server, what is remembered of it, and what there is to do."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kobosmix.errors import KobosmixError
from kobosmix.files import sha256
from kobosmix.form.practice import PURPOSE
from kobosmix.server.model import Asset, Right, Server
from kobosmix.xlsform.diff import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class FormToDeploy:
    """A built form. `key` is its name in this study (`pre_turks`); `media` are its files.

    `sheets` are the rows of the workbook, to be compared with what the server has. `purpose` is
    empty for the field. `senders` are the accounts that may send with it, each with the code of
    its enumerator.
    """

    key: str
    title: str
    study: str
    wave: str
    group: str
    build_id: str
    workbook: bytes
    media: Mapping[str, bytes] = field(default_factory=dict)
    sheets: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)
    purpose: str = ""
    senders: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def constants(self) -> dict[str, str]:
        """What stands hidden in the form and says which one it is; empty is not there at all."""
        return {
            "kx_study": self.study,
            "kx_group": self.group,
            "kx_wave": self.wave,
            PURPOSE: self.purpose,
        }

    @property
    def media_md5(self) -> dict[str, str]:
        """The digest of each file, as the server has it."""
        return {name: _md5(content) for name, content in sorted(self.media.items())}


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """Where a form went at the last deploy, and what of it.

    `arrived` says that phones were seen to get it as it was built.
    """

    server: str
    uid: str
    build_id: str
    workbook_sha256: str
    version_id: str = ""
    media: Mapping[str, str] = field(default_factory=dict)
    arrived: bool = False


def recall(memory: Mapping[str, Any] | None, server: Server) -> Remembered | None:
    """What is remembered of a form on this server; None where that is nothing whole."""
    if memory is None or memory.get("server") != server.url:
        return None
    try:
        known = {name: memory[name] for name in Remembered.__slots__ if name in memory}
        return Remembered(**known)
    except TypeError:
        # A memory that lacks something is no memory: the server is asked instead.
        return None


class Act(StrEnum):
    """One kind of thing done to a server."""

    CREATE = "create"
    REPLACE = "replace"
    UPLOAD = "upload"
    WITHDRAW = "withdraw"
    DEPLOY = "deploy"
    OPEN = "open"
    CHECK = "check"
    GRANT = "grant"
    TAKE = "take"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do, in words."""

    key: str
    act: Act
    words: str

    def __str__(self) -> str:
        return f"{self.key}: {self.words}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsPlan:
    """Who gets the right to send, and from whom it is taken. `grants` maps account to code.

    `given` are the marks of what kobosmix gave before. `unknown` are the codes of enumerators
    whose account the server does not have; `is_public` says that anyone can read the answers.
    """

    grants: Mapping[str, str] = field(default_factory=dict, repr=False)
    takes: tuple[Right, ...] = ()
    given: frozenset[str] = frozenset()
    unknown: tuple[str, ...] = ()
    is_public: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FormPlan:
    """What is to be done for one form. `uid` is empty when it is not on the server yet.

    `edited` is what somebody changed on the server, and loses when the form is replaced.
    """

    form: FormToDeploy
    uid: str
    steps: tuple[Step, ...]
    memory: Remembered | None = None
    edited: tuple[Change, ...] = ()
    rights: RightsPlan = field(default_factory=RightsPlan)

    def has(self, *acts: Act) -> bool:
        """Whether one of these is to be done."""
        return any(step.act in acts for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a deploy would do, made by looking only. Good for the server it was made on."""

    server: Server = field(repr=False)
    forms: tuple[FormPlan, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """Everything to be done, in order."""
        return tuple(step for each in self.forms for step in each.steps)

    @property
    def changes_nothing(self) -> bool:
        """Whether the server has it all already."""
        return all(step.act is Act.NOTHING for step in self.steps)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The codes of enumerators whose account the server does not have."""
        return tuple(dict.fromkeys(code for each in self.forms for code in each.rights.unknown))

    @property
    def public(self) -> tuple[str, ...]:
        """The forms whose answers anyone can read, without an account."""
        return tuple(each.form.key for each in self.forms if each.rights.is_public)


class DeployUnfinished(KobosmixError):
    """A deploy that stopped on the way: why, how many forms are done, and how far the next got."""

    exit_code = 3

    def __init__(self, why: KobosmixError, done: int, total: int, stopped_at: str) -> None:
        self.done, self.total = done, total
        self.exit_code = why.exit_code
        super().__init__(
            f"{why}\n{done} of {total} forms deployed; {stopped_at}; run again to continue"
        )


class DeliveredOtherwise(KobosmixError):
    """What the server hands to phones is not what was built."""

    exit_code = 3


def is_form(asset: Asset, form: FormToDeploy) -> bool:
    """Whether the project says that it is this form."""
    return all(asset.constants.get(name, "") == said for name, said in form.constants.items())


def contradicts(asset: Asset, form: FormToDeploy) -> bool:
    """Whether the project says that it is another form. One that says nothing does not."""
    said = {
        **form.constants,
        **{n: v for n, v in asset.constants.items() if n in form.constants},
    }
    return said != form.constants


def digest_of(workbook: bytes) -> str:
    """By what a workbook is known again."""
    return sha256(workbook)


def _md5(content: bytes) -> str:
    # MD5 because it is what the servers publish; it tells files apart and protects nothing.
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
