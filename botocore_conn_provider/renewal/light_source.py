"""Where a process without sessions of its own gets a connection's credentials.

The warm way reads the environment and one file of the store. All that makes a client,
botocore's session included, is loaded by the cold way only, and so is what only botocore
can judge of a connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore_conn_provider.connection.settings import AssumeRole
from botocore_conn_provider.exchange.flow import run_flow
from botocore_conn_provider.exchange.flows import create_flow
from botocore_conn_provider.renewal.identity import Asker
from botocore_conn_provider.renewal.store.machine_store import find_store
from botocore_conn_provider.renewal.store.places import ON
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.exchange.flow import Flow, Repeat, TemporaryCredentials
    from botocore_conn_provider.exchange.session_view import SessionView


class LightSource(Value):
    """How to make the exchange, and the store that is asked first."""

    fetch: Callable[[Repeat], TemporaryCredentials]
    store: Asker


def switch_store_on(settings: AwsSettings) -> AwsSettings:
    """Switch the store on where nothing was chosen.

    The settings are those of a process whose variable says on: both share an entry.
    """
    own = settings.own
    return settings._replace(own=own._replace(store=own.store or ON))


def create_light_source(
    settings: AwsSettings, view: SessionView, variable: str
) -> LightSource:
    """Return the source of a connection with a role.

    Args:
        settings: Of the connection, with a store.
        view: Of a snapshot alone.
        variable: That holds the connection, for errors.

    Raises:
        ConnProviderError: The base identity cannot be had.
    """
    flow: Flow[Any] = create_flow(settings, view)

    def check() -> None:
        # Imported here: the warm way loads no session of botocore's.
        from botocore_conn_provider.exchange.checks import prepare_base

        prepare_base(settings, view, variable=variable)

    def fetch(repeat: Repeat) -> TemporaryCredentials:
        check()
        return run_flow(flow, repeat)

    if isinstance(settings.role, AssumeRole) and settings.keys is None:
        check()  # to find out who asks is to ask already
    path = find_store(settings.own.store or ON, view.snapshot)
    return LightSource(fetch, Asker(settings, flow, path))
