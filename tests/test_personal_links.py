"""Personal links in both engines of the web: who is known is not asked a number."""

from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kobosmix.build import write_preview
from kobosmix.codebook import Codebook, Kind
from kobosmix.engines.xform import convert_rows
from kobosmix.handover.web_link import personal_link, web_link
from kobosmix.prepare import Prepared, prepare
from kobosmix.study import Study
from tests.form_pages import Enketo, FormPage, Watched, WebForms, plain

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.chromium

TUNISIA = Path(__file__).parent.parent / "sample_forms" / "tunisia"
KEY, FORM, TOKEN = "pre_tun", "https://ee.example.org/single/AbCd12", "a2" * 16
CARD = "14343144"


@dataclass(frozen=True)
class Alone:
    """A study in two languages that people answer alone, and a browser."""

    browser: Browser
    prepared: Prepared
    preview: Path

    @property
    def codebook(self) -> Codebook:
        return next(b.codebook for b in self.prepared.forms if b.key == KEY)

    @property
    def xml(self) -> str:
        built = next(b for b in self.prepared.forms if b.key == KEY)
        return convert_rows(built.form.sheets()).xml

    def enketo(self, address: str = "") -> Enketo:
        page = Watched(self.browser.new_page()).page
        return Enketo(page, self.preview.parent, self.xml, {}, address)

    def address(self, tag: str, token: str = "") -> str:
        """The link as it is written; the root of a form that no server took in is `data`."""
        link = web_link(FORM, tag)
        return personal_link(link, "data", self.codebook, token) if token else link

    def web_forms(self, token: str = "") -> WebForms:
        page = self.preview.read_text(encoding="utf-8")
        empty = "\\u003clink_token/>"
        assert page.count(empty) == len(self.prepared.forms)
        filled = self.preview.with_name(f"preview_{token}.html")
        written = f"\\u003clink_token>{token}\\u003c/link_token>"
        filled.write_text(page.replace(empty, written), encoding="utf-8")
        watched = Watched(self.browser.new_page())
        return WebForms(watched.page, filled, self.codebook, KEY)


@pytest.fixture(scope="module")
def alone(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Alone:
    """Tunisia's forms in Arabic and French, as people would fill them in by themselves."""
    folder = tmp_path_factory.mktemp("alone")
    shutil.copyfile(TUNISIA / "enumerators.xlsx", folder / "enumerators.xlsx")
    text = (TUNISIA / "context.yaml").read_text(encoding="utf-8")
    changed = text.replace("mode: interview", "mode: self_administered")
    (folder / "context.yaml").write_text(changed, encoding="utf-8")
    prepared = prepare(Study(folder), engines=False)
    prepared.sound()
    return Alone(browser, prepared, write_preview(prepared))


def fill_in(page: FormPage, codebook: Codebook, known: Mapping[str, str]) -> None:
    """An answer to everything that is asked, until nothing more is."""
    done = set[str]()
    while waiting := [name for name in page.shown() if name not in done]:
        variable = codebook.variable(waiting[0])
        done.add(variable.name)
        text = known.get(variable.name, "")
        if variable.options:
            text = text or variable.options[0].value
        elif variable.kind is Kind.INTEGER:
            text = str(min((variable.low or 0) + 60, variable.high or 10_000))
        if text:
            page.answer(variable, text)


def sent(submission: str) -> dict[str, str]:
    root = ET.fromstring(submission)  # noqa: S314 - out of our own browser
    return {each.tag.rpartition("}")[2]: each.text or "" for each in root.iter()}


def numbers(page: FormPage) -> set[str]:
    return {name for name in page.shown() if name.startswith("rid")}


@pytest.mark.parametrize(("tag", "direction"), [("ar", "rtl"), ("fr", "ltr")])
def test_enketo_shows_the_language_of_the_link(alone: Alone, tag: str, direction: str) -> None:
    page = alone.enketo(alone.address(tag))

    own = next(each for each in alone.codebook.languages if each.startswith(tag))
    mode = alone.codebook.variable("mode")
    assert page.shown()["mode"] == plain(mode.labels[own])
    assert page.direction() == direction
    assert numbers(page) == {"rid_typed"}


def test_enketo_knows_the_person_by_the_link_and_sends_the_token(alone: Alone) -> None:
    page = alone.enketo(alone.address("fr", TOKEN))

    assert numbers(page) == set()
    fill_in(page, alone.codebook, {})
    submission = sent(page.send())
    assert submission["link_token"] == TOKEN
    assert submission.get("rid", "") == ""
    assert submission["consent_ok"] == "1"
    assert not submission.keys() & {"rid_typed", "rid_again"}
    assert submission["kx_build"] == alone.codebook.build_id


def test_a_form_of_the_web_knows_whose_it_is_only_by_a_token(alone: Alone) -> None:
    typed = {"rid_typed": CARD, "rid_again": CARD}

    for token, asked in ((TOKEN, set[str]()), ("", {"rid_typed"})):
        page = alone.web_forms(token)
        assert numbers(page) == asked
        fill_in(page, alone.codebook, typed)
        submission = sent(page.send())
        assert submission["link_token"] == token
        assert submission.get("rid", "") == ("" if token else CARD)
        assert submission["consent_ok"] == "1"


def test_without_a_token_enketo_asks_the_number_and_insists_on_it(alone: Alone) -> None:
    page = alone.enketo(alone.address("fr"))

    assert page.send() == ""
    assert page.message(alone.codebook.variable("rid_typed")) != ""
    fill_in(page, alone.codebook, {"rid_typed": CARD, "rid_again": CARD})
    submission = sent(page.send())
    assert (submission["rid"], submission["link_token"]) == (CARD, "")


def test_nothing_travels_with_the_form_that_tells_of_anybody(alone: Alone) -> None:
    assert alone.prepared.media() == {}
    assert re.findall(r'src="jr://[^"]*"', alone.xml) == []
