"""Base keys that were rotated in a file serve the next exchange, without an error."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider.errors import CredentialFetchError, StsExchangeError
from tests.aws import Fault, build_error
from tests.renewal.simulation import HOUR

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aws import Aws
    from tests.leaks import Secrets
    from tests.renewal.conftest import FindKeeper
    from tests.renewal.simulation import Simulation


class Profile:
    """A profile whose keys are rotated."""

    def __init__(self, path: Path, secrets: Secrets) -> None:
        self._path = path
        self._secrets = secrets
        self.key_ids: list[str] = []
        self.rotate()

    def rotate(self) -> None:
        """Write other keys into the file."""
        self.key_ids.append(self._secrets.new_access_key_id())
        self._path.write_text(
            f"[rotated]\naws_access_key_id={self.key_ids[-1]}\n"
            f"aws_secret_access_key={self._secrets.new('secret key')}\n"
        )


@pytest.fixture
def profile(isolated: Path, secrets: Secrets) -> Profile:
    return Profile(isolated / ".aws" / "credentials", secrets)


def list_signers(aws: Aws) -> list[str | None]:
    return [each.access_key_id for each in aws.requests]


def test_each_exchange_reads_the_profile_anew(
    aws: Aws, profile: Profile, simulation: Simulation, find_keeper: FindKeeper
) -> None:
    keeper = find_keeper(profile_name="rotated")
    keeper.current()
    profile.rotate()
    simulation.pass_time(HOUR + 1)
    keeper.current()
    assert list_signers(aws) == profile.key_ids


@pytest.mark.parametrize(
    "code", ["ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId"]
)
def test_keys_that_were_rotated_before_they_were_refused_are_read_again(
    code: str, aws: Aws, profile: Profile, find_keeper: FindKeeper
) -> None:
    keeper = find_keeper(profile_name="rotated")
    profile.rotate()
    aws.inject(Fault(403, build_error(code)))
    assert keeper.current()
    assert list_signers(aws) == profile.key_ids


def test_refused_keys_that_are_still_in_the_file_are_an_error(
    aws: Aws, profile: Profile, find_keeper: FindKeeper
) -> None:
    keeper = find_keeper(profile_name="rotated")
    aws.inject(Fault(403, build_error("InvalidClientTokenId")), times=3)
    with pytest.raises(StsExchangeError, match="InvalidClientTokenId"):
        keeper.current()
    assert list_signers(aws) == profile.key_ids


def test_rotated_keys_are_tried_once(
    aws: Aws, profile: Profile, find_keeper: FindKeeper
) -> None:
    keeper = find_keeper(profile_name="rotated")
    profile.rotate()
    aws.inject(Fault(403, build_error("ExpiredToken")), times=5)
    with pytest.raises(StsExchangeError, match="ExpiredToken"):
        keeper.current()
    assert list_signers(aws) == profile.key_ids


def test_another_refusal_reads_nothing_again(
    aws: Aws, profile: Profile, find_keeper: FindKeeper
) -> None:
    keeper = find_keeper(profile_name="rotated")
    profile.rotate()
    aws.inject(Fault(403, build_error("AccessDenied")))
    with pytest.raises(StsExchangeError, match="AccessDenied"):
        keeper.current()
    assert list_signers(aws) == profile.key_ids[:1]


def test_what_rotated_keys_gave_is_shared_under_their_name_alone(
    aws: Aws, profile: Profile, find_keeper: FindKeeper
) -> None:
    keeper = find_keeper(profile_name="rotated")
    profile.rotate()
    aws.inject(Fault(403, build_error("ExpiredToken")))
    keeper.current()
    assert find_keeper(profile_name="rotated") is not keeper
    assert list_signers(aws) == profile.key_ids


def test_profile_that_is_gone_at_a_renewal_is_an_error_of_ours(
    isolated: Path, profile: Profile, simulation: Simulation, find_keeper: FindKeeper
) -> None:
    keeper = find_keeper(profile_name="rotated")
    kept = keeper.current()
    (isolated / ".aws" / "credentials").write_text("")
    simulation.pass_time(HOUR - 120)
    assert keeper.current() is kept
    simulation.pass_time(HOUR)
    with pytest.raises(CredentialFetchError, match=r"the profile 'rotated' gives no"):
        keeper.current()
    profile.rotate()
    simulation.pass_time(6)
    assert keeper.current() is not kept


def test_profile_that_goes_before_the_exchange_is_an_error_of_ours(
    aws: Aws, isolated: Path, profile: Profile, find_keeper: FindKeeper
) -> None:
    keeper = find_keeper(profile_name="rotated")
    (isolated / ".aws" / "credentials").write_text("")
    with pytest.raises(CredentialFetchError, match=r"files have changed: .*rotated"):
        keeper.current()
    assert (aws.requests, len(profile.key_ids)) == ([], 1)


def test_keys_that_cannot_be_read_again_leave_the_refusal_as_the_error(
    aws: Aws, isolated: Path, secrets: Secrets, find_keeper: FindKeeper
) -> None:
    keys = {
        "Version": 1,
        "AccessKeyId": secrets.new_access_key_id(),
        "SecretAccessKey": secrets.new("secret key of the program"),
    }
    once, program = isolated / "once", isolated / "program"
    once.write_text(json.dumps(keys))
    program.write_text(f"#!/bin/sh\ncat {once} && rm {once}\n")
    program.chmod(0o700)
    profile = f"[profile tool]\ncredential_process = {program}\n"
    (isolated / ".aws" / "config").write_text(profile)
    keeper = find_keeper(profile_name="tool")
    aws.inject(Fault(403, build_error("ExpiredToken")))
    with pytest.raises(StsExchangeError, match="ExpiredToken"):
        keeper.current()
    assert list_signers(aws) == [keys["AccessKeyId"]]
