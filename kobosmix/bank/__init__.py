"""The item bank: what can be measured, with which items and response scales."""

from kobosmix.bank.model import Bank, Concept, Facet, Item, Language, ResponseScale, Text
from kobosmix.bank.read import read_bank

__all__ = [
    "Bank",
    "Concept",
    "Facet",
    "Item",
    "Language",
    "ResponseScale",
    "Text",
    "read_bank",
]
