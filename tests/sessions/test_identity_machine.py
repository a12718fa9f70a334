from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from botocore_conn_provider.connection.environment import Snapshot
from botocore_conn_provider.errors import CredentialFetchError
from botocore_conn_provider.exchange import assume_role_flow, flow, session_reading
from botocore_conn_provider.sessions import resolver
from botocore_conn_provider.sessions.binding import Binding
from tests.sessions.identity_machine import (
    KINDS,
    LONG,
    IdentityMachine,
    run_programs,
    standing,
)
from tests.sessions.tenants import BOB
from tests.thoroughness import examples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.leaks import Leaks
    from tests.sessions.identity_machine import Standing

# The same programs each time, so that no run is a matter of luck: `make stress` looks
# further.
FEW = settings(
    max_examples=examples(15),
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)


@pytest.fixture
def here(leaks: Leaks, tmp_path: Path) -> Iterator[Standing]:
    with leaks.user_calls(), standing(tmp_path / "programs") as here:
        yield here


def test_every_call_is_signed_for_the_tenant_that_its_session_was_born_as(
    here: Standing,
) -> None:
    run_programs(here, FEW)


def begin(here: Standing, name: str) -> IdentityMachine:
    kind = next(each for each in KINDS if each.name == name)
    program = IdentityMachine(here)
    program.begin([kind], store=False)
    program.create_session()
    return program


FALLING_BACK = [kind.name for kind in KINDS if kind.falls_back and "role" in kind.name]


@pytest.mark.parametrize("name", FALLING_BACK)
def test_role_never_goes_over_to_the_machine(here: Standing, name: str) -> None:
    program = begin(here, name)
    program.call(which=0)
    program.delete(which=0)
    program.pass_time(seconds=LONG)
    [session] = program.sessions
    with pytest.raises(CredentialFetchError) as caught:
        session.client.get_caller_identity()
    assert "iam-role" in str(caught.value)
    program.rotate(which=0)
    assert session.client.get_caller_identity()["Arn"].endswith("/alice")


def test_role_of_the_machine_never_goes_over_to_a_file(here: Standing) -> None:
    program = begin(here, "role-shared_file")
    program.delete(which=0)
    program.call(which=0)
    program.rotate(which=0)
    program.pass_time(seconds=LONG)
    [session] = program.sessions
    with pytest.raises(CredentialFetchError):
        session.client.get_caller_identity()


@pytest.mark.parametrize("name", [kind.name for kind in KINDS])
def test_copy_is_who_the_session_turned_out_to_be(here: Standing, name: str) -> None:
    program = begin(here, name)
    program.make_client(which=0)
    program.copy_session(which=0)
    program.delete(which=0)
    program.call(which=0)
    program.rotate(which=0)
    program.call(which=1)


# Proof that the programs look: each of these faults must be found by them.


def read_live_environment(patch: pytest.MonkeyPatch) -> None:
    """Read the environment when the session needs credentials, as botocore does."""
    live = property(lambda _: Snapshot.take(), lambda *_: None)
    patch.setattr(Binding, "snapshot", live, raising=False)


def exchange_from_live_environment(patch: pytest.MonkeyPatch) -> None:
    """Tell askers apart by the snapshot, and read the process for the exchange."""
    make, prove = flow.create_session, assume_role_flow.AssumeRoleFlow.prove

    def create_live(settings: Any, view: Any) -> Any:
        return make(settings, view._replace(snapshot=Snapshot.take()))

    def prove_again(self: Any) -> Any:
        self._proven = None
        return prove(self)

    patch.setattr(assume_role_flow, "create_session", create_live)
    patch.setattr(assume_role_flow.AssumeRoleFlow, "prove", prove_again)


def share_by_connection_alone(patch: pytest.MonkeyPatch) -> None:
    """Leave the base identity out of the fingerprint."""
    patch.setattr(assume_role_flow.AssumeRoleFlow, "identify", lambda _: {})


def forget_what_the_program_says(patch: pytest.MonkeyPatch) -> None:
    """Leave the variables out that the program has set on its session."""
    take = session_reading.view_session

    def view_session(*args: Any, **kwargs: Any) -> Any:
        return take(*args, **kwargs)._replace(variables={})

    patch.setattr(resolver, "view_session", view_session)


def heed_what_is_said_late(patch: pytest.MonkeyPatch) -> None:
    """Read at each exchange what the program has set on its session."""
    take = session_reading.view_session

    def view_session(session: Any, *args: Any, **kwargs: Any) -> Any:
        live = session._session_instance_vars
        return take(session, *args, **kwargs)._replace(variables=live)

    patch.setattr(resolver, "view_session", view_session)


def resolve_in_one_place_for_all_threads(patch: pytest.MonkeyPatch) -> None:
    """Have two threads that resolve at once use the environment of the later one."""
    take = session_reading.view_session
    place: list[Snapshot] = []

    def view_session(session: Any, snapshot: Snapshot, **kwargs: Any) -> Any:
        place[:] = [snapshot]
        time.sleep(0.01)
        return take(session, place[0], **kwargs)

    patch.setattr(resolver, "view_session", view_session)


TOUCHED = (
    "role-variables",
    "role-shared_file",
    "role-named_profile",
    "role-web_identity",
)


# That a role follows the chain to another source takes a longer program than these
# find in a hundred: the tests of `FALLING_BACK` hold it.
@pytest.mark.parametrize(
    "spoil",
    [
        read_live_environment,
        exchange_from_live_environment,
        share_by_connection_alone,
        resolve_in_one_place_for_all_threads,
    ],
)
def test_programs_find_this_fault(
    spoil: Callable[[pytest.MonkeyPatch], None],
    here: Standing,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoil(monkeypatch)
    # Of the kinds that the faults touch, so that few programs find them.
    among = tuple(kind for kind in KINDS if kind.name in TOUCHED)
    with pytest.raises(AssertionError, match=r" was \w+, not "):
        run_programs(here, settings(FEW, max_examples=100), among)


# These take more programs than a test has time for, so what finds them is named.
@pytest.mark.parametrize(
    ("spoil", "call_first"),
    [(forget_what_the_program_says, False), (heed_what_is_said_late, True)],
)
def test_program_that_says_who_it_is_finds_this_fault(
    spoil: Callable[[pytest.MonkeyPatch], None],
    call_first: bool,  # noqa: FBT001 - a case
    here: Standing,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoil(monkeypatch)
    program = begin(here, "role-shared_file")
    with pytest.raises(AssertionError, match=r" was \w+, not "):
        program.say(tenant=BOB, call_first=call_first, alone=True)
