"""Which sentences a reader has signed: draft, signed, or changed since.

A signature covers a sentence by the digest of everything that makes it: the English, the
translation, and the names in it. Whatever changes one of them reopens that sentence and no other.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from kobosmix.bank.model import Bank
from kobosmix.files import as_json, canonical_json, sha256, write_json
from kobosmix.findings import Finding, Place
from kobosmix.wording.render import Rendering, Wording

FILE = "signatures.json"
FORMAT = 1


class Part(StrEnum):
    """What one signature covers: what a person agrees to, or everything else."""

    CONSENT = "consent"
    QUESTIONS = "questions"


class State(StrEnum):
    """How far a sentence has come; missing is also one in which a name is missing."""

    MISSING = "missing"
    DRAFT = "draft"
    SIGNED = "signed"
    STALE = "stale"


class Purpose(StrEnum):
    """What forms are put on a server for."""

    LOCAL = "local"
    TRAINING = "training"
    PRETEST = "pretest"
    FIELD = "field"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who read which sentences of one language, and when; `texts` maps digest to key."""

    language: str
    part: Part
    by: str
    role: str
    on: datetime.date
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewText:
    """One sentence to be read: the same words in several forms are read once.

    `forms` are the pairs of respondent group and group asked about in whose forms it stands;
    `source_digest` tells whether the English, with its slots, is another than it was.
    """

    language: str
    key: str
    part: Part
    forms: tuple[tuple[str, str], ...]
    english: str
    source_digest: str
    text: str
    digest: str
    state: State
    signed: Signature | None = None
    is_override: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Every sentence of one language of the study, in the order of the forms."""

    language: str
    texts: tuple[ReviewText, ...]

    def count(self, state: State, part: Part | None = None) -> int:
        """How many sentences are in this state."""
        return sum(t.state is state and part in (None, t.part) for t in self.texts)

    def unsigned(self, part: Part | None = None) -> int:
        """How many sentences no reader has signed as they are now."""
        return sum(t.state is not State.SIGNED and part in (None, t.part) for t in self.texts)

    @property
    def last_signature(self) -> Signature | None:
        """The last time somebody signed a sentence that stands, or stood, here."""
        signed = [t.signed for t in self.texts if t.signed]
        return max(signed, key=lambda s: s.on, default=None)


def review_of(wording: Wording, signatures: Sequence[Signature]) -> dict[str, Review]:
    """Where each language of the study stands, once its forms have been rendered."""
    by_tag = dict[str, dict[tuple[str, str], list[Rendering]]]()
    for rendering in wording.renderings.values():
        tag, key, _, _ = rendering.way
        same = by_tag.setdefault(tag, {})
        same.setdefault((key, digest_of(rendering)), []).append(rendering)
    covered = _Covered(signatures)
    return {
        tag: Review(
            language=tag,
            texts=tuple(
                _text(wording, key, digest, renderings, covered)
                for (key, digest), renderings in same.items()
            ),
        )
        for tag, same in by_tag.items()
    }


def digest_of(rendering: Rendering) -> str:
    """The digest of the English, the translation and the names in it."""
    tag, key, _, _ = rendering.way
    made_of = [tag, key, rendering.source, rendering.template, list(rendering.names)]
    return sha256(canonical_json(made_of))[:16]


def part_of(key: str, bank: Bank) -> Part:
    """Which signature a sentence belongs to."""
    text = bank.texts.get(key.removeprefix("text."))
    is_consent = key.startswith("text.") and text is not None and text.consent
    return Part.CONSENT if is_consent else Part.QUESTIONS


def why_refused(
    reviews: Mapping[str, Review], purpose: Purpose, *, has_exception: bool
) -> list[str]:
    """Why forms may not go to a server for this purpose: a sentence for each language.

    Practice needs no signature. A pretest, which puts real people before the questions, needs the
    consent signed; the field needs everything, where one exception may be made, but not for
    consent.
    """
    if purpose in (Purpose.LOCAL, Purpose.TRAINING):
        return []
    refused = list[str]()
    for tag, review in reviews.items():
        consent = review.unsigned(Part.CONSENT)
        others = review.unsigned(Part.QUESTIONS)
        if consent:
            refused.append(f"{tag}: {consent} sentences of the consent are not signed")
        if others and purpose is Purpose.FIELD and not has_exception:
            refused.append(f"{tag}: {others} of {len(review.texts)} sentences are not signed")
    return refused


def read_signatures(folder: Path) -> tuple[tuple[Signature, ...], list[Finding]]:
    """The signatures of a study. A damaged file signs nothing, and is an error."""
    path = folder / FILE
    if not path.is_file():
        return (), []
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        # A newer format is not guessed at.
        listed: list[Any] = content["signatures" if content["format"] == FORMAT else "newer"]
        return tuple(_signature(each) for each in listed), []
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return (), [
            Finding(
                code="W109",
                place=Place(path.name),
                problem="the record of signatures is damaged, or of a newer kobosmix, so nothing "
                "counts as signed",
                remedy="Restore it from a backup, or update kobosmix. Without one, delete it and "
                "have the proof signed again.",
            )
        ]


def add_signatures(folder: Path, fresh: Iterable[Signature]) -> None:
    """Add signatures to the study's record; earlier ones stay in it."""
    before, _ = read_signatures(folder)
    signatures = [{**as_json(s), "on": s.on.isoformat()} for s in (*before, *fresh)]
    write_json(folder / FILE, {"format": FORMAT, "signatures": signatures})


class _Covered:
    """What the signatures cover, the latest first."""

    def __init__(self, signatures: Sequence[Signature]) -> None:
        self._digests = dict[tuple[str, str], Signature]()
        self._keys = dict[tuple[str, str], Signature]()
        for signature in sorted(signatures, key=lambda s: s.on):
            for digest, key in signature.texts.items():
                self._digests[signature.language, digest] = signature
                self._keys[signature.language, key] = signature

    def state(self, tag: str, key: str, digest: str) -> tuple[State, Signature | None]:
        signature = self._digests.get((tag, digest))
        if signature:
            return State.SIGNED, signature
        before = self._keys.get((tag, key))
        return (State.STALE, before) if before else (State.DRAFT, None)


def _text(
    wording: Wording, key: str, digest: str, renderings: list[Rendering], covered: _Covered
) -> ReviewText:
    first = renderings[0]
    tag = first.way[0]
    state, signed = covered.state(tag, key, digest)
    if not first.text or first.lacks_names:
        state, signed = State.MISSING, None
    elif state is State.DRAFT and first.translated_from != first.source:
        state = State.STALE
    return ReviewText(
        language=tag,
        key=key,
        part=part_of(key, wording.bank),
        forms=tuple(dict.fromkeys(each.way[2:] for each in renderings)),
        english=wording.in_english(first),
        source_digest=sha256(first.source.encode())[:12],
        text=first.text,
        digest=digest,
        state=state,
        signed=signed,
        is_override=first.is_override,
    )


def _signature(content: Mapping[str, Any]) -> Signature:
    """A signature as it was recorded. Anything of another kind is a TypeError or a KeyError."""
    texts = content["texts"]
    told = [content["language"], content["by"], content["role"], *texts.values(), *texts]
    if not all(isinstance(each, str) for each in told) or not content["by"]:
        raise TypeError("a signature is made of texts, and has a name")
    return Signature(
        language=content["language"],
        part=Part(content["part"]),
        by=content["by"],
        role=content["role"],
        on=datetime.date.fromisoformat(content["on"]),
        texts=dict(texts),
    )
