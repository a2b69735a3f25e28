"""Which project on the server is which form: by what is remembered, else by what it says itself."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from kobosmix.errors import StudyError
from kobosmix.form.practice import PURPOSE
from kobosmix.server.deploy.model import (
    FormToDeploy,
    Remembered,
    contradicts,
    is_form,
)
from kobosmix.server.model import Asset, Server


class Shelf:
    """Finds the study's forms among all projects that the account sees."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def find(self, form: FormToDeploy, memory: Remembered | None) -> Asset | None:
        """The project that is this form: by memory, else by its constants; never by its name.

        A project that is remembered stays this form when somebody took the constants out of it.
        """
        known = self._server.find_asset(memory.uid) if memory else None
        if known is not None and not contradicts(known, form):
            return self._manageable(form, [known])[0]
        found = [asset for asset in self._assets if is_form(asset, form)]
        if not found:
            return None
        ours = self._manageable(form, found)
        if len(ours) > 1:
            uids = ", ".join(asset.uid for asset in ours)
            raise StudyError(
                f"{len(ours)} projects on {self._server.url} are the form {form.key}: {uids}. "
                "Delete those that are not in use on the server, then deploy again."
            )
        return ours[0]

    def of_wave(self, study: str, wave: str, purpose: str = "") -> Iterator[Asset]:
        """Every project that says it is of this wave of the study and for this purpose."""
        said = {"kx_study": study, "kx_wave": wave, PURPOSE: purpose}
        for asset in self._assets:
            if all(asset.constants.get(name, "") == value for name, value in said.items()):
                yield asset

    def _manageable(self, form: FormToDeploy, found: list[Asset]) -> list[Asset]:
        """Those that the account may manage; a copy that was only shared with it is left alone."""
        ours = [asset for asset in found if asset.may_manage]
        if not ours:
            asset = found[0]
            whose = f" of the account '{asset.owner}'" if asset.owner else ""
            raise StudyError(
                f"{form.key} is the project {asset.uid}{whose} on {self._server.url}, and your "
                "account may not manage it. Let its owner give you the right 'Manage project' "
                "there, or deploy with the owner's account. A second project would part the "
                "answers in two. Nothing was changed."
            )
        return ours

    @cached_property
    def _assets(self) -> tuple[Asset, ...]:
        return tuple(self._server.assets())
