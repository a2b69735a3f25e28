"""A rehearsal of a study's fieldwork: who plays, by which forms, on which server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from random import Random

from kobosmix.errors import StudyError, UsageError
from kobosmix.match.model import MatchDesign
from kobosmix.people.model import ACTIVE, SPARE, Register, Respondent
from kobosmix.prepare import Prepared, prepare
from kobosmix.rehearse.cast import write_script
from kobosmix.rehearse.faults import YEARS_MISHEARD
from kobosmix.rehearse.field import Field
from kobosmix.rehearse.people import invent_people
from kobosmix.rehearse.script import Script
from kobosmix.rehearse.send import OnProgress, Phone, Sent, fetch_form, send
from kobosmix.server.address import is_loopback
from kobosmix.server.kobo import KoboServer
from kobosmix.server.model import Server
from kobosmix.server.openrosa import OpenRosaServer
from kobosmix.steps import deployments, design_of
from kobosmix.study import Study

_WALK_INS = 2


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """A script, and the phones that will send it. `phones` are by wave, then by group."""

    script: Script
    server: OpenRosaServer
    phones: Mapping[str, Mapping[str, Phone]]

    def send_wave(
        self, wave: str, on_progress: OnProgress = lambda _what, _done, _total: None
    ) -> Sent:
        """Send one wave, and say what the server made of it."""
        return send(
            self.server,
            self.phones[wave],
            self.script.wave(wave),
            lambda done, total: on_progress(f"sending {wave}", done, total),
        )

    def send(self, on_progress: OnProgress = lambda _what, _done, _total: None) -> None:
        """Send all waves, one after the other."""
        for wave in self.script.waves:
            self.send_wave(wave, on_progress)


def plan_rehearsal(
    study: Study,
    server: Server,
    *,
    people: int | None = None,
    seed: int = 1,
    today: date | None = None,
) -> Rehearsal:
    """What will be sent, by the forms as phones get them now; nothing is sent yet.

    `people` (everyone, if not said) of the register play. Anything but a local server that holds
    the study's forms and no answers to them is refused.
    """
    if not (is_loopback(server.url) and isinstance(server, KoboServer)):
        raise UsageError(
            f"{server.url} is no local server of kobosmix. Invented interviews are sent to a local server "
            "only: start one with 'kobosmix serve', and deploy there."
        )
    today = today or datetime.now(UTC).date()
    prepared = prepare(study, engines=False)
    if not prepared.sound().has_issued_ids:
        raise UsageError(
            "people are rehearsed by their numbers, and this study has self-generated codes. Try its "
            "forms in build/preview.html."
        )
    _require_no_window(design_of(prepared.sound()), today)
    phones = _phones(study, prepared, server)
    script = script_for(prepared, people=people, seed=seed, today=today)
    return Rehearsal(script=script, server=server.phones, phones=phones)


def script_for(
    prepared: Prepared, *, people: int | None = None, seed: int = 1, today: date
) -> Script:
    """What `people` of the register (everyone, if not said) send, and what must come of it.

    The same study, seed and day give the same script.
    """
    rng = Random(seed)  # noqa: S311 - a simulation, not a secret
    register, context = prepared.register, prepared.sound()
    respondents = _players(register, people, rng)
    spares = sorted(
        (each for each in register.respondents if each.status == SPARE), key=lambda p: p.group
    )[:_WALK_INS]
    players = invent_people(
        [*respondents, *spares],
        tuple(context.groups),
        year=today.year,
        seed=seed,
        # Whoever agrees alone is of age, also where the year of birth is misheard.
        youngest=context.age_of_consent + 2 * YEARS_MISHEARD,
    )
    chances = rng, Random(rng.random())  # noqa: S311 - a simulation, not a secret
    waves = [
        _field(prepared, position, today, chances) for position in range(len(context.waves))
    ]
    return write_script(
        waves, players[: len(respondents)], players[len(respondents) :], register
    )


def _require_no_window(design: MatchDesign, today: date) -> None:
    """All waves of a rehearsal come in today, and the ledger goes by the day of receipt.

    Outside every window that only makes them early or late. Within one, every other wave would be
    in conflict with it, and rightly so.
    """
    for wave, by_cohort in design.windows.items():
        for opens, closes in by_cohort.values():
            if opens <= today <= closes and len(design.waves) > 1:
                raise UsageError(
                    f"today is in the window of '{wave}' ({opens} to {closes}), and what comes in "
                    "now for another wave would count as a mix-up. Rehearse before fieldwork, or "
                    "with a copy of the study that has other windows."
                )


def _phones(
    study: Study, prepared: Prepared, server: KoboServer
) -> dict[str, dict[str, Phone]]:
    known, phones = deployments(study), dict[str, dict[str, Phone]]()
    for built in prepared.forms:
        book, deployed = built.codebook, known.get(built.key)
        if deployed is None or deployed.server != server.url:
            raise UsageError(
                f"{built.key} is not on {server.url}; 'kobosmix deploy' comes first"
            )
        answered = server.submission_count(deployed.uid)
        if answered:
            raise UsageError(
                f"{built.key} already has {answered} submissions on {server.url}. A rehearsal "
                "starts without any: 'kobosmix serve --database NEW_FILE' has none."
            )
        phone = fetch_form(server.phones, deployed.uid, book)
        if phone.form.constants.get("kx_build") != book.build_id:
            raise StudyError(
                f"{built.key} was changed since it was deployed; 'kobosmix deploy' comes first"
            )
        phones.setdefault(book.wave, {})[book.group] = phone
    return phones


def _players(register: Register, people: int | None, rng: Random) -> Sequence[Respondent]:
    # By place, not by number: IDs are random, and one seed shall play the same in every group.
    in_place = sorted(register.respondents, key=lambda p: (p.group, p.site, p.cohort, p.arm))
    active = [each for each in in_place if each.status == ACTIVE]
    wanted = len(active) if people is None else people
    if not active or wanted > len(active):
        raise UsageError(
            f"the register has {len(active)} respondents, and {wanted or 'some'} are needed; "
            "'kobosmix ids' issues more"
        )
    return rng.sample(active, wanted)


def _field(
    prepared: Prepared, position: int, today: date, chances: tuple[Random, Random]
) -> Field:
    context = prepared.sound()
    design = design_of(context)
    wave = design.waves[position]
    everyone = [each.code for each in prepared.enumerators]
    return Field(
        wave=wave,
        position=position,
        design=design,
        codebooks={
            built.codebook.group: built.codebook
            for built in prepared.forms
            if built.codebook.wave == wave
        },
        enumerators={
            group: [each.code for each in prepared.enumerators if each.group == group]
            or everyone
            for group in context.groups
        },
        sites=tuple(context.sites),
        register=prepared.register,
        today=today,
        rng=chances[0],
        casting=chances[1],
    )
