"""preview.html: every form in one page that works without a network and keeps nothing."""

from __future__ import annotations

import gzip
import html
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import kobosmix
from kobosmix.build import write_preview
from kobosmix.codebook import REVIEW_IN_WORDS
from kobosmix.engines.xform import convert_rows
from kobosmix.files import sha256
from kobosmix.people.enumerators import Enumerator
from kobosmix.people.ids import is_valid_id, issue_ids
from kobosmix.people.model import Register, Respondent
from kobosmix.prepare import Prepared, prepare
from kobosmix.preview import PreviewForm, preview_page
from kobosmix.preview.invented import invented_register
from kobosmix.study import Study
from tests.english_study import CONTEXT, prepare_text
from tests.form_pages import Watched, WebForms, computed_direction

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SAMPLES = Path(__file__).parent.parent / "sample_forms"
PREVIEW = Path(kobosmix.__file__).parent / "preview"
BUNDLES = [(PREVIEW / "bundle", PREVIEW, "web_forms.json")]
BUNDLES += [(Path(__file__).parent / "enketo", Path(__file__).parent / "enketo", "bundle.json")]
SCREENS = [(360, 740), (1280, 900)]


@pytest.fixture(scope="module")
def gaziantep(tmp_path_factory: pytest.TempPathFactory) -> tuple[Prepared, Path]:
    """The sample study with Turkish and Arabic forms, and its preview."""
    return previewed("gaziantep", tmp_path_factory.mktemp("gaziantep"))


def previewed(sample: str, folder: Path) -> tuple[Prepared, Path]:
    for name in ("context.yaml", "enumerators.xlsx"):
        shutil.copyfile(SAMPLES / sample / name, folder / name)
    prepared = prepare(Study(folder), engines=False)
    return prepared, write_preview(prepared)


def preview_forms(prepared: Prepared) -> list[PreviewForm]:
    return [
        PreviewForm(
            key=built.key,
            codebook=built.codebook,
            xml=convert_rows(built.form.sheets()).xml,
            languages=tuple(prepared.bank.languages[t] for t in built.codebook.languages),
        )
        for built in prepared.forms
    ]


def told(page: str, element: str) -> Any:
    found = re.search(f'<script type="application/json" id="{element}">(.*?)</script>', page)
    assert found is not None
    return json.loads(found[1])


def test_the_same_forms_give_the_same_bytes(gaziantep: tuple[Prepared, Path]) -> None:
    prepared, page = gaziantep

    again = preview_page(prepared.sound().study, preview_forms(prepared))

    assert again == page.read_bytes()


def test_nobody_of_the_study_is_in_the_preview(gaziantep: tuple[Prepared, Path]) -> None:
    prepared, _ = gaziantep
    known = replace(
        prepared,
        register=Register((Respondent(id="14343144", group="turks", site="sahinbey"),)),
        enumerators=(Enumerator(code="zz99", name="Hala of the Lake"),),
    )

    page = write_preview(known).read_text(encoding="utf-8")

    carried = b"".join(known.media().values()).decode()
    for private in ("14343144", "zz99", "Hala of the Lake"):
        assert private in carried
        assert private not in page


def test_every_form_takes_the_invented_numbers_and_no_study_issues_them() -> None:
    invented = [person.id for person in invented_register(["a", "b", "c"]).respondents]
    drawn = iter(
        [*(int(i[:-1]) - 1_000_000 for i in invented), 4_300_000, 4_300_001, 4_300_002]
    )

    issued = issue_ids(1, [], draw=lambda _: next(drawn))

    assert len(set(invented)) == 6
    assert all(map(is_valid_id, invented))
    assert issued[0].startswith("530000")


def test_the_page_says_that_the_wording_is_a_draft_until_it_is_signed(tmp_path: Path) -> None:
    prepared = prepare_text(tmp_path, CONTEXT)
    draft = preview_forms(prepared)
    said = {"draft": "", "exception": "Hala of the Lake: no reader was found", "signed": ""}

    pages = {
        review: preview_page(
            "lake",
            [
                replace(f, codebook=replace(f.codebook, review=review, exception=exception))
                for f in draft
            ],
        ).decode()
        for review, exception in said.items()
    }

    for review, page in pages.items():
        shown = {form["review"] for form in told(page, "forms").values()}
        assert shown == {REVIEW_IN_WORDS[review]}
        assert "Hala of the Lake" not in page


def test_no_text_of_a_form_gets_out_of_its_place(tmp_path: Path) -> None:
    form = preview_forms(prepare_text(tmp_path, CONTEXT))[0]
    evil = "</script><script>alert(1)</script><!--<script>"

    page = preview_page(evil, [replace(form, xml=evil)]).decode()

    assert told(page, "forms")[form.key]["xml"] == evil
    assert evil not in page
    assert page.count("</script>") == 4


def test_the_bundle_cannot_end_or_open_a_script_element() -> None:
    code = gzip.decompress((PREVIEW / "web_forms.js.gz").read_bytes()).decode("utf-8")

    assert re.search("</?script", code, re.IGNORECASE) is None


@pytest.mark.parametrize(("sources", "made", "record"), BUNDLES, ids=["preview", "enketo"])
def test_a_bundle_is_made_from_the_sources_beside_it(
    sources: Path, made: Path, record: str
) -> None:
    if not (sources / "build.mjs").is_file():
        pytest.skip("not a checkout")
    noted = json.loads((made / record).read_text(encoding="utf-8"))

    assert noted["made_from"] == {
        name: sha256((sources / name).read_bytes()) for name in noted["made_from"]
    }
    assert noted["made"] == {name: sha256((made / name).read_bytes()) for name in noted["made"]}
    written = {path.name for path in sources.glob("*.*s*") if path.suffix != ".gz"}
    assert written - noted["made_from"].keys() <= {record}
    # Whoever rebuilds it takes the packages from the registry that is set up there.
    assert '"resolved"' not in (sources / "package-lock.json").read_text(encoding="utf-8")


def test_the_licences_of_all_that_shows_the_form_are_in_the_page(
    gaziantep: tuple[Prepared, Path],
) -> None:
    notices = (PREVIEW / "THIRD_PARTY_NOTICES.txt").read_text(encoding="utf-8")

    assert html.unescape(gaziantep[1].read_text(encoding="utf-8")).count(notices) == 1
    for named in ("@getodk/web-forms", "@vue/runtime-core", "solid-js", "@fontsource/roboto"):
        assert f"\n{named}\n" in notices
    for words in ("Apache License", "SIL OPEN FONT LICENSE", "Permission is hereby granted"):
        assert words in notices


@pytest.mark.chromium
@pytest.mark.parametrize("screen", SCREENS, ids=["phone", "desktop"])
@pytest.mark.parametrize("key", ["pre_turks", "pre_syrians"])
def test_the_page_asks_no_network_complains_of_nothing_and_fits_the_screen(
    browser: Browser, gaziantep: tuple[Prepared, Path], key: str, screen: tuple[int, int]
) -> None:
    prepared, preview = gaziantep
    book = next(built.codebook for built in prepared.forms if built.key == key)
    width, height = screen
    watched = Watched(browser.new_page(viewport={"width": width, "height": height}))

    WebForms(watched.page, preview, book, key)

    assert watched.requests == [preview.as_uri()]
    assert watched.complaints == []
    assert watched.page.evaluate("document.documentElement.scrollWidth") == width
    watched.page.close()


@pytest.mark.chromium
def test_a_form_that_is_chosen_brings_its_numbers_and_its_direction(
    browser: Browser, gaziantep: tuple[Prepared, Path]
) -> None:
    prepared, preview = gaziantep
    page = browser.new_page()
    WebForms(page, preview, prepared.forms[0].codebook, "pre_turks")
    turkish = page.locator("html").get_attribute("dir"), page.locator("code").all_inner_texts()

    page.locator("#choice").select_option("post_syrians")
    page.locator("html[dir=rtl][lang=ar]").wait_for()

    arabic = page.locator("html").get_attribute("dir"), page.locator("code").all_inner_texts()
    assert (turkish[0], arabic[0]) == ("ltr", "rtl")
    assert turkish[1][0] != arabic[1][0]
    assert turkish[1][0] == arabic[1][-1]
    assert computed_direction(page.locator("header")) == "ltr"
    page.close()


@pytest.mark.chromium
def test_the_browser_itself_keeps_the_page_from_sending(
    browser: Browser, gaziantep: tuple[Prepared, Path]
) -> None:
    prepared, preview = gaziantep
    page = browser.new_page()
    WebForms(page, preview, prepared.forms[0].codebook, "pre_turks")

    refused = page.evaluate(
        "() => new Promise(told => {"
        " document.addEventListener('securitypolicyviolation', event => told(event.blockedURI));"
        " fetch('http://127.0.0.1:9/answers').catch(() => {}); })"
    )

    assert refused == "http://127.0.0.1:9/answers"
    page.close()
