"""A profile's role is renewed in the background, and served while STS refuses."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider.errors import CredentialFetchError
from tests.aws import Fault, build_error
from tests.renewal.simulation import HOUR, MINUTE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aws import Aws
    from tests.leaks import Secrets
    from tests.renewal.conftest import FindKeeper
    from tests.renewal.simulation import Simulation

ROLE = "arn:aws:iam::123456789012:role/first"


@pytest.fixture(autouse=True)
def _profile(
    aws: Aws, isolated: Path, secrets: Secrets, simulation: Simulation
) -> None:
    (isolated / ".aws" / "credentials").write_text(
        f"[base]\naws_access_key_id={secrets.new_access_key_id()}\n"
        f"aws_secret_access_key={secrets.new('secret key')}\n"
    )
    (isolated / ".aws" / "config").write_text(
        f"[profile hop]\nrole_arn = {ROLE}\nsource_profile = base\n"
        f"endpoint_url = {aws.url}\n"
    )
    simulation.now = time.time()  # botocore tells no Date of the answer


def test_role_of_a_profile_is_renewed_before_it_ends(
    aws: Aws, simulation: Simulation, find_keeper: FindKeeper
) -> None:
    keeper = find_keeper(role_arn=None, profile_name="hop")
    first = keeper.current()
    simulation.pass_time(HOUR - 7 * MINUTE)
    assert keeper.current() is not first
    assert [each.parameters["RoleArn"] for each in aws.requests] == [ROLE] * 2


def test_outage_keeps_the_valid_credentials_of_a_profile(
    aws: Aws, simulation: Simulation, find_keeper: FindKeeper
) -> None:
    keeper = find_keeper(role_arn=None, profile_name="hop")
    first = keeper.current()
    aws.inject(Fault(403, build_error("AccessDenied")), times=100)
    simulation.pass_time(HOUR - 2 * MINUTE)
    assert keeper.current() is first
    simulation.pass_time(HOUR)
    with pytest.raises(CredentialFetchError, match="the role of the profile 'hop'"):
        keeper.current()
