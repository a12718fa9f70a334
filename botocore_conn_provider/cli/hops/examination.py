"""Go along the way of one connection, from its variable to a service.

    variable ─ parsing ─ this machine ─┬─ base identity ────────────────┐
                                       ├─ IdP: proxy … sign-in … roles ─┼─ STS ─ caller
                                       └─ token: source, token, claims ─┘

Each hop finds what the next one needs, so the hops are yielded one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.cli.hops.amazon import AmazonHops
from botocore_conn_provider.cli.hops.base import BaseHops
from botocore_conn_provider.cli.hops.hop import run_hop
from botocore_conn_provider.cli.hops.reading import ReadingHops
from botocore_conn_provider.connection.settings import (
    AssumeRoleWithSaml,
    AssumeRoleWithWebIdentity,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore_conn_provider.cli.given import Given
    from botocore_conn_provider.cli.hops.amazon import Exchange
    from botocore_conn_provider.cli.hops.hop import Hop, Outcome
    from botocore_conn_provider.cli.hops.screen import Screen


def examine(given: Given, screen: Screen, *, probe: str | None) -> list[Outcome]:
    """Look at hop after hop and stop after the first that fails."""
    outcomes: list[Outcome] = []
    for hop in list_hops(given, probe=probe):
        screen.begin(hop.name)
        outcomes.append(run_hop(hop))
        screen.end(outcomes[-1])
        if not outcomes[-1].is_good:
            break
    return outcomes


def list_hops(given: Given, *, probe: str | None) -> Iterator[Hop]:
    """Yield the hops; to be asked for the next only after the last was good."""
    reading = ReadingHops(given)
    yield from reading.list()
    settings, base = reading.settings, reading.base
    role = settings.role
    exchange: Exchange
    if isinstance(role, AssumeRoleWithSaml):
        from botocore_conn_provider.cli.hops.saml import SamlHops

        saml = SamlHops(settings, role)
        yield from saml.list()
        exchange = saml.exchange
    elif isinstance(role, AssumeRoleWithWebIdentity):
        from botocore_conn_provider.cli.hops.web_identity import WebIdentityHops

        web = WebIdentityHops(settings, role, given.environ)
        yield from web.list()
        exchange = web.exchange
    else:
        start = BaseHops(settings, base, role)
        yield from start.list()
        exchange = start.exchange
    yield from AmazonHops(settings, base, exchange, probe=probe).list()
