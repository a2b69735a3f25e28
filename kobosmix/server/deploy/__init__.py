"""Bring the built forms to the server: what would be done, and doing it. Twice changes nothing."""

from kobosmix.server.deploy.deliver import carry_out
from kobosmix.server.deploy.model import (
    Act,
    DeliveredOtherwise,
    DeployUnfinished,
    FormPlan,
    FormToDeploy,
    Plan,
    Remembered,
    Step,
)
from kobosmix.server.deploy.opening import Project, SwitchUnfinished, find_projects, switch
from kobosmix.server.deploy.plan import plan_deploy

__all__ = [
    "Act",
    "DeliveredOtherwise",
    "DeployUnfinished",
    "FormPlan",
    "FormToDeploy",
    "Plan",
    "Project",
    "Remembered",
    "Step",
    "SwitchUnfinished",
    "carry_out",
    "find_projects",
    "plan_deploy",
    "switch",
]
