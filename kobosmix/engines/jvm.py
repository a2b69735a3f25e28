"""The only door to Java: our few classes on the jar of ODK Validate, asked in JSON."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kobosmix.errors import KobosmixError

CLASSES = Path(__file__).parent / "java" / "classes"
_OPTIONS = (
    "-Djava.awt.headless=true",
    # As on a phone, whatever the machine's own: the lists that forms carry are read with it.
    "-Dfile.encoding=UTF-8",
    # For runs this short, compiling well costs more time than it saves.
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
)
_START_S = 120


class EngineFailed(KobosmixError):
    """Java or the form engine in it did not do what it was asked to; the message says why."""


def find_java() -> str | None:
    """The Java program of this machine, or None: forms can be built without it."""
    home = os.environ.get("JAVA_HOME")
    beside = Path(home, "bin", "java") if home else None
    if beside and shutil.which(str(beside)):
        return str(beside)
    return shutil.which("java")


def jar() -> Path:
    """ODK Validate, which comes with pyxform."""
    # The package is only located, not imported: that costs 0.4 s.
    spec = find_spec("pyxform")
    if spec is None or spec.origin is None:
        raise EngineFailed("pyxform, which brings ODK Validate along, is not installed")
    return Path(spec.origin).parent / "validators" / "odk_validate" / "bin" / "ODK_Validate.jar"


def ask(java: str, job: str, orders: Sequence[object], seconds_each: float) -> list[Any]:
    """What the engine tells of each order (`validate`, `interview`), all asked in one run of Java.

    Raises EngineFailed where Java does not start, is too old, breaks off or takes longer than
    two minutes and `seconds_each` for every order; and where an order cannot be carried out.
    """
    classpath = os.pathsep.join((str(jar()), str(CLASSES)))
    timeout_s = _START_S + seconds_each * len(orders)
    try:
        run = subprocess.run(  # noqa: S603 - our own classes; the order goes by standard input
            [java, *_OPTIONS, "-cp", classpath, "kobosmix.Engine", job],
            input=json.dumps(orders).encode(),
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except OSError as error:
        raise EngineFailed(f"Java could not be started: {error}") from error
    except subprocess.TimeoutExpired as error:
        raise EngineFailed(
            f"Java gave no answer within {timeout_s:.0f} seconds and was stopped"
        ) from error
    return _told(run)


def _told(run: subprocess.CompletedProcess[bytes]) -> list[Any]:
    try:
        answer = json.loads(run.stdout)
        told, fault = list(answer["told"]), answer.get("fault")
    except (ValueError, KeyError, TypeError) as error:
        raise EngineFailed(_why(run)) from error
    if fault:
        raise EngineFailed(f"number {len(told) + 1} of what the form engine was asked: {fault}")
    return told


def _why(run: subprocess.CompletedProcess[bytes]) -> str:
    said = run.stderr.decode("utf-8", "replace")
    if "UnsupportedClassVersionError" in said:
        return "this Java is too old for the form engine; install a Java runtime, 8 or newer"
    lines = [line.strip() for line in said.splitlines()]
    reason = next((line for line in lines if "Exception" in line or "Error" in line), "")
    return f"Java broke off with exit code {run.returncode}. {reason}".strip()
