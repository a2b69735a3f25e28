"""Linked answers as tables for analysis, with the codebook that explains them."""

from kobosmix.tables.codebook import codebook_sheets
from kobosmix.tables.missing import missing
from kobosmix.tables.tabulate import Tabulation, tabulate
from kobosmix.tables.toolkit import toolkit_headings
from kobosmix.tables.topline import topline_sheets
from kobosmix.tables.wide import wide
from kobosmix.tables.write import write_tables

__all__ = [
    "Tabulation",
    "codebook_sheets",
    "missing",
    "tabulate",
    "toolkit_headings",
    "topline_sheets",
    "wide",
    "write_tables",
]
