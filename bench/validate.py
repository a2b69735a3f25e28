"""What ODK Validate costs for a family of forms at once, beside one `java -jar` for each form.

Prints the ratio for the forms of the sample study; the aim is 0.5 at most.

    python bench/validate.py [STUDY]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from kobosmix import content
from kobosmix.engines.jvm import find_java, jar
from kobosmix.engines.odk_validate import validate
from kobosmix.engines.xform import convert_rows
from kobosmix.prepare import prepare
from kobosmix.study import Study

ROUNDS = 7


def main(study: Study) -> None:
    """Print both medians and their ratio."""
    java = find_java()
    if java is None:
        sys.exit("no Java runtime on this machine")
    forms = prepare(study, engines=False).forms
    xforms = {built.key: convert_rows(built.form.sheets()).xml for built in forms}
    at_once, alone = list[float](), list[float]()
    with tempfile.TemporaryDirectory() as folder:
        paths = list(_written(Path(folder), xforms.values()))
        for _ in range(ROUNDS):
            start = time.perf_counter()
            if validate(xforms, java):
                sys.exit("a form was refused, so nothing can be compared")
            at_once.append(time.perf_counter() - start)
            start = time.perf_counter()
            for path in paths:
                _validate_alone(java, path)
            alone.append(time.perf_counter() - start)
    ours, theirs = statistics.median(at_once), statistics.median(alone)
    # Of the pairs, not of the medians: each pair met the machine in one mood.
    ratio = statistics.median(a / b for a, b in zip(at_once, alone, strict=True))
    print(f"{len(xforms)} forms at once {ours:.2f} s, one java -jar for each {theirs:.2f} s")
    print(f"ratio {ratio:.2f} (aim: at most 0.5)")


def _written(folder: Path, xforms: Iterable[str]) -> Iterable[Path]:
    for number, xml in enumerate(xforms):
        path = folder / f"{number}.xml"
        path.write_bytes(xml.encode())
        yield path


def _validate_alone(java: str, path: Path) -> None:
    # With the option that makes a run this short quickest, so that ours is not praised for it.
    options = ["-Djava.awt.headless=true", "-XX:TieredStopAtLevel=1"]
    command = [java, *options, "-jar", str(jar()), str(path)]
    subprocess.run(command, capture_output=True, check=True)


if __name__ == "__main__":
    folder = sys.argv[1] if len(sys.argv) > 1 else str(content.sample_study("gaziantep"))
    main(Study(Path(folder)))
