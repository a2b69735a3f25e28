"""From the files a team wrote to its family of forms: what `check` and `build` share."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from kobosmix import content
from kobosmix.bank import Bank, read_bank
from kobosmix.codebook import Codebook, write_codebook
from kobosmix.context import Context, ContextReading, read_context
from kobosmix.earlier import proven
from kobosmix.engines.check import check_forms
from kobosmix.engines.xform import convert_rows
from kobosmix.errors import InputError, StudyError
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
from kobosmix.invariance import Proof, invariance_workbook
from kobosmix.people.enumerators import Enumerator, enumerators_csv
from kobosmix.people.model import Register
from kobosmix.people.read import read_people
from kobosmix.people.register import register_csv
from kobosmix.plan import FormPlan, Plan, plan_study
from kobosmix.plan_check import check_plan
from kobosmix.preview import PreviewForm, preview_page
from kobosmix.printed import WHAT, check_printed, printed_pages
from kobosmix.questionnaire import (
    FormTexts,
    Questionnaire,
    compile_questionnaire,
    stamped,
    with_notices,
)
from kobosmix.study import Study, synced_by
from kobosmix.wording import (
    Review,
    Wording,
    check_review,
    check_wording,
    open_wording,
    read_signatures,
    review_of,
)
from kobosmix.wording.review import Purpose, why_refused
from kobosmix.yamlfile import YamlFile


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltForm:
    """One form of the family, with its codebook."""

    plan: FormPlan
    questionnaire: Questionnaire
    form: XlsForm
    codebook: Codebook

    @property
    def key(self) -> str:
        """What it is called in file names: `pre_turks`."""
        return self.plan.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """All that a study's files say, the forms made from it, and everything that is wrong.

    `forms` is empty where an error stands in the way of making them. `background_known` are the
    IDs of those who are not to be asked about their background once more; `proof` says whether
    waves and groups are asked the same.
    """

    study: Study
    bank: Bank
    context: Context | None
    findings: tuple[Finding, ...]
    forms: tuple[BuiltForm, ...] = ()
    wording: Wording | None = None
    reviews: Mapping[str, Review] = field(default_factory=dict)
    register: Register = field(default_factory=Register)
    enumerators: tuple[Enumerator, ...] = ()
    background_known: frozenset[str] = frozenset()
    proof: Proof = field(default_factory=Proof)

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

    def require_signed(self, purpose: Purpose) -> None:
        """Raise a StudyError where forms with unsigned wording may not go to a server for this."""
        context = self.sound()
        refused = why_refused(
            self.reviews, purpose, has_exception=context.unsigned_wording is not None
        )
        if refused:
            raise StudyError(
                f"the wording is not signed, so it does not go to the field: {'; '.join(refused)}. "
                "Write a proof with 'kobosmix wording proof', have it read and signed, and import "
                "it. For all but the consent, 'unsigned_wording' in context.yaml makes one exception "
                "with a name and a reason. Nothing was sent."
            )

    def media(self) -> dict[str, bytes]:
        """The lists the forms carry: enumerators by code, and the register without arms."""
        context = self.sound()
        files = dict[str, bytes]()
        if context.has_issued_ids:
            files["register.csv"] = register_csv(self.register, self.background_known)
        if context.is_interview:
            files["enumerators.csv"] = enumerators_csv(self.enumerators)
        return files

    def pages(self, what: Collection[str] = WHAT) -> dict[str, bytes]:
        """Paper forms, show cards and manuals in HTML, as far as they are asked for, by name."""
        context = self.sound()
        if self.wording is None:
            return {}
        questionnaires = {built.key: built.questionnaire for built in self.forms}
        return printed_pages(questionnaires, self.wording, context.help, what)


def prepare(study: Study, *, engines: bool = True, also: str = "") -> Prepared:
    """Read, check and compile everything; `engines` puts the forms before pyxform and Java.

    `also` names a language that is still being prepared and is taken as if it were in use.
    """
    bank = read_bank(content.item_templates(), study.items_folder)
    reading = read_context(study.context_file, bank)
    if reading.context is None or reading.file is None:
        return Prepared(study=study, bank=bank, context=None, findings=reading.findings)
    context = reading.context
    if also in context.preparing:
        context = replace(context, languages=(*context.languages, also))
    return _prepare(study, bank, reading, context, reading.file, engines=engines)


def write_build(prepared: Prepared) -> dict[str, list[str]]:
    """Write forms, codebooks, preview, pages and manifest into build/; form key -> files written.

    The forms of a wave or a group that is no longer in the study are taken away, so that nobody
    uploads one by hand, and pages with them; their codebooks stay, for what was collected under
    them.
    """
    prepared.sound()
    study, written, manifest = prepared.study, dict[str, list[str]](), list[dict[str, str]]()
    before = _manifest(study)
    for built in prepared.forms:
        files = _form_files(built)
        for name, data in files.items():
            write_bytes(study.build_folder / name, data)
        _keep(study, built)
        written[built.key] = list(files)
        manifest.append(_manifest_entry(built, files))
    for name, data in prepared.media().items():
        write_bytes(study.build_folder / "media" / name, data)
    write_bytes(study.build_folder / "invariance.xlsx", invariance_workbook(prepared.proof))
    write_preview(prepared)
    pages = write_pages(study, prepared.pages())
    printed = _digests({f"print/{path.name}": path.read_bytes() for path in pages})
    write_json(_manifest_file(study), {"format": 1, "forms": manifest, "printed": printed})
    still_here = {*printed, *(told for entry in manifest for told in entry)}
    for entry in before:
        _take_away(study, entry, still_here)
    return written


def _keep(study: Study, built: BuiltForm) -> None:
    """The codebook of a build is never changed: what was collected under it is decoded by it.

    The form is kept beside it, to be compared with what is built later.
    """
    codebook = study.codebook_file(built.codebook.build_id)
    if not codebook.exists():
        write_codebook(codebook, built.codebook)
    form = study.form_file(built.codebook.build_id)
    if not form.exists():
        write_bytes(form, workbook(built.form))


def write_pages(study: Study, pages: Mapping[str, bytes]) -> list[Path]:
    """Write pages into build/print/; a PDF drawn of what a page was before is taken away."""
    paths = [study.print_folder / name for name in pages]
    for path, data in zip(paths, pages.values(), strict=True):
        if not path.is_file() or path.read_bytes() != data:
            path.with_suffix(".pdf").unlink(missing_ok=True)
            write_bytes(path, data)
    return paths


def write_preview(prepared: Prepared) -> Path:
    """Write build/preview.html, in which every form can be read and tried; returns its path."""
    context, languages = prepared.sound(), prepared.bank.languages
    forms = [
        PreviewForm(
            key=built.key,
            codebook=built.codebook,
            xml=convert_rows(built.form.sheets()).xml,
            languages=tuple(languages[tag] for tag in built.codebook.languages),
        )
        for built in prepared.forms
    ]
    path = prepared.study.build_folder / "preview.html"
    write_bytes(path, preview_page(context.study, forms))
    return path


def _take_away(study: Study, entry: Mapping[str, str], kept: Collection[str]) -> None:
    """Remove what an entry tells of and is not kept, as far as it is still what the build wrote."""
    for told, digest in entry.items():
        name = told.removeprefix("sha256 ")
        path = study.build_folder / name
        is_gone = name != told and told not in kept
        if is_gone and path.is_file() and sha256(path.read_bytes()) == digest:
            path.unlink()
            if path.suffix == ".html":
                path.with_suffix(".pdf").unlink(missing_ok=True)


def _manifest_file(study: Study) -> Path:
    return study.build_folder / "manifest.json"


def _manifest(study: Study) -> list[dict[str, str]]:
    """What the last build wrote, by form, then its pages; nothing where that cannot be known."""
    try:
        content = json.loads(_manifest_file(study).read_text(encoding="utf-8"))
        return [*content["forms"], content.get("printed", {})]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
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
    wording = open_wording(bank, context, content.translations(), study.translations_folder)
    signatures, faults = read_signatures(study.translations_folder)
    compiled = _compile(bank, wording, plan)
    reviews = review_of(wording, signatures)
    forms = _written(wording, reviews, compiled)
    findings += [*faults, *check_wording(wording, file)]
    enumerators, register, said = read_people(study, context)
    findings += said
    if has_errors(findings):
        forms = ()
    else:
        findings += [*check_review(wording, reviews, file), *check_printed(wording, file)]
    proof, differing = proven(study, wording, [(each.plan, each.codebook) for each in forms])
    findings += differing
    if forms and engines:
        findings += check_forms({built.key: built.form.sheets() for built in forms})
    return Prepared(
        study=study,
        bank=bank,
        context=context,
        findings=tuple(in_order(findings)),
        forms=forms,
        register=register,
        enumerators=enumerators,
        wording=wording,
        reviews=reviews,
        proof=proof,
    )


def _compile(bank: Bank, wording: Wording, plan: Plan) -> list[tuple[FormPlan, Questionnaire]]:
    return [
        (form_plan, compile_questionnaire(bank, wording, form_plan))
        for form_plan in plan.forms
        if form_plan.languages and _can_be_rendered(wording, form_plan)
    ]


def _written(
    wording: Wording,
    reviews: Mapping[str, Review],
    compiled: Iterable[tuple[FormPlan, Questionnaire]],
) -> tuple[BuiltForm, ...]:
    """The forms, each saying on its first screen how far its wording has been read."""
    forms = list[BuiltForm]()
    for form_plan, questionnaire in compiled:
        noted = stamped(with_notices(questionnaire, FormTexts(wording, form_plan), reviews))
        forms.append(
            BuiltForm(
                plan=form_plan,
                questionnaire=noted,
                form=write_form(noted, wording.bank.languages),
                codebook=make_codebook(noted),
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
        **_digests(files),
    }


def _digests(files: Mapping[str, bytes]) -> dict[str, str]:
    return {f"sha256 {name}": sha256(data) for name, data in sorted(files.items())}
