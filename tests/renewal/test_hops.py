"""A refused hop of the base identity is told as that hop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider.errors import CredentialFetchError, StsExchangeError
from botocore_conn_provider.renewal.deferred_keeper import DeferredKeeper
from botocore_conn_provider.renewal.schedule import RenewalPolicy
from tests.aws import Fault, build_error
from tests.profiles import write_base
from tests.renewal.simulation import HOUR

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aws import Aws
    from tests.leaks import Leaks, Secrets
    from tests.renewal.conftest import FindKeeper
    from tests.renewal.simulation import Simulation

DENIED = Fault(403, build_error("AccessDenied", "not authorized to perform this"))
FIRST = "arn:aws:iam::123456789012:role/first"
SECOND = "arn:aws:iam::123456789012:role/second"


@pytest.fixture(autouse=True)
def _files(aws: Aws, isolated: Path, secrets: Secrets) -> None:
    write_base(isolated, secrets)
    (isolated / ".aws" / "config").write_text(
        f"[default]\nendpoint_url = {aws.url}\n[profile base]\n"
        f"[profile one]\nrole_arn = {FIRST}\nsource_profile = base\n"
        f"external_id = {secrets.new('external id')}\nendpoint_url = {aws.url}\n"
        f"[profile two]\nrole_arn = {SECOND}\nsource_profile = one\n"
        f"endpoint_url = {aws.url}\n"
    )


def refuse(find_keeper: FindKeeper, **extra: str) -> StsExchangeError:
    with pytest.raises(StsExchangeError) as caught:
        find_keeper(**extra).current()
    return caught.value


def test_refused_hop_names_its_role_and_its_profiles(
    aws: Aws, leaks: Leaks, find_keeper: FindKeeper
) -> None:
    aws.inject(DENIED)
    error = refuse(find_keeper, profile_name="one")
    assert error.cause == (
        "the hop before 'role_arn', the profile 'one' (source_profile base): STS"
        f" refused AssumeRole of {FIRST}: AccessDenied: not authorized to perform this"
    )
    assert error.code == "AccessDenied"
    leaks.check_error(error)
    assert [each.parameters["RoleArn"] for each in aws.requests] == [FIRST]


def test_second_hop_is_told_from_the_first(aws: Aws, find_keeper: FindKeeper) -> None:
    aws.inject(Fault())
    aws.inject(DENIED)
    error = refuse(find_keeper, profile_name="two")
    assert "the profile 'two' (source_profile one)" in error.cause
    assert SECOND in error.cause
    assert FIRST not in error.cause


def test_first_of_two_hops_is_told_from_the_second(
    aws: Aws, find_keeper: FindKeeper
) -> None:
    aws.inject(DENIED)
    error = refuse(find_keeper, profile_name="two")
    assert "the profile 'one' (source_profile base)" in error.cause
    assert SECOND not in error.cause


def test_refused_role_of_the_connection_is_no_hop(
    aws: Aws, find_keeper: FindKeeper
) -> None:
    aws.inject(Fault())
    aws.inject(DENIED)
    error = refuse(find_keeper, profile_name="one")
    assert "hop" not in error.cause
    assert "role/reader" in error.cause


def test_refused_hop_of_the_environment_is_told(
    aws: Aws,
    isolated: Path,
    secrets: Secrets,
    monkeypatch: pytest.MonkeyPatch,
    find_keeper: FindKeeper,
) -> None:
    token = isolated / "token"
    token.write_text(secrets.new("web identity token"))
    monkeypatch.setenv("AWS_ROLE_ARN", FIRST)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    aws.inject(DENIED)
    error = refuse(find_keeper)
    assert error.cause.startswith(
        "the hop before 'role_arn', AWS_ROLE_ARN: STS refused"
        f" AssumeRoleWithWebIdentity of {FIRST}: AccessDenied"
    )


def test_hop_that_does_not_reach_sts_is_told(
    isolated: Path, find_keeper: FindKeeper
) -> None:
    path = isolated / ".aws" / "config"
    lines = path.read_text().splitlines()
    path.write_text(
        "\n".join(
            "endpoint_url = http://127.0.0.1:1" if "endpoint_url" in line else line
            for line in lines
        )
    )
    with pytest.raises(CredentialFetchError) as caught:
        find_keeper(profile_name="one")
    assert "the hop before 'role_arn', the profile 'one'" in str(caught.value)
    assert "refuses the connection" in str(caught.value)
    assert caught.value.retryable


def test_busy_sts_at_a_hop_is_asked_no_oftener(
    aws: Aws, find_keeper: FindKeeper, simulation: Simulation
) -> None:
    keeper = find_keeper(profile_name="one")
    keeper.current()
    simulation.pass_time(HOUR + 1)
    before = len(aws.requests)
    aws.inject(Fault(400, build_error("Throttling")), times=100)
    with pytest.raises(StsExchangeError, match="Throttling"):
        keeper.current()
    assert 5 <= len(aws.requests) - before <= 8


def test_busy_sts_at_a_hop_is_asked_again_by_the_first_call(
    aws: Aws, find_keeper: FindKeeper, simulation: Simulation
) -> None:
    aws.inject(Fault(400, build_error("Throttling")), times=3)
    keeper = DeferredKeeper(
        lambda: find_keeper(profile_name="one"),
        conn_id="aws_default",
        policy=RenewalPolicy(),
        runtime=simulation.runtime(),
    )
    assert keeper.current()
    assert len(aws.requests) == 5
