"""Why there is no answer: one row for each empty cell of a linked interview."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kobosmix.codebook import MISSING_CODES
from kobosmix.tables.tabulate import Tabulation

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("rid", "wave", "variable", "code", "reason")


def missing(tabulation: Tabulation) -> pd.DataFrame:
    """Person, wave, variable, code (-99 to -95) and the reason in words, in the wide table's order.

    A wave without a linked interview has no rows here: `<wave>_outcome` says what became of it.
    """
    import pandas as pd

    rows = [
        (rid, wave, name, MISSING_CODES[given.missing], given.reason)
        for (rid, wave), row in tabulation.given.items()
        for name, given in row.items()
        if given.missing is not None
    ]
    columns: dict[str, pd.Series] = {
        heading: pd.Series(
            [row[number] for row in rows], dtype="Int64" if heading == "code" else "string"
        )
        for number, heading in enumerate(COLUMNS)
    }
    return pd.DataFrame(columns)
