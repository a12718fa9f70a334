"""AWS credentials from an Airflow connection, for every boto3 client.

    import botocore_conn_provider

    botocore_conn_provider.install()

Public are the names in `__all__` of this package, of `bridges`, `events`, `plugins`, and
of the modules of `fleet`.
Everything else is private and may change in any release.

PYTEST_DONT_REWRITE: for pytest, which looks for assertions in what brings a plug-in.
"""

# The public names are loaded at first use, so that importing this package costs
# nothing and needs nothing. Not even `typing` or `__future__`: an activated
# interpreter loads this module at every start.

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from botocore_conn_provider.connection.record import Connection
    from botocore_conn_provider.errors import (
        ConnectionNotFoundError,
        ConnProviderError,
        CredentialFetchError,
        IdpRequestError,
        InvalidConnectionError,
        MissingDependencyError,
        PresignedUrlError,
        Problem,
        SamlResponseError,
        StsExchangeError,
        WebIdentityTokenError,
    )
    from botocore_conn_provider.sessions.installation import install, session, uninstall

__version__ = "0.1.0"

__all__ = [
    "ConnProviderError",
    "Connection",
    "ConnectionNotFoundError",
    "CredentialFetchError",
    "IdpRequestError",
    "InvalidConnectionError",
    "MissingDependencyError",
    "PresignedUrlError",
    "Problem",
    "SamlResponseError",
    "StsExchangeError",
    "WebIdentityTokenError",
    "install",
    "session",
    "uninstall",
]

_HOMES = {
    "Connection": "connection.record",
    "install": "sessions.installation",
    "session": "sessions.installation",
    "uninstall": "sessions.installation",
}


def __getattr__(name: str) -> "Any":
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    home = import_module(f"{__name__}.{_HOMES.get(name, 'errors')}")
    return getattr(home, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
