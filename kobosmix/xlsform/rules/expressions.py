"""Expressions by themselves: whether an engine can read them, and knows the names in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kobosmix.findings import Finding, Severity
from kobosmix.xlsform.expression import REFERENCE, SMART_QUOTES, parse
from kobosmix.xlsform.functions import ANY_NUMBER, FUNCTIONS, INSTEAD
from kobosmix.xlsform.kinds import EXTERNAL_FILES
from kobosmix.xlsform.outline import Outline, Used
from kobosmix.xlsform.tell import meant, rows_of, tell
from kobosmix.xlsform.xpath import Call, Text

EXPLANATIONS: Mapping[str, tuple[str, str]] = {
    "L141": (
        "${ } names a question that is not in the form.",
        "Correct the name; capitals count.",
    ),
    "L144": (
        "An expression cannot be read: a bracket, a quote or an operator is wrong. The phones "
        "cannot open the form; pyxform says nothing.",
        "The finding says what stands where.",
    ),
    "L145": (
        "The phones do not know a function. The form does not open, or breaks off in the "
        "interview.",
        "Use one of JavaRosa's functions: docs.getodk.org/form-operators-functions.",
    ),
    "L146": ("A function has too few or too many arguments.", "See the finding."),
    "L149": (
        "A path or an instance in an expression leads nowhere, so the condition is never met.",
        "Name questions with ${ }, and lists by the name of the list or the file.",
    ),
    "L240": (
        "A question is named by its path. KoboToolbox gives the form another root, and the path "
        "leads nowhere there.",
        "Write ${name}.",
    ),
    "L241": (
        "A regular expression is not tied to both ends. The phones match whole answers, web forms "
        "match anywhere in them: '12345' passes '[0-9]{3}' in a browser.",
        "Begin it with ^ and end it with $.",
    ),
    "L243": (
        "An expression has the curly quotes of a word processor in it. pyxform straightens them, "
        "other programs do not.",
        "Type straight quotes: ' or \".",
    ),
    "L244": (
        "pulldata() is a function of single apps, and not of the engine of the phones.",
        "instance('file')/root/item[column = ${x}]/other does the same everywhere.",
    ),
}

_TEXT_COLUMNS = ("default", "trigger", "parameters", "appearance", "type")
_ARGUMENTS = ("no argument", "one argument")


def check_names_exist(form: Outline) -> Iterator[Finding]:
    """A question that is named is in the form."""
    known = {*form.by_name, "instanceID", "instanceName"}
    for used in form.expressions:
        for name in dict.fromkeys(use.name for use in used.expression.uses):
            if name not in known:
                at = ("survey", used.node.row.number, used.column)
                yield _unknown(form, at, name)
    for at, text in _texts_with_names(form):
        names = REFERENCE.findall(text)
        for name in dict.fromkeys(names):
            if name not in known:
                yield _unknown(form, at, name)
        if text.count("${") != len(names):
            said = "a '${' is not closed, or has a bracket in it"
            yield tell(form, "L144", at, said, "Write ${name}.")


def _unknown(form: Outline, at: tuple[str, int, str], name: str) -> Finding:
    said = f"there is no question '{name}'.{meant(name, form.by_name)}"
    return tell(form, "L141", at, said, "Correct the name; capitals count.")


def _texts_with_names(form: Outline) -> Iterator[tuple[tuple[str, int, str], str]]:
    for said in form.texts:
        for language, text in said.texts.items():
            if "${" in text:
                yield said.at(language), text
    for row in form.rows["survey"]:
        for column in _TEXT_COLUMNS:
            if "${" in (text := row.cells.get(column, "")):
                yield ("survey", row.number, column), text
    if "${" in (text := form.settings.get("instance_name", "")):
        yield ("settings", 2, "instance_name"), text


def check_syntax(form: Outline) -> Iterator[Finding]:
    """An expression can be read by the engine of the phones."""
    for used in form.expressions:
        fault = used.expression.fault
        at = ("survey", used.node.row.number, used.column)
        if fault:
            yield tell(form, "L144", at, fault.problem, fault.remedy)
    named = form.settings.get("instance_name", "")
    if named and (fault := parse(named).fault):
        yield tell(form, "L144", ("settings", 2, "instance_name"), fault.problem, fault.remedy)


def check_quotes(form: Outline) -> Iterator[Finding]:
    """Quotes are the straight ones of the keyboard."""
    curly = [used for used in form.expressions if SMART_QUOTES.search(used.expression.text)]
    if curly:
        rows = rows_of([used.node.row.number for used in curly])
        said = f"curly quotes, as in {curly[0].expression.text} ({rows})"
        at = ("survey", curly[0].node.row.number, curly[0].column)
        yield tell(form, "L243", at, said, "Type straight quotes: ' or \".")


def check_functions(form: Outline) -> Iterator[Finding]:
    """A function is one the phones know, with as many arguments as it takes."""
    for used in form.expressions:
        for call in used.expression.calls:
            at = ("survey", used.node.row.number, used.column)
            if call.name not in FUNCTIONS:
                instead = INSTEAD.get(call.name.lower())
                remedy = f"Use {instead}." if instead else "See the list of functions of ODK."
                said = f"the phones have no function {call.name}().{_meant_function(call.name)}"
                yield tell(form, "L145", at, said, remedy)
            elif wrong := _wrong_arguments(call):
                yield tell(form, "L146", at, wrong, f"Here it has {len(call.arguments)}.")
    pulled = [
        used.node.row.number
        for used in form.expressions
        if any(call.name == "pulldata" for call in used.expression.calls)
    ]
    if pulled:
        said = f"pulldata() is not a function of every engine ({rows_of(pulled)})"
        remedy = "Write instance('file')/root/item[column = ${x}]/other instead."
        at = ("survey", pulled[0], "calculation")
        yield tell(form, "L244", at, said, remedy, severity=Severity.NOTICE)


def _meant_function(name: str) -> str:
    return "" if name.lower() in INSTEAD else meant(name, FUNCTIONS)


def _wrong_arguments(call: Call) -> str:
    fewest, most = FUNCTIONS[call.name]
    number = len(call.arguments)
    if fewest <= number <= most and not (call.name == "indexed-repeat" and number % 2 == 0):
        return ""
    if call.name in ("weighted-checklist", "indexed-repeat"):
        return f"{call.name}() has a number of arguments it cannot have"
    if fewest == most:
        return f"{call.name}() takes {_counted(fewest)}"
    return f"{call.name}() takes {fewest} {'or more' if most == ANY_NUMBER else f'to {most}'}"


def _counted(number: int) -> str:
    return _ARGUMENTS[number] if number < len(_ARGUMENTS) else f"{number} arguments"


def check_regular_expressions(form: Outline) -> Iterator[Finding]:
    """A regular expression is tied to both ends, or engines differ about it."""
    for used in form.expressions:
        for call in used.expression.calls:
            if call.name != "regex" or len(call.arguments) != FUNCTIONS["regex"][0]:
                continue
            pattern = call.arguments[1]
            if isinstance(pattern, Text) and not _is_anchored(pattern.value):
                said = (
                    f"the phones match '{pattern.value}' with whole answers, web forms anywhere"
                )
                remedy = f"Write '^{pattern.value.strip('^$')}$'."
                at = ("survey", used.node.row.number, used.column)
                yield tell(form, "L241", at, said, remedy)


def _is_anchored(pattern: str) -> bool:
    begins = pattern.startswith(("^", "(^", ".*", "(.*"))
    ends = pattern.endswith(("$", "$)", ".*", ".*)", ".+", ".*|"))
    return begins and ends


def check_paths(form: Outline) -> Iterator[Finding]:
    """Questions are named with ${ }; a path that is written out leads somewhere."""
    for used in form.expressions:
        at = ("survey", used.node.row.number, used.column)
        for way in used.expression.ways:
            last = way.rsplit("/", 1)[-1]
            if last in ("..", ".", "*", "") or last.startswith("@"):
                continue
            if last not in form.by_name:
                said = f"the path '{way}' leads nowhere.{meant(last, form.by_name)}"
                yield tell(form, "L149", at, said, "Name questions with ${ }.")
            elif way.startswith("/"):
                said = f"'{way}' leads nowhere on KoboToolbox, where the root has another name"
                yield tell(form, "L240", at, said, f"Write ${{{last}}}.")
        for call in used.expression.calls:
            yield from _unknown_instance(form, used, call)


def _unknown_instance(form: Outline, used: Used, call: Call) -> Iterator[Finding]:
    if call.name != "instance" or not call.arguments or not isinstance(call.arguments[0], Text):
        return
    name = call.arguments[0].value
    known = {*form.lists, "last-saved", "__last-saved"}
    for node in form.nodes:
        if node.type in EXTERNAL_FILES:
            known.add(node.name)
        elif node.kind.from_file:
            known.add(node.kind.list.rsplit(".", 1)[0])
    if name not in known:
        said = (
            f"instance('{name}') is neither a list nor a file of the form.{meant(name, known)}"
        )
        remedy = f"Add a row of the type csv-external with the name '{name}'."
        yield tell(form, "L149", ("survey", used.node.row.number, used.column), said, remedy)


RULES = (
    check_names_exist,
    check_syntax,
    check_quotes,
    check_functions,
    check_regular_expressions,
    check_paths,
)
