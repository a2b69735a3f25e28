"""KoboToolbox runs pyxform 3.0.0: the forms go through that version too.

It needs other versions of its libraries than pyxform 4, so it lives in an interpreter of its own:
KOBOSMIX_PYXFORM3_PYTHON is its path. `make test` makes it.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from xml.etree.ElementTree import canonicalize

import pytest

from kobosmix.engines.xform import convert_workbook

PYTHON = os.environ.get("KOBOSMIX_PYXFORM3_PYTHON", "")
BUILD = Path(__file__).parent.parent / "sample_forms" / "gaziantep" / "build"
CONVERT = """
import importlib.metadata, json, sys
from pyxform.xls2xform import convert
warnings = []
xform = convert(sys.argv[1], warnings=warnings, validate=False).xform
print(json.dumps({
    "version": importlib.metadata.version("pyxform"), "warnings": warnings, "xform": xform
}))
"""


@pytest.mark.skipif(not PYTHON, reason="KOBOSMIX_PYXFORM3_PYTHON names no interpreter")
@pytest.mark.parametrize("form", sorted(path.name for path in BUILD.glob("*_*s.xlsx")))
def test_the_version_kobotoolbox_runs_takes_the_form_as_ours_does(form: str) -> None:
    run = subprocess.run(
        [PYTHON, "-c", CONVERT, str(BUILD / form)], capture_output=True, check=True
    )
    told = json.loads(run.stdout)

    assert told["version"] == "3.0.0"
    assert told["warnings"] == []
    ours = convert_workbook((BUILD / form).read_bytes()).xml
    assert canonicalize(told["xform"], strip_text=True) == canonicalize(ours, strip_text=True)


def test_there_are_forms_to_try() -> None:
    assert len(list(BUILD.glob("*_*s.xlsx"))) == 6
