"""The proof that waves and groups are asked the same: what may be compared was asked alike."""

from kobosmix.invariance.accept import Grounds
from kobosmix.invariance.check import check_invariance, not_kept
from kobosmix.invariance.model import FormVersion, Proof, Standing
from kobosmix.invariance.prove import later_only, prove
from kobosmix.invariance.write import invariance_workbook

__all__ = [
    "FormVersion",
    "Grounds",
    "Proof",
    "Standing",
    "check_invariance",
    "invariance_workbook",
    "later_only",
    "not_kept",
    "prove",
]
