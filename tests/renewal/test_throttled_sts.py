"""A busy STS is asked seldom, and no one signs in again for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from botocore_conn_provider.errors import StsExchangeError
from botocore_conn_provider.federation.plugin_lookup import TOKEN_SOURCES
from botocore_conn_provider.plugins import Secret, TokenRequest
from tests.aws import Fault, build_error
from tests.plugins import install_entry_points
from tests.renewal.simulation import EPOCH, HOUR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.aws import Aws
    from tests.leaks import Secrets
    from tests.renewal.conftest import FindKeeper
    from tests.renewal.simulation import Simulation

THROTTLING = Fault(400, build_error("Throttling", "Rate exceeded"))
EXPIRED = Fault(400, build_error("ExpiredTokenException", "Token expired"))
ISSUED: list[str] = []


class Numbered:
    """A token source whose every token is another."""

    def __init__(self, request: TokenRequest) -> None:
        """Take nothing from the request."""

    def identify(self) -> dict[str, str]:
        """Return the same for every token."""
        return {"who": "the same"}

    def check(self) -> None:
        """Find nothing wrong."""

    def fetch(self) -> Secret:
        ISSUED.append(f"token-{len(ISSUED)}-of-the-source")
        return Secret(ISSUED[-1])


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    points = {TOKEN_SOURCES: {"numbered": f"{__name__}:Numbered"}}
    install_entry_points(tmp_path, monkeypatch, points)
    yield
    ISSUED.clear()


FEDERATED = {
    "assume_role_method": "assume_role_with_web_identity",
    "assume_role_with_web_identity_federation": "numbered",
}


def test_throttled_exchange_is_repeated_with_the_same_proof(
    aws: Aws, simulation: Simulation, find_keeper: FindKeeper
) -> None:
    aws.inject(THROTTLING, times=100)
    with pytest.raises(StsExchangeError, match="Throttling"):
        find_keeper(**FEDERATED).current()
    assert simulation.now - EPOCH < 30
    assert 5 <= len(aws.requests) <= 8
    assert {each.parameters["WebIdentityToken"] for each in aws.requests} == {*ISSUED}
    assert len(ISSUED) == 1


@pytest.mark.parametrize(
    "retries", [{"total_max_attempts": 10, "mode": "standard"}, {"max_attempts": 9}]
)
def test_retries_meant_for_services_add_no_asks_of_sts(
    aws: Aws, find_keeper: FindKeeper, retries: dict[str, Any]
) -> None:
    aws.inject(THROTTLING, times=100)
    with pytest.raises(StsExchangeError, match="Throttling"):
        find_keeper(**FEDERATED, config_kwargs={"retries": retries}).current()
    assert len(aws.requests) <= 8


def test_program_that_asks_on_and_on_asks_a_busy_sts_8_times_in_30_s(
    aws: Aws, simulation: Simulation, find_keeper: FindKeeper
) -> None:
    aws.inject(THROTTLING, times=1000)
    asked: list[float] = []
    keeper = find_keeper(**FEDERATED)
    while simulation.now < EPOCH + 600:
        before = len(aws.requests)
        with pytest.raises(StsExchangeError):
            keeper.current()
        asked += [simulation.now] * (len(aws.requests) - before)
        simulation.pass_time(0.5)
    within = [sum(at <= each < at + 30 for each in asked) for at in asked]
    assert len(asked) == len(aws.requests)
    assert len(asked) / 600 * 30 <= 8
    assert max(within) <= 16  # two calls' asks count where the calls ended
    assert len(ISSUED) <= 600 / 20


def test_pauses_are_short_again_after_a_success(
    aws: Aws, simulation: Simulation, find_keeper: FindKeeper
) -> None:
    keeper = find_keeper(**FEDERATED)
    for _ in range(2):
        aws.inject(THROTTLING, times=3)
        keeper.current()
        simulation.pass_time(HOUR + 1)
    assert max(simulation.pauses) <= 4.0
    assert len(ISSUED) == 2


def test_proof_that_expired_in_the_meantime_is_fetched_again(
    aws: Aws, find_keeper: FindKeeper
) -> None:
    aws.inject(THROTTLING, times=2)
    aws.inject(EXPIRED)
    assert find_keeper(**FEDERATED).current()
    sent = [each.parameters["WebIdentityToken"] for each in aws.requests]
    assert sent == [*[ISSUED[0]] * 3, ISSUED[1]]


def test_new_proof_that_is_refused_as_expired_is_an_error(
    aws: Aws, find_keeper: FindKeeper
) -> None:
    aws.inject(EXPIRED, times=5)
    with pytest.raises(StsExchangeError, match="ExpiredTokenException"):
        find_keeper(**FEDERATED).current()
    assert (len(aws.requests), len(ISSUED)) == (1, 1)


def test_proof_is_fetched_again_once_only(aws: Aws, find_keeper: FindKeeper) -> None:
    for _ in range(4):
        aws.inject(THROTTLING)
        aws.inject(EXPIRED)
    with pytest.raises(StsExchangeError, match="ExpiredTokenException"):
        find_keeper(**FEDERATED).current()
    assert len(ISSUED) == 2


def test_next_renewal_has_a_proof_of_its_own(
    aws: Aws, simulation: Simulation, find_keeper: FindKeeper
) -> None:
    keeper = find_keeper(**FEDERATED)
    aws.inject(THROTTLING)
    keeper.current()
    simulation.pass_time(HOUR + 1)
    keeper.current()
    assert len(ISSUED) == 2


def test_background_renewal_asks_a_busy_sts_twice(
    aws: Aws, simulation: Simulation, find_keeper: FindKeeper
) -> None:
    keeper = find_keeper(**FEDERATED)
    kept = keeper.current()
    aws.inject(THROTTLING, times=10)
    simulation.pass_time(HOUR - 8 * 60)
    assert keeper.current() is kept
    assert (len(aws.requests), len(ISSUED)) == (3, 2)


def test_base_keys_are_found_once_for_a_throttled_exchange(
    aws: Aws,
    isolated: Path,
    secrets: Secrets,
    find_keeper: FindKeeper,
) -> None:
    program = isolated / "program"
    keys = {
        "Version": 1,
        "AccessKeyId": secrets.new_access_key_id(),
        "SecretAccessKey": secrets.new("secret key of the program"),
    }
    (isolated / "keys").write_text(json.dumps(keys))
    program.write_text(f"#!/bin/sh\necho asked >>{isolated}/log\ncat {isolated}/keys\n")
    program.chmod(0o700)
    (isolated / ".aws" / "config").write_text(
        f"[profile tool]\ncredential_process = {program}\n"
    )
    keeper = find_keeper(profile_name="tool")
    aws.inject(THROTTLING, times=3)
    keeper.current()
    assert len(aws.requests) == 4
    assert (isolated / "log").read_text().count("asked") == 1
