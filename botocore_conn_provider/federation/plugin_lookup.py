"""Find a sign-in method or a token source by the name in the connection.

A built-in table comes first, an entry-point group second, both of the same
shape: a zero-import table of `module:attribute` texts, resolved when used. So
frozen and zipped programs, which have no entry points, keep the built-in ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore_conn_provider.errors import InvalidConnectionError, Problem
from botocore_conn_provider.redaction import shorten

if TYPE_CHECKING:
    from collections.abc import Mapping

SIGN_INS = "botocore_conn_provider.sign_ins"
TOKEN_SOURCES = "botocore_conn_provider.token_sources"  # noqa: S105 - a name


def find_plugin(
    name: str,
    *,
    group: str,
    built_in: Mapping[str, str],
    field: str,
    conn_id: str,
    allow_plugins: bool,
) -> Any:
    """Return the object that `name` stands for.

    Args:
        name: What the connection names.
        group: The entry-point group to look in after the built-in table.
        built_in: Names and `module:attribute` texts.
        field: The connection's field that holds the name, for the error.
        conn_id: The connection, for the error.
        allow_plugins: False looks in the built-in table only.

    Raises:
        InvalidConnectionError: Nothing of that name is installed, or what is
            installed cannot be imported.
    """
    from importlib.metadata import EntryPoint, entry_points  # 35 ms: plug-ins only

    if name in built_in:
        return EntryPoint(name, built_in[name], group).load()
    found = list(entry_points(group=group)) if allow_plugins else []
    for entry_point in found:
        if entry_point.name == name:
            return _load(entry_point, field=field, conn_id=conn_id)
    known = ", ".join(sorted({*built_in, *(point.name for point in found)}))
    problem = Problem(
        field,
        f"is '{shorten(name)}', which is not installed",
        f"Use one of {known}, or install the plug-in that brings it.",
    )
    raise InvalidConnectionError(conn_id=conn_id, problems=[problem])


def _load(entry_point: Any, *, field: str, conn_id: str) -> Any:
    try:
        return entry_point.load()
    except (ImportError, AttributeError) as error:
        problem = Problem(
            field,
            f"is '{shorten(entry_point.name)}', whose plug-in cannot be imported"
            f" ({type(error).__name__})",
            "Mend or reinstall the package that brings it.",
        )
        raise InvalidConnectionError(conn_id=conn_id, problems=[problem]) from error
