"""Of whom the background was asked, so that a later form need not ask once more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from kobosmix.codebook import Codebook, Kind, Variable
from kobosmix.conditions import holds, variables_of
from kobosmix.match.model import Interview

# The variable by which a form leaves such questions out: a column of the list on the phone.
_KNOWN = "rid_known"


def background_known(
    interviews: Iterable[Interview], codebooks: Iterable[Codebook]
) -> frozenset[str]:
    """The IDs of those to whom every question on background of the coming forms was put.

    `codebooks` are those of the forms that are about to go out; a refusal is an answer. A question
    that was added since, or left blank, leads to asking all of it once more. What is written in
    words need not have been filled in.
    """
    coming = defaultdict[str, list[Codebook]](list)
    for codebook in codebooks:
        coming[codebook.group].append(codebook)
    by_person = defaultdict[str, list[Interview]](list)
    for interview in interviews:
        by_person[interview.rid].append(interview)
    return frozenset(rid for rid, held in by_person.items() if _is_known(held, coming))


def _is_known(held: Sequence[Interview], coming: Mapping[str, Sequence[Codebook]]) -> bool:
    said = {name: text for interview in held for name, text in interview.answers.items()}
    put = {v.name for interview in held for v in interview.codebook.variables}
    questions = [
        variable
        for codebook in coming.get(held[-1].codebook.group, ())
        for variable in codebook.variables
        if _KNOWN in variables_of(variable.asked_if)
        and holds(variable.asked_if, {**said, _KNOWN: ""})
    ]
    return bool(questions) and all(_is_answered(each, said, put) for each in questions)


def _is_answered(variable: Variable, said: Mapping[str, str], put: set[str]) -> bool:
    return variable.name in said or (variable.kind is Kind.TEXT and variable.name in put)
