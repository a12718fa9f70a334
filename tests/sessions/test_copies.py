"""Copies of credentials and of sessions stay who they are."""

from __future__ import annotations

import copy
import pickle
import threading
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import pytest
from botocore.credentials import Credentials, RefreshableCredentials

import botocore_conn_provider
from botocore_conn_provider.errors import InvalidConnectionError
from tests.sessions.program import ASSUMING, BROKEN, KEYED, OTHER, ROLE, ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sessions.program import Program

    Copy = Callable[[Any], Any]

ELSEWHERE = "aws://@OTHER_KEY@:@OTHER_SECRET@@"
COPIES = pytest.mark.parametrize("make_copy", [copy.copy, copy.deepcopy])
FILED = {"extra": {"profile_name": "there"}}
FILE = "[there]\naws_access_key_id=@FILE_KEY@\naws_secret_access_key=@FILE_SECRET@\n"


def become_another(program: Program) -> None:
    """Change the environment to somebody else's."""
    program.change("AIRFLOW_CONN_AWS_DEFAULT", ELSEWHERE)
    program.change("AWS_ACCESS_KEY_ID", "@THIRD_KEY@")
    program.change("AWS_SECRET_ACCESS_KEY", "@THIRD_SECRET@")


@COPIES
@pytest.mark.parametrize("connection", [KEYED, ASSUMING, FILED])
def test_copied_credentials_are_the_same(
    program: Program, connection: Any, make_copy: Copy
) -> None:
    program.arrange(connection, credentials=FILE)
    botocore_conn_provider.install()
    credentials: Any = boto3.Session().get_credentials()
    first = credentials.get_frozen_credentials()
    become_another(program)
    copied = make_copy(credentials)
    assert type(copied) is type(credentials)
    assert copied.get_frozen_credentials() == first
    # The oldest botocore's own have no account_id.
    for name in ("method", "account_id"):
        assert getattr(copied, name, None) == getattr(credentials, name, None)


@COPIES
def test_credentials_copied_before_use_ask_for_the_same_role(
    program: Program, make_copy: Copy
) -> None:
    program.arrange(ASSUMING)
    botocore_conn_provider.install()
    copied = make_copy(boto3.Session().get_credentials())
    become_another(program)
    assert isinstance(copied, RefreshableCredentials)
    assert program.signers() == []
    frozen = copied.get_frozen_credentials()
    assert program.signers() == ["KEY"]
    assert program.world.aws.requests[0].parameters["RoleArn"] == ROLE
    original: Any = boto3.Session().get_credentials()
    assert original.get_frozen_credentials() != frozen


@COPIES
def test_copied_keys_are_independent_as_botocores_are(
    program: Program, make_copy: Copy
) -> None:
    program.arrange(KEYED)
    botocore_conn_provider.install()
    credentials: Any = boto3.Session().get_credentials()
    copied = make_copy(credentials)
    copied.access_key = "AKIAOTHER"
    assert credentials.access_key == program.text("KEY")


@COPIES
def test_connection_that_is_gone_or_broken_does_not_matter_to_a_copy(
    program: Program, make_copy: Copy
) -> None:
    program.arrange(KEYED)
    credentials: Any = botocore_conn_provider.session("aws_default").get_credentials()
    program.change("AIRFLOW_CONN_AWS_DEFAULT", "aws://?role_arn=")
    assert make_copy(credentials).access_key == program.text("KEY")
    program.change("AIRFLOW_CONN_AWS_DEFAULT", "")
    assert make_copy(credentials).access_key == program.text("KEY")


def test_copied_credentials_are_pickled_as_the_recipe(program: Program) -> None:
    program.arrange(KEYED)
    botocore_conn_provider.install()
    copied = copy.deepcopy(boto3.Session().get_credentials())
    pickled = pickle.dumps(copied)
    assert program.text("SECRET").encode() not in pickled
    program.change("AIRFLOW_CONN_AWS_DEFAULT", ELSEWHERE)
    there: Any = pickle.loads(pickled)  # noqa: S301 - our own
    assert there.access_key == program.text("OTHER_KEY")


def make_boto3(session: Any) -> Any:
    return boto3.Session(botocore_session=session)


@COPIES
@pytest.mark.parametrize("wrap", [lambda session: session, make_boto3])
@pytest.mark.parametrize("used", [False, True])
@pytest.mark.parametrize(
    ("connection", "signers"),
    [(KEYED, ["KEY"]), (ASSUMING, ["KEY", "issued"]), (FILED, ["FILE_KEY"])],
)
def test_copied_session_is_the_same(
    program: Program,
    connection: Any,
    signers: list[str],
    make_copy: Copy,
    wrap: Copy,
    *,
    used: bool,
) -> None:
    program.arrange(connection, credentials=FILE)
    botocore_conn_provider.install()
    session = wrap(botocore.session.Session())
    if used:
        ask(session)
    become_another(program)
    copied = make_copy(session)
    assert type(copied) is type(session)
    ask(copied)
    assert program.signers()[-1] == signers[-1]
    if not used:
        assert program.signers() == signers


@COPIES
def test_copied_session_of_one_connection_stays_with_it(
    program: Program, make_copy: Copy
) -> None:
    program.arrange(KEYED, other=OTHER)
    botocore_conn_provider.install()
    other = botocore_conn_provider.session("other")
    botocore_conn_provider.uninstall()
    ask(make_copy(other))
    assert program.signers() == ["OTHER_KEY"]


@COPIES
def test_copy_that_is_given_keys_uses_them(program: Program, make_copy: Copy) -> None:
    program.arrange(KEYED)
    botocore_conn_provider.install()
    session = botocore.session.Session()
    copied = make_copy(session)
    copied.set_credentials(program.text("THIRD_KEY"), program.text("THIRD_SECRET"))
    ask(copied)
    ask(session)
    assert program.signers() == ["THIRD_KEY", "KEY"]


@COPIES
def test_original_that_is_given_keys_does_not_change_its_copy(
    program: Program, make_copy: Copy
) -> None:
    program.arrange(KEYED)
    botocore_conn_provider.install()
    session = botocore.session.Session()
    copied = make_copy(session)
    session.set_credentials(program.text("THIRD_KEY"), program.text("THIRD_SECRET"))
    ask(copied)
    ask(session)
    assert program.signers() == ["KEY", "THIRD_KEY"]


@COPIES
def test_default_config_of_a_copy_is_the_copys(
    program: Program, make_copy: Copy
) -> None:
    from botocore.config import Config

    program.arrange({**KEYED, "extra": {"config_kwargs": {"read_timeout": 7}}})
    botocore_conn_provider.install()
    session = botocore.session.Session()
    copied = make_copy(session)
    copied.set_default_client_config(Config(read_timeout=3))
    mine: Any = session.create_client("sts")
    other: Any = copied.create_client("sts")
    assert mine.meta.config.read_timeout == 7
    assert other.meta.config.read_timeout == 3


def test_deep_copy_has_variables_of_its_own(program: Program) -> None:
    program.arrange({**KEYED, "extra": {"region_name": "eu-north-1"}})
    botocore_conn_provider.install()
    session = botocore.session.Session()
    copied = copy.deepcopy(session)
    copied.set_config_variable("region", "us-west-2")
    assert copied.get_config_variable("region") == "us-west-2"
    assert session.get_config_variable("region") == "eu-north-1"


def test_copy_of_a_session_whose_profile_was_named_is_not_the_connections(
    program: Program,
) -> None:
    program.arrange(KEYED, credentials=FILE)
    botocore_conn_provider.install()
    for make_copy in (copy.copy, copy.deepcopy):
        ask(make_copy(botocore.session.Session(profile="there")))
    assert program.signers() == ["FILE_KEY", "FILE_KEY"]


@COPIES
def test_copy_of_a_broken_session_is_as_broken(
    program: Program, make_copy: Copy
) -> None:
    program.arrange(BROKEN)
    botocore_conn_provider.install()
    copied = make_copy(botocore.session.Session())
    program.change("AIRFLOW_CONN_AWS_DEFAULT", ELSEWHERE)
    with pytest.raises(InvalidConnectionError, match="role_arn"):
        ask(copied)
    assert program.signers() == []


@COPIES
def test_session_with_a_client_is_copied_beside_threads(
    program: Program, make_copy: Copy
) -> None:
    program.arrange(KEYED)
    botocore_conn_provider.install()
    session = botocore.session.Session()
    session.create_client("sts")
    made: list[Any] = []

    def copy_and_make() -> None:
        made.append(make_copy(session).get_credentials())

    threads = [threading.Thread(target=copy_and_make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {each.access_key for each in made} == {program.text("KEY")}


@COPIES
def test_provider_put_into_the_chain_is_in_its_copy(
    program: Program, make_copy: Copy
) -> None:
    program.arrange({"extra": {"region_name": "eu-north-1"}})
    botocore_conn_provider.install()
    session = botocore.session.Session()
    chain = session.get_component("credential_provider")
    chain.insert_before("env", Theirs(program))
    ask(make_copy(session))
    assert program.signers() == ["THIRD_KEY"]


class Theirs:
    METHOD = "theirs"
    CANONICAL_NAME = None

    def __init__(self, program: Program) -> None:
        self._keys = program.text("THIRD_KEY"), program.text("THIRD_SECRET")

    def load(self) -> Credentials:
        return Credentials(*self._keys, method=self.METHOD)


ABSENT = {"BOTOCORE_CONN_ID": "gone"}


@pytest.mark.parametrize(("connection", "env"), [(BROKEN, {}), (KEYED, ABSENT)])
def test_session_of_a_broken_connection_is_made_and_shown(
    program: Program, connection: Any, env: dict[str, str]
) -> None:
    program.arrange(connection, env=env)
    botocore_conn_provider.install()
    session = boto3.Session()
    assert repr(session) == "Session(region_name=None)"
    assert repr(boto3.Session(region_name="eu-north-1")) == (
        "Session(region_name='eu-north-1')"
    )
    for _ in range(2):
        with pytest.raises(InvalidConnectionError):
            session.client("s3")
        with pytest.raises(InvalidConnectionError):
            session.get_credentials()
    assert program.signers() == []


def test_profile_of_the_environment_is_not_taken_for_a_broken_connection(
    program: Program,
) -> None:
    program.arrange(
        {**BROKEN},
        env={"AWS_PROFILE": "there"},
        config="[profile there]\nregion = us-west-2\n",
        credentials=FILE,
    )
    botocore_conn_provider.install()
    session = boto3.Session()
    assert session.profile_name == "default"
    shown: Any = session.region_name
    assert shown is None
