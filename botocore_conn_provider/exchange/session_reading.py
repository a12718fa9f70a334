"""Read what a session was told until now: variables, chains of variables, handlers.

Botocore finds a variable by a chain: what was set in code, the environment, the
configuration file, a default. A program may put a chain of its own into the
configuration store. It is kept, but where botocore's own parts in it would read the live
environment or the program's session, they read the snapshot and the base session.

Source: botocore.configprovider and botocore.hooks; the parts' attributes are private.
"""

from __future__ import annotations

import copy
import os
import weakref
from typing import TYPE_CHECKING, Any

from botocore.configprovider import (
    ChainProvider,
    ConstantProvider,
    EnvironmentProvider,
    InstanceVarProvider,
    ScopedConfigProvider,
)
from botocore.hooks import EventAliaser, HierarchicalEmitter

from botocore_conn_provider.exchange.session_view import SessionView

if TYPE_CHECKING:
    import botocore.session
    from botocore.configprovider import BaseProvider
    from botocore.hooks import BaseEventHooks

    from botocore_conn_provider.connection.environment import Environ, Snapshot

# What each of botocore's parts asks for, by its attribute.
ASKED: dict[type, str] = {
    InstanceVarProvider: "_instance_var",
    EnvironmentProvider: "_name",
    ScopedConfigProvider: "_config_var_name",
    ConstantProvider: "_value",
}
# The second part of an event's name: the services that clients of a base session call
# (`botocore.credentials` and `botocore.tokens` make them), and any.
CALLED = ("sts", "sso", "sso-oidc", "signin", "*")
DOCUMENTATION = "docs"


def view_session(
    session: botocore.session.Session,
    snapshot: Snapshot,
    *,
    region_name: str | None = None,
) -> SessionView:
    """Return what was said on `session` until now. Asks no variable for its value."""
    store = session.get_component("config_store")
    providers, overrides = {}, {}
    # A copy, because botocore's holds the session and changes with it.
    specifications = dict(session.session_var_map)
    for name, specification in specifications.items():
        provider = store.get_config_provider(name)
        # Ours give defaults only; what they stand before is the session's own.
        provider = getattr(provider, "replaced", provider)
        if provider is None:
            overrides[name] = store.get_config_variable(name)
        elif not is_of_botocore(provider, name, specification):
            providers[name] = provider
    return SessionView(
        snapshot=snapshot,
        specifications=specifications,
        data_loader=weakref.ref(session.get_component("data_loader")),
        variables=dict(session.instance_variables()),
        providers=providers,
        overrides=overrides,
        client_config=session.get_default_client_config(),
        # A copy: what is registered later is for the session itself.
        events=copy_handlers(session.get_component("event_emitter")),
        region_name=region_name,
    )


def copy_handlers(events: BaseEventHooks) -> BaseEventHooks:
    """Return a copy with the handlers that clients of an exchange may call.

    Nine of ten are for other services or for documentation. To copy them, once here and
    once more for the client of STS, was the largest part of what a start costs after
    the imports. Botocore has no public way; an emitter of another kind is copied whole.
    """
    emitter = vars(events)["_emitter"] if type(events) is EventAliaser else None
    if type(emitter) is not HierarchicalEmitter:
        return copy.copy(events)
    told = vars(emitter)
    root = vars(told["_handlers"])["_root"]
    chosen = type(told["_handlers"])()
    vars(chosen)["_root"] = root | {
        "children": {
            name: _choose_services(node)
            for name, node in root["children"].items()
            if name != DOCUMENTATION
        }
    }
    slim = HierarchicalEmitter()
    # No handlers that were looked up before: the cache is shared by copies.
    vars(slim).update(told, _handlers=chosen, _lookup_cache={})
    return copy.copy(EventAliaser(slim, vars(events)["_event_aliases"]))


def _choose_services(node: dict[str, Any]) -> dict[str, Any]:
    children = node["children"]
    return node | {"children": {n: children[n] for n in CALLED if n in children}}


def is_of_botocore(
    provider: object, name: str, specification: tuple[Any, Any, Any, Any]
) -> bool:
    """Return whether this is the chain that botocore makes for the variable."""
    if not isinstance(provider, ChainProvider):
        return False
    in_file, variables, default, _ = specification
    expected = [
        (InstanceVarProvider, name),
        *[(EnvironmentProvider, each) for each in list_names(variables)],
        *[(ScopedConfigProvider, each) for each in list_names(in_file)],
    ]
    if default is not None:
        expected.append((ConstantProvider, default))
    parts = vars(provider)["_providers"]
    return expected == [
        (type(part), vars(part).get(ASKED.get(type(part), ""))) for part in parts
    ]


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


def list_names(names: Any) -> list[Any]:
    """Return the names of a specification, which may be one, many or none."""
    if names is None:
        return []
    return names if isinstance(names, list) else [names]
