"""Go along the way of one connection, from its variable to a service.

    variable ─ parsing ─ this machine ─┬─ base identity ────────────────┐
                                       ├─ IdP: proxy … sign-in … roles ─┼─ STS ─ caller
                                       └─ token: source, token, claims ─┘

Each step finds what the next one needs, so the steps are yielded one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.cli.doctor.aws_steps import AwsSteps
from botocore_conn_provider.cli.doctor.base_steps import BaseSteps
from botocore_conn_provider.cli.doctor.reading_steps import ReadingSteps
from botocore_conn_provider.cli.doctor.step import run_step
from botocore_conn_provider.connection.settings import (
    AssumeRoleWithSaml,
    AssumeRoleWithWebIdentity,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore_conn_provider.cli.connection_source import Given
    from botocore_conn_provider.cli.doctor.aws_steps import Exchange
    from botocore_conn_provider.cli.doctor.screen import Screen
    from botocore_conn_provider.cli.doctor.step import Outcome, Step


def examine(given: Given, screen: Screen, *, probe: str | None) -> list[Outcome]:
    """Look at step after step and stop after the first that fails."""
    outcomes: list[Outcome] = []
    for step in list_steps(given, probe=probe):
        screen.begin(step.name)
        outcomes.append(run_step(step))
        screen.end(outcomes[-1])
        if not outcomes[-1].is_good:
            break
    return outcomes


def list_steps(given: Given, *, probe: str | None) -> Iterator[Step]:
    """Yield the steps; to be asked for the next only after the last was good."""
    reading = ReadingSteps(given)
    yield from reading.list()
    settings, base = reading.settings, reading.base
    role = settings.role
    exchange: Exchange
    if isinstance(role, AssumeRoleWithSaml):
        from botocore_conn_provider.cli.doctor.saml_steps import SamlSteps

        saml = SamlSteps(settings, role)
        yield from saml.list()
        exchange = saml.exchange
    elif isinstance(role, AssumeRoleWithWebIdentity):
        from botocore_conn_provider.cli.doctor.web_identity_steps import (
            WebIdentitySteps,
        )

        web = WebIdentitySteps(settings, role, given.environ)
        yield from web.list()
        exchange = web.exchange
    else:
        start = BaseSteps(settings, base, role)
        yield from start.list()
        exchange = start.exchange
    yield from AwsSteps(settings, base, exchange, probe=probe).list()
