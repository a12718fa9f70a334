"""Each library in a program, as the examples use it: whose key is on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.signers.conftest import ONE_REQUEST_SECONDS
from tests.signers.libraries import OTHER, PROGRAMS, SESSION, WITH_A_SESSION

if TYPE_CHECKING:
    from tests.signers.conftest import Programs

# Keys in the environment are the machine's, and these libraries take them by themselves.
TAKES_ENVIRONMENT_KEYS = {"litellm"}
HONEST = sorted(set(PROGRAMS) - TAKES_ENVIRONMENT_KEYS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_requests_after_a_renewal_are_signed_with_the_new_set(
    programs: Programs, name: str
) -> None:
    programs.run(PROGRAMS[name] + "look(call, s)", ends_in=ONE_REQUEST_SECONDS)

    first, second = programs.issued
    seen = programs.service.key_ids
    assert [seen[0], seen[-1]] == [first, second]
    assert set(seen) == {first, second}


@pytest.mark.parametrize("name", HONEST)
def test_keys_in_the_environment_sign_nothing(programs: Programs, name: str) -> None:
    programs.environ |= programs.machine.environment_keys
    programs.run(PROGRAMS[name] + "call()")

    assert set(programs.service.key_ids) == set(programs.issued)


@pytest.mark.parametrize("name", PROGRAMS)
def test_wrong_connection_is_its_error_and_nothing_is_sent(
    programs: Programs, name: str
) -> None:
    programs.break_connection()
    told = programs.fail(PROGRAMS[name] + "call()")

    assert "Connection 'aws_default'" in told
    assert programs.service.requests == []


@pytest.mark.parametrize("name", PROGRAMS)
def test_refused_connection_is_its_error_and_nothing_is_sent(
    programs: Programs, name: str
) -> None:
    programs.refuse()
    told = programs.fail(PROGRAMS[name] + "call()")

    assert "Connection 'aws_default'" in told
    assert "AccessDenied" in told
    assert programs.service.requests == []


@pytest.mark.parametrize("name", WITH_A_SESSION)
def test_session_of_another_connection_signs_as_that_one(
    programs: Programs, name: str
) -> None:
    programs.run(OTHER + WITH_A_SESSION[name] + "call()")

    assert programs.roles == ["arn:aws:iam::123456789012:role/other"]
    assert programs.service.key_ids == programs.issued


@pytest.mark.parametrize("name", WITH_A_SESSION)
def test_without_any_credentials_nothing_is_sent(programs: Programs, name: str) -> None:
    for variable in ("AIRFLOW_CONN_AWS_DEFAULT", "AWS_EC2_METADATA_DISABLED"):
        programs.environ[variable] = {"AWS_EC2_METADATA_DISABLED": "true"}.get(
            variable, ""
        )
    programs.environ["AWS_DEFAULT_REGION"] = "eu-west-1"
    told = programs.fail(SESSION + WITH_A_SESSION[name] + "call()")

    assert "redentials" in told.splitlines()[-1]
    assert programs.service.requests == []
