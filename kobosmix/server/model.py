"""A server and what it holds, in the server's own words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from kobosmix.store import Head, Row, StoredSubmission

if TYPE_CHECKING:
    from kobosmix.form import XlsForm

LARGEST_PAGE = 1000
# The rows of an XLSForm, sheet by sheet: column to cell.
Sheets = Mapping[str, Sequence[Mapping[str, str]]]
ADD_SUBMISSIONS = "add_submissions"
# The account that stands for everyone without one.
ANYONE = "AnonymousUser"


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """What one account may do with one project. `uid` names the giving of it."""

    uid: str
    account: str = field(repr=False)
    permission: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A form project. `constants` are its hidden calculations that are one quoted word each.

    `content` is the form as it is edited now, which phones get once it is deployed. `owner` is
    the account it belongs to, `may_manage` whether ours may do everything with it, and `rights`
    what every account may do, as far as ours is shown it.
    """

    uid: str
    name: str
    version_id: str
    deployed_version_id: str
    has_deployment: bool
    active: bool
    submission_count: int
    constants: Mapping[str, str] = field(default_factory=dict)
    content: Mapping[str, Any] = field(default_factory=dict, repr=False)
    owner: str = field(default="", repr=False)
    may_manage: bool = True
    rights: tuple[Right, ...] = field(default=(), repr=False)

    @property
    def is_live(self) -> bool:
        """Whether phones get exactly what the project holds now."""
        current = self.version_id == self.deployed_version_id
        return self.has_deployment and self.active and current


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFile:
    """A file that travels with a form. `md5` is bare hex."""

    uid: str
    name: str
    md5: str


T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T_co]):
    """A page of what the server has. `cursor` is where the next one begins, in its own words.

    `is_last` says that the server had no more when it was asked.
    """

    entries: Sequence[T_co]
    cursor: str
    is_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """The server has the submission. `status` is 201 when it came now, 202 when it had it."""

    status: int

    @property
    def is_new(self) -> bool:
        """Whether it was this request that brought it."""
        return self.status == 201  # noqa: PLR2004 - the protocol's own number


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedForm:
    """A form as the list for phones has it."""

    uid: str
    name: str
    version: str
    download_url: str
    manifest_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """A file that came with a submission: what it is called, and where the server has it."""

    id: str
    name: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebForms:
    """Where a form can be filled in in a browser, as the server itself says.

    Addresses are empty where the server has no web forms. `title` is what the form is called
    there, `root` the element that its answers stand in. `one` thanks whoever sent the form and
    ends; `many` begins anew after each. `is_open` says whether it takes answers from people
    without an account; `takes_answers` whether from anybody, which ends when its wave is closed.
    """

    root: str
    title: str = ""
    one: str = ""
    many: str = ""
    is_open: bool = False
    takes_answers: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneLogin:
    """How a phone is set up: the address it is given, and the account, if it has to sign in.

    `code` is the enumerator's, empty where all phones are set up alike. A `is_secret` address
    lets whoever has it send in the enumerator's name.
    """

    code: str
    address: str = field(repr=False)
    account: str = field(default="", repr=False)
    is_secret: bool = False


class Server(Protocol):
    """What deploying and pulling need of a server."""

    @property
    def url(self) -> str:
        """Its address, which is also its name."""

    @property
    def when_late(self) -> str:
        """What becomes of a phone that sends to a form after it was closed, in words."""

    def username(self) -> str:
        """Who the server takes us for."""

    def assets(self) -> Iterator[Asset]:
        """Every form project the account can see, with its constants."""

    def find_asset(self, uid: str) -> Asset | None:
        """One form project, or None where there is none of that uid for us."""

    def asset(self, uid: str) -> Asset:
        """One form project that must be there."""

    def import_workbook(self, title: str, workbook: bytes, *, replace: str = "") -> str:
        """Make a project of a workbook, or put it in place of one; the project's uid."""

    def deploy(self, uid: str) -> Asset:
        """Hand the project as it is now to the phones."""

    def set_open(self, uid: str, *, is_open: bool) -> None:
        """Let phones send with a deployed project, or close it. Nothing is published by it."""

    def workbook(self, form: XlsForm) -> bytes:
        """The form as this server takes it."""

    def keep_register_as_list(self) -> None:
        """From now on the register goes up as a list of entities; a UsageError where it cannot."""

    def sender(self, account: str, code: str) -> str:
        """What an enumerator is called here: by the account, or by the code alone."""

    def has_account(self, account: str) -> bool:
        """Whether there is an account of this name."""

    def rights(self, uid: str) -> Sequence[Right]:
        """What every account may do with a project, the owner's included."""

    def allow_sending(self, uid: str, account: str) -> Right:
        """Give an account the right to add submissions, beside all rights there are."""

    def take_right(self, uid: str, right: Right) -> None:
        """Take back this one right; no other account is touched."""

    def media(self, uid: str) -> Sequence[MediaFile]:
        """The files uploaded to a project."""

    def put_media(self, uid: str, name: str, content: bytes) -> None:
        """Upload a file, in place of one of the same name. Phones get it at the next deploy."""

    def delete_media(self, uid: str, file: MediaFile) -> None:
        """Take a file off a project. Phones keep it until the next deploy."""

    def fielded_form(self, uid: str) -> str:
        """The XForm that phones get now."""

    def fielded_media(self, uid: str) -> Mapping[str, str]:
        """The files that phones get now: name to md5."""

    def wait(self, seconds: float) -> None:
        """Let the server work."""

    def submission_count(self, uid: str) -> int:
        """How many submissions it holds for a form."""

    def heads(self, uid: str, after: str, page_size: int) -> Page[Head]:
        """What tells which submissions have changed, in a fixed order; `after` is "" at first."""

    def rows(self, uid: str, after: str, page_size: int) -> Page[Row]:
        """The submissions themselves, in the same order and with the same cursors."""

    def rows_of(self, uid: str, server_ids: Sequence[str]) -> Sequence[Row]:
        """The submissions of these names that are there now; others are left out."""

    def version_content(self, uid: str, version_id: str) -> Mapping[str, Any]:
        """The form as it was in one version: its survey, choices and settings rows."""

    def version_sheets(self, uid: str, version_id: str) -> Sheets | None:
        """The rows of the form in one version, or None where the server knows no such version."""

    def version_constants(self, uid: str, version_id: str) -> Mapping[str, str]:
        """The constants of one version that was deployed."""

    def attached(self, submission: StoredSubmission) -> Sequence[Attached]:
        """The files that the server has with a submission."""

    def attachment(self, uid: str, file: Attached) -> bytes:
        """One of those files, whole."""

    def web_forms(self, uid: str) -> WebForms:
        """Where a form that is deployed can be filled in in a browser."""

    def phone_logins(self, uid: str, senders: Mapping[str, str]) -> Sequence[PhoneLogin]:
        """How the phones of the enumerators are set up, by code and what they are called here."""
