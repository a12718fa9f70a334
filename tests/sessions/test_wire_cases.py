"""Every connection kept as data leads AWS to see exactly what the case says."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import BotoCoreError

from botocore_conn_provider.errors import ConnProviderError, InvalidConnectionError
from tests.sessions.wire import (
    Case,
    World,
    act,
    installed_afresh,
    read_cases,
    records_of_botocore_from,
)

if TYPE_CHECKING:
    from tests.leaks import Leaks

CASES = read_cases()
LONGEST_HEAD = 200


def test_there_are_at_least_150_connections() -> None:
    assert len(CASES) >= 150


def run(case: Case, world: World, leaks: Leaks, *, entry: str) -> None:
    with contextlib.ExitStack() as stack:
        stack.enter_context(installed_afresh())
        stack.enter_context(leaks.user_calls())
        if case.exchanges:
            stack.enter_context(records_of_botocore_from(logging.INFO))
        act(case, world, entry=entry)


# Cases that switch verification off are warned about by urllib3, as they should.
@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_aws_sees_what_the_case_says(
    case: Case, world: World, leaks: Leaks, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.arrange(case, monkeypatch)
    entry = case.do.get("entry", "install")
    if case.error is None:
        run(case, world, leaks, entry=entry)
    else:
        with pytest.raises(BotoCoreError) as caught:
            run(case, world, leaks, entry=entry)
        judge_error(caught.value, case)
        leaks.check_error(caught.value)
    assert world.seen(case) == world.expected(case)


def judge_error(error: BotoCoreError, case: Case) -> None:
    assert case.error is not None
    kind, field = case.error
    assert isinstance(error, ConnProviderError), repr(error)
    assert (type(error).__name__, _field(error)) == (kind, field), str(error)
    conn_id = case.do.get("conn_id", "aws_default")
    assert error.conn_id == conn_id
    assert conn_id in str(error)[:LONGEST_HEAD]
    assert field in str(error)[:LONGEST_HEAD]
    assert len(str(error)) < 1500


def _field(error: ConnProviderError) -> str:
    if isinstance(error, InvalidConnectionError):
        return error.problems[0].field
    return ""
