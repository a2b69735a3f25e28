"""What changed between two forms, by what it does to answers already collected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobosmix.order import moved
from kobosmix.xlsform.diff import Change, Level, changes, counted, verdict
from kobosmix.xlsform.model import XlsSheets, sheets_of_rows

Row = dict[str, str]
Sheets = dict[str, list[Row]]

EN, FR = "English (en)", "Français (fr)"
BREAKING, ADDITION = Level.BREAKING, Level.ADDITION
WORDING, COSMETIC = Level.WORDING, Level.COSMETIC


def labels(english: str, french: str, column: str = "label") -> Row:
    return {f"{column}::{EN}": english, f"{column}::{FR}": french}


def base() -> Sheets:
    """A form with a bit of everything."""
    agree = ["Disagree", "Partly", "Agree", "Agree fully"]
    accord = ["Pas d'accord", "En partie", "D'accord", "Tout à fait"]
    return {
        "survey": [
            {"type": "start", "name": "start"},
            {"type": "end", "name": "end"},
            {"type": "calculate", "name": "kx_wave", "calculation": "'pre'"},
            {"type": "calculate", "name": "kx_build", "calculation": "'kx1'"},
            {"type": "begin_group", "name": "items", **labels("Part 1 of 2", "Partie 1 sur 2")},
            {"type": "note", "name": "intro", **labels("Think of them.", "Pensez à eux.")},
            {
                "type": "select_one agree",
                "name": "trust_1",
                **labels("I trust them.", "Je leur fais confiance."),
                **labels("Read aloud.", "Lisez.", "hint"),
                "required": "yes",
                "appearance": "likert",
            },
            {
                "type": "select_one agree",
                "name": "trust_2",
                **labels("They are kind.", "Ils sont gentils."),
                "relevant": "${trust_1} = '1'",
            },
            {
                "type": "integer",
                "name": "age",
                **labels("How old are you?", "Quel âge avez-vous ?"),
                "constraint": ". < 120",
                **labels("Too old.", "Trop.", "constraint_message"),
            },
            {"type": "end_group"},
            {
                "type": "select_one village",
                "name": "village",
                **labels("Which village?", "Quel village ?"),
                "choice_filter": "district = ${age}",
            },
            {"type": "begin_repeat", "name": "child", **labels("Child", "Enfant")},
            {"type": "text", "name": "child_name", **labels("Name?", "Nom ?")},
            {"type": "end_repeat"},
            {"type": "calculate", "name": "older", "calculation": "${age} + 1"},
        ],
        "choices": [
            *(
                {"list_name": "agree", "name": str(code), **labels(english, french)}
                for code, (english, french) in enumerate(
                    zip(agree, accord, strict=True), start=1
                )
            ),
            {"list_name": "agree", "name": "98", **labels("Does not know", "Ne sait pas")},
            {"list_name": "village", "name": "a", **labels("Ay", "Ay"), "district": "1"},
            {"list_name": "village", "name": "b", **labels("Bee", "Bee"), "district": "2"},
        ],
        "settings": [{"form_title": "Form", "version": "1", "default_language": EN}],
    }


Edit = Callable[[Sheets], None]


def row_of(sheets: Sheets, name: str, list_: str = "") -> Row:
    sheet = sheets["choices"] if list_ else sheets["survey"]
    return next(
        row for row in sheet if row.get("name") == name and row.get("list_name", "") == list_
    )


def sets(name: str, list_: str = "", /, **cells: str) -> Edit:
    """Write these cells; `label_en` is the English label, an empty cell is taken out."""

    def edit(sheets: Sheets) -> None:
        row = row_of(sheets, name, list_)
        for cell, text in cells.items():
            column = cell.replace("_en", f"::{EN}").replace("_fr", f"::{FR}")
            row[column] = text

    return edit


def drops(name: str, list_: str = "") -> Edit:
    def edit(sheets: Sheets) -> None:
        sheet = sheets["choices"] if list_ else sheets["survey"]
        sheet.remove(row_of(sheets, name, list_))

    return edit


def adds(before: str, /, **cells: str) -> Edit:
    def edit(sheets: Sheets) -> None:
        place = sheets["survey"].index(row_of(sheets, before))
        english = cells.pop("label", "")
        words = labels(english, english) if english else {}
        sheets["survey"].insert(place, {**cells, **words})

    return edit


def adds_choice(list_: str, name: str, label: str) -> Edit:
    def edit(sheets: Sheets) -> None:
        sheets["choices"].append({"list_name": list_, "name": name, **labels(label, label)})

    return edit


def turns_round(list_: str, first: int, last: int) -> Edit:
    """Put a part of a list into reverse order."""

    def edit(sheets: Sheets) -> None:
        rows = [row for row in sheets["choices"] if row["list_name"] == list_]
        rest = [row for row in sheets["choices"] if row["list_name"] != list_]
        rows[first:last] = reversed(rows[first:last])
        sheets["choices"] = rows + rest

    return edit


def moves(name: str, behind: str) -> Edit:
    def edit(sheets: Sheets) -> None:
        row = row_of(sheets, name)
        sheets["survey"].remove(row)
        sheets["survey"].insert(sheets["survey"].index(row_of(sheets, behind)) + 1, row)

    return edit


def all_of(*edits: Edit) -> Edit:
    def edit(sheets: Sheets) -> None:
        for each in edits:
            each(sheets)

    return edit


def swaps_labels(one: str, other: str) -> Edit:
    def edit(sheets: Sheets) -> None:
        a, b = row_of(sheets, one, "agree"), row_of(sheets, other, "agree")
        for column in (f"label::{EN}", f"label::{FR}"):
            a[column], b[column] = b[column], a[column]

    return edit


def per_row(change: Callable[[Row], Row]) -> Edit:
    def edit(sheets: Sheets) -> None:
        for name, rows in sheets.items():
            sheets[name] = [change(row) for row in rows]

    return edit


def without_french(row: Row) -> Row:
    return {column: text for column, text in row.items() if FR not in column}


def with_german(row: Row) -> Row:
    german = {c.replace(EN, "Deutsch (de)"): t for c, t in row.items() if EN in c}
    return {**row, **german}


def english_by_another_name(row: Row) -> Row:
    return {column.replace(EN, "Anglais (en)"): text for column, text in row.items()}


def as_sheets(sheets: Mapping[str, Sequence[Row]]) -> XlsSheets:
    filled = {
        name: [{c: t for c, t in row.items() if t} for row in rows]
        for name, rows in sheets.items()
    }
    return sheets_of_rows("form.xlsx", filled)


def found(edit: Edit, *, on_server: bool = False) -> list[Change]:
    after = base()
    edit(after)
    return changes(as_sheets(base()), as_sheets(after), on_server=on_server)


@pytest.mark.parametrize(
    ("edit", "level", "where", "what"),
    [
        # Variables that broke
        (drops("age"), BREAKING, "age", "removed"),
        (drops("end"), BREAKING, "end", "removed"),
        (sets("age", name="years"), BREAKING, "age", "perhaps renamed to years"),
        (sets("older", name="elder"), BREAKING, "older", "perhaps renamed to elder"),
        (sets("age", type="decimal"), BREAKING, "age", "other type"),
        (sets("age", type="note"), BREAKING, "age", "other type"),
        (sets("trust_1", type="select_multiple agree"), BREAKING, "trust_1", "other type"),
        (sets("village", type="select_one_from_file v.csv"), BREAKING, "village", "other type"),
        (moves("village", "age"), BREAKING, "village", "other group"),
        (moves("village", "child"), BREAKING, "village", "other repeat"),
        # Logic that broke
        (sets("trust_2", relevant=""), BREAKING, "trust_2", "asked of others"),
        (sets("items", relevant="1 = 1"), BREAKING, "items", "asked of others"),
        (sets("age", constraint=". < 99"), BREAKING, "age", "other answers are taken"),
        (sets("trust_1", required="no"), BREAKING, "trust_1", "required otherwise"),
        (sets("older", calculation="${age} + 2"), BREAKING, "older", "worked out otherwise"),
        (sets("village", choice_filter="1"), BREAKING, "village", "other answers are offered"),
        (sets("child", repeat_count="3"), BREAKING, "child", "repeated otherwise"),
        (sets("age", default="18"), BREAKING, "age", "begins with another answer"),
        (sets("kx_wave", calculation="'post'"), BREAKING, "kx_wave", "another form altogether"),
        # Answers that broke
        (drops("98", "agree"), BREAKING, "agree", "code 98 removed"),
        (sets("98", "agree", name="77"), BREAKING, "agree", "code 98 is 77 now"),
        (turns_round("agree", 0, 4), BREAKING, "agree", "answers in reverse order"),
        (turns_round("agree", 0, 5), BREAKING, "agree", "answers in reverse order"),
        (sets("a", "village", district="2"), BREAKING, "village", "other district of code a"),
        # Additions
        (adds("age", type="text", name="new", label="New?"), ADDITION, "new", "new question"),
        (
            adds("age", type="calculate", name="new", calculation="1"),
            ADDITION,
            "new",
            "new value",
        ),
        (sets("intro", type="text"), ADDITION, "intro", "a question now"),
        (adds_choice("agree", "99", "Refuses"), ADDITION, "agree", "new code 99"),
        # Wording
        (sets("trust_1", label_en="I rely on them."), WORDING, "trust_1", "other words"),
        (sets("trust_1", hint_fr="Lisez bien."), WORDING, "trust_1", "other hint"),
        (sets("trust_1", hint_fr=""), WORDING, "trust_1", "other hint"),
        (
            sets("age", constraint_message_en="No."),
            WORDING,
            "age",
            "other message for a refused answer",
        ),
        (sets("intro", label_en="Think of all."), WORDING, "intro", "other words"),
        (sets("intro", relevant="1 = 1"), WORDING, "intro", "asked of others"),
        (drops("intro"), WORDING, "intro", "instruction removed"),
        (
            adds("age", type="note", name="new", label="Well."),
            WORDING,
            "new",
            "new instruction",
        ),
        (sets("3", "agree", label_en="Agrees"), WORDING, "agree", "other words for code 3"),
        (turns_round("agree", 1, 3), WORDING, "agree", "answers in another order"),
        (moves("trust_1", "age"), WORDING, "trust_1", "asked at another place"),
        (sets("items", label_en="The items"), WORDING, "items", "other words"),
        (per_row(without_french), WORDING, "languages", "language removed"),
        # Cosmetic
        (sets("items", label_en="Part 1 of 3"), COSMETIC, "items", "other words"),
        (sets("trust_1", appearance="minimal"), COSMETIC, "trust_1", "other appearance"),
        (sets("trust_1", image_en="a.png"), COSMETIC, "trust_1", "other image"),
        (sets("trust_1", guidance_hint_en="Slowly."), COSMETIC, "trust_1", "other guidance"),
        (sets("1", "agree", note="x"), COSMETIC, "agree", "other note of code 1"),
        (sets("kx_build", calculation="'kx2'"), COSMETIC, "kx_build", "another build"),
        (per_row(with_german), COSMETIC, "languages", "new language"),
        (
            adds("age", type="note", name="about_review", label="DRAFT"),
            COSMETIC,
            "about_review",
            "new instruction",
        ),
        (lambda s: s["settings"][0].update(version="2"), COSMETIC, "settings", "other version"),
        (
            lambda s: s["settings"][0].update(style="pages"),
            COSMETIC,
            "settings",
            "other style",
        ),
        (lambda s: s.update(notes=[{"x": "y"}]), COSMETIC, "sheet notes", "changed"),
    ],
)
def test_each_change_is_the_one_that_is_told_and_at_its_level(
    edit: Edit, level: Level, where: str, what: str
) -> None:
    told = found(edit)

    assert [(change.level, change.what) for change in told] == [(level, what)]
    shown = {"agree": "trust_1 and trust_2 (list agree)"}.get(where, where)
    assert told[0].where == shown
    assert told[0].means


def test_a_code_with_another_meaning_is_the_worst() -> None:
    told = found(swaps_labels("3", "4"))

    assert [(change.level, change.what) for change in told] == [
        (BREAKING, "code 3 means something else"),
        (BREAKING, "code 4 means something else"),
    ]
    assert (told[1].old, told[1].new) == ("Agree fully", "Agree")
    assert "keep the old meaning of 4; do not pool" in told[1].means


def test_a_code_whose_meaning_moved_in_one_language_only_is_found_as_well() -> None:
    edit = all_of(
        sets("3", "agree", label_fr="Tout à fait"), sets("4", "agree", label_fr="D'accord")
    )

    assert {(c.level, c.language) for c in found(edit)} == {(BREAKING, FR)}


def test_codes_that_moved_up_by_one_are_told_code_by_code() -> None:
    edit = all_of(
        sets("4", "agree", name="5"),
        sets("3", "agree", name="4"),
        sets("2", "agree", name="3"),
    )

    told = {change.what: change.level for change in found(edit)}

    assert told["code 4 means something else"] is BREAKING
    assert told["code 3 means something else"] is BREAKING
    assert told["code 2 removed"] is BREAKING
    assert BREAKING in {change.level for change in found(edit)}


def test_a_list_under_another_name_with_the_same_answers_changes_nothing_for_them() -> None:
    def rename(row: Row) -> Row:
        return {
            **row,
            **({"list_name": "agreement"} if row.get("list_name") == "agree" else {}),
            **(
                {"type": "select_one agreement"}
                if row.get("type") == "select_one agree"
                else {}
            ),
        }

    told = found(per_row(rename))

    assert [(c.level, c.what) for c in told] == [(COSMETIC, "list under another name")]


def test_another_list_with_other_answers_is_compared_by_its_answers() -> None:
    told = found(sets("trust_1", type="select_one village"))

    assert {c.where for c in told} == {"trust_1"}
    assert {c.what for c in told if c.level is BREAKING} == {
        f"code {code} removed" for code in ("1", "2", "3", "4", "98")
    }


def test_a_language_under_another_name_is_the_same_language() -> None:
    def edit(sheets: Sheets) -> None:
        per_row(english_by_another_name)(sheets)

    told = [c for c in found(edit) if c.where == "languages"]

    assert [(c.level, c.what, c.old, c.new) for c in told] == [
        (COSMETIC, "language under another name", EN, "Anglais (en)")
    ]
    assert not [c for c in found(edit) if c.level in (BREAKING, WORDING)]


def test_a_form_compared_with_itself_has_not_changed() -> None:
    assert changes(as_sheets(base()), as_sheets(base())) == []
    assert verdict([]) == "The forms are the same."


@pytest.mark.parametrize(
    "edit",
    [
        sets("trust_1", required="true"),
        sets("trust_1", required="true()"),
        sets("age", required="no"),
        sets("trust_2", relevant="${trust_1}  =\n'1'"),
        sets("intro", label_en="Think of them. "),
        sets("village", type="select one village"),
        per_row(lambda row: dict(reversed(row.items()))),
        per_row(lambda row: {**row, "$kuid": "x"}),
        moves("start", "older"),
    ],
)
def test_what_is_only_spelled_otherwise_is_no_change(edit: Edit) -> None:
    assert found(edit) == []


def test_what_a_server_sets_by_itself_is_passed_over_only_for_a_servers_form() -> None:
    def edit(sheets: Sheets) -> None:
        sheets["settings"][0].update(form_title="Other", form_id="aXyz", version="3 (2026)")

    assert found(edit, on_server=True) == []
    assert len(found(edit)) == 3


def test_the_verdict_goes_by_the_worst_change() -> None:
    told = found(all_of(swaps_labels("3", "4"), sets("trust_1", label_en="Otherwise.")))

    assert [c.level for c in told] == [BREAKING, BREAKING, WORDING]
    assert counted(told) == "2 breaking changes, 1 change of wording"
    assert verdict(told).startswith(
        "2 breaking changes, 1 change of wording. Answers to what broke"
    )


def test_a_change_reads_as_a_finding_does() -> None:
    (told,) = found(sets("3", "agree", label_en="Agrees"))

    assert str(told).splitlines() == [
        "wording trust_1 and trust_2 (list agree): other words for code 3 (English (en)): "
        "'Agree', now 'Agrees'",
        "  Answers keep the code 3; judge whether it still means the same.",
    ]


@given(st.permutations([f"q{n}" for n in range(7)]))
def test_what_moved_is_as_little_as_can_be(after: list[str]) -> None:
    before = sorted(after)
    told = moved(before, after)

    rest = [name for name in before if name not in told]
    assert [name for name in after if name not in told] == rest
    assert (told == []) == (before == after)
    # Nothing shorter would do: what stays is the longest part that rises.
    longest = [0] * len(after)
    for n, name in enumerate(after):
        shorter = (longest[m] for m in range(n) if after[m] < name)
        longest[n] = 1 + max(shorter, default=0)
    assert len(rest) == max(longest)


def test_a_blank_that_a_server_made_ordinary_is_no_change() -> None:
    def asked(words: str) -> XlsSheets:
        return as_sheets({"survey": [{"type": "text", "name": "q", f"label::{EN}": words}]})

    for blank in ("\u00a0", "\u202f"):
        assert changes(asked(f"Who{blank}?"), asked("Who ?")) == []
    assert changes(asked("Who\u00a0?"), asked("Why ?")) != []


CELLS = st.sampled_from(
    (
        *("", "a", "b", "text", "note", "integer", "select_one a", "select_one b", "calculate"),
        *("begin_group", "end_group", "begin_repeat", "end_repeat", "${a} = 'b'", "1", "yes"),
        *("rank a", "select_multiple a or_other", "start", "nonsense", "begin", "kx_build"),
    )
)
COLUMNS = st.sampled_from(
    (
        *("type", "name", "list_name", "label", f"label::{EN}", "hint:fr", "relevant", "$kuid"),
        *("required", "choice_filter", "media::image", "x", "", "form_title", "repeat_count"),
    )
)
ROWS = st.lists(st.dictionaries(COLUMNS, CELLS, max_size=6), max_size=8)
FORMS = st.fixed_dictionaries(
    {"survey": ROWS}, optional={"choices": ROWS, "settings": ROWS, "other": ROWS}
).map(as_sheets)


@given(old=FORMS, new=FORMS)
def test_no_form_is_too_odd_to_be_compared(old: XlsSheets, new: XlsSheets) -> None:
    there, back = changes(old, new), changes(new, old)

    assert changes(old, old) == changes(new, new) == []
    assert (there == []) == (back == [])
    assert all(change.where and change.what and change.means for change in there)
