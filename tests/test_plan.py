"""Who is asked what, when, and why the rest is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobosmix.prepare import Prepared
from tests.english_study import changed, prepare_text, said

EVERYTHING = (
    "concepts: [core, characteristics, norms, prior_contact, programme_contact, welcoming, "
    "immigration, threat, nationality, hope, language]"
)
THREE = """\
groups:
  bosniak:
    role: neither
    languages: [en]
    speaks: bs
    asked_about: [serbs, croats]
    names: {en: {pl: Bosniaks, adj: Bosniak}}
  serbs:
    role: neither
    languages: [en]
    speaks: sr
    asked_about: [bosniak, croats]
    names: {en: {pl: Serbs, adj: Serb}}
  croats:
    role: neither
    languages: [en]
    speaks: hr
    asked_about: [bosniak, serbs]
    names: {en: {pl: Croats, adj: Croat}}
"""


@pytest.fixture(scope="module")
def wide_study(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Hosts and newcomers, asked nearly everything."""
    text = changed(
        ("concepts: [core, characteristics, prior_contact, programme_contact]", EVERYTHING)
    )
    return prepare_text(tmp_path_factory.mktemp("wide"), text)


def asked(prepared: Prepared, key: str) -> list[str]:
    form = next(form for form in prepared.forms if form.key == key)
    return [item.name for item in form.plan.items]


def test_hosts_and_newcomers_are_asked_what_is_for_them(wide_study: Prepared) -> None:
    hosts, newcomers = asked(wide_study, "pre_locals"), asked(wide_study, "pre_syrians")

    assert {"threat_1", "immigration_1"} <= set(hosts)
    assert not {"threat_1", "immigration_1"} & set(newcomers)
    assert "welcoming_2" in newcomers
    assert "welcoming_2" not in hosts
    assert {"language_1", "language_2"} <= set(hosts) & set(newcomers)


def test_each_wave_asks_what_belongs_to_it(wide_study: Prepared) -> None:
    pre, post, follow_up = (asked(wide_study, f"{w}_locals") for w in ("pre", "post", "fu"))

    assert {"prior_contact_1", "education", "nationality_1a"} <= set(pre)
    assert not {"prior_contact_1", "education", "nationality_1a"} & {*post, *follow_up}
    assert "prog_contact_1" in post
    assert not {"prog_contact_1"} & {*pre, *follow_up}
    assert {"trust_1", "norms_1"} <= {*pre} & {*post} & {*follow_up}


def test_outcomes_stand_in_the_same_order_at_every_wave(wide_study: Prepared) -> None:
    orders = [asked(wide_study, f"{wave}_locals") for wave in ("pre", "post", "fu")]
    common = set(orders[0]) & set(orders[1]) & set(orders[2])

    assert len({tuple(n for n in order if n in common) for order in orders}) == 1


def test_sensitive_blocks_come_last(wide_study: Prepared) -> None:
    form = next(form for form in wide_study.forms if form.key == "pre_locals")
    sensitive = [block.concept.sensitive for block in form.plan.blocks]

    assert sensitive == sorted(sensitive)
    assert any(sensitive)


def test_what_is_off_by_default_is_asked_only_when_named(tmp_path: Path) -> None:
    quiet = prepare_text(tmp_path / "quiet")
    named = prepare_text(
        tmp_path / "named",
        changed(("concepts: [core,", "concepts: [core, ethnicity, crossing,")),
    )

    assert "ethnicity" not in asked(quiet, "pre_locals")
    assert {"ethnicity", "crossing_1"} <= set(asked(named, "pre_locals"))
    assert "religion" not in asked(named, "pre_locals")


def test_a_team_can_ask_a_concept_of_another_role(tmp_path: Path) -> None:
    text = changed(("concepts: [core,", "ask: {threat: [newcomer]}\nconcepts: [core, threat,"))

    assert "threat_1" in asked(prepare_text(tmp_path, text), "pre_syrians")


def test_every_group_can_be_asked_about_two_others(tmp_path: Path) -> None:
    head, _, tail = changed(("concepts: [core,", "concepts: [core, hope,")).partition(
        "groups:\n"
    )
    text = head + THREE + "\n# In items\n" + tail[tail.index("own_group") :]

    prepared = prepare_text(tmp_path, text)

    names = asked(prepared, "pre_serbs")
    assert {"attitudes_1__bosniak", "attitudes_1__croats"} <= set(names)
    assert names.count("hope_1") == 1, "it names no group, so it is asked once"
    assert len(names) == len(set(names))
    assert all(len(f"post_{name}") <= 32 for name in names)
    form = next(form for form in prepared.forms if form.key == "pre_serbs")
    assert "Croats" in form.codebook.variable("trust_2__croats").labels["en"]
    assert form.codebook.variable("trust_2__croats").about == "croats"


def test_a_group_code_that_makes_names_too_long_is_an_error(tmp_path: Path) -> None:
    head, _, tail = changed().partition("groups:\n")
    text = head + THREE.replace("croats", "croats_north") + tail[tail.index("own_group") :]

    assert "longer than 26" in str(said(prepare_text(tmp_path, text), "P102"))


def test_a_study_longer_than_it_tells_its_respondents_is_warned_of(tmp_path: Path) -> None:
    prepared = prepare_text(tmp_path, changed(("minutes: 90", "minutes: 2")))

    assert "not 2" in str(said(prepared, "P103"))
    assert prepared.forms, "a warning does not stop the build"


def test_a_form_that_asks_nothing_is_an_error(tmp_path: Path) -> None:
    text = changed(
        (
            "concepts: [core, characteristics, prior_contact, programme_contact]",
            "concepts: [threat]",
        )
    )

    found = said(prepare_text(tmp_path, text), "P101")

    assert "syrians" in str(found)


def test_naming_one_item_does_not_ask_the_rest_of_its_concept(tmp_path: Path) -> None:
    text = changed(("concepts: [core, characteristics,", "concepts: [core, ethnicity,"))

    names = asked(prepare_text(tmp_path, text), "pre_locals")

    assert "ethnicity" in names
    assert not {"education", "disability", "displacement", "religion"} & set(names)
