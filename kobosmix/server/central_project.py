"""Which project on ODK Central is the study's: by what it says of itself, never by its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kobosmix.errors import StudyError
from kobosmix.server.central_api import NO_RIGHT, CentralApi, CentralRefusal, at, held, listed
from kobosmix.server.xform import constants_of

_MANAGES = frozenset({"form.create", "form.update"})
_PRACTICE = {"": "", "training": "EXERCISE"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Whose forms a project is for: a study's, for the field or for practice."""

    study: str
    purpose: str

    @property
    def mark(self) -> str:
        """What stands in the description of the project, so that it is known again."""
        return f"[kobosmix {self.study}{f' {self.purpose}' if self.purpose else ''}]"

    @property
    def title(self) -> str:
        """What people see the project called when it is new."""
        practice = _PRACTICE.get(self.purpose, self.purpose.upper())
        return f"{practice} – {self.study}" if practice else self.study

    def is_said_by(self, constants: Mapping[str, str]) -> bool:
        """Whether a form with these constants belongs there."""
        said = (constants.get("kx_study", ""), constants.get("kx_purpose", ""))
        return said == (self.study, self.purpose)


@dataclass(frozen=True, slots=True, kw_only=True)
class CentralProject:
    """A project that the account can see."""

    id: int
    name: str
    description: str
    form_ids: tuple[str, ...]
    may_manage: bool
    is_encrypted: bool


class CentralProjects:
    """The projects of an account, and which of them is a study's."""

    def __init__(self, api: CentralApi) -> None:
        self.api = api

    def visible(self) -> Iterator[CentralProject]:
        """Every project the account can see, with the ids of its forms."""
        action = "read the projects"
        for each in listed(self.api.read(action, at("projects"), forms="true"), action):
            yield _as_project(each, action)

    def of(self, home: Home) -> int:
        """The number of the project for these forms; made if there is none.

        It is the one that says so in its description, or that has forms of the study. A name is no
        reason: two studies may be called the same.
        """
        projects = list(self.visible())
        found = [project for project in projects if home.mark in project.description]
        found = found or [project for project in projects if self._has_forms(project, home)]
        if not found:
            return self._make(home)
        if len(found) > 1:
            numbers = ", ".join(str(project.id) for project in found)
            raise StudyError(
                f"{len(found)} projects on ODK Central are of the study {home.study}: {numbers}. "
                "Delete those that are not in use on the server, then deploy again."
            )
        if found[0].is_encrypted:
            raise StudyError(
                f"the project {found[0].id} ({found[0].name}) encrypts what comes in, so that "
                "kobosmix could read no answer from it. Use a project without encryption."
            )
        return found[0].id

    def has(self, project: int) -> bool:
        """Whether the project is there, and not in the trash."""
        return self.api.find("read the project", at("projects", project)) is not None

    def constants(self, project: int, form_id: str) -> Mapping[str, str]:
        """What a form says of itself; nothing where it is gone."""
        action = f"read the form {project}.{form_id}"
        path = at("projects", project, "forms", f"{form_id}.xml")
        xform = self.api.find_raw(action, path)
        return {} if xform is None else constants_of(xform, action)

    def _has_forms(self, project: CentralProject, home: Home) -> bool:
        return any(
            home.is_said_by(self.constants(project.id, form_id))
            for form_id in project.form_ids
            # The form id begins with the study's, and never changes once it is there.
            if form_id.startswith(f"{home.study}_")
        )

    def _make(self, home: Home) -> int:
        action = f"make a project for the study {home.study}"
        content = {
            "name": home.title,
            "description": (
                f"The forms of the study {home.study}, deployed by kobosmix, which knows the "
                f"project again by this: {home.mark}"
            ),
        }
        try:
            made = self.api.write(action, at("projects"), content=content)
        except CentralRefusal as error:
            if error.code != NO_RIGHT:
                raise
            raise StudyError(
                f"could not {action}: only an administrator of ODK Central can. Let one make it, "
                f"with {home.mark} in its description, and make your account its Project Manager; "
                "then deploy again."
            ) from error
        return held(made, "id", int, action)


def _as_project(content: Mapping[str, Any], action: str) -> CentralProject:
    forms = listed(held(content, "formList", list, action), action)
    return CentralProject(
        id=held(content, "id", int, action),
        name=held(content, "name", str, action),
        description=str(content.get("description") or ""),
        form_ids=tuple(str(form.get("xmlFormId")) for form in forms),
        may_manage=set(content.get("verbs") or ()) >= _MANAGES,
        is_encrypted=content.get("keyId") is not None,
    )
