"""The demo: a whole evaluation on this machine, with invented people and known faults."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import cycle, product
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING

from kobosmix import content
from kobosmix.context import Context
from kobosmix.errors import UsageError
from kobosmix.files import write_bytes, write_text
from kobosmix.people import ids
from kobosmix.people.model import SPARE, Register
from kobosmix.people.register import add_respondents, write_register
from kobosmix.prepare import Prepared, prepare, write_build
from kobosmix.rehearse.compare import Line, compare, compare_sent, compare_table
from kobosmix.rehearse.send import OnProgress, Sent
from kobosmix.rehearse.summary import summary_text
from kobosmix.study import Study, writing

if TYPE_CHECKING:
    from kobosmix.match.model import Matched
    from kobosmix.rehearse.rehearsal import Rehearsal
    from kobosmix.server.kobo import KoboServer

Say = Callable[[str], None]

SAMPLE = "gaziantep"
# The toolkit's rule of thumb: at least so many persons in each cell of group and arm.
_IN_EACH_CELL = 30
_SPARES_IN_EACH_GROUP = 3
_SEED = 1
_ACCOUNT = "demo"
_WINDOW_DAY = re.compile(r"(?<=opens: |closes:)\s*\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, kw_only=True)
class DemoReport:
    """What the demo planted and found. `exact`: every line is; `summary` is summary.md."""

    folder: Path
    lines: tuple[Line, ...]
    submissions: int
    summary: str

    @property
    def exact(self) -> bool:
        """Whether everything planted was found, and nothing else."""
        return all(line.is_equal for line in self.lines)
