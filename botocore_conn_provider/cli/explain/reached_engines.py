"""Which AWS clients of a program get the connection, and by which way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.cli.endpoint_in_place import is_handed_on
from botocore_conn_provider.connection.environment import (
    ENGINES_VARIABLE,
    current_environment,
    is_yes,
)

if TYPE_CHECKING:
    from botocore_conn_provider.connection.environment import Environ
    from botocore_conn_provider.connection.settings import AwsSettings

ON_BOTOCORE = "boto3, botocore, aiobotocore, and what uses them (s3fs, pandas)"
OTHERS = (
    "engines with an AWS client of their own (pyarrow, obstore, polars, deltalake, lance,"
    " daft, awscrt) and programs in other languages"
)


def describe_engines(settings: AwsSettings, environ: Environ) -> dict[str, str]:
    """Return for each group of engines how it is reached in a program started now."""
    return {
        ON_BOTOCORE: "by install(), or by activation at the interpreter's start",
        OTHERS: _describe_others(settings, environ),
    }


def _describe_others(settings: AwsSettings, environ: Environ) -> str:
    if settings.starts_from_chain and not settings.names_identity:
        return "not changed: the connection names no identity but the machine's"
    if not is_yes(environ.get(ENGINES_VARIABLE, "")):
        if is_handed_on(current_environment()):
            return "by what this environment was given by `exec` or `serve`"
        return (
            "NOT reached: they sign as the machine. Set BOTOCORE_CONN_ENGINES=on, call"
            " install(engines=True), or start the program by `botocore-conn exec`"
        )
    keys = settings.keys if settings.role is None else None
    if keys is not None and keys.session_token is None:
        return "by the connection's keys, in AWS_ACCESS_KEY_ID of the process"
    return (
        "by an endpoint of the process on 127.0.0.1, from the first engine's import on"
    )
