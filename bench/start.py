"""How long `kobosmix --help` takes, beside an empty click program. The aim is twice at most.

python bench/start.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS = 15
EMPTY = "import click\n@click.command()\ndef main():\n    'Nothing.'\nmain()\n"


def main() -> None:
    """Print both medians and their ratio."""
    ours, empty = list[float](), list[float]()
    for _ in range(ROUNDS):
        ours.append(_seconds("-m", "kobosmix", "--help"))
        empty.append(_seconds("-c", EMPTY, "--help"))
    mine, other = statistics.median(ours), statistics.median(empty)
    print(f"kobosmix --help {mine * 1000:.0f} ms, an empty click program {other * 1000:.0f} ms")
    print(f"ratio {mine / other:.2f} (aim: at most 2)")


def _seconds(*arguments: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
