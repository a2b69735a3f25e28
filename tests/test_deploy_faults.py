"""A deploy that breaks off at any request: the next run ends where an unbroken one does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from kobosmix.errors import KobosmixError
from kobosmix.server.deploy import FormToDeploy, Plan, carry_out, plan_deploy
from kobosmix.server.kobo import KoboServer
from tests.kobo_double import Fault, KoboDouble, kobo_double
from tests.test_deploy import a_form, with_sheets

_WRITES = ("POST", "PATCH", "DELETE")
FIRST = with_sheets(a_form("turks", media={"register.csv": b"1"}, senders={"bob": "en01"}))
NEXT = with_sheets(
    a_form("turks", "b2", media={"register.csv": b"2"}, senders={"carol": "en02"})
)


@dataclass
class Office:
    """What one study remembers."""

    forms: dict[str, dict[str, Any]] = field(default_factory=dict)
    given: dict[str, list[str]] = field(default_factory=dict)
    broke_off: bool = False

    def deploy(self, server: KoboServer, form: FormToDeploy) -> Plan:
        plan = plan_deploy(server, [form], self.forms, given=self.given)
        carry_out(plan, self.forms.__setitem__, on_given=self.given.__setitem__)
        return plan


def left(double: KoboDouble) -> list[Mapping[str, Any]]:
    """All that a deploy leaves on the server."""
    return [
        {
            "constants": project.workbook["constants"],
            "files": {name: content for name, (_, content) in project.files.items()},
            "phones": project.manifest,
            "is live": project.active and project.deployed == project.version,
            "senders": project.senders,
        }
        for project in double.projects.values()
    ]


def played(upto: int, fault: Fault | None, form: FormToDeploy) -> tuple[KoboDouble, Office]:
    """A server where the deploy of `form` met the fault at one request, and was run again."""
    with kobo_double() as (double, server):
        office = Office()
        if form is NEXT:
            office.deploy(server, FIRST)
        double.asked.clear()

        def strike(_: str) -> None:
            if fault is not None and len(double.asked) == upto:
                double.faults.append(fault)

        double.before = strike
        try:
            office.deploy(server, form)
        except KobosmixError:
            double.before, office.broke_off = lambda _: None, True
            office.deploy(server, form)
        asked = list(double.asked)
        assert office.deploy(server, form).changes_nothing
        double.asked = asked
        return double, office


@pytest.mark.parametrize("form", [FIRST, NEXT], ids=["first", "next"])
def test_wherever_a_deploy_breaks_off_the_next_run_ends_the_same(form: FormToDeploy) -> None:
    clean, office = played(0, None, form)
    asked = list(clean.asked)
    assert len(asked) > 10

    broke_off = 0
    for number, request in enumerate(asked, start=1):
        faults = [Fault("", status=403)]
        if request.startswith(_WRITES):
            faults += [Fault("", hang_up=True), Fault("", lost=True), Fault("", status=502)]
        for fault in faults:
            double, again = played(number, fault, form)

            assert left(double) == left(clean), (request, fault)
            assert again.given == office.given, (request, fault)
            broke_off += again.broke_off
    assert broke_off > len(asked)


def test_an_import_whose_answer_is_lost_is_looked_for_and_the_same_run_goes_on() -> None:
    with kobo_double() as (double, server):
        double.fail("POST /api/v2/imports", lost=True)

        Office().deploy(server, FIRST)

        assert len(double.projects) == 1
        assert sum(asked.startswith("POST /api/v2/imports") for asked in double.asked) == 1


def test_a_right_whose_answer_is_lost_is_known_as_ours_and_can_be_taken_back() -> None:
    with kobo_double() as (double, server):
        office = Office()
        double.fail("POST /api/v2/assets/a0/permission", lost=True)
        office.deploy(server, FIRST)

        office.deploy(server, NEXT)

        assert double.projects["a0"].senders == ["carol"]
