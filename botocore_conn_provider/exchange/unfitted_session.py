"""A botocore session that no connection is fitted to, and the files that it has read."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.configloader import load_config, raw_config_parse
from botocore.exceptions import ConfigNotFound

from botocore_conn_provider.exchange.session_view import FILES

if TYPE_CHECKING:
    from botocore.configprovider import ConfigValueStore

    from botocore_conn_provider.connection.environment import Environ
    from botocore_conn_provider.exchange.hops import Hops


class UnfittedSession(botocore.session.Session):
    """A botocore session that installation leaves alone.

    Attributes:
        environ: Where its clients find endpoints; None for the live environment.
        hops: What its chain asks STS for; None until it is asked for credentials.
    """

    conn_provider_unfitted = True  # UNFITTED
    environ: Environ | None = None
    hops: Hops | None = None

    @functools.cached_property
    def config_read(self) -> dict[str, Any]:
        """The configuration file, read once, so that its keys are those described."""
        try:
            return dict(load_config(self.get_config_variable("config_file")))
        except ConfigNotFound:
            return {"profiles": {}}

    @functools.cached_property
    def credentials_read(self) -> dict[str, Any]:
        """The file of shared credentials, read once."""
        try:
            return dict(raw_config_parse(self.get_config_variable("credentials_file")))
        except ConfigNotFound:
            return {}

    def describe_files(self) -> dict[str, str]:
        """Describe by content what this session has read, and where.

        Two files may say the same today and different things tomorrow, hence the
        paths. Holds secrets: never show it.

        Raises:
            BotoCoreError: A file cannot be parsed.
        """
        read = (self.full_config, self.config_read, self.credentials_read)
        paths = {name: str(self.get_config_variable(name)) for name in FILES}
        return {**paths, "files": repr(read)}

    def _add_configured_endpoint_provider(
        self, client_name: str, config_store: ConfigValueStore
    ) -> None:
        """Have a client find its endpoint in the snapshot.

        Botocore's own reads the live environment, and has no public way to be given
        another. An older botocore knows no such variables and does not call this.
        """
        from botocore.configprovider import ConfiguredEndpointProvider

        config_store.set_config_provider(
            "endpoint_url",
            ConfiguredEndpointProvider(
                full_config=self.full_config,
                scoped_config=self.get_scoped_config(),
                client_name=client_name,
                environ=self.environ,
            ),
        )
