"""Lay a caller's `Config` over the connection's, with options set as attributes.

botocore's own `merge` knows only what was said to a constructor. boto3 and programs
set options later, as attributes: to lose `signature_version` would sign a request that
was meant to be unsigned.

Source: botocore's documentation of `Config.merge`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

AnyConfig = TypeVar("AnyConfig", bound=Config)

OPTIONS = tuple(Config.OPTION_DEFAULTS)


def merge_all(lowest: Config, callers: Sequence[Config | None]) -> Config:
    """Lay the callers' over the lowest, one after the other."""
    for above in callers:
        if above is not None:
            lowest = lowest.merge(settle(above, Config))
    return lowest


def settle(
    config: Config, kind: type[AnyConfig], *, options: Iterable[str] = OPTIONS
) -> AnyConfig:
    """Return a Config of that kind that says to its constructor all that `config` says.

    An option that was set as an attribute to the value it had by default cannot be
    told from one that was not set.
    """
    nothing: Any = kind()
    said: Any = nothing.merge(config)
    # Twice, because a mode of defaults changes what the options have that are unsaid.
    for _ in range(2):
        said = said.merge(kind(**dict(_list_later(config, said, options))))
    settled: AnyConfig = said
    return settled


def _list_later(
    config: Config, said: Config, options: Iterable[str]
) -> Iterable[tuple[str, Any]]:
    """List the options of `config` that `said` has otherwise."""
    for name in options:
        if hasattr(config, name) and getattr(config, name) != getattr(said, name):
            yield name, getattr(config, name)
