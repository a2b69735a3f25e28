"""Who may send: rights are given one by one, and only those we gave are taken away again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from kobosmix.errors import ServerError, ServerUnreachable
from kobosmix.files import sha256
from kobosmix.server.deploy.model import RightsPlan
from kobosmix.server.model import ADD_SUBMISSIONS, ANYONE, Right, Server

# With one of these, the right to send is a part of something larger that somebody else gave:
# taking it away would take the rest with it.
_LARGER = frozenset({"change_submissions", "manage_asset"})

_REFUSED = 400

OnGiven = Callable[[str, list[str]], None]


class Accounts:
    """Which accounts the server has; each is asked for once."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._known = dict[str, bool]()

    def has(self, account: str) -> bool:
        """Whether there is such an account."""
        if account not in self._known:
            is_there = account == ANYONE or self._server.has_account(account)
            self._known[account] = is_there
        return self._known[account]


def plan_rights(
    senders: Mapping[str, str],
    present: Collection[Right],
    given: Collection[str],
    accounts: Accounts,
) -> RightsPlan:
    """Who lacks the right to send, and who has it from us and is not on the list any more.

    `senders` maps account to code, `given` are the marks kept of what we gave. What the owner or
    somebody else gave stays as it is.
    """
    sending = {right.account for right in present if right.permission == ADD_SUBMISSIONS}
    lacking = {account: code for account, code in senders.items() if account not in sending}
    ours = [right for right in present if _is_ours(right, given)]
    larger = {right.account for right in present if right.permission in _LARGER}
    gone = [r for r in ours if r.account not in senders and r.account not in larger]
    return RightsPlan(
        grants={account: code for account, code in lacking.items() if accounts.has(account)},
        takes=tuple(gone),
        given=frozenset(right.uid for right in ours),
        unknown=tuple(code for account, code in lacking.items() if not accounts.has(account)),
        is_public=any(
            r.account == ANYONE and r.permission == "view_submissions" for r in present
        ),
    )


def settle(server: Server, uid: str, plan: RightsPlan, on_given: OnGiven) -> tuple[str, ...]:
    """Give and take as planned; the codes of those whose account the server did not know.

    `on_given` is told what to remember: before each right is given that it is about to be, so
    that one whose answer was lost is known as ours, and afterwards by its own name.
    """
    marks, unknown = set(plan.given), list[str]()
    for account, code in plan.grants.items():
        on_given(uid, sorted({*marks, _intended(account)}))
        right = _given(server, uid, account)
        if right is None:
            unknown.append(code)
        else:
            marks.add(right.uid)
        on_given(uid, sorted(marks))
    for right in plan.takes:
        server.take_right(uid, right)
        marks.discard(right.uid)
        on_given(uid, sorted(marks))
    return tuple(unknown)


def _given(server: Server, uid: str, account: str) -> Right | None:
    """The right as the server has it now; None where it knows no such account."""
    try:
        return server.allow_sending(uid, account)
    except ServerUnreachable:
        # The answer was lost, and perhaps only that: what the server has decides.
        for right in server.rights(uid):
            if right.account == account and right.permission == ADD_SUBMISSIONS:
                return right
        raise
    except ServerError as error:
        if error.status != _REFUSED:
            raise
        return None


def _is_ours(right: Right, given: Collection[str]) -> bool:
    if right.permission != ADD_SUBMISSIONS:
        return False
    return right.uid in given or _intended(right.account) in given


def _intended(account: str) -> str:
    # The account itself is a person's name as often as not, and is not written down.
    return f"giving {sha256(account.encode())[:16]}"
