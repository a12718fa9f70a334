"""Find a sign-in method or a token source by the name in the connection.

A built-in table comes first, an entry-point group second. The table holds
`module:attribute` texts, which are imported when used, so frozen and zipped
programs, which have no entry points, keep the built-in ones.

A built-in class is used as it is. A plug-in's object is wrapped in a `GuardedPlugin`
of the same shape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore_conn_provider.errors import InvalidConnectionError, Problem
from botocore_conn_provider.federation.plugin_guard import GuardedPlugin, PluginFault
from botocore_conn_provider.redaction import shorten

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from botocore_conn_provider.federation.plugin_guard import PluginKind
    from botocore_conn_provider.plugins import SignInRequest, TokenRequest

SIGN_INS = "botocore_conn_provider.sign_ins"
TOKEN_SOURCES = "botocore_conn_provider.token_sources"  # noqa: S105 - a name


def create_plugin(
    kind: PluginKind,
    name: str,
    request: SignInRequest | TokenRequest,
    *,
    allow_plugins: bool,
) -> Any:
    """Return a new object of the class that `name` stands for, made from `request`.

    Args:
        kind: Which of the two kinds.
        name: What the connection names.
        request: What the class's constructor takes.
        allow_plugins: False looks in the built-in table only.

    Raises:
        InvalidConnectionError: Nothing of that name is installed, or what is
            installed cannot be imported or has not the shape of a plug-in.
    """
    from importlib.metadata import EntryPoint, entry_points  # 35 ms: federation only

    if name in kind.built_in:
        place = kind.built_in[name].create
        return EntryPoint(name, place, kind.group).load()(request)
    found = list(entry_points(group=kind.group)) if allow_plugins else []
    for entry_point in found:
        if entry_point.name == name:
            fault = PluginFault(kind, name, request.conn_id)
            return GuardedPlugin(_load(entry_point, fault), request, fault=fault)
    known = ", ".join(sorted({*kind.built_in, *(point.name for point in found)}))
    problem = Problem(
        kind.field,
        f"is '{shorten(name)}', which is not installed",
        f"Use one of {known}, or install the plug-in that brings it.",
    )
    raise InvalidConnectionError(conn_id=request.conn_id, problems=[problem])


def identify_plugin(
    kind: PluginKind,
    name: str,
    request: SignInRequest | TokenRequest,
    *,
    allow_plugins: bool,
) -> dict[str, str]:
    """Describe by content whom a sign-in or token is for; sends nothing.

    A plug-in that does not say what its identity depends on depends on the whole
    environment. Holds secrets: never show it.

    Raises:
        InvalidConnectionError: As in `create_plugin`.
    """
    if name in kind.built_in:
        from importlib import import_module

        module, _, attribute = kind.built_in[name].identify.partition(":")
        described: dict[str, str] = getattr(import_module(module), attribute)(request)
        return described
    plugin = create_plugin(kind, name, request, allow_plugins=allow_plugins)
    said: dict[str, str] | None = plugin.identify()
    return dict(request.environ) if said is None else said


def _load(entry_point: EntryPoint, fault: PluginFault) -> Any:
    """Import the plug-in's class."""
    with fault.offline("cannot be imported"):
        return entry_point.load()
