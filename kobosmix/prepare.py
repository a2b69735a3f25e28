"""From the files a team wrote to its family of forms: what `check` and `build` share."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from kobosmix import content
from kobosmix.bank import Bank, read_bank
from kobosmix.codebook import Codebook
from kobosmix.context import Context, ContextReading, read_context
from kobosmix.earlier import proven
from kobosmix.engines.check import check_forms
from kobosmix.errors import InputError, StudyError
from kobosmix.findings import Finding, Place, Severity, has_errors, in_order
from kobosmix.form import (
    XlsForm,
    make_codebook,
    write_form,
)
from kobosmix.invariance import Proof
from kobosmix.people.enumerators import Enumerator, enumerators_csv
from kobosmix.people.model import Register
from kobosmix.people.read import read_people
from kobosmix.people.register import register_csv
from kobosmix.plan import FormPlan, Plan, plan_study
from kobosmix.plan_check import check_plan
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
        if context.carries_register:
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


def _prepare(
    study: Study,
    bank: Bank,
    reading: ContextReading,
    context: Context,
    file: YamlFile,
    *,
    engines: bool,
) -> Prepared:
    findings = [*reading.findings, *check_place(study), *check_last_day(context, file)]
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


def check_last_day(context: Context, file: YamlFile) -> Iterator[Finding]:
    """Nobody is promised a last day that is over, where no window says when people are asked."""
    has_windows = any(wave.windows for wave in context.waves.values())
    today = date.today()  # noqa: DTZ011 - the day where the office is
    if not has_windows and context.withdrawal_until < today:
        yield Finding(
            code="C118",
            place=file.place(("contacts", "withdrawal_until")),
            problem=f"{context.withdrawal_until}, the last day on which answers can be removed, is over",
            remedy="Name a day behind the last wave.",
            severity=Severity.ERROR,
        )
