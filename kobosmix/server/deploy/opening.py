"""Opening and closing forms that are deployed: nothing is published by it, and nothing lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kobosmix.errors import KobosmixError
from kobosmix.server.deploy.model import recall
from kobosmix.server.deploy.recognise import Shelf
from kobosmix.server.model import Asset, Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A form of a wave on the server, and whether phones can send with it now."""

    key: str
    uid: str
    is_open: bool


class SwitchUnfinished(KobosmixError):
    """Some forms were opened or closed, and some not: why, and which."""

    def __init__(
        self, why: KobosmixError, verb: str, done: Sequence[str], left: Sequence[str]
    ) -> None:
        self.exit_code = why.exit_code
        super().__init__(
            f"{why}\n{verb}: {', '.join(done) or 'none'}; not yet: {', '.join(left)}; "
            "run the same command again to go on"
        )


def find_projects(
    server: Server,
    study: str,
    wave: str,
    remembered: Mapping[str, Mapping[str, Any]],
    purpose: str = "",
) -> tuple[Project, ...]:
    """The deployed forms of a wave: those remembered, and every other that says it is one."""
    found = dict[str, Project]()
    for key, told in remembered.items():
        memory = recall(told, server)
        asset = server.find_asset(memory.uid) if memory else None
        if asset is not None and asset.has_deployment:
            found[asset.uid] = _project(key, asset)
    for asset in Shelf(server).of_wave(study, wave, purpose):
        if asset.has_deployment and asset.may_manage and asset.uid not in found:
            key = f"{wave}_{asset.constants.get('kx_group', asset.uid)}"
            found[asset.uid] = _project(key, asset)
    return tuple(found.values())


def switch(
    server: Server,
    projects: Sequence[Project],
    on_done: Callable[[Project], None],
    *,
    is_open: bool,
) -> None:
    """Open or close each form that is not so yet; `on_done` is told of each as it is so.

    A failure is a SwitchUnfinished that says which are done. Running it again goes on there.
    """
    verb = "open" if is_open else "closed"
    for number, project in enumerate(projects):
        try:
            if project.is_open != is_open:
                server.set_open(project.uid, is_open=is_open)
        except KobosmixError as error:
            done = [each.key for each in projects[:number]]
            left = [each.key for each in projects[number:]]
            raise SwitchUnfinished(error, verb, done, left) from error
        on_done(project)


def _project(key: str, asset: Asset) -> Project:
    return Project(key=key, uid=asset.uid, is_open=asset.active)
