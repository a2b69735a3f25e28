"""Bring the built forms to the server: what would be done, and doing it. Twice changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from kobosmix.errors import KobosmixError, ServerError, StudyError
from kobosmix.files import sha256
from kobosmix.server.content import sheets_of
from kobosmix.server.model import Asset, Server
from kobosmix.xlsform.diff import Level, changes, counted
from kobosmix.xlsform.model import sheets_of_rows

_EXAMPLES = 2
_ARRIVAL_POLLS_S = (0.2, 0.5, 1, 2, 2, 5, 5, 10, 10, 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormToDeploy:
    """A built form. `key` is its name in this study (`pre_turks`); `media` are its files.

    `sheets` are the rows of the workbook, to be compared with what the server has.
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

    @property
    def constants(self) -> dict[str, str]:
        """What stands hidden in the form and says which one it is."""
        return {"kx_study": self.study, "kx_group": self.group, "kx_wave": self.wave}

    @property
    def media_md5(self) -> dict[str, str]:
        """The digest of each file, as the server has it."""
        return {name: _md5(content) for name, content in sorted(self.media.items())}


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """Where a form went at the last deploy, and what of it."""

    server: str
    uid: str
    build_id: str
    workbook_sha256: str
    version_id: str = ""
    media: Mapping[str, str] = field(default_factory=dict)


class Act(StrEnum):
    """One kind of thing done to a server."""

    CREATE = "create"
    REPLACE = "replace"
    UPLOAD = "upload"
    DEPLOY = "deploy"
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
class FormPlan:
    """What is to be done for one form. `uid` is empty when it is not on the server yet."""

    form: FormToDeploy
    uid: str
    steps: tuple[Step, ...]

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


class DeployUnfinished(KobosmixError):
    """A deploy that stopped on the way: why, how many forms are done, and how far the next got."""

    exit_code = 3

    def __init__(self, why: KobosmixError, done: int, total: int, stopped_at: str) -> None:
        self.done, self.total = done, total
        self.exit_code = why.exit_code
        super().__init__(
            f"{why}\n{done} of {total} forms deployed; {stopped_at}; run again to continue"
        )


def plan_deploy(
    server: Server,
    forms: Sequence[FormToDeploy],
    remembered: Mapping[str, Mapping[str, Any]],
    *,
    replace_answered: bool = False,
) -> Plan:
    """What has to be done so that phones get these forms. Nothing is changed yet.

    A form that already has submissions is not replaced by another build unless
    `replace_answered`: the StudyError names each such form and its number of submissions.
    """
    _require_distinct(forms)
    shelf = _Shelf(server)
    plans, refused = list[FormPlan](), list[str]()
    for form in forms:
        memory = _recall(remembered.get(form.key), server)
        asset = shelf.find(form, memory)
        plan = _plan_form(server, form, asset, memory)
        plans.append(plan)
        if asset is not None and not plan.has(Act.NOTHING) and not replace_answered:
            refused.extend(_answered_otherwise(server, form, asset))
    if refused:
        raise StudyError(
            f"{'; '.join(refused)}. Replacing a form in the field mixes two questionnaires in one "
            "project. Nothing was changed. If that is what you want: deploy --replace-answered."
        )
    return Plan(server=server, forms=tuple(plans))


def carry_out(
    plan: Plan,
    on_done: Callable[[str, dict[str, Any]], None],
    on_step: Callable[[str], None] = lambda _: None,
) -> None:
    """Do what the plan says. `on_done` is given what to remember, each time a form has got on.

    A failure is a DeployUnfinished; what was done before it is remembered and not done again.
    """
    for done, each in enumerate(plan.forms):
        if each.has(Act.NOTHING):
            continue
        delivery = _Delivery(plan.server, each, on_done, on_step)
        try:
            delivery.run()
        except KobosmixError as error:
            stopped_at = f"{each.form.key} {delivery.reached}"
            raise DeployUnfinished(error, done, len(plan.forms), stopped_at) from error


class _Shelf:
    """Finds the study's forms among all projects of the account."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def find(self, form: FormToDeploy, memory: Remembered | None) -> Asset | None:
        """The project that is this form: by memory, else by its constants; never by its name."""
        known = self._server.find_asset(memory.uid) if memory else None
        if known is not None and _is(known, form):
            return known
        found = [asset for asset in self._assets if _is(asset, form)]
        if len(found) > 1:
            uids = ", ".join(asset.uid for asset in found)
            raise StudyError(
                f"{len(found)} projects on {self._server.url} are the form {form.key}: {uids}. "
                "Delete those that are not in use on the server, then deploy again."
            )
        return found[0] if found else None

    @cached_property
    def _assets(self) -> tuple[Asset, ...]:
        return tuple(self._server.assets())


class _Delivery:
    """One form on its way to the phones. `reached` says how far it has come."""

    def __init__(
        self,
        server: Server,
        plan: FormPlan,
        on_done: Callable[[str, dict[str, Any]], None],
        on_step: Callable[[str], None],
    ) -> None:
        self._server, self._plan, self._form = server, plan, plan.form
        self._on_done, self._on_step = on_done, on_step
        imports = plan.has(Act.CREATE, Act.REPLACE)
        self.reached = "was not imported" if imports else "was not redeployed"

    def run(self) -> None:
        """Import, upload, deploy, and see it arrive."""
        self._tell(Act.CREATE, Act.REPLACE)
        uid = self._import() if self._plan.has(Act.CREATE, Act.REPLACE) else self._plan.uid
        self._tell(Act.UPLOAD)
        uploaded = self._upload(uid)
        asset = self._server.asset(uid)
        # The same workbook imported again is the same version: phones need not fetch it anew.
        if uploaded or _is_behind(self._server, self._form, asset):
            self._tell(Act.DEPLOY)
            asset = self._server.deploy(uid)
            self.reached = "was deployed, but phones do not get it yet"
        _wait_for_arrival(self._server, self._form, asset)
        self._remember(asset, self._form.media_md5)

    def _import(self) -> str:
        form = self._form
        uid = self._server.import_workbook(form.title, form.workbook, replace=self._plan.uid)
        self.reached = "was imported but not deployed"
        self._remember(self._server.asset(uid), {})
        return uid

    def _upload(self, uid: str) -> bool:
        missing = _missing_media(self._server, self._form, uid)
        for name in missing:
            self._server.put_media(uid, name, self._form.media[name])
        return bool(missing)

    def _remember(self, asset: Asset, media: Mapping[str, str]) -> None:
        memory = Remembered(
            server=self._server.url,
            uid=asset.uid,
            build_id=self._form.build_id,
            workbook_sha256=sha256(self._form.workbook),
            version_id=asset.version_id,
            media=media,
        )
        self._on_done(self._form.key, asdict(memory))

    def _tell(self, *acts: Act) -> None:
        for step in self._plan.steps:
            if step.act in acts:
                self._on_step(str(step))


def _plan_form(
    server: Server, form: FormToDeploy, asset: Asset | None, memory: Remembered | None
) -> FormPlan:
    if asset is None:
        uid, missing, is_behind = "", sorted(form.media), True
        imports = [(Act.CREATE, f"create the form '{form.title}'")]
    else:
        uid, missing = asset.uid, _missing_media(server, form, asset.uid)
        why = _why_replace(form, asset, memory)
        imports = [(Act.REPLACE, f"replace the form '{form.title}' ({why})")] if why else []
        is_behind = bool(imports or missing) or _is_behind(server, form, asset)
    todo = [*imports, *((Act.UPLOAD, f"upload {name}") for name in missing)]
    if is_behind:
        todo.append((Act.DEPLOY, "deploy it to phones"))
    steps = [Step(key=form.key, act=act, words=words) for act, words in todo]
    nothing = Step(key=form.key, act=Act.NOTHING, words="nothing to do")
    return FormPlan(form=form, uid=uid, steps=tuple(steps) or (nothing,))


def _why_replace(form: FormToDeploy, asset: Asset, memory: Remembered | None) -> str:
    """Why the workbook must go up again; empty when the server has it as it is."""
    if memory is None or memory.uid != asset.uid:
        return "it is not known what the server has"
    if memory.workbook_sha256 != sha256(form.workbook):
        return "it was built anew"
    if memory.version_id != asset.version_id:
        return "it was changed on the server"
    return ""


def _is_behind(server: Server, form: FormToDeploy, asset: Asset) -> bool:
    """Whether phones do not get what the project holds, form or files."""
    if not asset.is_live:
        return True
    fielded = server.fielded_media(asset.uid) if form.media else {}
    return not form.media_md5.items() <= fielded.items()


def _missing_media(server: Server, form: FormToDeploy, uid: str) -> list[str]:
    present = {file.name: file.md5 for file in server.media(uid)} if form.media else {}
    return [name for name, md5 in form.media_md5.items() if present.get(name) != md5]


def _answered_otherwise(server: Server, form: FormToDeploy, asset: Asset) -> Iterator[str]:
    """A form in the field with answers to another build than the one to be deployed."""
    if not asset.has_deployment:
        return
    fielded, content = asset.constants, asset.content
    if asset.deployed_version_id != asset.version_id:
        fielded = server.version_constants(asset.uid, asset.deployed_version_id)
        content = server.version_content(asset.uid, asset.deployed_version_id)
    if fielded.get("kx_build") == form.build_id:
        return
    number = server.submission_count(asset.uid)
    if number:
        answered = f"{form.key} already has {number} submission{'s' * (number != 1)}"
        yield answered + _what_would_change(form, content)


def _what_would_change(form: FormToDeploy, content: Mapping[str, Any]) -> str:
    """What the build means for the answers that are there; "" where it cannot be compared."""
    if not form.sheets:
        return ""
    before = sheets_of_rows(form.key, sheets_of(content))
    found = changes(before, sheets_of_rows(form.key, form.sheets), on_server=True)
    breaking = [each for each in found if each.level is Level.BREAKING]
    examples = "; ".join(f"{each.where}: {each.what}" for each in breaking[:_EXAMPLES])
    return f" and would get {counted(found)}" + (f" ({examples})" if examples else "")


def _wait_for_arrival(server: Server, form: FormToDeploy, asset: Asset) -> None:
    """Return when phones get this build and its files; the server syncs them in its own time."""
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


def _recall(memory: Mapping[str, Any] | None, server: Server) -> Remembered | None:
    if memory is None or memory.get("server") != server.url:
        return None
    try:
        known = {name: memory[name] for name in Remembered.__slots__ if name in memory}
        return Remembered(**known)
    except TypeError:
        # A memory that lacks something is no memory: the server is asked instead.
        return None


def _is(asset: Asset, form: FormToDeploy) -> bool:
    return form.constants.items() <= asset.constants.items()


def _require_distinct(forms: Sequence[FormToDeploy]) -> None:
    keys = dict[tuple[str, ...], str]()
    for form in forms:
        identity = tuple(form.constants.values())
        if identity in keys:
            raise StudyError(f"{keys[identity]} and {form.key} are the same group and wave")
        keys[identity] = form.key


def _md5(content: bytes) -> str:
    # MD5 because it is what the servers publish; it tells files apart and protects nothing.
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
