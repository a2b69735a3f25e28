"""A form for practice: the same questions under a title that nobody takes for the field."""

from __future__ import annotations

from collections.abc import Mapping

from kobosmix.form.rows import Row, XlsForm

TRAINING, PRETEST = "training", "pretest"
PRACTICE_MARKS: Mapping[str, str] = {TRAINING: "EXERCISE", PRETEST: "PRETEST"}
# Hidden in the form, so that whatever is sent with it is known for what it is wherever it lands.
PURPOSE = "kx_purpose"
_BUILD = "kx_build"


def practice_title(title: str, purpose: str) -> str:
    """The title with what it is for in front.

    >>> practice_title("Before the programme", "training")
    'EXERCISE – Before the programme'
    """
    return f"{PRACTICE_MARKS[purpose]} – {title}"


def for_practice(form: XlsForm, purpose: str) -> XlsForm:
    """The form for `training` or `pretest`, marked in title, first screen and hidden constants.

    The build id stays, and with it the codebook: what is asked is the same.
    """
    mark = PRACTICE_MARKS[purpose]
    survey = list[Row]()
    for row in form.survey:
        survey.append(row)
        if row.get("name") == _BUILD:
            constant = {"type": "calculate", "name": PURPOSE, "calculation": f"'{purpose}'"}
            survey.append(constant)
        is_first_screen = row["type"] == "begin_group" and not _has(survey, "about_purpose")
        if is_first_screen:
            labels = {column: mark for column in row if column.startswith("label::")}
            survey.append({"type": "note", "name": "about_purpose", **labels})
    (settings,) = form.settings
    marked = {
        **settings,
        "form_title": practice_title(settings["form_title"], purpose),
        "form_id": f"{settings['form_id']}_{purpose}",
        # A phone lists what was filled in by this: it says there too what it was for.
        "instance_name": f"concat('{mark} ', {settings['instance_name']})",
    }
    return XlsForm(survey=tuple(survey), choices=form.choices, settings=(marked,))


def _has(survey: list[Row], name: str) -> bool:
    return any(row.get("name") == name for row in survey)
