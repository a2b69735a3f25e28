"""ODK Validate: the form engine of the phones (JavaRosa), on the jar inside the pyxform wheel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kobosmix.engines.jvm import EngineFailed, ask

_SECONDS_EACH = 30
_NOISE = ("Result:", "${", ">>")


def validate(xforms: Mapping[str, str], java: str) -> dict[str, str]:
    """What ODK Validate says against each form, by its key; forms it accepts are left out.

    All forms are put to it in one run of Java. The lists a form carries are not looked at.
    """
    if not xforms:
        return {}
    try:
        verdicts = ask(java, "validate", list(xforms.values()), _SECONDS_EACH)
    except EngineFailed as failure:
        if len(xforms) == 1:
            return dict.fromkeys(xforms, f"ODK Validate could not be run: {failure}")
        # One form may have brought Java down; it shall not take the others with it.
        alone = (validate({key: xml}, java) for key, xml in xforms.items())
        return {key: said for verdict in alone for key, said in verdict.items()}
    return {
        key: _essence(verdict["said"]) or "ODK Validate refused the form without a reason"
        for key, verdict in zip(xforms, verdicts, strict=True)
        if not verdict["valid"]
    }


def _essence(said: Iterable[str]) -> str:
    told = (line.strip() for sentence in said for line in sentence.splitlines())
    kept = [line for line in told if line and not line.startswith(_NOISE)]
    return " ".join(kept[:4])[:400]
