"""End a connection whose base identity is a program that asks for that connection.

A profile's `credential_process` may be `botocore-conn credential-process`, or any
program that uses this library by itself. Each would start the next without end. So a
program that is started for a connection is told so by a variable.
"""

from __future__ import annotations

from botocore_conn_provider.connection.environment import ConnectionName, Environ
from botocore_conn_provider.errors import ConnProviderError
from botocore_conn_provider.secret import Options

# Names the connections that are being asked for, from the outermost process in.
ASKING_VARIABLE = "BOTOCORE_CONN_ASKING"


def refuse_recursion(environ: Environ, conn_id: str) -> None:
    """Refuse to ask for a connection in a program that was started to ask for it.

    Raises:
        ConnProviderError: It would end where it began.
    """
    if ConnectionName(conn_id).variable in _list_asking(environ):
        raise ConnProviderError(
            conn_id=conn_id,
            cause="its base identity is a profile whose credential_process asks for"
            " this very connection.",
            hint="Give the connection keys or a profile of its own.",
        )


def note_asking(environ: Environ, conn_id: str) -> Environ:
    """Return the environment of a program that is started for a connection."""
    asking = [*_list_asking(environ), ConnectionName(conn_id).variable]
    return Options({**environ, ASKING_VARIABLE: " ".join(asking)})


def _list_asking(environ: Environ) -> list[str]:
    return environ.get(ASKING_VARIABLE, "").split()
