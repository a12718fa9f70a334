"""A signature's key id, token and secret key are of one set, whenever it is renewed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.signers.conftest import MANY_REQUESTS_SECONDS, ONE_REQUEST_SECONDS
from tests.signers.libraries import BY_THEMSELVES, PROGRAMS, SESSION, WITH_A_SESSION

if TYPE_CHECKING:
    from tests.signers.conftest import Programs

# Made of a client of boto3, which signs by itself.
OF_BOTO3 = {"langchain-aws", "langchain-aws with asyncio", "awswrangler"}
IN_PIECES = {"anthropic", "litellm"}
RETRY = (
    "opensearch",
    "opensearch with asyncio",
    "opensearch with urllib3",
    "anthropic with a session",
)
IN_LOOPS = {name for name in PROGRAMS if "asyncio" in name}
# Each asks for what its role is called.
TWO_CONNECTIONS = (
    SESSION
    + """
import requests, requests_auth
other = b.session("other")
def ask(session, role):
    auth = requests_auth.AwsAuth(session, "execute-api")
    return lambda: requests.get(sys.argv[1] + "/" + role, auth=auth)
one, two = ask(s, "reader"), ask(other, "other")
look(lambda: (one(), two()), s)
two(); one()
"""
)


@pytest.mark.parametrize("name", sorted(set(WITH_A_SESSION) - OF_BOTO3))
def test_each_request_is_signed_with_one_set(programs: Programs, name: str) -> None:
    programs.run(f"{SESSION}renew_at_each_look()\n{WITH_A_SESSION[name]}call(); call()")

    first, second = programs.service.key_ids
    assert first != second


@pytest.mark.parametrize("name", RETRY)
def test_retry_is_signed_anew(programs: Programs, name: str) -> None:
    programs.service.is_busy_for = 1
    programs.run(f"{SESSION}renew_at_each_look()\n{WITH_A_SESSION[name]}call()")

    first, second = programs.service.key_ids
    assert first != second


@pytest.mark.parametrize("name", sorted(IN_PIECES))
def test_some_libraries_sign_with_pieces_of_two_sets(
    programs: Programs, name: str
) -> None:
    code = BY_THEMSELVES[name]
    programs.fail(f"{SESSION}{code}renew_at_each_look()\ncall()")

    signed = [each for _, each in programs.service.requests]
    assert signed, "nothing was sent"
    assert not any(each.is_right for each in signed if each), (
        f"{name} signs with one set now: say so in docs/signers.md"
    )


@pytest.mark.parametrize("name", sorted(set(PROGRAMS) - IN_PIECES - IN_LOOPS))
def test_threads_sign_with_one_set_each_across_a_renewal(
    programs: Programs, name: str
) -> None:
    programs.run(PROGRAMS[name] + "crowd(call, s)", ends_in=MANY_REQUESTS_SECONDS)

    assert len(programs.issued) == 2
    assert set(programs.service.key_ids) == set(programs.issued)


def test_two_connections_in_one_program_sign_as_themselves(programs: Programs) -> None:
    programs.run(TWO_CONNECTIONS, ends_in=ONE_REQUEST_SECONDS)

    roles = dict(zip(programs.issued, programs.roles, strict=True))
    asked = [sent.url.rpartition("/")[2] for sent, _ in programs.service.requests]
    assert len(asked) == 6
    assert [
        roles[key_id].rpartition("/")[2] for key_id in programs.service.key_ids
    ] == asked


@pytest.mark.parametrize("name", sorted(set(PROGRAMS) - IN_LOOPS))
def test_forked_child_signs_with_a_set_of_the_connection(
    programs: Programs, name: str
) -> None:
    programs.run(PROGRAMS[name] + "call_in_a_child_too(call)")

    assert len(programs.issued) == 2
    assert set(programs.service.key_ids) == set(programs.issued)


@pytest.mark.parametrize("name", WITH_A_SESSION)
def test_what_was_made_with_a_session_keeps_it_after_uninstall(
    programs: Programs, name: str
) -> None:
    programs.run(SESSION + WITH_A_SESSION[name] + "call(); b.uninstall(); call()")

    (key_id,) = programs.issued
    assert programs.service.key_ids == [key_id, key_id]
