"""Doing what a plan says, form by form, so that it can stop anywhere and go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from kobosmix.errors import KobosmixError, ServerUnreachable
from kobosmix.server.deploy.model import (
    Act,
    DeliveredOtherwise,
    DeployUnfinished,
    FormPlan,
    Plan,
    Remembered,
    digest_of,
)
from kobosmix.server.deploy.plan import missing_media, stale_media
from kobosmix.server.deploy.readback import publishing, see_it_arrive
from kobosmix.server.deploy.recognise import Shelf
from kobosmix.server.deploy.rights import OnGiven, settle
from kobosmix.server.model import Asset, Server

# An import that was taken in, though its answer was lost, is worked off within seconds.
_LOST_IMPORT_POLLS_S = (1, 2, 4, 8, 15)

_BRINGING = (
    *(Act.CREATE, Act.REPLACE, Act.UPLOAD, Act.WITHDRAW),
    *(Act.DEPLOY, Act.OPEN, Act.CHECK),
)

OnDone = Callable[[str, dict[str, Any]], None]


def carry_out(
    plan: Plan,
    on_done: OnDone,
    on_step: Callable[[str], None] = lambda _: None,
    on_given: OnGiven = lambda _uid, _marks: None,
) -> tuple[str, ...]:
    """Do what the plan says; the codes of enumerators whose account the server did not know.

    `on_done` and `on_given` are given what to remember, each time a form has got on. A failure is
    a DeployUnfinished; what was done before it is remembered and not done again.
    """
    unknown = list(plan.unknown)
    for done, each in enumerate(plan.forms):
        if each.has(Act.NOTHING):
            continue
        delivery = _Delivery(plan.server, each, on_done, on_step)
        try:
            delivery.run()
            unknown += settle(plan.server, delivery.uid, each.rights, on_given)
        except KobosmixError as error:
            stopped_at = f"{each.form.key} {delivery.reached}"
            raise DeployUnfinished(error, done, len(plan.forms), stopped_at) from error
    return tuple(dict.fromkeys(unknown))


class _Delivery:
    """One form on its way to the phones. `reached` says how far it has come."""

    def __init__(
        self,
        server: Server,
        plan: FormPlan,
        on_done: OnDone,
        on_step: Callable[[str], None],
    ) -> None:
        self._server, self._plan, self._form = server, plan, plan.form
        self._on_done, self._on_step = on_done, on_step
        self.uid = plan.uid
        imports = plan.has(Act.CREATE, Act.REPLACE)
        self.reached = "was not imported" if imports else "was not redeployed"

    def run(self) -> None:
        """Import, upload, deploy, and see it arrive; then only rights are left to settle."""
        if self._plan.has(*_BRINGING):
            self._bring()
        self.reached = "is on phones, but not everyone on the list may send with it yet"
        self._tell(Act.GRANT, Act.TAKE)

    def _bring(self) -> None:
        self._tell(Act.CREATE, Act.REPLACE)
        if self._plan.has(Act.CREATE, Act.REPLACE):
            self._import()
        self._tell(Act.UPLOAD)
        asset = self._published(has_other_media=self._upload())
        self.reached = "was deployed, but phones do not get it yet"
        self._tell(Act.CHECK)
        try:
            see_it_arrive(self._server, self._form, asset)
        except DeliveredOtherwise:
            self.reached = "is deployed and open"
            raise
        self._remember(asset, self._form.media_md5, arrived=True)

    def _import(self) -> None:
        form = self._form
        try:
            self.uid = self._server.import_workbook(
                form.title, form.workbook, replace=self._plan.uid
            )
        except ServerUnreachable:
            # Asked again blindly, the server would make a second project.
            self.uid = self._plan.uid or self._made_all_the_same()
            if self._plan.uid or not self.uid:
                raise
        self.reached = "was imported but not deployed"
        self._remember(self._server.asset(self.uid), {})

    def _made_all_the_same(self) -> str:
        """The project that the server made although its answer was lost; "" where it made none."""
        for wait_s in _LOST_IMPORT_POLLS_S:
            self._server.wait(wait_s)
            try:
                made = Shelf(self._server).find(self._form, None)
            except ServerUnreachable:
                continue
            if made is not None:
                return made.uid
        return ""

    def _upload(self) -> bool:
        missing = missing_media(self._server, self._form, self.uid)
        for name in missing:
            self._server.put_media(self.uid, name, self._form.media[name])
        self._tell(Act.WITHDRAW)
        stale = stale_media(self._server, self._form, self.uid)
        for file in stale:
            self._server.delete_media(self.uid, file)
        return bool(missing or stale)

    def _published(self, *, has_other_media: bool) -> Asset:
        asset = self._server.asset(self.uid)
        # The same workbook imported again is the same version: phones need not fetch it anew.
        act = (
            Act.DEPLOY
            if has_other_media
            else publishing(self._server, self._form, asset, self._plan.memory)
        )
        if act is Act.DEPLOY:
            self._tell(Act.DEPLOY)
            return self._server.deploy(self.uid)
        if act is Act.OPEN:
            self._tell(Act.OPEN)
            self._server.set_open(self.uid, is_open=True)
            return self._server.asset(self.uid)
        return asset

    def _remember(
        self, asset: Asset, media: Mapping[str, str], *, arrived: bool = False
    ) -> None:
        memory = Remembered(
            server=self._server.url,
            uid=asset.uid,
            build_id=self._form.build_id,
            workbook_sha256=digest_of(self._form.workbook),
            version_id=asset.version_id,
            media=media,
            arrived=arrived,
        )
        self._on_done(self._form.key, asdict(memory))

    def _tell(self, *acts: Act) -> None:
        for step in self._plan.steps:
            if step.act in acts:
                self._on_step(str(step))
