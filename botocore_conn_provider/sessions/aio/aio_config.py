"""Merge a `Config` as aiobotocore wants it.

Imported only where aiobotocore is. A plain merge would lose what `AioConfig` has
more than `Config`: the connector's arguments, the HTTP library, the warming up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiobotocore.config import AioConfig

from botocore_conn_provider.sessions.config_merge import OPTIONS, settle

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from botocore.config import Config

# Those of them that the installed aiobotocore has: the oldest has the first only.
OF_AIO = tuple(
    name
    for name in ("connector_args", "http_session_cls", "warm_up_loader_caches")
    if hasattr(AioConfig(), name)
)


def merge_all(lowest: Config, callers: Sequence[Config | None]) -> AioConfig:
    """Lay the callers' over the lowest, one after the other.

    The newest aiobotocore merges its own options like all others. Older ones take
    those of one side or of none, so what their merge does not carry is set after it.
    """
    config = AioConfig().merge(lowest)
    uncarried: dict[str, Any] = {}
    for above in callers:
        if above is not None:
            settled = settle(above, AioConfig, options=(*OPTIONS, *OF_AIO))
            config = config.merge(settled)
            uncarried |= _list_uncarried(above, AioConfig().merge(settled))
    for name, value in uncarried.items():
        setattr(config, name, value)
    return config


def _list_uncarried(above: Config, carried: AioConfig) -> Iterator[tuple[str, Any]]:
    for name in OF_AIO:
        if hasattr(above, name) and getattr(above, name) != getattr(carried, name):
            yield name, getattr(above, name)
