"""Forms in a browser, filled in as a person does: by reading, clicking and typing.

Two engines: ODK Web Forms, in our own preview.html, and Enketo, which KoboToolbox uses.
"""

from __future__ import annotations

import csv
import gzip
import io
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from kobosmix.codebook import Codebook, Kind, Variable

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

ENKETO = Path(__file__).parent / "enketo" / "enketo.html.gz"


def find_chromium() -> str | None:
    """The Chromium or Chrome of this machine, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next((path for path in map(shutil.which, names) if path), None)


@contextmanager
def chromium(path: str) -> Iterator[Browser]:
    """A browser without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # A container runs it as root, where Chromium's sandbox does not start.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watched:
    """A page, and what a page should not do: ask the network, complain."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(5_000)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self.complaints.append(said.text))


class FormPage(Protocol):
    """One form, open in one engine."""

    page: Page

    def shown(self) -> dict[str, str]:
        """The questions on the screen, in order: name of the variable -> words."""

    def options(self, variable: Variable) -> dict[str, str]:
        """What can be chosen, in the order on the screen: value -> words."""

    def answer(self, variable: Variable, value: str) -> None:
        """Choose it, or type it."""

    def choose_language(self, label: str) -> None:
        """Switch the form to another language, by its own switch."""

    def direction(self) -> str:
        """`rtl` or `ltr`, as the first question is laid out."""

    def send(self) -> str:
        """Press the last button; the XML of the submission, or nothing if the form objects."""

    def message(self, variable: Variable) -> str:
        """What the form says against an answer; empty where it says nothing."""


class WebForms:
    """ODK Web Forms in preview.html. It shows no names, so questions are known by their words."""

    def __init__(self, page: Page, preview: Path, codebook: Codebook, key: str) -> None:
        self.page, self._codebook = page, codebook
        page.goto(f"{preview.as_uri()}#{key}")
        page.wait_for_selector(".question-container")

    def shown(self) -> dict[str, str]:
        return {name: words for name, words in self._asked() if name}

    def options(self, variable: Variable) -> dict[str, str]:
        question = self._question(variable)
        values = question.locator("input[type=radio]").evaluate_all(
            "all => all.map(x => x.value)"
        )
        words = question.locator("label.value-option").all_inner_texts()
        return dict(zip(values, map(plain, words), strict=True))

    def answer(self, variable: Variable, value: str) -> None:
        question = self._question(variable)
        if is_date(variable):
            # The picker shows days as Americans do, whatever the language of the form.
            year, month, day = value.split("-")
            write(question.locator("input"), f"{month}/{day}/{year}")
            self.page.keyboard.press("Escape")
        elif variable.kind is not Kind.SELECT_ONE:
            write(question.locator("input, textarea").first, value)
        elif variable.options:
            question.locator(f"label.value-option:has(input[value='{value}'])").click()
        else:
            question.locator(".p-select").click()
            self.page.locator(".p-select-option").get_by_text(value).click()
            self.page.wait_for_selector(".p-select-overlay", state="detached")

    def choose_language(self, label: str) -> None:
        self.page.locator(".language-changer:visible").click()
        self.page.locator(".p-select-option").get_by_text(label, exact=True).click()
        self.page.wait_for_selector(".p-select-overlay", state="detached")

    def direction(self) -> str:
        return computed_direction(self.page.locator(".question-container .control-text").first)

    def send(self) -> str:
        self.page.locator(".odk-form .footer button").click()
        self.page.wait_for_selector("#sent:not([hidden]), .form-error-message")
        if self.page.locator("#sent").is_hidden():
            return ""
        return self.page.locator("#sent pre").text_content() or ""

    def message(self, variable: Variable) -> str:
        told = self._question(variable).locator(".validation-message:visible")
        return plain(told.inner_text()) if told.count() else ""

    def _asked(self) -> list[tuple[str, str]]:
        """Name and words of every box in the form; notes have no name."""
        words: list[str] = self.page.evaluate(
            "() => [...document.querySelectorAll('.question-container')].map(each =>"
            " each.querySelector('.note-control') ? '' : each.querySelector('label').innerText)"
        )
        names = {
            plain(label): variable.name
            for variable in self._codebook.variables
            for label in variable.labels.values()
        }
        return [(names[plain(text)] if text else "", plain(text)) for text in words]

    def _question(self, variable: Variable) -> Locator:
        place = [name for name, _ in self._asked()].index(variable.name)
        return self.page.locator(".question-container").nth(place)


class Enketo:
    """Enketo, with the theme of KoboToolbox; `address` is the link that the form is opened by."""

    def __init__(
        self, page: Page, folder: Path, xml: str, lists: Mapping[str, str], address: str = ""
    ) -> None:
        self.page = page
        opened = folder / "enketo.html"
        opened.write_bytes(gzip.decompress(ENKETO.read_bytes()))
        page.goto(opened.as_uri())
        rows = {
            name.removesuffix(".csv"): list(csv.DictReader(io.StringIO(text)))
            for name, text in lists.items()
            if name in xml
        }
        page.evaluate("(opened) => openForm(...opened)", [xml, rows, address])

    def shown(self) -> dict[str, str]:
        found: list[tuple[str, str]] = self.page.evaluate(
            "() => [...document.querySelectorAll('.question:not(.readonly)')]"
            ".filter(each => each.checkVisibility()).map(each => ["
            "each.querySelector('[data-ref]').dataset.ref.split('/').at(-1),"
            "each.querySelector('.question-label.active').innerText])"
        )
        return {name: plain(words) for name, words in found}

    def options(self, variable: Variable) -> dict[str, str]:
        question = self._question(variable)
        values = question.locator("input:visible").evaluate_all("all => all.map(x => x.value)")
        words = question.locator(".option-label.active:visible").all_inner_texts()
        return dict(zip(values, map(plain, words), strict=True))

    def answer(self, variable: Variable, value: str) -> None:
        question = self._question(variable)
        if variable.kind is not Kind.SELECT_ONE:
            write(question.locator("input:visible, textarea:visible").first, value)
        elif variable.options:
            question.locator(f"label:has(> input[value='{value}'])").click()
        else:
            question.locator("button.dropdown-toggle").click()
            question.locator("li").get_by_text(value).click()
            question.locator(".selected").get_by_text(value).wait_for()

    def choose_language(self, label: str) -> None:
        # The code in brackets is for Enketo itself.
        self.page.locator("#form-languages").select_option(label=label.rpartition(" (")[0])

    def direction(self) -> str:
        return computed_direction(self.page.locator(".question-label.active").first)

    def send(self) -> str:
        sent: str = self.page.evaluate(
            "async () => await openedForm.validate()"
            " ? openedForm.getDataStr({ irrelevant: false }) : ''"
        )
        return sent

    def message(self, variable: Variable) -> str:
        told = self._question(variable).locator(
            ".or-required-msg.active:visible, .or-constraint-msg.active:visible"
        )
        return plain(told.inner_text()) if told.count() else ""

    def _question(self, variable: Variable) -> Locator:
        target = self.page.locator(f"[data-ref$='/{variable.name}']")
        return self.page.locator(".question", has=target)


def is_date(variable: Variable) -> bool:
    """Whether a day is asked; it is given as 2026-03-14."""
    return variable.kind.value == "date"


def write(box: Locator, text: str) -> None:
    """Type into a box instead of what is in it, and leave it."""
    box.fill("")
    box.press_sequentially(text)
    box.blur()


def computed_direction(place: Locator) -> str:
    """The direction the browser lays something out in."""
    direction: str = place.evaluate("each => getComputedStyle(each).direction")
    return direction


def plain(text: str) -> str:
    """Words as they are read: without line breaks, double spaces and invisible marks."""
    return " ".join(text.replace("\u200f", "").replace("\u200e", "").split())
