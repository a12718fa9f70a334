"""What is public is declared, documented and used; users are led to nothing else."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest

from tests.child import UNMEASURED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.child import Children

ROOT = Path(__file__).parent.parent
PACKAGE = "botocore_conn_provider"
PUBLIC = {
    PACKAGE: {
        "ConnProviderError",
        "Connection",
        "ConnectionNotFoundError",
        "CredentialFetchError",
        "IdpRequestError",
        "InvalidConnectionError",
        "MissingDependencyError",
        "PresignedUrlError",
        "Problem",
        "SamlResponseError",
        "StsExchangeError",
        "WebIdentityTokenError",
        "install",
        "session",
        "uninstall",
    },
    f"{PACKAGE}.bridges": {
        "awscrt",
        "daft",
        "duckdb",
        "lance",
        "obstore",
        "polars",
        "pyarrow",
    },
    f"{PACKAGE}.events": {"Event", "Kind", "add_listener", "remove_listener"},
    f"{PACKAGE}.fleet.dask": {"ConnectionPlugin"},
    f"{PACKAGE}.fleet.ray": {"runtime_env"},
    f"{PACKAGE}.fleet.spark": {"configure", "list_settings", "send_connection"},
    f"{PACKAGE}.plugins": {
        "Authentication",
        "Browser",
        "IdpAnswer",
        "Page",
        "Secret",
        "SignIn",
        "SignInRequest",
        "TokenRequest",
        "TokenSource",
    },
}
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md")
    for path in ROOT.glob(pattern)
)
EXAMPLES = sorted(ROOT.glob("examples/**/*.py"))
SOURCES = sorted((ROOT / PACKAGE).rglob("*.py"))
# Imports in the code of a page or docstring; `python -m` names what is run.
TOLD = re.compile(
    rf"\bfrom ({PACKAGE}[\w.]*) import ([\w, ]+)|\bimport ({PACKAGE}[\w.]*)"
)


def find_reference() -> Any:
    """Return docs/reference_page.py as a module."""
    path = ROOT / "docs" / "reference_page.py"
    spec = importlib.util.spec_from_file_location("reference_page", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def list_told(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield the modules and names of ours that a text has its reader import."""
    for module, names, whole in TOLD.findall(text):
        if whole:
            yield whole, None
        for name in names.split(","):
            if module:
                yield module, name.strip()


def list_imported(path: Path) -> Iterator[tuple[str, str | None]]:
    """Yield the modules and names of ours that a program imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((name.name, None) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", name.name) for name in node.names)


def is_private(told: tuple[str, str | None]) -> bool:
    module, name = told
    if module.partition(".")[0] != PACKAGE:
        return False
    if f"{module}.{name}" in PUBLIC:
        return False
    return module not in PUBLIC or not (name is None or name in PUBLIC[module])


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names_are_declared_and_there(module: str) -> None:
    loaded = importlib.import_module(module)
    assert set(loaded.__all__) == PUBLIC[module]
    assert [name for name in PUBLIC[module] if not hasattr(loaded, name)] == []


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_and_member_is_explained(module: str) -> None:
    loaded = importlib.import_module(module)
    reference = find_reference()
    silent = []
    for name in PUBLIC[module] - {"Kind"}:
        value = getattr(loaded, name)
        members = [
            (f"{name}.{own}", each) for own, each in reference.list_members(value)
        ]
        silent += [
            path for path, each in [(name, value), *members] if not inspect.getdoc(each)
        ]
    assert silent == []


@pytest.mark.parametrize("module", PUBLIC)
def test_every_field_of_a_public_value_is_explained(module: str) -> None:
    loaded = importlib.import_module(module)
    untold = [
        f"{name}.{field}"
        for name in PUBLIC[module]
        for field in getattr(getattr(loaded, name), "_fields", ())
        if f"    {field}: " not in (getattr(loaded, name).__doc__ or "")
    ]
    assert untold == []


def test_every_kind_of_event_is_explained() -> None:
    events = importlib.import_module(f"{PACKAGE}.events")
    kinds = get_args(events.Kind)
    assert len(kinds) > 5
    assert [
        kind for kind in kinds if f"| `{kind}` | " not in (events.__doc__ or "")
    ] == []


def test_every_public_name_is_on_the_reference_page() -> None:
    headings = re.findall(
        r"^#+ (.+)$",
        (ROOT / "docs" / "reference.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    wanted = {*PUBLIC, *(name for names in PUBLIC.values() for name in names)}
    assert wanted - set(headings) == set()
    assert {"Connection.parse", "Secret.reveal", "Browser.post"} <= set(headings)


def test_reference_page_is_what_the_docstrings_say(run_python: Children) -> None:
    # In a child: the leak check replaces a constructor here.
    ended = run_python(
        """
        import runpy, sys
        print(runpy.run_path(sys.argv[1])["build_page"]())
        """,
        str(ROOT / "docs" / "reference_page.py"),
        env={"PYTHONIOENCODING": "utf-8"},
    )
    written = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert written.strip() == ended.stdout.strip(), "run: python -m docs.reference_page"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_leads_to_public_names_only(page: Path) -> None:
    told = list_told(page.read_text(encoding="utf-8"))
    assert [each for each in told if is_private(each)] == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_imports_public_names_only(path: Path) -> None:
    assert [each for each in list_imported(path) if is_private(each)] == []


def test_docstrings_lead_to_public_names_only() -> None:
    private = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(
                node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
            ):
                told = list_told(ast.get_docstring(node) or "")
                private += [(path.name, each) for each in told if is_private(each)]
    assert private == []


def test_private_path_would_be_found() -> None:
    text = f"import {PACKAGE}.secret\nfrom {PACKAGE}.events import announce, Event\n"
    told = [*list_told(text), *list_told(f"from {PACKAGE} import plugins, secret")]
    assert [each for each in told if is_private(each)] == [
        (f"{PACKAGE}.secret", None),
        (f"{PACKAGE}.events", "announce"),
        (PACKAGE, "secret"),
    ]


def test_program_on_the_public_api_alone_uses_every_name(run_python: Children) -> None:
    program = ROOT / "tests" / "public_api.py"
    imported = list(list_imported(program))
    assert [each for each in imported if is_private(each)] == []
    text = program.read_text(encoding="utf-8")
    used = {
        node.attr
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute)
    }
    used |= {name or "" for _, name in imported}
    assert {name for names in PUBLIC.values() for name in names} - used == set()

    ended = run_python(text)
    assert (ended.stdout, ended.stderr) == ("every public name was used\n", "")


def test_plugins_load_no_library_of_a_sign_in(run_python: Children) -> None:
    ended = run_python(
        f"""
        import sys
        import {PACKAGE}.plugins
        heavy = ("requests", "lxml", "gssapi", "google", "boto3", "botocore", "dataclasses")
        print([name for name in heavy if name in sys.modules])
        """,
        env=UNMEASURED,
    )
    assert ended.stdout == "[]\n"
