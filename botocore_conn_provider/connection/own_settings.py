"""Read our own settings: from the connection, else the environment, else defaults.

Source: docs/specification.md, section 2.11.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.connection.environment import SETTING_PREFIX, Environ
from botocore_conn_provider.connection.field_reader import FieldReader
from botocore_conn_provider.connection.settings import OwnSettings

if TYPE_CHECKING:
    from botocore_conn_provider.connection.field_reader import Findings

FIELD = "botocore_conn_provider"
FLAG_WORDS = {"1": "true", "0": "false"}


def read_own_settings(extra: FieldReader, environ: Environ) -> OwnSettings:
    """Read them; a setting in the connection takes precedence over its variable."""
    inner = extra.object(FIELD) or FieldReader({}, path=FIELD, findings=extra.findings)
    sources = _Sources(inner, _read_variables(environ, extra.findings))
    plugins = sources.flag("plugins")
    settings = OwnSettings(
        strict=sources.flag("strict") or False,
        store=sources.text("store"),
        store_lock_seconds=sources.number("store_lock_seconds"),
        sign_in_deadline_seconds=(
            sources.number("sign_in_deadline_seconds", least=1) or 30.0
        ),
        advisory_seconds=sources.number("advisory_seconds"),
        mandatory_seconds=sources.number("mandatory_seconds"),
        static_stability_seconds=sources.number("static_stability_seconds") or 0.0,
        plugins=True if plugins is None else plugins,
        presigned_urls=sources.choice("presigned_urls", ("warn", "error")) or "warn",
        start_spread_seconds=sources.number("start_spread_seconds") or 0.0,
    )
    inner.refuse_left_over()
    return settings


class _Sources:
    """The connection's own object, which takes precedence, and the variables."""

    def __init__(self, inner: FieldReader, variables: FieldReader) -> None:
        self.inner = inner
        self.variables = variables

    def text(self, name: str) -> str | None:
        return self.inner.text(name) or self.variables.text(_variable_of(name))

    def choice(self, name: str, choices: tuple[str, ...]) -> str | None:
        mine = self.inner.choice(name, choices)
        return mine or self.variables.choice(_variable_of(name), choices)

    def flag(self, name: str) -> bool | None:
        mine, other = self.inner.flag(name), self.variables.flag(_variable_of(name))
        return other if mine is None else mine

    def number(self, name: str, *, least: float = 0) -> float | None:
        mine = self.inner.number(name, least=least)
        other = self.variables.number(_variable_of(name), least=least)
        return other if mine is None else mine


def _variable_of(name: str) -> str:
    return f"{SETTING_PREFIX}{name.upper()}"


def _read_variables(environ: Environ, findings: Findings) -> FieldReader:
    """Read the variables that are not empty; there, 1 and 0 mean true and false."""
    variables = {name: _variable_of(name) for name in OwnSettings._fields}
    values = {each: environ[each] for each in variables.values() if environ.get(each)}
    for name in ("strict", "plugins"):
        word = values.get(variables[name])
        if word in FLAG_WORDS:
            values[variables[name]] = FLAG_WORDS[word]
    return FieldReader(values, path="", findings=findings)
