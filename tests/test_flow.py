"""The package is a one-way street; these tests are the street signs."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import kobosmix

PACKAGE = Path(kobosmix.__file__).parent
FLOW = [
    *(
        "findings",
        "errors",
        "files",
        "xlsx",
        "yamlfile",
        "yamledit",
        "content",
        "order",
        "slots",
        "conditions",
    ),
    *(
        "codebook",
        "xlsform",
        "bank",
        "context",
        "plan",
        "plan_check",
        "wording",
        "questionnaire",
        "form",
        "invariance",
        "engines",
        "printed",
    ),
    *(
        "study",
        "earlier",
        "people",
        "preview",
        "prepare",
        "build",
        "store",
        "downloads",
        "fielded",
        "server",
        "handover",
        "match",
        "tables",
        "steps",
        "pulling",
        "by_hand",
        "waves",
        "changes",
        "status",
        "translate",
    ),
    *("rehearse", "demo", "cli"),
]
# Each outside library, and the only places that know it.
DOORS = {
    "babel": ("bank/check.py", "wording/names.py", "wording/po.py"),
    "click": ("cli/",),
    "docx": ("printed/review.py",),
    "jinja2": (*("context/new.py", "handover/page.py", "preview/page.py", "printed/page.py"),),
    "keyring": ("server/system_keyring.py",),
    "openpyxl": ("xlsx.py",),
    "orjson": ("store/content.py",),
    "pandas": ("tables/",),
    "platformdirs": ("server/private_file.py",),
    "polib": ("wording/po.py",),
    "pydantic": ("bank/", "context/", "wording/shape.py", "yamlfile.py"),
    "pypdf": ("wording/adopt.py",),
    "python_multipart": ("server/local/",),
    "pyxform": ("engines/",),
    "requests": ("server/",),
    "rich": ("cli/",),
    "ruamel": ("yamledit.py", "yamlfile.py"),
    "segno": ("handover/qr.py",),
    "sqlite3": ("store/", "server/local/"),
    "starlette": ("server/local/",),
    "uvicorn": ("server/local/",),
    "weasyprint": ("printed/pdf.py",),
    "xlsxwriter": ("xlsx.py",),
}
# Each costs a tenth of a second or more, which `kobosmix --help` must not spend.
HEAVY = [
    *("docx", "jinja2", "keyring", "openpyxl", "pandas", "pydantic", "pyxform", "requests"),
    *("rich", "ruamel", "segno", "starlette", "uvicorn", "weasyprint", "xlsxwriter"),
]
# Libraries that come with an extra, and need not be here, by the package that holds them.
OPTIONAL = {"docx": "python-docx", "weasyprint": "weasyprint"}
LONGEST_FUNCTION, LONGEST_MODULE = 40, 400
MODULES = {
    path.relative_to(PACKAGE).as_posix(): path
    for path in PACKAGE.rglob("*.py")
    if path.parent != PACKAGE or not path.name.startswith("__")
}


def imported_by(module: str) -> set[str]:
    """Full names of what a module imports, inside functions and for types included."""
    names = set[str]()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
    return names


def stage_of(module: str) -> str:
    return Path(module).parts[0].removesuffix(".py")


def functions(module: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def test_every_module_belongs_to_a_stage() -> None:
    assert {stage_of(module) for module in MODULES} == set(FLOW)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_stage_imports_only_from_the_stages_before_it(module: str) -> None:
    later = {f"kobosmix.{name}" for name in FLOW[FLOW.index(stage_of(module)) + 1 :]}
    reached = {".".join(name.split(".")[:2]) for name in imported_by(module)}

    assert not reached & later


@pytest.mark.parametrize("module", sorted(MODULES))
def test_each_outside_library_has_one_door(module: str) -> None:
    used = {name.split(".")[0] for name in imported_by(module)} & DOORS.keys()

    assert {library for library in used if not module.startswith(DOORS[library])} == set()


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_fits_the_eye(module: str) -> None:
    lines = MODULES[module].read_text(encoding="utf-8").splitlines()
    too_long = {
        each.name
        for each in functions(module)
        if (each.end_lineno or 0) - each.lineno + 1 > LONGEST_FUNCTION
    }

    assert too_long == set()
    assert len(lines) <= LONGEST_MODULE


def test_every_library_that_is_imported_is_a_declared_dependency() -> None:
    pyproject = PACKAGE.parent / "pyproject.toml"
    if not pyproject.is_file():
        pytest.skip("not a checkout")
    project = tomllib.loads(pyproject.read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    lines = [*project["dependencies"], *(line for extra in extras for line in extra)]
    declared = {_normal(line.partition(">")[0].partition("=")[0]) for line in lines}
    used = {name.split(".")[0] for module in MODULES for name in imported_by(module)}
    outside = used - set(sys.stdlib_module_names) - {"kobosmix"}
    distributions = packages_distributions()

    assert {
        library
        for library in outside
        if not declared
        & {_normal(name) for name in distributions.get(library, [OPTIONAL.get(library, "")])}
    } == set()


@pytest.mark.parametrize("call", ["", "kobosmix.cli.main(['--help'], standalone_mode=False)"])
def test_no_heavy_library_is_loaded_before_a_command_needs_it(call: str) -> None:
    code = f"import sys, kobosmix.cli; {call or 'pass'}; print('\\n', *sys.modules)"

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    loaded = run.stdout.decode().splitlines()[-1].split()
    assert "kobosmix.cli" in loaded
    assert set(loaded) & set(HEAVY) == set()


def _normal(name: str) -> str:
    return name.strip().lower().replace("_", "-")
