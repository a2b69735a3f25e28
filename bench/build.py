"""What building a form costs, beside what pyxform alone costs on the same workbook.

One run, set-up apart: imports are done and the bank is read before the clock starts. Prints the
ratio for each form of a family of six with every concept in four languages; the aim is 1.5 at most.

    python bench/build.py [STUDY]
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from kobosmix import content
from kobosmix.bank import read_bank
from kobosmix.context import read_context
from kobosmix.engines.xform import convert_rows, convert_workbook
from kobosmix.files import canonical_json
from kobosmix.form import codebook_workbook, make_codebook, workbook, write_form
from kobosmix.plan import FormPlan, plan_study
from kobosmix.questionnaire import compile_questionnaire, stamped
from kobosmix.study import Study
from kobosmix.wording import Wording, open_wording
from kobosmix.xlsform.lint import lint
from kobosmix.xlsform.model import sheets_of_rows

ROUNDS = 9
FAMILY = Path(__file__).parent / "family"


def main(study: Study) -> None:
    """Print one line for each form, then the median ratio over all forms."""
    reading = _seconds(lambda: read_bank(content.item_templates()))
    bank = read_bank(content.item_templates())
    context = read_context(study.context_file, bank).context
    if context is None:
        sys.exit("the study's context.yaml cannot be read")
    catalogues = _seconds(
        lambda: open_wording(bank, context, content.translations(), Path("no study"))
    )
    print(f"reading the bank {reading:.3f} s, catalogues {catalogues:.3f} s (apart)")
    wording = open_wording(bank, context, content.translations(), Path("no study"))
    ratios = list[float]()
    for plan in plan_study(bank, context).forms:
        xlsx = _build(wording, plan)
        convert_workbook(xlsx)
        pairs = [_pair(wording, plan, xlsx) for _ in range(ROUNDS)]
        built = statistics.median(pair[0] for pair in pairs)
        converted = statistics.median(pair[1] for pair in pairs)
        # Of the pairs, not of the medians: each pair met the machine in one mood.
        ratio = statistics.median(pair[0] / pair[1] for pair in pairs)
        ratios.append(ratio)
        print(
            f"{plan.key:16} build {built * 1000:6.1f} ms   pyxform alone {converted * 1000:6.1f} ms"
            f"   ratio {ratio:.2f}"
        )
    print(f"all forms: ratio {statistics.median(ratios):.2f} (aim: at most 1.5)")


def _pair(wording: Wording, plan: FormPlan, xlsx: bytes) -> tuple[float, float]:
    """Ours and theirs one after the other, so that a busy machine slows both."""
    return _seconds(lambda: _build(wording, plan)), _seconds(lambda: _convert_alone(xlsx))


def _build(wording: Wording, plan: FormPlan) -> bytes:
    """Rows, .xlsx, codebook in both formats, lint, and one conversion from the rows."""
    questionnaire = stamped(compile_questionnaire(wording.bank, wording, plan))
    form = write_form(questionnaire, wording.bank.languages)
    codebook = make_codebook(questionnaire)
    canonical_json(codebook)
    codebook_workbook(codebook)
    lint(sheets_of_rows(plan.key, form.sheets()))
    convert_rows(form.sheets())
    return workbook(form)


def _convert_alone(xlsx: bytes) -> None:
    from pyxform.xls2xform import convert

    convert(BytesIO(xlsx), validate=False)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    folder = sys.argv[1] if len(sys.argv) > 1 else str(FAMILY)
    main(Study(Path(folder)))
