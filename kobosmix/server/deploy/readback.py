"""What the server hands to phones, held against what was built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kobosmix.errors import ServerError
from kobosmix.server.content import sheets_of
from kobosmix.server.deploy.model import (
    Act,
    DeliveredOtherwise,
    FormToDeploy,
    Remembered,
    digest_of,
)
from kobosmix.server.model import Asset, Server
from kobosmix.xlsform.diff import Change, changes, counted
from kobosmix.xlsform.model import sheets_of_rows

_EXAMPLES = 2
_ARRIVAL_POLLS_S = (0.2, 0.5, 1, 2, 2, 5, 5, 10, 10, 20)


def differences(form: FormToDeploy, content: Mapping[str, Any]) -> list[Change]:
    """What somebody changed on the server in a form that was built so; none without rows."""
    if not form.sheets:
        return []
    built, there = (
        sheets_of_rows(form.key, form.sheets),
        sheets_of_rows(form.key, sheets_of(content)),
    )
    return list(changes(built, there, on_server=True))


def replacements(form: FormToDeploy, content: Mapping[str, Any]) -> list[Change]:
    """What the build changes in the form that is there; none where it cannot be compared."""
    if not form.sheets:
        return []
    built, there = (
        sheets_of_rows(form.key, form.sheets),
        sheets_of_rows(form.key, sheets_of(content)),
    )
    return list(changes(there, built, on_server=True))


def summed_up(found: Sequence[Change]) -> str:
    """How many changes there are, with the first of the worst: '1 breaking change (age: removed)'."""
    worst = [each for each in found if each.level is found[0].level] if found else []
    examples = "; ".join(f"{each.where}: {each.what}" for each in worst[:_EXAMPLES])
    return counted(found) + (f" ({examples})" if examples else "")


def publishing(
    server: Server, form: FormToDeploy, asset: Asset, memory: Remembered | None
) -> Act:
    """How phones come to get what the project holds: DEPLOY, OPEN, or NOTHING.

    A project that is closed shows no files; it is opened without being deployed anew where it is
    remembered that they are those of the form.
    """
    is_current = asset.version_id == asset.deployed_version_id or stands_as_built(
        form, asset, memory
    )
    if not asset.has_deployment or not is_current:
        return Act.DEPLOY
    if not asset.active:
        has_files = memory is not None and memory.media == form.media_md5
        return Act.OPEN if has_files else Act.DEPLOY
    fielded = server.fielded_media(asset.uid) if form.media else {}
    return Act.NOTHING if form.media_md5.items() <= fielded.items() else Act.DEPLOY


def stands_as_built(form: FormToDeploy, asset: Asset, memory: Remembered | None) -> bool:
    """Whether phones get the version we deployed, though the project was saved anew since.

    Giving the project another name on the server makes a new version of the same content, and is
    no reason for every phone to fetch the form again.
    """
    if memory is None or memory.workbook_sha256 != digest_of(form.workbook):
        return False
    is_ours = memory.uid == asset.uid and memory.version_id == asset.deployed_version_id
    return is_ours and bool(form.sheets) and not differences(form, asset.content)


def see_it_arrive(server: Server, form: FormToDeploy, asset: Asset) -> None:
    """Return when phones get the form and its files as built; the server syncs in its own time.

    What is deployed in other words, codes or rules than built is a DeliveredOtherwise.
    """
    _wait(server, form, asset)
    content = (
        asset.content
        if asset.deployed_version_id == asset.version_id
        else server.version_content(asset.uid, asset.deployed_version_id)
    )
    found = differences(form, content)
    if found:
        raise DeliveredOtherwise(
            f"phones get {form.key} otherwise than it was built: {summed_up(found)}. See "
            "'kobosmix diff', and keep it out of the field until it is as built"
        )


def _wait(server: Server, form: FormToDeploy, asset: Asset) -> None:
    late = ""
    for wait_s in _ARRIVAL_POLLS_S:
        late = _not_arrived(server, form, asset)
        if not late:
            return
        server.wait(wait_s)
    raise ServerError(f"see {form.key} arrive on phones", 200, f"they still get {late}")


def _not_arrived(server: Server, form: FormToDeploy, asset: Asset) -> str:
    if form.build_id not in server.fielded_form(asset.uid):
        return f"another build than {form.build_id}"
    fielded = server.fielded_media(asset.uid) if form.media else {}
    late = [name for name, md5 in form.media_md5.items() if fielded.get(name) != md5]
    return f"another {late[0]}, or none" if late else ""
