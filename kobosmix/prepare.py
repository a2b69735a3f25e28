"""From the files a team wrote to its family of forms: what `check` and `build` share."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kobosmix import content
from kobosmix.bank import Bank, read_bank
from kobosmix.codebook import Codebook, write_codebook
from kobosmix.context import Context, ContextReading, read_context
from kobosmix.engines.check import check_forms
from kobosmix.errors import InputError
from kobosmix.files import sha256, write_bytes, write_json
from kobosmix.findings import Finding, Place, Severity, has_errors, in_order
from kobosmix.form import (
    XlsForm,
    codebook_workbook,
    kobo_workbook,
    make_codebook,
    workbook,
    write_form,
)
from kobosmix.people.enumerators import Enumerator, enumerators_csv
from kobosmix.people.model import Register
from kobosmix.people.read import read_people
from kobosmix.people.register import register_csv
from kobosmix.plan import (
    ONE_LANGUAGE,
    VERIFICATION_KEYS,
    FormPlan,
    Plan,
    plan_study,
    too_long,
)
from kobosmix.questionnaire import compile_questionnaire
from kobosmix.study import Study, synced_by
from kobosmix.wording import Wording, check_wording, open_wording
from kobosmix.yamlfile import YamlFile

EXPLANATIONS = {
    "P101": (
        "A form would ask nothing of its respondents.",
        "Choose more concepts, or take the wave or the group out.",
    ),
    "P102": (
        "A variable name is too long for statistics programs once a wave stands before it.",
        "Give the group that is asked about a shorter code.",
    ),
    "P103": (
        "By the estimate an interview takes longer than 'minutes' says.",
        "Ask fewer concepts, or tell respondents the truth: raise 'minutes'.",
    ),
    "P104": (
        "A concept was cut to one item, so it has no reliability.",
        "Ask at least two items of a concept.",
    ),
    "P106": (
        "A concept was chosen, but no form of the study asks it.",
        "Take it out of 'concepts', or change what keeps it out: the finding says what that is.",
    ),
    "P105": (
        "The study lies in a folder that a sync service copies while kobosmix writes.",
        "Move it to a folder that is not synced, and copy the finished tables instead.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltForm:
    """One form of the family, with its codebook."""

    plan: FormPlan
    form: XlsForm
    codebook: Codebook

    @property
    def key(self) -> str:
        """What it is called in file names: `pre_turks`."""
        return self.plan.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """All that a study's files say, the forms made from it, and everything that is wrong.

    `forms` is empty where an error stands in the way of making them.
    """

    study: Study
    bank: Bank
    context: Context | None
    findings: tuple[Finding, ...]
    forms: tuple[BuiltForm, ...] = ()
    register: Register = field(default_factory=Register)
    enumerators: tuple[Enumerator, ...] = ()

    def sound(self) -> Context:
        """The context, if nothing is wrong. Raises InputError with every finding otherwise."""
        if self.context is None or has_errors(self.findings):
            raise InputError(self.findings)
        return self.context

    def trusted(self, *codes: str) -> Context:
        """The context, if no error of these kinds was found. Raises InputError with them otherwise.

        `codes` are beginnings of codes. With errors in context.yaml the context is a best guess,
        good for checking the rest and for nothing else.
        """
        faults = [f for f in self.findings if f.code.startswith(codes)]
        if self.context is None or has_errors(faults):
            raise InputError(faults or self.findings)
        return self.context

    def media(self) -> dict[str, bytes]:
        """The lists the forms carry: enumerators by code, and the register without arms."""
        context = self.sound()
        files = {"register.csv": register_csv(self.register)}
        if context.is_interview:
            files["enumerators.csv"] = enumerators_csv(self.enumerators)
        return files


def prepare(study: Study, *, engines: bool = True) -> Prepared:
    """Read, check and compile everything; `engines` puts the forms before pyxform and Java."""
    bank = read_bank(content.item_templates())
    reading = read_context(study.context_file, bank)
    if reading.context is None or reading.file is None:
        return Prepared(study=study, bank=bank, context=None, findings=reading.findings)
    return _prepare(study, bank, reading, reading.context, reading.file, engines=engines)


def write_build(prepared: Prepared) -> dict[str, list[str]]:
    """Write forms, codebooks and the manifest into build/; returns form key -> files written.

    The forms of a wave or a group that is no longer in the study are taken away, so that nobody
    uploads one by hand; their codebooks stay, for what was collected under them.
    """
    prepared.sound()
    study, written, manifest = prepared.study, dict[str, list[str]](), list[dict[str, str]]()
    before = _manifest(study)
    for built in prepared.forms:
        files = _form_files(built)
        for name, data in files.items():
            write_bytes(study.build_folder / name, data)
        # The codebook of a build is never changed: what was collected under it is decoded by it.
        kept = study.codebook_file(built.codebook.build_id)
        if not kept.exists():
            write_codebook(kept, built.codebook)
        written[built.key] = list(files)
        manifest.append(_manifest_entry(built, files))
    for name, data in prepared.media().items():
        write_bytes(study.build_folder / "media" / name, data)
    write_json(_manifest_file(study), {"format": 1, "forms": manifest})
    for form in before:
        if form.get("key") not in written:
            _take_away(study, form)
    return written


def _take_away(study: Study, form: Mapping[str, str]) -> None:
    """Remove a form's files as far as they are still what the build wrote."""
    for told, digest in form.items():
        name = told.removeprefix("sha256 ")
        path = study.build_folder / name
        if name != told and path.is_file() and sha256(path.read_bytes()) == digest:
            path.unlink()


def _manifest_file(study: Study) -> Path:
    return study.build_folder / "manifest.json"


def _manifest(study: Study) -> list[dict[str, str]]:
    """What the last build wrote; nothing where that cannot be known."""
    try:
        return list(json.loads(_manifest_file(study).read_text(encoding="utf-8"))["forms"])
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _prepare(
    study: Study,
    bank: Bank,
    reading: ContextReading,
    context: Context,
    file: YamlFile,
    *,
    engines: bool,
) -> Prepared:
    findings = [*reading.findings, *check_place(study)]
    plan = plan_study(bank, context)
    findings += check_plan(plan, bank, context, file)
    wording = open_wording(bank, context, content.translations())
    forms = _compile(bank, wording, plan)
    findings += check_wording(wording, file)
    enumerators, register, said = read_people(study, context)
    findings += said
    if has_errors(findings):
        forms = ()
    elif engines:
        findings += check_forms({built.key: built.form.sheets() for built in forms})
    return Prepared(
        study=study,
        bank=bank,
        context=context,
        findings=tuple(in_order(findings)),
        forms=forms,
        register=register,
        enumerators=enumerators,
    )


def _compile(bank: Bank, wording: Wording, plan: Plan) -> tuple[BuiltForm, ...]:
    forms = list[BuiltForm]()
    for form_plan in plan.forms:
        if not form_plan.languages or not _can_be_rendered(wording, form_plan):
            continue
        questionnaire = compile_questionnaire(bank, wording, form_plan)
        forms.append(
            BuiltForm(
                plan=form_plan,
                form=write_form(questionnaire, bank.languages),
                codebook=make_codebook(questionnaire),
            )
        )
    return tuple(forms)


def _can_be_rendered(wording: Wording, plan: FormPlan) -> bool:
    """Unknown languages and groups are findings of the context; nothing to render then."""
    groups = wording.context.groups
    return all(tag in wording.bank.languages for tag in plan.languages) and all(
        other in groups for other in plan.group.asked_about
    )


def check_place(study: Study) -> Iterator[Finding]:
    """A folder that is synced while the store is written can be damaged."""
    service = synced_by(study)
    if service:
        yield Finding(
            code="P105",
            place=Place("the study folder"),
            problem=f"it lies in '{service}', which a sync service copies while kobosmix writes; "
            "a half-copied store may come back to other machines",
            remedy="Move the folder out of the synced one; copy finished tables instead.",
            severity=Severity.WARNING,
        )


def check_plan(plan: Plan, bank: Bank, context: Context, file: YamlFile) -> Iterator[Finding]:
    """Every form asks something, in time, by names that fit."""
    for form in plan.forms:
        # A group about whom nothing usable was said has a finding of its own.
        if not form.items and form.group.asked_about:
            problem = f"the form {form.key} would ask nothing"
            remedy = "Choose more concepts, or take out the wave or the group."
            yield _planned("P101", file, "concepts", problem, remedy, Severity.ERROR)
        if form.minutes > context.minutes:
            problem = (
                f"{form.key} takes about {form.minutes:.0f} minutes, not {context.minutes}"
            )
            remedy = "Ask fewer concepts, or raise 'minutes', which respondents are told."
            yield _planned("P103", file, "minutes", problem, remedy, Severity.WARNING)
    names = too_long(plan)
    if names:
        yield _planned(
            "P102",
            file,
            "groups",
            "variable names are longer than 26 characters: "
            + ", ".join(f"'{name}'" for name in names),
            "Give the groups that are asked about shorter codes.",
            Severity.ERROR,
        )
    yield from _dropped_for_one_language(plan, file)
    yield from _never_asked(plan, bank, file)
    yield from _unasked_indicators(plan, bank, context, file)
    yield from _single_items(plan, file)


def _single_items(plan: Plan, file: YamlFile) -> Iterator[Finding]:
    single = {
        (block.concept.id, form.group.id)
        for form in plan.forms
        for block in form.blocks
        if len(block.items) == 1 < len(block.concept.items) and block.items[0].item.rated
    }
    for concept, group in sorted(single):
        problem = f"'{concept}' comes down to one item for '{group}', so it has no reliability"
        remedy = "Read it as a single-item measure for this group."
        yield _planned("P104", file, "concepts", problem, remedy, Severity.NOTICE)


def _never_asked(plan: Plan, bank: Bank, file: YamlFile) -> Iterator[Finding]:
    asked = {block.concept.id for form in plan.forms for block in form.blocks}
    reasons = defaultdict[str, dict[str, None]](dict)
    for form in plan.forms:
        for left in form.left_out:
            reasons[left.what][left.reason] = None
    for what in sorted(reasons.keys() & bank.concepts.keys() - asked):
        if ONE_LANGUAGE not in reasons[what]:
            problem = f"no form asks '{what}': {'; '.join(reasons[what])}"
            remedy = "Take it out of 'concepts', or change what keeps it out."
            yield _planned("P106", file, "concepts", problem, remedy, Severity.WARNING)


def _unasked_indicators(
    plan: Plan, bank: Bank, context: Context, file: YamlFile
) -> Iterator[Finding]:
    asked = {(form.group.id, item.item.id) for form in plan.forms for item in form.items}
    known = {item.id for _, item in bank.items() if item.scale} - {*VERIFICATION_KEYS}
    for number, indicator in enumerate(context.indicators):
        # An item or a group that is not there at all has a finding of its own.
        is_there = indicator.item in known and indicator.group in context.groups
        if is_there and (indicator.group, indicator.item) not in asked:
            yield Finding(
                code="C111",
                place=file.place(("indicators", number, "item")),
                problem=f"'{indicator.item}' is not asked of '{indicator.group}'",
                remedy="Add its concept to 'concepts', or name an item or a group that is asked.",
            )


def _dropped_for_one_language(plan: Plan, file: YamlFile) -> Iterator[Finding]:
    dropped = {
        left.what
        for form in plan.forms
        for left in form.left_out
        if left.reason == ONE_LANGUAGE
    }
    for what in sorted(dropped):
        problem = f"'{what}' was dropped for groups that share one language"
        remedy = "Nothing to do if that is so; otherwise correct 'speaks' of the groups."
        yield _planned("C109", file, "concepts", problem, remedy, Severity.NOTICE)


def _planned(
    code: str, file: YamlFile, key: str, problem: str, remedy: str, severity: Severity
) -> Finding:
    place = file.place((key,))
    return Finding(code=code, place=place, problem=problem, remedy=remedy, severity=severity)


def _form_files(built: BuiltForm) -> dict[str, bytes]:
    return {
        f"{built.key}.xlsx": workbook(built.form),
        f"{built.key}_codebook.xlsx": codebook_workbook(built.codebook),
        f"kobo_upload/{built.key}.xlsx": kobo_workbook(built.form),
    }


def _manifest_entry(built: BuiltForm, files: dict[str, bytes]) -> dict[str, str]:
    return {
        "key": built.key,
        "wave": built.codebook.wave,
        "group": built.codebook.group,
        "title": built.codebook.title,
        "build_id": built.codebook.build_id,
        **{f"sha256 {name}": sha256(data) for name, data in sorted(files.items())},
    }
