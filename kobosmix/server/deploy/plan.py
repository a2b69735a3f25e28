"""What a deploy would do, from looking only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kobosmix.errors import StudyError
from kobosmix.server.deploy.model import (
    Act,
    FormPlan,
    FormToDeploy,
    Plan,
    Remembered,
    RightsPlan,
    Step,
    digest_of,
    recall,
)
from kobosmix.server.deploy.readback import (
    differences,
    publishing,
    replacements,
    stands_as_built,
    summed_up,
)
from kobosmix.server.deploy.recognise import Shelf
from kobosmix.server.deploy.rights import Accounts, plan_rights
from kobosmix.server.model import ANYONE, Asset, MediaFile, Server
from kobosmix.xlsform.diff import Change

_ON_PHONES = (Act.CREATE, Act.REPLACE, Act.DEPLOY)
_OUR_LISTS = frozenset({"enumerators.csv", "register.csv"})
_PUBLISHED = {
    Act.DEPLOY: "deploy it to phones",
    Act.OPEN: "open it again, as phones had it",
}


def plan_deploy(
    server: Server,
    forms: Sequence[FormToDeploy],
    remembered: Mapping[str, Mapping[str, Any]],
    *,
    given: Mapping[str, Sequence[str]] | None = None,
    replace_answered: bool = False,
) -> Plan:
    """What has to be done so that phones get these forms. Nothing is changed yet.

    `given` are the rights we gave before, by project. A form that already has submissions is not
    replaced by another one unless `replace_answered`: the StudyError names each such form, its
    number of submissions, and what would change.
    """
    _require_distinct(forms)
    look = _Look(server, Shelf(server), Accounts(server), given or {})
    plans, refused = list[FormPlan](), list[str]()
    for form in forms:
        memory = recall(remembered.get(form.key), server)
        asset = look.shelf.find(form, memory)
        plan = look.plan(form, asset, memory)
        plans.append(plan)
        if asset is not None and plan.has(*_ON_PHONES) and not replace_answered:
            refused.extend(_answered_otherwise(server, form, asset))
    if refused:
        raise StudyError(
            f"{'; '.join(refused)}. Replacing a form in the field mixes two questionnaires in one "
            "project. Nothing was changed. If that is what you want: deploy --replace-answered."
        )
    return Plan(server=server, forms=tuple(plans))


@dataclass(frozen=True)
class _Look:
    """What is looked at while planning."""

    server: Server
    shelf: Shelf
    accounts: Accounts
    given: Mapping[str, Sequence[str]]

    def plan(
        self, form: FormToDeploy, asset: Asset | None, memory: Remembered | None
    ) -> FormPlan:
        """What is to be done for one form."""
        edited: list[Change] = []
        if asset is None:
            todo = [(Act.CREATE, f"create the form '{form.title}'")]
            todo += [(Act.UPLOAD, f"upload {name}") for name in sorted(form.media)]
            todo.append((Act.DEPLOY, _PUBLISHED[Act.DEPLOY]))
            rights = plan_rights(form.senders, (), (), self.accounts)
        else:
            why = why_replace(form, asset, memory)
            edited = _edited_there(form, asset) if why else []
            todo = self._todo(form, asset, memory, _with_edits(why, edited))
            given = self.given.get(asset.uid, ())
            rights = plan_rights(form.senders, asset.rights, given, self.accounts)
        todo += _rights_in_words(rights)
        steps = [Step(key=form.key, act=act, words=words) for act, words in todo]
        nothing = Step(key=form.key, act=Act.NOTHING, words="nothing to do")
        return FormPlan(
            form=form,
            uid=asset.uid if asset else "",
            steps=tuple(steps) or (nothing,),
            memory=memory,
            edited=tuple(edited),
            rights=rights,
        )

    def _todo(
        self, form: FormToDeploy, asset: Asset, memory: Remembered | None, why: str
    ) -> list[tuple[Act, str]]:
        missing = missing_media(self.server, form, asset.uid)
        todo = [(Act.REPLACE, f"replace the form '{form.title}' ({why})")] if why else []
        todo += [(Act.UPLOAD, f"upload {name}") for name in missing]
        stale = stale_media(self.server, form, asset.uid)
        todo += [(Act.WITHDRAW, f"take {file.name} off it") for file in stale]
        act = Act.DEPLOY if todo else publishing(self.server, form, asset, memory)
        if act is not Act.NOTHING:
            todo.append((act, _PUBLISHED[act]))
        elif memory is not None and not memory.arrived:
            todo.append((Act.CHECK, "see whether phones get it as built"))
        return todo


def why_replace(form: FormToDeploy, asset: Asset, memory: Remembered | None) -> str:
    """Why the workbook must go up again; empty when the server has it as it is."""
    if memory is None or memory.uid != asset.uid:
        return "it is not known what the server has"
    if memory.workbook_sha256 != digest_of(form.workbook):
        return "it was built anew"
    if memory.version_id != asset.version_id and not stands_as_built(form, asset, memory):
        return "it was changed on the server"
    return ""


def missing_media(server: Server, form: FormToDeploy, uid: str) -> list[str]:
    """The files that the project lacks, or has another of under that name."""
    present = {file.name: file.md5 for file in server.media(uid)} if form.media else {}
    return [name for name, md5 in form.media_md5.items() if present.get(name) != md5]


def stale_media(server: Server, form: FormToDeploy, uid: str) -> list[MediaFile]:
    """Lists of ours that the form carried once and carries no more.

    On a web form that is open to anyone, so would be the list.
    """
    stale = _OUR_LISTS - form.media.keys()
    return [file for file in server.media(uid) if file.name in stale] if stale else []


def _edited_there(form: FormToDeploy, asset: Asset) -> list[Change]:
    """What somebody changed in this very build on the server."""
    is_this_build = asset.constants.get("kx_build", form.build_id) == form.build_id
    return differences(form, asset.content) if is_this_build else []


def _with_edits(why: str, edited: Sequence[Change]) -> str:
    return f"{why}: {summed_up(edited)}, which go" if edited else why


def _rights_in_words(rights: RightsPlan) -> Iterator[tuple[Act, str]]:
    codes = [code for account, code in rights.grants.items() if account != ANYONE]
    if ANYONE in rights.grants:
        yield Act.GRANT, "open its web form to anyone: to send, and not to read"
    if codes:
        yield Act.GRANT, f"let {', '.join(codes)} send with it"
    if rights.takes:
        number = len(rights.takes)
        which = "1 account that is" if number == 1 else f"{number} accounts that are"
        yield Act.TAKE, f"take the right to send from {which} not on the list any more"


def _answered_otherwise(server: Server, form: FormToDeploy, asset: Asset) -> Iterator[str]:
    """A form in the field with answers to something else than what is to be deployed."""
    if not asset.has_deployment:
        return
    fielded, content = asset.constants, asset.content
    if asset.deployed_version_id != asset.version_id:
        fielded = server.version_constants(asset.uid, asset.deployed_version_id)
        content = server.version_content(asset.uid, asset.deployed_version_id)
    is_same_build = fielded.get("kx_build") == form.build_id
    found = replacements(form, content)
    if is_same_build and not found:
        return
    number = server.submission_count(asset.uid)
    if number:
        edited = ", was edited on the server," if is_same_build else ""
        change = f" and would get {summed_up(found)}" if found else ""
        yield f"{form.key} already has {number} submission{'s' * (number != 1)}{edited}{change}"


def _require_distinct(forms: Sequence[FormToDeploy]) -> None:
    keys = dict[tuple[str, ...], str]()
    for form in forms:
        identity = tuple(form.constants.values())
        if identity in keys:
            raise StudyError(f"{keys[identity]} and {form.key} are the same group and wave")
        keys[identity] = form.key
