"""Which sessions use the connection, since when, and until when."""

from __future__ import annotations

import concurrent.futures
import functools
import logging
import pickle
import time
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import pytest
from botocore.credentials import RefreshableCredentials

import botocore_conn_provider
from botocore_conn_provider.errors import (
    ConnectionNotFoundError,
    InvalidConnectionError,
)
from botocore_conn_provider.sessions import binding
from botocore_conn_provider.sessions.defaults import RegionDefault
from tests.aws import Fault
from tests.sessions.wire import Case, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.leaks import Leaks

KEYED = {"login": "@KEY@", "password": "@SECRET@"}
OTHER = {"login": "@OTHER_KEY@", "password": "@OTHER_SECRET@"}
ROLE = "arn:aws:iam::123456789012:role/reader"
ASSUMING = {**KEYED, "extra": {"role_arn": ROLE}}
BROKEN = {**KEYED, "extra": {"role_arn": ""}}
THREADS = 32


@pytest.fixture(autouse=True)
def _users_calls(leaks: Leaks) -> Iterator[None]:
    with leaks.user_calls():
        yield


@pytest.fixture
def set_up(world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set a connection (and more) in the environment."""

    def arrange(connection: Any = None, *, other: Any = None, **more: Any) -> None:
        import json

        env = dict(more.pop("env", {}))
        if other is not None:
            env["AIRFLOW_CONN_OTHER"] = json.dumps(other)
        world.arrange(Case(connection=connection, env=env, **more), monkeypatch)

    return arrange


def ask(session: Any = boto3) -> None:
    """Make a client and a call, as the user's code does."""
    make = getattr(session, "client", None) or session.create_client
    make("sts").get_caller_identity()


def signers(world: World) -> list[str]:
    """Return who signed each request, by the names of the world."""
    names = {value: name for name, value in world.texts.items()}
    return [
        names.get(request.access_key_id or "", "issued")
        for request in world.aws.requests
    ]


def test_default_session_made_before_uses_the_connection(
    world: World, set_up: Any
) -> None:
    set_up(KEYED)
    boto3.setup_default_session()
    botocore_conn_provider.install()
    ask()
    assert signers(world) == ["KEY"]


def test_default_session_lets_go_of_the_machines_identity(
    world: World, set_up: Any
) -> None:
    set_up(KEYED)
    ask()
    botocore_conn_provider.install()
    ask()
    assert signers(world) == ["AMBIENT_KEY", "KEY"]


def test_default_session_with_explicit_keys_keeps_them(
    world: World, set_up: Any
) -> None:
    set_up(KEYED)
    boto3.setup_default_session(
        aws_access_key_id=world.texts["OTHER_KEY"],
        aws_secret_access_key=world.texts["OTHER_SECRET"],
    )
    botocore_conn_provider.install()
    ask()
    assert signers(world) == ["OTHER_KEY"]


def test_default_session_set_up_afterwards_uses_the_connection(
    world: World, set_up: Any
) -> None:
    set_up(KEYED)
    botocore_conn_provider.install()
    boto3.setup_default_session(region_name="us-west-2")
    ask()
    assert signers(world) == ["KEY"]
    assert world.aws.requests[0].region == "us-west-2"


@pytest.mark.parametrize("resolved", [False, True])
def test_older_sessions_use_the_connection(
    world: World, set_up: Any, *, resolved: bool
) -> None:
    set_up(KEYED)
    older: list[Any] = [boto3.Session(), botocore.session.Session()]
    if resolved:
        for session in older:
            session.get_credentials()
    botocore_conn_provider.install()
    for session in older:
        ask(session)
    assert signers(world) == ["KEY", "KEY"]


def test_older_session_gives_the_connections_credentials(
    world: World, set_up: Any
) -> None:
    set_up(KEYED)
    older = botocore.session.Session()
    botocore_conn_provider.install()
    credentials = older.get_credentials()
    assert credentials is not None
    assert credentials.access_key == world.texts["KEY"]
    assert credentials.method == "conn-static"


def test_plain_botocore_session_uses_the_connection(world: World, set_up: Any) -> None:
    set_up(KEYED)
    botocore_conn_provider.install()
    ask(botocore.session.get_session())
    assert signers(world) == ["KEY"]


def test_resource_uses_the_connection(world: World, set_up: Any) -> None:
    set_up({**KEYED, "extra": {"region_name": "eu-north-1"}})
    botocore_conn_provider.install()
    assert list(boto3.resource("s3").buckets.all()) == []
    assert [(each.region, each.access_key_id) for each in world.aws.requests] == [
        ("eu-north-1", world.texts["KEY"])
    ]


def test_session_shows_the_connections_region(set_up: Any) -> None:
    set_up({**KEYED, "extra": {"region_name": "eu-north-1"}})
    botocore_conn_provider.install()
    assert boto3.Session().region_name == "eu-north-1"
    assert boto3.Session(region_name="us-west-2").region_name == "us-west-2"


def test_many_sessions_share_one_exchange(world: World, set_up: Any) -> None:
    set_up(ASSUMING)
    botocore_conn_provider.install()
    for _ in range(3):
        ask(boto3.Session())
    actions = [request.action for request in world.aws.requests]
    assert actions == ["AssumeRole", *["GetCallerIdentity"] * 3]


def run_threads(function: Any) -> None:
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(function) for _ in range(THREADS)]:
            done.result()


def test_threads_on_the_default_session_make_one_exchange(
    world: World, set_up: Any, leaks: Leaks
) -> None:
    set_up(ASSUMING)
    botocore_conn_provider.install()
    ask()

    def call() -> None:
        with leaks.user_calls():
            ask()

    run_threads(call)
    actions = [request.action for request in world.aws.requests]
    assert actions.count("AssumeRole") == 1
    assert actions.count("GetCallerIdentity") == THREADS + 1
    assert signers(world)[1:] == ["issued"] * (THREADS + 1)


def test_threads_fit_an_older_session_once(world: World, set_up: Any) -> None:
    set_up(KEYED)
    older = botocore.session.Session()
    botocore_conn_provider.install()
    seen: set[int] = set()

    def call() -> None:
        credentials = older.get_credentials()
        assert credentials is not None
        assert credentials.access_key == world.texts["KEY"]
        seen.add(id(older.get_component("credential_provider")))

    run_threads(call)
    assert len(seen) == 1
    region = older.get_component("config_store").get_config_provider("region")
    assert isinstance(region, RegionDefault)
    assert not isinstance(region.replaced, RegionDefault)


def test_role_credentials_are_refreshable(set_up: Any) -> None:
    set_up(ASSUMING)
    botocore_conn_provider.install()
    credentials = boto3.Session().get_credentials()
    assert isinstance(credentials, RefreshableCredentials)


def test_short_lived_role_credentials_are_renewed(world: World, set_up: Any) -> None:
    set_up(ASSUMING)
    botocore_conn_provider.install()
    world.aws.inject(Fault(expires_in_seconds=2))
    client = boto3.client("sts")
    client.get_caller_identity()
    credentials = boto3.Session().get_credentials()
    assert isinstance(credentials, RefreshableCredentials)
    first = world.aws.requests[-1].access_key_id
    while credentials.get_frozen_credentials().access_key == first:
        time.sleep(0.05)
    client.get_caller_identity()
    assert world.aws.requests[-1].access_key_id not in (None, first)


def test_already_expired_answer_is_an_error_of_ours(world: World, set_up: Any) -> None:
    set_up(ASSUMING)
    botocore_conn_provider.install()
    world.aws.inject(Fault(expires_in_seconds=-60), times=50)
    with pytest.raises(botocore_conn_provider.CredentialFetchError, match="expired"):
        ask()
    assert {request.action for request in world.aws.requests} == {"AssumeRole"}


def test_installing_twice_is_once(world: World, set_up: Any) -> None:
    set_up(KEYED)
    botocore_conn_provider.install()
    hooks = vars(botocore.session.Session)["create_client"]
    botocore_conn_provider.install()
    assert vars(botocore.session.Session)["create_client"] is hooks
    ask()
    assert signers(world) == ["KEY"]


def test_another_id_takes_the_default_session_over(world: World, set_up: Any) -> None:
    set_up(KEYED, other=OTHER)
    botocore_conn_provider.install()
    ask()
    live = boto3.Session()
    botocore_conn_provider.install("other")
    for session in (boto3, live, boto3.Session()):
        ask(session)
    assert signers(world) == ["KEY", "OTHER_KEY", "KEY", "OTHER_KEY"]


def test_uninstall_restores_botocore(set_up: Any) -> None:
    set_up(KEYED)
    before = dict(vars(botocore.session.Session))
    botocore_conn_provider.install()
    botocore_conn_provider.uninstall()
    botocore_conn_provider.uninstall()
    assert dict(vars(botocore.session.Session)) == before


def test_live_sessions_keep_theirs_after_uninstall(world: World, set_up: Any) -> None:
    set_up(KEYED)
    botocore_conn_provider.install()
    live = boto3.Session()
    botocore_conn_provider.uninstall()
    ask(live)
    ask(boto3.Session())
    assert signers(world) == ["KEY", "AMBIENT_KEY"]


def test_installing_again_works(world: World, set_up: Any) -> None:
    set_up(KEYED)
    for _ in range(2):
        botocore_conn_provider.install()
        botocore_conn_provider.uninstall()
    botocore_conn_provider.install()
    ask()
    assert signers(world) == ["KEY"]


def test_somebody_elses_wrapper_survives_uninstall(
    world: World, set_up: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(KEYED)
    botocore_conn_provider.install()
    ours = vars(botocore.session.Session)["create_client"]
    calls = []

    @functools.wraps(ours)
    def theirs(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        return ours(self, *args, **kwargs)

    monkeypatch.setattr(botocore.session.Session, "create_client", theirs)
    botocore_conn_provider.uninstall()
    assert vars(botocore.session.Session)["create_client"] is theirs
    ask(botocore.session.Session())
    assert (len(calls), signers(world)) == (1, ["AMBIENT_KEY"])
    botocore_conn_provider.install()
    ask(botocore.session.Session())
    assert signers(world) == ["AMBIENT_KEY", "KEY"]
    # Ours went back on top; take it off before monkeypatch restores the rest.
    botocore_conn_provider.uninstall()
    monkeypatch.undo()
    setattr(botocore.session.Session, "create_client", ours.__wrapped__)  # noqa: B010


def test_conn_id_variable_names_the_connection(world: World, set_up: Any) -> None:
    set_up(KEYED, other=OTHER, env={"BOTOCORE_CONN_ID": "other"})
    botocore_conn_provider.install()
    ask()
    assert signers(world) == ["OTHER_KEY"]


def test_argument_beats_the_conn_id_variable(world: World, set_up: Any) -> None:
    set_up(KEYED, other=OTHER, env={"BOTOCORE_CONN_ID": "other"})
    botocore_conn_provider.install("aws_default")
    ask()
    assert signers(world) == ["KEY"]


def test_connection_named_by_the_variable_must_exist(world: World, set_up: Any) -> None:
    set_up(KEYED, env={"BOTOCORE_CONN_ID": "gone"})
    botocore_conn_provider.install()
    with pytest.raises(ConnectionNotFoundError, match="AIRFLOW_CONN_GONE"):
        ask()
    assert world.aws.requests == []


@pytest.mark.parametrize(
    ("value", "signer"), [("1", "AMBIENT_KEY"), ("0", "KEY"), ("", "KEY")]
)
def test_disable_switches_everything_off(
    world: World, set_up: Any, value: str, signer: str
) -> None:
    set_up(KEYED, env={"BOTOCORE_CONN_DISABLE": value})
    older = boto3.Session()
    botocore_conn_provider.install()
    for session in (boto3, older, botocore_conn_provider.session("aws_default")):
        ask(session)
    assert signers(world) == [signer] * 3


def test_disable_hides_a_broken_connection(world: World, set_up: Any) -> None:
    set_up(BROKEN, env={"BOTOCORE_CONN_DISABLE": "true"})
    botocore_conn_provider.install()
    ask()
    assert signers(world) == ["AMBIENT_KEY"]


def test_absent_default_is_said_once(
    world: World,
    set_up: Any,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(binding, "_said", set())
    set_up()
    botocore_conn_provider.install()
    ask(boto3.Session())
    ask(boto3.Session())
    ours = [
        (record.levelno, record.getMessage())
        for record in caplog.records
        if record.name.startswith("botocore_conn_provider")
        and record.levelno > logging.DEBUG
    ]
    assert ours == [
        (
            logging.INFO,
            "AIRFLOW_CONN_AWS_DEFAULT is not set: botocore's own chain is used.",
        )
    ]
    assert signers(world) == ["AMBIENT_KEY"] * 2


def test_installing_over_a_broken_connection_raises_at_first_use(
    world: World, set_up: Any
) -> None:
    set_up(BROKEN)
    botocore_conn_provider.install()
    session = botocore.session.Session()
    for _ in range(2):
        with pytest.raises(InvalidConnectionError, match="role_arn"):
            session.create_client("s3")
    with pytest.raises(InvalidConnectionError, match="role_arn"):
        session.get_credentials()
    assert world.aws.requests == []


class Keys:
    """A provider of the program's own."""

    METHOD = CANONICAL_NAME = "keys"

    def load(self) -> None:
        return None


def test_chain_of_a_broken_connection_can_be_looked_at_and_loads_nothing(
    world: World, set_up: Any
) -> None:
    set_up(BROKEN, env={"AWS_ACCESS_KEY_ID": "@AMBIENT_KEY@"})
    botocore_conn_provider.install()
    session = botocore.session.Session()
    chain = session.get_component("credential_provider")
    chain.get_provider("assume-role").cache = {}  # as the AWS CLI does for any command
    chain.insert_before("env", Keys())
    assert [each.METHOD for each in chain.providers[:3]] == [
        "keys",
        "conn-refused",
        "env",
    ]
    for load in (chain.load_credentials, chain.providers[1].load):
        with pytest.raises(InvalidConnectionError, match="role_arn"):
            load()
    for _ in range(2):
        with pytest.raises(InvalidConnectionError, match="role_arn"):
            session.create_client("s3")
    assert world.aws.requests == []


def test_session_raises_at_once_and_needs_no_installation(
    world: World, set_up: Any
) -> None:
    set_up(KEYED, other=BROKEN)
    with pytest.raises(InvalidConnectionError, match="other"):
        botocore_conn_provider.session("other")
    ask(botocore_conn_provider.session("aws_default"))
    ask(boto3.Session())
    assert signers(world) == ["KEY", "AMBIENT_KEY"]


def test_one_program_uses_several_connections(world: World, set_up: Any) -> None:
    set_up(ASSUMING, other=OTHER)
    botocore_conn_provider.install()
    other = botocore_conn_provider.session("other")
    ask()
    ask(other)
    ask()
    assert signers(world) == ["KEY", "issued", "OTHER_KEY", "issued"]


def test_new_session_reads_the_environment_anew(
    world: World, set_up: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(KEYED)
    botocore_conn_provider.install()
    live = boto3.Session()
    monkeypatch.setenv(
        "AIRFLOW_CONN_AWS_DEFAULT", world.fill("aws://@OTHER_KEY@:@OTHER_SECRET@@")
    )
    ask(live)
    ask(boto3.Session())
    assert signers(world) == ["KEY", "OTHER_KEY"]


def test_explicit_profile_switches_the_older_session_off_too(
    world: World, set_up: Any
) -> None:
    set_up(
        {**BROKEN},
        credentials=(
            "[there]\naws_access_key_id=@FILE_KEY@\n"
            "aws_secret_access_key=@FILE_SECRET@\n"
        ),
    )
    older = boto3.Session(profile_name="there")
    botocore_conn_provider.install()
    ask(older)
    assert signers(world) == ["FILE_KEY"]


def test_errors_of_a_connection_survive_pickling(set_up: Any) -> None:
    set_up(BROKEN)
    botocore_conn_provider.install()
    with pytest.raises(InvalidConnectionError) as caught:
        ask()
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own
    assert (type(again), str(again)) == (type(caught.value), str(caught.value))
    assert again.problems == caught.value.problems


def test_positional_arguments_of_a_client_are_heard(world: World, set_up: Any) -> None:
    set_up({**KEYED, "extra": {"region_name": "eu-north-1"}})
    botocore_conn_provider.install()
    client: Any = botocore.session.Session().create_client("sts", "us-west-2")
    client.get_caller_identity()
    assert world.aws.requests[0].region == "us-west-2"
