"""What a name or a translation can lack, and what it must not be able to do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobosmix.slots import Slot
from kobosmix.wording.catalogue import Catalogue, Message
from kobosmix.wording.check import check_slots_kept
from kobosmix.wording.names import Found, Lacking, find_name
from tests.english_study import bank, built, changed, prepare_text, said

TRUST = "Most [group.pl] are people who deserve trust."


class Named:
    """Somebody who is called by these forms in every language."""

    def __init__(self, forms: Mapping[str, str]) -> None:
        self._forms = forms

    def plain(self, _slot: Slot, _tag: str) -> None:
        """No slot is a plain text of the study."""

    def forms(self, _name: str, _language: object) -> Mapping[str, str]:
        """The same forms for every slot."""
        return self._forms

    def suggested(self, _name: str, _language: object) -> Mapping[str, str]:
        """Nobody suggests a name."""
        return {}


@given(
    st.sampled_from(sorted(bank().languages)),
    st.data(),
    st.dictionaries(st.sampled_from(["pl", "adj", "def_pl_nom", "np", "acc_pl"]), st.just("X")),
)
def test_a_form_is_given_or_derived_from_one_given_or_lacking_and_never_another(
    tag: str, data: st.DataObject, given_forms: dict[str, str]
) -> None:
    language = bank().languages[tag]
    form = data.draw(st.sampled_from(sorted(language.forms)))

    found = find_name(Slot("group", form), language, Named(given_forms))  # type: ignore[arg-type]

    derive = language.forms[form].derive
    if form in given_forms:
        assert found == Found("X")
    elif derive and derive[0] == "same" and derive[1] in given_forms:
        assert found == Found("X", f"same {derive[1]}")
    else:
        # "X" has no Turkish plural ending, so the rule for endings makes nothing of it.
        assert isinstance(found, Lacking)
        assert found.form in {form, *derive}


@pytest.mark.parametrize(
    "sentence",
    ["[group.pl] ${rid}", "[group.pl] {x}", "<u>[group.pl]</u>", "[group.__class__]"],
)
def test_a_translation_can_hold_nothing_that_a_form_would_run(sentence: str) -> None:
    catalogue = Catalogue("tr", {"item.trust_2": Message(TRUST, sentence, 5)})

    (fault,) = check_slots_kept(catalogue, bank())

    assert (fault.code, str(fault.place)) == ("W105", "tr.po:5: item.trust_2")


def test_what_newcomers_are_called_has_to_be_said_where_an_item_needs_it(
    tmp_path: Path,
) -> None:
    unsaid = ("newcomers: {use: migrants}\n", "")

    assert said(prepare_text(tmp_path / "a", changed(unsaid))) == []
    (found,) = said(
        prepare_text(tmp_path / "b", changed(unsaid, ("prior_contact,", "welcoming,"))), "C113"
    )

    assert "what newcomers are called is not said" in found[2]
    assert "make an effort so that ⟦pl?⟧ feel welcome" in found[2]


def test_a_language_without_a_known_name_can_be_named_in_the_context(tmp_path: Path) -> None:
    text = changed(("speaks: ar", "speaks: zza"), ("prior_contact,", "language,"))
    named = text.replace(
        "groups:\n", "language_names:\n  zza: {en: {np: Zazaki}}\ngroups:\n", 1
    )

    (found,) = said(prepare_text(tmp_path / "a", text), "W201")
    codebook = built(tmp_path / "b", named).codebook

    assert "the language 'zza' has no form 'np' in English (en)" in found[2]
    assert codebook.variable("language_1").labels["en"].endswith("in English?")
    assert codebook.variable("language_2").labels["en"].endswith("in Zazaki?")


def test_who_speaks_a_variety_speaks_the_language(tmp_path: Path) -> None:
    text = changed(("speaks: ar", "speaks: ar-TN"), ("prior_contact,", "language,"))

    asked = built(tmp_path, text).codebook.variable("language_2")

    assert asked.labels["en"].endswith("in Arabic?")


def test_the_country_may_be_called_by_its_name(tmp_path: Path) -> None:
    names = "{names: {en: {np: Lakeland, in: in Lakeland, to: to Lakeland}}}"
    text = changed(
        ("country: {use: this_country}", f"country: {names}"), ("prior_contact,", "belonging,")
    )

    codebook = built(tmp_path, text).codebook

    assert codebook.variable("belonging_1").labels["en"].startswith("Lakeland is a place")
    assert "living in Lakeland" in codebook.variable("belonging_2").labels["en"]


@pytest.mark.parametrize(
    ("own_group", "item", "expected"),
    [
        ("community", "group_id_1", "Being a member of my community matters a lot to how I see myself."),
        ("name", "group_id_1", "Being local matters a lot to how I see myself."),
        ("name", "group_id_2", "I have a strong feeling of being local."),
        ("name", "construals_1", "In general, how do you see locals and Syrians: in conflict or in harmony with each other?"),
    ],
)  # fmt: skip
def test_an_item_about_the_own_group_reads_as_the_team_chose(
    tmp_path: Path, own_group: str, item: str, expected: str
) -> None:
    text = changed(
        ("own_group: community", f"own_group: {own_group}"),
        ("prior_contact,", "construals, group_id,"),
    )

    assert built(tmp_path, text).codebook.variable(item).labels == {"en": expected}
