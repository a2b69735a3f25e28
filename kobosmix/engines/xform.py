"""The only door to pyxform: XLSForm rows or a workbook in, XForm out."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

from kobosmix.errors import KobosmixError

Row = Mapping[str, str]


class FormRefused(KobosmixError):
    """pyxform would not convert the form; its sentence is the message."""


@dataclass(frozen=True, slots=True)
class XForm:
    """The XForm that phones get, and what pyxform warned of on the way."""

    xml: str
    warnings: tuple[str, ...]


def convert_rows(sheets: Mapping[str, Sequence[Row]]) -> XForm:
    """Convert sheets of rows (`survey`, `choices`, `settings`), as they stand in the workbook."""
    headed = dict[str, object]()
    for name, rows in sheets.items():
        headed[name] = [{column: text for column, text in row.items() if text} for row in rows]
        # Without a header pyxform looks for columns in the first rows only, and trips over a
        # column that first appears further down.
        headed[f"{name}_header"] = [{column: None for row in rows for column in row}]
    return _convert(headed)


def convert_workbook(workbook: bytes) -> XForm:
    """Convert the bytes of an .xlsx."""
    return _convert(BytesIO(workbook))


def _convert(source: object) -> XForm:
    from pyxform.errors import PyXFormError
    from pyxform.xls2xform import convert

    said = list[str]()
    try:
        with warnings.catch_warnings():
            # openpyxl warns of styles and extensions that it passes over; only cells are read.
            warnings.simplefilter("ignore", UserWarning)
            result = convert(source, warnings=said, validate=False, pretty_print=False)
    except (PyXFormError, AttributeError, ValueError, TypeError, IndexError, KeyError) as error:
        raise FormRefused(str(error) or type(error).__name__) from error
    return XForm(result.xform, tuple(said))
