"""Session variables whose chain the program made itself, read from the snapshot.

Botocore finds a variable by a chain: what was set in code, the environment, the
configuration file, a default. A program may put a chain of its own into the
configuration store. It is kept, but where botocore's own parts in it would read the live
environment or the program's session, they read the snapshot and the base session.

Source: botocore.configprovider; the parts' attributes are private.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from botocore.configprovider import (
    ChainProvider,
    ConstantProvider,
    EnvironmentProvider,
    InstanceVarProvider,
    ScopedConfigProvider,
)

if TYPE_CHECKING:
    import botocore.session
    from botocore.configprovider import BaseProvider

    from botocore_conn_provider.connection.environment import Environ


def is_of_botocore(
    provider: object, name: str, specification: tuple[Any, Any, Any, Any]
) -> bool:
    """Return whether this is the chain that botocore makes for the variable."""
    if not isinstance(provider, ChainProvider):
        return False
    in_file, variables, default, _ = specification
    expected = [
        (InstanceVarProvider, name),
        *((EnvironmentProvider, each) for each in _list(variables)),
        *((ScopedConfigProvider, each) for each in _list(in_file)),
        *([] if default is None else [(ConstantProvider, default)]),
    ]
    return list(map(_describe, vars(provider)["_providers"])) == expected


def rebind(
    provider: BaseProvider, session: botocore.session.Session, environ: Environ
) -> BaseProvider:
    """Return a provider that finds the same in a snapshot and in another session."""
    kind, told = type(provider), vars(provider)
    if kind is ChainProvider:
        parts = [rebind(each, session, environ) for each in told["_providers"]]
        return ChainProvider(parts, told["_conversion_func"])
    if kind is EnvironmentProvider and told["_env"] is os.environ:
        return EnvironmentProvider(told["_name"], environ)
    if kind is InstanceVarProvider:
        return InstanceVarProvider(told["_instance_var"], session)
    if kind is ScopedConfigProvider:
        return ScopedConfigProvider(told["_config_var_name"], session)
    return provider


def _describe(part: BaseProvider) -> tuple[type, Any]:
    told = vars(part)
    names = ("_instance_var", "_name", "_config_var_name", "_value")
    return type(part), next((told[name] for name in names if name in told), None)


def _list(names: Any) -> list[Any]:
    if names is None:
        return []
    return names if isinstance(names, list) else [names]
