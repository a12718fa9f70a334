"""Merge a `Config` as aiobotocore wants it.

Imported only where aiobotocore is. A plain merge would lose what `AioConfig` has
more than `Config`: the connector's arguments and the HTTP library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiobotocore.config import AioConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

    from botocore.config import Config

# The oldest aiobotocore that we support has one HTTP library only.
TRANSPORT = ("connector_args", "http_session_cls")


def merge_all(lowest: Config, callers: Sequence[Config | None]) -> AioConfig:
    """Lay the callers' over the connection's, with their last transport.

    aiobotocore's own merge takes the transport of one side or of none, which
    depends on its version.
    """
    config = AioConfig().merge(lowest)
    given = [caller for caller in callers if caller is not None]
    for above in given:
        config = config.merge(above)
    for above in given:
        for name in TRANSPORT:
            if hasattr(above, name):
                setattr(config, name, getattr(above, name))
    return config
