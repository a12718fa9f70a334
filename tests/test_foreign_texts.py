"""Outside `redaction` no module formats a foreign exception's text by itself.

An `except` clause gives the error a name. Where this name (or its `args`, `reason`,
`strerror`, `msg` …) is turned into a text, the text may hold a secret: it goes through
`redaction`, or the place stands in `ALLOWED` with the reason why it is harmless.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import botocore_conn_provider

PACKAGE = Path(botocore_conn_provider.__file__).parent
MODULES = {
    path.relative_to(PACKAGE).with_suffix("").as_posix(): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
MASKING = {
    "show_words",
    "show_label",
    "show_error",
    "show_system_error",
    "show_message",
    "describe_error",
    "mask",
}
TEXTS = {
    "args",
    "reason",
    "strerror",
    "msg",
    "message",
    "stderr",
    "response",
    "verify_message",
}
MAKERS = {
    "str",
    "repr",
    "format",
    "print",
    "format_exception",
    "format_exc",
    "gen_message",
}

ALLOWED = {
    "fleet/dask _tell: error.strerror": "a reason of the system, without a path",
    "renewal/loop_wait take_note: ended.exception()": "a future's method, which makes no text",
    "cli/doctor/caller _explain: error.response": "the message in it goes through show_message",
    "cli/exec read_policy_argument: str(error)": "a PolicyError, whose words are ours",
    "cli/exec run_handed_on: {error}": "a NotRunError: a reason of the system, without a path",
    "cli/rehearse _rehearse: {error}": "a NotRunError, as in exec: a reason of the system",
    "cli/serve run: str(error)": "a CannotServeError, whose words are ours",
    "cli/serve_places _said_of: error.strerror": "a reason of the system, without a path",
    "cli/serve_places print_whole: error.strerror": "a reason of the system",
    "cli/serve_places take_port: error.strerror": "a reason of the system",
    "cli/site_arguments say_or_refuse: {error}": "an ActivationError, whose words are ours",
    "cli/whoami/probes/run_probe say_error: str(error)": "read by `whoami`, which masks it",
    "connection/field_reader _decoded: {fault}": "a JsonFaultError, whose words are ours",
    "connection/fields read_extra: {fault}": "a JsonFaultError, whose words are ours",
    "connection/json_form parse_json: {fault}": "a JsonFaultError, whose words are ours",
    "connection/strict_json read_json: error.msg": "one of the fixed texts of Python's JSON reader",
    "errors describe_error: str(error)": "only of a ConnProviderError, whose words are ours",
    "events describe: {error}": "only of a ConnProviderError, whose words are ours",
    "exchange/refusal explain_refusal: error.response": "code and message in it are masked there",
    "exchange/machine_sources load: str(error)": "searched for a status, and shown by show_error",
    "federation/saml/kerberos read_words: error.gen_message()": "it is searched, and masked when returned",
    "federation/web_identity/google/google_tokens _explain: error.args": (
        "compared with google-auth's own words, never shown"
    ),
    "network_faults _list_inner: error.args": "searched for errors, never shown",
    "network_faults _read_tls_error: getattr(error, 'reason', None)": "of the TLS library, and masked when returned",
    "renewal/attempt _is_faithful: str(error)": "only of a ConnProviderError, and compared, never shown",
    "renewal/runtime wait_for: future.exception(max(0.0, seconds))": "a future's method, which makes no text",
    "cli/forms/airflow_output find_printed: {fault}": "a JsonFaultError, whose words are ours",
    "cli/top/top run: {error}": "an UnsafeStoreError, whose words are ours",
    "cli/explain/effects _describe_store: {error}": "an UnsafeStoreError, whose words are ours",
    "renewal/store/machine_store _log_unusable: str(error)": "only of an UnsafeStoreError, whose words are ours",
}


def list_errors(tree: ast.AST) -> set[str]:
    """Return the names that a module gives to errors: caught ones and parameters."""
    names = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and node.name
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.annotation is not None:
            written = ast.unparse(node.annotation).strip("'\"")
            if "Error" in written or "Exception" in written:
                names.add(node.arg)
    return names


class Reader(ast.NodeVisitor):
    """Notes every place where the text of an error is made and not masked."""

    def __init__(self, errors: set[str]) -> None:
        self._errors = errors
        self._functions: list[str] = []
        self.found: list[str] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._functions.append(node.name)
        self.generic_visit(node)
        self._functions.pop()

    def visit_Call(self, node: ast.Call) -> None:
        name = getattr(node.func, "attr", None) or getattr(node.func, "id", "")
        if name in MASKING:
            return  # what is inside is masked
        is_logging = name in {"debug", "info", "warning", "error", "exception", "log"}
        if (
            self._reads_text(name, node)
            or name == "exception"
            or ((name in MAKERS or is_logging) and self._names_error(node))
        ):
            self._note(node)
        self.generic_visit(node)

    def visit_FormattedValue(self, node: ast.FormattedValue) -> None:
        if self._is_error(node.value):
            self._note(node)
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr in TEXTS and self._is_error(node.value):
            self._note(node)
        self.generic_visit(node)

    def _names_error(self, call: ast.Call) -> bool:
        parts = [*call.args, *(keyword.value for keyword in call.keywords)]
        maker = call.func.value if isinstance(call.func, ast.Attribute) else None
        named = [part for part in [*parts, maker] if part is not None]
        return any(self._is_error(part) for part in named)

    def _reads_text(self, name: str | None, call: ast.Call) -> bool:
        """Return whether a call is `getattr(error, "strerror", …)` or the like."""
        read = call.args[1] if name == "getattr" else None
        named = isinstance(read, ast.Constant) and read.value in TEXTS
        return named and self._is_error(call.args[0])

    def _is_error(self, node: ast.AST) -> bool:
        return isinstance(node, ast.Name) and node.id in self._errors

    def _note(self, node: ast.AST) -> None:
        where = self._functions[-1] if self._functions else "the module"
        # Python 3.10 writes a part of an f-string as an f-string.
        text = ast.unparse(node).removeprefix("f'").removesuffix("'")
        self.found.append(f"{where}: {text}")


def find_texts(source: str) -> set[str]:
    """Return the places of a module that make a text of an error."""
    tree = ast.parse(source)
    reader = Reader(list_errors(tree))
    reader.visit(tree)
    return set(reader.found)


def test_no_module_shows_a_foreign_error_by_itself() -> None:
    found = {
        f"{name} {place}"
        for name, path in MODULES.items()
        if name != "redaction"
        for place in find_texts(path.read_text(encoding="utf-8"))
    }
    assert found == set(ALLOWED)


def test_every_allowed_place_has_its_reason() -> None:
    assert all(len(reason) > 20 for reason in ALLOWED.values())


@pytest.mark.parametrize(
    "line",
    [
        "x = str(error)",
        "x = f'no: {error}'",
        "x = f'no: {error!r}'",
        "x = '{}'.format(error)",
        "x = error.strerror",
        "x = error.args[0]",
        "x = getattr(error, 'strerror', None)",
        "x = error.reason",
        "x = error.response['Error']",
        "x = error.gen_message()",
        "logger.warning('no: %s', error)",
        "logger.exception('no')",
        "x = ' '.join(str(error).split())",
        "x = shorten(str(error))",
    ],
)
def test_new_leak_is_found(line: str) -> None:
    source = f"def f():\n    try:\n        g()\n    except OSError as error:\n        {line}\n"
    assert find_texts(source)


@pytest.mark.parametrize(
    "line",
    ["x = show_words(str(error))", "x = type(error).__name__", "raise A from error"],
)
def test_masked_text_and_bare_kind_are_no_leak(line: str) -> None:
    source = f"def f(error: OSError):\n    {line}\n"
    assert find_texts(source) == set()
