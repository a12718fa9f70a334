"""A profile's role is renewed in the background, and served while STS refuses."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider.errors import CredentialFetchError
from botocore_conn_provider.exchange.profile_flow import is_renewed
from tests.aws import Fault, build_error
from tests.profiles import write_hop
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
    write_hop(isolated, secrets, aws, ROLE)
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


def test_files_that_change_during_a_renewal_are_for_the_next_one(
    aws: Aws, isolated: Path, secrets: Secrets, find_keeper: FindKeeper
) -> None:
    keeper = find_keeper(role_arn=None, profile_name="hop")
    path = isolated / ".aws" / "credentials"
    before = path.read_text()
    other = before.replace("AKIA", "AKIB")
    secrets.add(
        other.partition("key_id=")[2][:20], name="other key", in_user_calls=True
    )
    release = threading.Event()
    aws.inject(Fault(until=release))
    renewal = threading.Thread(target=keeper.current)
    renewal.start()
    while not aws.requests:
        time.sleep(0.01)
    path.write_text(other)
    release.set()
    renewal.join()
    assert keeper.current()
    assert [str(each.access_key_id) in before for each in aws.requests] == [True]


ROLES = {"role_arn": ROLE, "source_profile": "base"}
KEYS = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "x"}
PROFILES: dict[str, tuple[dict[str, str], bool]] = {
    "role": (ROLES, True),
    "role without a source": ({"role_arn": ROLE}, False),
    "role of the machine": (
        {"role_arn": ROLE, "credential_source": "Ec2InstanceMetadata"},
        True,
    ),
    "role with MFA": ({**ROLES, "mfa_serial": "arn:aws:iam::1:mfa/x"}, False),
    "role of one with MFA": ({"role_arn": ROLE, "source_profile": "mfa"}, False),
    "role of itself": ({"role_arn": ROLE, "source_profile": "it"}, True),
    "SSO": ({"sso_account_id": "1", "sso_role_name": "x"}, True),
    "program": ({"credential_process": "x"}, True),
    "program beside keys": ({**KEYS, "credential_process": "x"}, False),
    "keys": (KEYS, False),
    "settings alone": ({"region": "eu-west-1"}, False),
}


@pytest.mark.parametrize("name", PROFILES)
def test_profile_is_renewed_if_it_is_asked_and_no_person(name: str) -> None:
    profile, renewed = PROFILES[name]
    others = {"base": KEYS, "mfa": {**ROLES, "mfa_serial": "arn:aws:iam::1:mfa/x"}}
    assert is_renewed({**others, "it": profile}, "it") == renewed
