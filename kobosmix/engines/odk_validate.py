"""ODK Validate: the form engine of the phones (JavaRosa), on the jar inside the pyxform wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

_TIMEOUT_S = 120
_NOISE = ("Result:", "The following files", "${", ">>", "SLF4J", "OpenJDK", "Picked up")


def find_java() -> str | None:
    """The Java program of this machine, or None: forms can be built without it."""
    home = os.environ.get("JAVA_HOME")
    beside = Path(home, "bin", "java") if home else None
    if beside and shutil.which(str(beside)):
        return str(beside)
    return shutil.which("java")


def validate(xforms: Mapping[str, str], java: str) -> dict[str, str]:
    """What ODK Validate says against each form, by its key; forms it accepts are left out."""
    with ThreadPoolExecutor(max_workers=max(1, min(4, os.cpu_count() or 1))) as pool:
        verdicts = pool.map(lambda xml: _validate_one(xml, java), xforms.values())
        return {key: said for key, said in zip(xforms, verdicts, strict=True) if said}


def _validate_one(xml: str, java: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "form.xml")
        path.write_text(xml, encoding="utf-8")
        command = [java, "-Djava.awt.headless=true", "-XX:TieredStopAtLevel=1"]
        try:
            run = subprocess.run(  # noqa: S603 - our own jar, on a file of our own
                [*command, "-jar", str(_jar()), str(path)],
                capture_output=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"ODK Validate could not be run ({type(error).__name__})"
    if run.returncode == 0:
        return ""
    said = run.stderr.decode("utf-8", "replace") + run.stdout.decode("utf-8", "replace")
    return _essence(said.splitlines()) or "ODK Validate refused the form without a reason"


def _jar() -> Path:
    # The package is only located, not imported: that costs 0.4 s.
    spec = find_spec("pyxform")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("pyxform is not installed")
    return Path(spec.origin).parent / "validators" / "odk_validate" / "bin" / "ODK_Validate.jar"


def _essence(lines: Iterable[str]) -> str:
    told = [line.strip() for line in lines if line.strip()]
    kept = [
        line
        for line in told
        if not line.startswith(_NOISE) and not line.startswith(("at ", "\tat "))
    ]
    return " ".join(kept[:4])[:400]
