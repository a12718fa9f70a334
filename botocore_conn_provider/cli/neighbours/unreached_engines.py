"""Engines of this Python that would not sign with the connection now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.cli.endpoint_in_place import is_handed_on
from botocore_conn_provider.cli.installed_packages import Installed
from botocore_conn_provider.cli.neighbours.neighbour import ENGINE, Neighbour
from botocore_conn_provider.connection.environment import (
    ENGINES_VARIABLE,
    is_disabled,
    is_yes,
)

if TYPE_CHECKING:
    from botocore_conn_provider.cli.engine_table import PythonEngine
    from botocore_conn_provider.connection.environment import Environ
    from botocore_conn_provider.connection.settings import AwsSettings


def needs_a_way(settings: AwsSettings, environ: Environ) -> bool:
    """Return whether engines would be somebody else in a program that is started now.

    Args:
        settings: The connection's.
        environ: The live environment, in which `exec` and `serve` name an endpoint.
    """
    if is_disabled(environ) or not settings.names_identity:
        return False
    return not is_yes(environ.get(ENGINES_VARIABLE, "")) and not is_handed_on(environ)


def tell_unreached(engine: PythonEngine, version: str | None) -> Neighbour:
    """Return what to do for an engine."""
    shown = Installed(engine.distribution, version).shown
    where = f" {engine.where}" if engine.where else ""
    return Neighbour(
        ENGINE,
        engine.distribution,
        f"{shown} takes its AWS identity{where} from variables, AWS's files or the"
        " machine's role, not from the connection.",
        engine.advice,
        version,
    )
