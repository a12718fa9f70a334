"""The steps before any network: the variable, its text, this machine and what is here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import botocore

from botocore_conn_provider.cli.doctor.step import Step
from botocore_conn_provider.cli.neighbours.look import find_neighbours
from botocore_conn_provider.connection.environment import is_disabled
from botocore_conn_provider.connection.spelling import find_near
from botocore_conn_provider.errors import ConnectionNotFoundError, Problem
from botocore_conn_provider.exchange.checks import prepare_base

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore_conn_provider.cli.connection_source import Given
    from botocore_conn_provider.cli.neighbours.neighbour import Neighbour
    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.exchange.unfitted_session import UnfittedSession

PREFIX = "AIRFLOW_CONN_"


class ReadingSteps:
    """Finds `settings` and `base`, which are there once its steps were good."""

    settings: AwsSettings
    base: UnfittedSession

    def __init__(self, given: Given) -> None:
        self._given = given

    def list(self) -> Iterator[Step]:
        """Yield the steps in their order."""
        yield Step("variable", self._look_at_variable)
        yield Step("parsing", self._look_at_text)
        yield Step("this machine", self._look_at_machine)
        yield Step("neighbours", self._look_at_neighbours)

    def _look_at_variable(self) -> Iterator[str]:
        given = self._given
        if given.text is None:
            raise self._not_found()
        yield f"{given.place}: {len(given.text.reveal())} characters"
        if is_disabled(given.environ):
            yield "BOTOCORE_CONN_DISABLE is set: programs do not use the connection"

    def _not_found(self) -> ConnectionNotFoundError:
        name = self._given.name
        others = [v for v in self._given.environ if v.startswith(PREFIX)]
        near = find_near(name.variable, [v for v in others if v != name.variable])
        seen = "is not set, or blank"
        fix = "Set it to the connection's URI or JSON."
        if near is not None:
            fix = f"There is {near}: was that meant?"
        problem = Problem(name.variable, seen, fix)
        return ConnectionNotFoundError(conn_id=name.conn_id, problems=[problem])

    def _look_at_text(self) -> Iterator[str]:
        self.settings = self._given.parse().settings
        yield from self.settings.notices

    def _look_at_machine(self) -> Iterator[str]:
        self.base = prepare_base(
            self.settings, self._given.view, variable=self._given.place
        )
        yield f"botocore {botocore.__version__} takes its options and parameters"

    def _look_at_neighbours(self) -> Iterator[str | Neighbour]:
        found = find_neighbours(self.settings, self.base, self._given.snapshot)
        yield from found or ("nothing here gets in its way",)
