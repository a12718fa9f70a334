"""Go along the way of one connection, from its variable to a service.

    variable ─ parsing ─ this machine ─┬─ base identity ────────────────┐
                                       ├─ IdP: proxy … sign-in … roles ─┼─ STS ─ caller
                                       └─ token: source, token, claims ─┘

Each step finds what the next one needs, so the steps are yielded one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore_conn_provider.cli.doctor.aws_steps import AwsSteps
from botocore_conn_provider.cli.doctor.base_steps import BaseSteps
from botocore_conn_provider.cli.doctor.reading_steps import ReadingSteps
from botocore_conn_provider.cli.doctor.step import run_step
from botocore_conn_provider.connection.settings import (
    AssumeRoleWithSaml,
    AssumeRoleWithWebIdentity,
)
from botocore_conn_provider.exchange.base_identity import load_base_identity
from botocore_conn_provider.exchange.flows import create_flow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore_conn_provider.cli.connection_source import Given
    from botocore_conn_provider.cli.doctor.saml_steps import SamlSteps
    from botocore_conn_provider.cli.doctor.screen import Screen
    from botocore_conn_provider.cli.doctor.step import Outcome, Step
    from botocore_conn_provider.cli.doctor.web_identity_steps import WebIdentitySteps
    from botocore_conn_provider.connection.environment import Environ
    from botocore_conn_provider.exchange.assume_role_flow import AssumeRoleFlow
    from botocore_conn_provider.exchange.base_identity import BaseIdentity


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
    exchange = None
    if settings.role is None:
        steps: Any = BaseSteps(settings, lambda: load_base_identity(base, settings))
    else:
        flow: Any = create_flow(settings, given.view)
        steps = choose_steps(flow, environ=given.environ)
        exchange = lambda: flow.exchange(steps.take_proof())  # noqa: E731
    yield from steps.list()
    yield from AwsSteps(settings, base, exchange, probe=probe).list()


def choose_steps(
    flow: Any, *, environ: Environ
) -> BaseSteps | SamlSteps | WebIdentitySteps:
    """Return the steps that run a flow's `prove` and show what it goes through."""
    if isinstance(flow.role, AssumeRoleWithSaml):
        # Imported here, as below: each kind needs an extra of its own.
        from botocore_conn_provider.cli.doctor.saml_steps import SamlSteps

        return SamlSteps(flow)
    if isinstance(flow.role, AssumeRoleWithWebIdentity):
        from botocore_conn_provider.cli.doctor.web_identity_steps import (
            WebIdentitySteps,
        )

        return WebIdentitySteps(flow, environ=environ)
    return BaseSteps(flow.settings, lambda: identify_and_prove(flow))


def identify_and_prove(flow: AssumeRoleFlow) -> BaseIdentity:
    """Return the base identity, found once: `prove` takes what `identify` has found."""
    flow.identify()
    return flow.prove()
