"""From the script to the server, as phones send: form by form fetched, answer by answer sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kobosmix.codebook import Codebook
from kobosmix.rehearse.script import Planted
from kobosmix.rehearse.submission import PhoneForm, read_form, submission
from kobosmix.server.openrosa import OpenRosaServer

OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What the server said: so many taken in, so many that it had already."""

    taken: int = 0
    known: int = 0

    def __add__(self, other: Sent) -> Sent:
        return Sent(taken=self.taken + other.taken, known=self.known + other.known)


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone that has one form: what it needs to send submissions of it."""

    form: PhoneForm
    codebook: Codebook

    def package(self, planted: Planted) -> bytes:
        """The submission as it goes over the line."""
        return submission(
            self.form, self.codebook, planted.answers, planted.uuid, planted.constants
        )


def fetch_form(server: OpenRosaServer, uid: str, codebook: Codebook) -> Phone:
    """Fetch a form as phones do."""
    return Phone(read_form(server.form_xml(uid)), codebook)


def send(
    server: OpenRosaServer,
    phones: Mapping[str, Phone],
    planted: Sequence[Planted],
    on_sent: Callable[[int, int], None] = lambda _done, _total: None,
) -> Sent:
    """Send submissions in their order; `phones` has the form of each group.

    The order counts: of two submissions with equal answers the first is kept.
    """
    sent = Sent()
    for done, each in enumerate(planted, start=1):
        package = phones[each.group].package(each)
        for _ in range(2 if each.sent_again else 1):
            is_new = server.submit(package).is_new
            sent += Sent(taken=is_new, known=not is_new)
        on_sent(done, len(planted))
    return sent
