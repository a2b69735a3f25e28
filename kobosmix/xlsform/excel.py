"""What Excel makes of text that looks like something else."""

from __future__ import annotations

import re

# 1-2 typed into a cell becomes a day, and comes out of the file so.
DATE = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}")
CHANGED = re.compile(r"TRUE|FALSE|-?\d+\.0")
FAILED_FORMULA = re.compile(r"#(?:REF!|NAME\?|VALUE!|N/A|DIV/0!|NULL!|NUM!)")
