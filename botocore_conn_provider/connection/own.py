"""Our own settings: in the connection, else in the environment, else the default.

Source: connection-spec, section 2 (botocore_conn_provider).
"""

from __future__ import annotations

from botocore_conn_provider.connection.environment import SETTING_PREFIX, Environ
from botocore_conn_provider.connection.reader import Reader
from botocore_conn_provider.connection.settings import OwnSettings

FIELD = "botocore_conn_provider"


def read_own_settings(extra: Reader, environ: Environ) -> OwnSettings:
    """Read them; a setting in the connection beats its variable."""
    inner = extra.object(FIELD) or Reader({}, path=FIELD, findings=extra.findings)
    sources = [inner, _read_variables(environ, extra)]
    deadline = _first_number(sources, "sign_in_deadline_seconds", least=1)
    plugins = _first_flag(sources, "plugins")
    settings = OwnSettings(
        strict=_first_flag(sources, "strict") or False,
        store=next(filter(None, [each.text("store") for each in sources]), None),
        sign_in_deadline_seconds=30.0 if deadline is None else deadline,
        advisory_seconds=_first_number(sources, "advisory_seconds"),
        mandatory_seconds=_first_number(sources, "mandatory_seconds"),
        static_stability_seconds=(
            _first_number(sources, "static_stability_seconds") or 0.0
        ),
        plugins=True if plugins is None else plugins,
    )
    inner.refuse_left_over()
    return settings


def _read_variables(environ: Environ, extra: Reader) -> Reader:
    values = {
        name: environ[variable]
        for name in OwnSettings._fields
        if environ.get(variable := f"{SETTING_PREFIX}{name.upper()}")
    }
    for name in ("strict", "plugins"):
        values[name] = {"1": "true", "0": "false"}.get(
            values.get(name, ""), values.get(name, "null")
        )
    return Reader(values, path="environment", findings=extra.findings)


def _first_flag(sources: list[Reader], name: str) -> bool | None:
    flags = [source.flag(name) for source in sources]
    return next((flag for flag in flags if flag is not None), None)


def _first_number(
    sources: list[Reader], name: str, *, least: float = 0
) -> float | None:
    numbers = [source.number(name, least=least) for source in sources]
    return next((number for number in numbers if number is not None), None)
