"""What goes on paper says the same as the phone: same words, same codes, same order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from kobosmix import content
from kobosmix.codebook import Codebook, Kind, Option, Role, Variable
from kobosmix.conditions import Blank, holds, variables_of
from kobosmix.context.model import Context
from kobosmix.prepare import Prepared, prepare
from kobosmix.printed.cards import card_number
from kobosmix.printed.check import check_printed
from kobosmix.printed.manual import manual_pages
from kobosmix.printed.paper import paper_pages
from kobosmix.printed.sentences import PrintedSentences
from kobosmix.printed.sheet import ONLY_ON_THE_PHONE, sections
from kobosmix.questionnaire import Block, Note, Question, Questionnaire
from kobosmix.questionnaire.model import ListOfOptions, Part
from kobosmix.study import Study
from kobosmix.wording import Catalogue, Wording
from kobosmix.yamlfile import YamlFile, read_yaml
from tests.english_study import CONTEXT, bank, changed, prepare_text

SAMPLES = ("bosnia", "ecuador", "gaziantep", "tunisia")
MINORS = changed(("minors: exclude", "minors: include"))
ALONE = changed(("mode: interview", "mode: self_administered"))


@cache
def sample(name: str) -> Prepared:
    return prepare(Study(content.sample_study(name)), engines=False)


@cache
def pages(name: str) -> dict[str, ET.Element]:
    """Every page of a sample study, parsed: a page that is not well-formed raises."""
    return {
        page: ET.fromstring(text.decode("utf-8"))  # noqa: S314 - our own
        for page, text in sample(name).pages().items()
    }


def wording_of(prepared: Prepared) -> Wording:
    assert prepared.wording is not None
    return prepared.wording


def papers(name: str) -> Iterator[tuple[str, Codebook, Questionnaire, ET.Element]]:
    """Each paper form of a sample: its language, its form, its page."""
    for built in sample(name).forms:
        for tag in built.codebook.languages:
            page = pages(name)[f"paper_{built.key}_{tag}.html"]
            yield tag, built.codebook, built.questionnaire, page


def text_of(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def same(text: str) -> str:
    return " ".join(text.split())


def classes(page: ET.Element, name: str) -> list[ET.Element]:
    return [each for each in page.iter() if name in each.get("class", "").split()]


def answers_on(page: ET.Element, number: int) -> list[tuple[str, str]]:
    """Codes and words beside the boxes of a question, in the order of the page."""
    place = next(each for each in page.iter() if each.get("id") == f"q{number}")
    if place.tag == "div":
        return [
            (text_of(classes(item, "code")[0]), text_of(classes(item, "word")[0]))
            for item in place.iter("li")
        ]
    table = next(t for t in page.iter("table") if place in list(t.iter("tr")))
    heads = [
        head for head in table.iter("th") if "question-column" not in head.get("class", "")
    ]
    assert len(heads) == len(classes(place, "box"))
    return [(text_of(classes(head, "code")[0]), same(head.text or "")) for head in heads]


def asked_on_paper(codebook: Codebook) -> list[Variable]:
    return [
        variable
        for variable in codebook.variables
        if variable.kind not in (Kind.CALCULATED, Kind.META)
        and variable.name not in ONLY_ON_THE_PHONE
    ]


def english(
    folder: Path, text: str = CONTEXT, key: str = "pre_locals"
) -> tuple[Wording, Questionnaire]:
    prepared = prepare_text(folder, text)
    prepared.sound()
    built = next(form for form in prepared.forms if form.key == key)
    return wording_of(prepared), built.questionnaire


def paper(wording: Wording, questionnaire: Questionnaire) -> ET.Element:
    (page,) = paper_pages("form", questionnaire, wording).values()
    return ET.fromstring(page.decode("utf-8"))  # noqa: S314 - our own


def with_parts(questionnaire: Questionnaire, block: str, *parts: Part) -> Questionnaire:
    """The questionnaire with more parts at the beginning of one of its outer blocks."""
    return replace(
        questionnaire,
        parts=tuple(
            replace(part, parts=(*parts, *part.parts))
            if isinstance(part, Block) and part.name == block
            else part
            for part in questionnaire.parts
        ),
    )


# Pages ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLES)
def test_every_page_is_in_its_language_and_direction_and_needs_nothing_else(name: str) -> None:
    assert len(pages(name)) >= len(sample(name).forms)
    for file, page in pages(name).items():
        source = ET.tostring(page, encoding="unicode")
        assert re.findall(r"<script|src=|href=|url\(|@import", source) == []
        if file != "show_cards.html":
            tag = file.removesuffix(".html").rpartition("_")[2]
            right_to_left = bank().languages[tag].right_to_left
            assert page.get("lang") == tag
            assert page.get("dir") == ("rtl" if right_to_left else "ltr")


@pytest.mark.parametrize("name", SAMPLES)
def test_each_form_has_a_paper_in_each_of_its_languages(name: str) -> None:
    wanted = {
        f"paper_{built.key}_{tag}.html"
        for built in sample(name).forms
        for tag in built.codebook.languages
    }

    assert {file for file in pages(name) if file.startswith("paper_")} == wanted


@pytest.mark.parametrize("name", SAMPLES)
def test_equal_studies_give_equal_bytes(name: str) -> None:
    again = prepare(Study(content.sample_study(name)), engines=False)

    assert again.pages() == sample(name).pages()


# Paper forms ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLES)
def test_every_question_is_on_the_paper_with_its_words_and_all_its_codes_in_order(
    name: str,
) -> None:
    for tag, codebook, questionnaire, page in papers(name):
        say = PrintedSentences(wording_of(sample(name)), tag)
        read = sections(questionnaire, say)
        numbers = {a.question.name: a.number for s in read for a in s.asked}
        variables = asked_on_paper(codebook)
        assert list(numbers) == [variable.name for variable in variables]
        assert list(numbers.values()) == list(range(1, len(numbers) + 1))
        everything = text_of(page)
        for variable in variables:
            number = numbers[variable.name]
            assert f"{number}. {same(variable.labels[tag])}" in everything
            assert answers_on(page, number) == [
                (option.value, same(option.labels[tag])) for option in variable.options
            ]


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_told_before_consent_is_on_the_paper_word_for_word(name: str) -> None:
    for tag, codebook, questionnaire, page in papers(name):
        introduction = next(p for p in questionnaire.parts if p.name == "introduction")
        assert isinstance(introduction, Block)
        read = text_of(page)
        mode = "self" if codebook.mode == "self_administered" else "face_to_face"
        notes = [
            part
            for part in introduction.parts
            if isinstance(part, Note)
            and variables_of(part.shown_if) <= {"mode"}
            and holds(part.shown_if, {"mode": mode})
        ]
        places = [read.index(same(note.label[tag])) for note in notes]
        assert len(notes) > 4
        assert places == sorted(places)


def test_paper_has_a_place_for_the_number_and_none_for_a_name(tmp_path: Path) -> None:
    page = paper(*english(tmp_path))

    (head, *_) = classes(page, "digits")
    assert head.get("dir") == "ltr"
    assert len(classes(head, "digit")) == 8
    assert "Do not write the name of any person on this paper." in text_of(page)
    assert "Stick the label with the number here" in text_of(page)
    assert "Code of the enumerator" in text_of(page)
    assert text_of(page).endswith("Typed in by (code, date): ______________________")


def test_nobody_codes_an_enumerator_where_respondents_are_alone(tmp_path: Path) -> None:
    assert "Code of the enumerator" not in text_of(paper(*english(tmp_path, ALONE)))


def test_paper_is_a_draft_as_long_as_the_form_is(tmp_path: Path) -> None:
    wording, form = english(tmp_path)

    assert "DRAFT: for trying out only" in text_of(
        paper(wording, replace(form, review="draft"))
    )
    assert "DRAFT" not in text_of(paper(wording, replace(form, review="signed")))


def test_published_wording_is_named_on_paper(tmp_path: Path) -> None:
    wording, form = english(tmp_path)
    named = "The questions are worded by kobosmix."

    assert named in text_of(paper(wording, replace(form, wording="mixed")))
    assert named not in text_of(paper(wording, form))


def test_what_only_a_phone_can_do_is_not_on_paper(tmp_path: Path) -> None:
    wording, form = english(tmp_path)
    told = {
        part.label["en"]
        for _, part, _ in form.walk()
        if isinstance(part, (Note, Question)) and part.name in ONLY_ON_THE_PHONE
    }

    read = text_of(paper(wording, form))

    assert {"Scan the code on the respondent's card", "Who is doing this interview?"} <= told
    assert [sentence for sentence in told if sentence in read] == []


TELEPHONE = changed(("mode: interview", "mode: telephone"))


@pytest.mark.parametrize(
    ("text", "greeting", "other"),
    [
        (
            CONTEXT,
            "I have come on behalf of the Lake Association.",
            "I am calling on behalf of",
        ),
        (
            TELEPHONE,
            "I am calling on behalf of the Lake Association.",
            "I have come on behalf of",
        ),
    ],
)
def test_paper_is_written_on_in_the_usual_mode(
    tmp_path: Path, text: str, greeting: str, other: str
) -> None:
    read = text_of(paper(*english(tmp_path, text)))

    assert greeting in read
    assert other not in read
    assert "Typing in a paper form" not in read
    assert "How is this interview held?" not in read


def test_on_the_telephone_there_is_a_manual_and_no_card(tmp_path: Path) -> None:
    prepared = prepare_text(tmp_path, TELEPHONE)

    assert {name.partition("_")[0] for name in prepared.pages()} == {"paper", "manual"}
    assert "Card 1" not in manual(tmp_path / "manual", TELEPHONE)


def test_of_several_alphabets_a_page_shows_its_own(tmp_path: Path) -> None:
    wording, form = english(tmp_path)
    letters = ("a1", "a"), ("b1", "b"), ("z1", "z")
    options = tuple(Option(value=code, labels={"en": word}) for code, word in letters)
    unknown = replace(form.lists["agree"].options[-1])
    listed = ListOfOptions(
        id="letters",
        options=(*options, unknown),
        alphabets={"a1": "en", "b1": "en", "z1": "tr"},
        shown_by="code_alphabet",
    )
    letter = Question(
        name="code_mother",
        role=Role.STAFF,
        kind=Kind.SELECT_ONE,
        label={"en": "Which letter?"},
        list="letters",
    )
    form = replace(form, lists={**form.lists, "letters": listed})

    page = paper(wording, with_parts(form, "staff", letter))

    assert [code for code, _ in answers_on(page, 1)] == ["a1", "b1", unknown.value]


def test_where_consent_ends_the_interview_paper_says_so(tmp_path: Path) -> None:
    stop = "If the answer is no: stop here."

    adults = paper(*english(tmp_path / "a"))
    minors = paper(*english(tmp_path / "b", MINORS))

    def ends(page: ET.Element) -> list[str]:
        asked = (text_of(question) for question in classes(page, "question"))
        return [re.sub(r".*?[0-9]+\. (\S+ \S+).*", r"\1", q) for q in asked if stop in q]

    assert ends(adults) == ["Is this", "Do you"]
    # Below the age of consent a guardian is asked, so that 'no' goes on there.
    assert ends(minors) == ["Do you", "For a", "And you"]


def test_what_the_enumerator_notes_at_the_end_is_on_a_page_of_its_own(tmp_path: Path) -> None:
    page = paper(*english(tmp_path))

    (closing,) = classes(page, "new-page")
    assert text_of(closing).startswith("End of the interview")
    assert "Could anyone else hear the answers?" in text_of(closing)
    # Where somebody says no, the paper ends.
    assert "Which reason did the person give?" not in text_of(page)


def test_a_question_whose_number_is_written_has_boxes_for_its_digits(tmp_path: Path) -> None:
    wording, form = english(tmp_path)
    page = paper(wording, form)
    read = {
        a.question.name: a
        for s in sections(form, PrintedSentences(wording, "en"))
        for a in s.asked
    }

    assert (read["birth_year"].digits, read["age"].digits) == (4, 3)
    for name in ("birth_year", "age"):
        place = next(e for e in page.iter() if e.get("id") == f"q{read[name].number}")
        assert len(classes(place, "digit")) == read[name].digits
        assert classes(place, "digits")[0].get("dir") == "ltr"


@pytest.mark.parametrize("length", [20, 3000])
def test_forty_questions_and_endless_labels_break_nothing(tmp_path: Path, length: int) -> None:
    wording, form = english(tmp_path)
    longest = ("word " * length)[:length] + "x" * length + " <&\"'>"
    options = form.lists["agree"]
    endless = tuple(
        replace(option, labels={"en": f"{option.value} {longest}"})
        for option in options.options
    )
    pattern = next(
        p for _, p, _ in form.walk() if isinstance(p, Question) and p.list == "agree"
    )
    many = [replace(pattern, name=f"many_{n}", label={"en": longest}) for n in range(40)]
    form = replace(form, lists={**form.lists, "agree": replace(options, options=endless)})

    for shown in (form, replace(form, lists={**form.lists, "agree": options})):
        page = paper(wording, with_parts(shown, "interview", *many))

        assert text_of(page).count(same(longest)) >= 40
        assert all(len(list(table.iter("tr"))) <= 9 for table in classes(page, "scale"))


# Show cards -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bosnia", "gaziantep", "tunisia"])
def test_each_rated_question_has_a_card_with_its_words_and_codes_in_order(name: str) -> None:
    page = pages(name)["show_cards.html"]
    cards = {}
    for card in classes(page, "card"):
        tag = card.get("lang", "")
        assert card.get("dir") == ("rtl" if bank().languages[tag].right_to_left else "ltr")
        points = [
            (text_of(classes(row, "point")[0]), text_of(classes(row, "word")[0]))
            for row in card.iter("tr")
        ]
        cards[tag, text_of(classes(card, "heading")[0])] = points
    assert len(cards) == len(classes(page, "card"))

    used = set()
    for tag, codebook, questionnaire, _ in papers(name):
        say = PrintedSentences(wording_of(sample(name)), tag)
        for question in (p for _, p, _ in questionnaire.walk() if isinstance(p, Question)):
            number = card_number(question, bank())
            if number is None:
                continue
            heading = say.say("card_number", number=str(number))
            options = codebook.variable(question.name).options
            assert cards[tag, heading] == [
                (o.value, same(o.labels[tag])) for o in options if o.missing is None
            ]
            used.add((tag, heading))
    assert used == set(cards)


@pytest.mark.parametrize("name", ["bosnia", "gaziantep", "tunisia"])
def test_no_card_names_a_group(name: str) -> None:
    context = sample(name).context
    assert isinstance(context, Context)
    names = {
        form
        for group in context.groups.values()
        for forms in (*group.names.values(), *_ready_names(group.use))
        for form in forms.values()
    }

    read = text_of(pages(name)["show_cards.html"])

    assert len(names) > 5
    assert [each for each in names if each in read] == []


def _ready_names(use: str) -> list[dict[str, str]]:
    return [dict(language.groups.get(use, {})) for language in bank().languages.values()]


def test_a_card_keeps_its_number_whatever_a_study_asks() -> None:
    rated = [scale.id for scale in bank().scales.values() if scale.rated]

    assert list(bank().card_numbers.items()) == list(zip(rated, range(1, 14), strict=True))


def test_a_scale_read_aloud_in_other_words_has_the_card_of_the_scale(tmp_path: Path) -> None:
    _, form = english(tmp_path)
    counted = next(
        p for _, p, _ in form.walk() if isinstance(p, Question) and p.name == "prior_contact_1"
    )

    numbers = {
        card_number(replace(counted, list=list_), bank())
        for list_ in ("count_5", "count_5_spoken")
    }

    assert numbers == {bank().card_numbers["count_5"]}


def test_who_answers_alone_needs_neither_cards_nor_a_manual(tmp_path: Path) -> None:
    prepared = prepare_text(tmp_path, ALONE)

    assert {name.partition("_")[0] for name in prepared.pages()} == {"paper"}


# Manual -----------------------------------------------------------------------------------


def manual(folder: Path, text: str = CONTEXT, **referral: str) -> str:
    wording, form = english(folder, text)
    (page,) = manual_pages({"pre_locals": form}, wording, referral).values()
    return text_of(ET.fromstring(page.decode("utf-8")))  # noqa: S314 - our own


def test_the_manual_has_every_rule_in_order_and_then_every_question(tmp_path: Path) -> None:
    read = manual(tmp_path)
    told = [
        text.text
        for text in bank().texts.values()
        if re.fullmatch(r"manual_[a-z]+(_[0-9])?", text.id) and text.id != "manual_ask_7"
    ]

    places = [read.index(same(sentence)) for sentence in told]
    assert places == sorted(places)
    _, form = english(tmp_path / "form")
    trust = next(
        p for _, p, _ in form.walk() if isinstance(p, Question) and p.name == "trust_1"
    )
    intent = next(item.intent for _, item in bank().items() if item.id == "trust_1")
    after = read[places[-1] :]
    assert f"{trust.label['en']} Card 1" in after
    assert f"measures (English): {intent}" in after
    assert "disagree strongly 1 disagree 2 neither 3 agree 4 agree strongly 5" in after


def test_the_manual_names_the_places_of_help_or_leaves_lines_for_them(tmp_path: Path) -> None:
    none = "No places have been named yet."

    assert none in manual(tmp_path / "a")
    named = manual(tmp_path / "b", en="The clinic, 0123 45")
    assert "The clinic, 0123 45" in named
    assert none not in named


def test_rules_for_young_people_are_given_where_young_people_are_asked(tmp_path: Path) -> None:
    rule = "With a young person,"

    assert rule not in manual(tmp_path / "a")
    assert rule in manual(tmp_path / "b", MINORS)


# Left out ---------------------------------------------------------------------------------


def test_a_language_without_the_sentences_is_left_out_and_named() -> None:
    prepared = prepare(Study(content.sample_study("tunisia")), engines=False)
    wording = wording_of(prepared)
    french = wording.catalogues["fr"]
    less = {key: m for key, m in french.messages.items() if key != "text.paper_date"}
    lacking = replace_catalogue(wording, Catalogue("fr", less))
    file = read_yaml(prepared.study.context_file)
    assert isinstance(file, YamlFile)

    made = {
        name
        for built in prepared.forms
        for name in paper_pages(built.key, built.questionnaire, lacking)
    }

    assert made
    assert not [name for name in made if name.endswith("_fr.html")]
    (finding,) = check_printed(lacking, file)
    assert (finding.code, finding.severity) == ("W601", "notice")
    assert finding.problem.startswith("fr: 1 sentences for print are not translated")
    assert "paper form, manual, review" in finding.problem
    assert list(check_printed(wording, file)) == []


def replace_catalogue(wording: Wording, catalogue: Catalogue) -> Wording:
    return replace(wording, catalogues={**wording.catalogues, catalogue.tag: catalogue})


def test_a_condition_on_an_unprinted_value_leaves_the_question_on_paper(tmp_path: Path) -> None:
    wording, form = english(tmp_path)
    asked = Question(
        name="extra",
        role=Role.STAFF,
        kind=Kind.TEXT,
        label={"en": "Extra?"},
        asked_if=Blank("rid_scan"),
    )

    page = paper(wording, with_parts(form, "staff", asked))

    place = next(e for e in page.iter() if e.get("id") == "q1")
    assert text_of(place) == "1. Extra?"
    assert len(classes(place, "line")) == 2
