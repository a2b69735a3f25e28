"""Of whom the background was asked, so that a later form need not ask once more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kobosmix.codebook import Codebook, Variable
from kobosmix.conditions import holds, variables_of
from kobosmix.match.model import Interview

# The variable by which a form leaves such questions out: a column of the list on the phone.
_KNOWN = "rid_known"


def background_known(
    interviews: Iterable[Interview], codebooks: Iterable[Codebook]
) -> frozenset[str]:
    """The IDs with an answer, be it a refusal, to each question on background put to them.

    Which questions these are, the forms of later waves say; open texts do not count, as nobody
    has to fill them in.
    """
    names = {
        variable.name
        for codebook in codebooks
        for variable in codebook.variables
        if variable.options and _KNOWN in variables_of(variable.asked_if)
    }
    return frozenset(
        interview.rid for interview in interviews if _is_complete(interview, names)
    )


def _is_complete(interview: Interview, names: set[str]) -> bool:
    put = list(_put(interview, names))
    return bool(put) and all(variable.name in interview.answers for variable in put)


def _put(interview: Interview, names: set[str]) -> Iterator[Variable]:
    for variable in interview.codebook.variables:
        if variable.name in names and holds(variable.asked_if, interview.answers):
            yield variable
