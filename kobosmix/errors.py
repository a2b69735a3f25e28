"""Everything that can stop a run.

* KobosmixError
  * InputError          the person's files hold findings that must be put right first (exit 1)
  * UsageError          the command cannot mean what was typed (exit 2)
  * StudyError          the study folder contradicts itself, or is in use (exit 4)
  * ServerUnreachable   no answer came, after the retries (exit 3)
  * ServerError         the server answered, and the answer was no (exit 3)
    * LoginRefused      wrong or expired token
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kobosmix.findings import Finding


class KobosmixError(Exception):
    """Stops the run with a sentence a field worker can act on; no traceback is shown."""

    exit_code = 1


class InputError(KobosmixError):
    """Raised once, when a check is over, with everything it found."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        errors = sum(finding.severity == "error" for finding in findings)
        super().__init__(f"{errors} error{'s' * (errors != 1)}; nothing was written")


class UsageError(KobosmixError):
    """The command cannot mean what was typed."""

    exit_code = 2


class StudyError(KobosmixError):
    """The study folder contradicts itself, or another command is at work in it."""

    exit_code = 4


class ServerUnreachable(KobosmixError):
    """No answer came, after the retries. `action` says what was tried."""

    exit_code = 3

    def __init__(self, action: str, server: str, reason: str) -> None:
        self.action, self.server, self.reason = action, server, reason
        super().__init__(f"could not {action}: {server} did not answer ({reason})")


class ServerError(KobosmixError):
    """The server refused a request. `status` is the HTTP status, `answer` what it said."""

    exit_code = 3

    def __init__(self, action: str, status: int, answer: str) -> None:
        self.action, self.status, self.answer = action, status, answer
        super().__init__(f"could not {action}: the server answered {status} ({answer})")


class LoginRefused(ServerError):
    """The token is wrong or has expired."""
