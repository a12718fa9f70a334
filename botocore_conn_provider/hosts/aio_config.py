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


def keep_transport(merged: Config, callers: Sequence[Config | None]) -> AioConfig:
    """Return `merged` with the transport of the caller's last `AioConfig`.

    Args:
        merged: All layers, the connection's lowest.
        callers: The layers above it, in their order.
    """
    config = AioConfig().merge(merged)
    for caller in callers:
        for name in TRANSPORT:
            if hasattr(caller, name):
                setattr(config, name, getattr(caller, name))
    return config
