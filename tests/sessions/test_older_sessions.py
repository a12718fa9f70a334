"""What the program gave an older session stays; what botocore's chain found goes."""

from __future__ import annotations

import datetime
import logging
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import pytest
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialResolver,
    Credentials,
    DeferredRefreshableCredentials,
    ReadOnlyCredentials,
    RefreshableCredentials,
    SharedCredentialProvider,
)

import botocore_conn_provider
from tests.sessions.program import ASSUMING, BROKEN, KEYED, OTHER, ROLE, ask
from tests.sessions.wire import records_of_botocore_from

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.session import Session

    from tests.sessions.program import Program

    Give = Callable[[Program, Session], None]

METHODS = ["theirs", "sts-assume-role", "assume-role", "env", "iam-role"]
FILE = "[default]\naws_access_key_id=@FILE_KEY@\naws_secret_access_key=@FILE_SECRET@\n"


def make_refreshable(program: Program, method: str) -> RefreshableCredentials:
    def refresh() -> dict[str, str]:
        expires_at = datetime.datetime.now(datetime.timezone.utc)
        expires_at += datetime.timedelta(hours=1)
        return {
            "access_key": program.text("THIRD_KEY"),
            "secret_key": program.text("THIRD_SECRET"),
            "token": program.text("THIRD_TOKEN"),
            "expiry_time": expires_at.isoformat(),
        }

    return RefreshableCredentials.create_from_metadata(
        refresh(), refresh_using=refresh, method=method
    )


class Theirs:
    """A provider of the program's own, with keys or without."""

    METHOD = "theirs"
    CANONICAL_NAME = None

    def __init__(self, program: Program, *, has_keys: bool = True) -> None:
        self._keys = program.text("THIRD_KEY"), program.text("THIRD_SECRET")
        self._has_keys = has_keys

    def load(self) -> Credentials | None:
        return Credentials(*self._keys, method="theirs") if self._has_keys else None


@pytest.mark.parametrize("looked", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_credentials_that_the_program_assigned_stay(
    program: Program, method: str, *, looked: bool
) -> None:
    program.arrange(KEYED)
    session: Any = botocore.session.Session()
    if looked:
        session.get_credentials()
    session._credentials = make_refreshable(program, method)
    botocore_conn_provider.install()
    ask(session)
    assert program.signers() == ["THIRD_KEY"]


@pytest.mark.parametrize("looked", [False, True])
def test_role_that_the_program_assumes_by_botocores_own_fetcher_stays(
    program: Program, *, looked: bool
) -> None:
    program.arrange(KEYED)
    base = botocore.session.Session()
    session: Any = base if looked else botocore.session.Session()
    source: Any = base.get_credentials()
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=base.create_client, source_credentials=source, role_arn=ROLE
    )
    session._credentials = DeferredRefreshableCredentials(
        method="assume-role", refresh_using=fetcher.fetch_credentials
    )
    botocore_conn_provider.install()
    # The program's exchange is the program's, and botocore logs its answer.
    with records_of_botocore_from(logging.INFO):
        ask(session)
    assert program.signers() == ["AMBIENT_KEY", "issued"]


@pytest.mark.parametrize("looked", [False, True])
def test_keys_that_the_program_set_stay(program: Program, *, looked: bool) -> None:
    program.arrange(KEYED)
    session = botocore.session.Session()
    if looked:
        session.get_credentials()
    session.set_credentials(program.text("THIRD_KEY"), program.text("THIRD_SECRET"))
    botocore_conn_provider.install()
    ask(session)
    assert program.signers() == ["THIRD_KEY"]


def test_frozen_keys_that_the_program_assigned_stay(program: Program) -> None:
    program.arrange(KEYED)
    session: Any = botocore.session.Session()
    frozen = ReadOnlyCredentials(
        program.text("THIRD_KEY"), program.text("THIRD_SECRET"), None
    )
    session._credentials = frozen
    botocore_conn_provider.install()
    assert session.get_credentials() is frozen


def insert_before(program: Program, session: Session) -> None:
    chain = session.get_component("credential_provider")
    chain.insert_before("env", Theirs(program))


def insert_after(program: Program, session: Session) -> None:
    chain = session.get_component("credential_provider")
    chain.insert_after("env", Theirs(program))


def insert_between_the_last(program: Program, session: Session) -> None:
    chain = session.get_component("credential_provider")
    chain.insert_before("iam-role", Theirs(program))


def register(program: Program, session: Session) -> None:
    resolver = CredentialResolver([Theirs(program)])  # type: ignore[list-item] # quacks
    session.register_component("credential_provider", resolver)


def register_lazily(program: Program, session: Session) -> None:
    session.lazy_register_component(
        "credential_provider",
        lambda: CredentialResolver([Theirs(program)]),  # type: ignore[list-item]
    )


class Resolver:
    """A resolver that is none of botocore's."""

    def __init__(self, program: Program) -> None:
        self._provider = Theirs(program)

    def load_credentials(self) -> Credentials | None:
        return self._provider.load()


def register_own_class(program: Program, session: Session) -> None:
    session.register_component("credential_provider", Resolver(program))


GIVEN = [
    insert_before,
    insert_after,
    insert_between_the_last,
    register,
    register_lazily,
    register_own_class,
]


@pytest.mark.parametrize("connection", [KEYED, ASSUMING])
@pytest.mark.parametrize("give", GIVEN)
def test_provider_that_the_program_gave_stays(
    program: Program, give: Give, connection: Any
) -> None:
    program.arrange(connection)
    session = botocore.session.Session()
    give(program, session)
    botocore_conn_provider.install()
    ask(session)
    assert program.signers() == ["THIRD_KEY"]


@pytest.mark.parametrize("give", GIVEN)
def test_provider_that_is_given_after_installing_counts_too(
    program: Program, give: Give
) -> None:
    program.arrange(KEYED)
    botocore_conn_provider.install()
    session = botocore.session.Session()
    give(program, session)
    ask(session)
    assert program.signers() == ["THIRD_KEY"]


@pytest.mark.parametrize("give", GIVEN)
def test_provider_stays_when_another_connection_is_installed(
    program: Program, give: Give
) -> None:
    program.arrange(KEYED, other=OTHER)
    botocore_conn_provider.install()
    boto3.setup_default_session()
    default: Any = boto3.DEFAULT_SESSION
    give(program, default._session)
    botocore_conn_provider.install("other")
    ask()
    assert program.signers() == ["THIRD_KEY"]


def test_credentials_assigned_to_the_default_session_stay_at_another_installation(
    program: Program,
) -> None:
    program.arrange(KEYED, other=OTHER)
    botocore_conn_provider.install()
    ask()
    default: Any = boto3.DEFAULT_SESSION
    default._session._credentials = make_refreshable(program, "assume-role")
    botocore_conn_provider.install("other")
    ask()
    assert program.signers() == ["KEY", "THIRD_KEY"]


def test_provider_without_keys_leaves_it_to_the_connection(program: Program) -> None:
    program.arrange(KEYED)
    session = botocore.session.Session()
    chain = session.get_component("credential_provider")
    chain.insert_before("env", Theirs(program, has_keys=False))
    botocore_conn_provider.install()
    ask(session)
    assert program.signers() == ["KEY"]


@pytest.mark.parametrize("older", [False, True])
def test_provider_behind_all_others_stays_behind(
    program: Program, *, older: bool
) -> None:
    program.arrange(KEYED)
    if not older:
        botocore_conn_provider.install()
    session = botocore.session.Session()
    chain = session.get_component("credential_provider")
    chain.insert_after("iam-role", Theirs(program))
    botocore_conn_provider.install()
    ask(session)
    assert program.signers() == ["KEY"]


def test_file_that_the_program_chose_stays(program: Program) -> None:
    program.arrange(KEYED, credentials=FILE)
    session = botocore.session.Session()
    file = session.get_config_variable("credentials_file")
    provider = SharedCredentialProvider(file, "default")
    session.register_component("credential_provider", CredentialResolver([provider]))
    session.get_credentials()
    botocore_conn_provider.install()
    ask(session)
    assert program.signers() == ["FILE_KEY"]


@pytest.mark.parametrize("connection", [KEYED, ASSUMING])
def test_chain_with_less_in_it_is_still_botocores(
    program: Program, connection: Any
) -> None:
    program.arrange(connection)
    session = botocore.session.Session()
    session.get_component("credential_provider").remove("iam-role")
    session.get_credentials()
    botocore_conn_provider.install()
    ask(session)
    assert program.signers()[0] == "KEY"
    methods = [
        each.METHOD for each in session.get_component("credential_provider").providers
    ]
    assert methods[0] in ("conn-static", "conn-assume-role")
    assert "iam-role" not in methods


@pytest.mark.parametrize(
    ("env", "files", "profile"),
    [
        ({}, {}, ""),
        (
            {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None},
            {"credentials": FILE},
            "",
        ),
        (
            {"AWS_PROFILE": "roled", "AWS_ACCESS_KEY_ID": None},
            {
                "credentials": FILE,
                "config": f"[profile roled]\nrole_arn={ROLE}\nsource_profile=default\n",
            },
            "",
        ),
    ],
)
def test_what_the_chain_found_goes(
    program: Program, env: dict[str, Any], files: dict[str, str], profile: str
) -> None:
    program.arrange(KEYED, env=env, **files)
    session = botocore.session.Session(profile=profile or None)
    assert session.get_credentials() is not None
    botocore_conn_provider.install()
    ask(session)
    assert program.signers() == ["KEY"]


def test_chain_of_an_older_session_with_a_profile_is_the_very_same(
    program: Program,
) -> None:
    program.arrange(KEYED, credentials=FILE)
    session = botocore.session.Session(profile="default")
    before = session.get_component("credential_provider").get_provider("assume-role")
    botocore_conn_provider.install()
    session.get_credentials()
    after = session.get_component("credential_provider").get_provider("assume-role")
    assert after is before


def test_identity_of_the_chain_keeps_the_programs_order(program: Program) -> None:
    program.arrange({"extra": {"region_name": "eu-north-1"}})
    session = botocore.session.Session()
    chain = session.get_component("credential_provider")
    chain.insert_after("env", Theirs(program))
    chain.remove("iam-role")
    botocore_conn_provider.install()
    ask(session)
    assert program.signers() == ["AMBIENT_KEY"]
    methods = [
        each.METHOD for each in session.get_component("credential_provider").providers
    ]
    assert methods[:2] == ["env", "theirs"]
    assert "iam-role" not in methods


def test_class_with_a_chain_of_its_own_keeps_it(program: Program) -> None:
    class OwnSession(botocore.session.Session):
        def _create_credential_resolver(self) -> Any:
            return Resolver(program)

    program.arrange(KEYED)
    older = OwnSession()
    botocore_conn_provider.install()
    ask(older)
    ask(OwnSession())
    assert program.signers() == ["THIRD_KEY", "THIRD_KEY"]


def test_broken_connection_raises_for_an_older_session_with_a_chain(
    program: Program,
) -> None:
    program.arrange(BROKEN)
    session = botocore.session.Session()
    insert_before(program, session)
    botocore_conn_provider.install()
    with pytest.raises(botocore_conn_provider.InvalidConnectionError):
        ask(session)


def test_settings_of_the_connection_count_beside_the_programs_identity(
    program: Program,
) -> None:
    program.arrange({**KEYED, "extra": {"region_name": "eu-north-1"}})
    session = botocore.session.Session()
    register(program, session)
    botocore_conn_provider.install()
    ask(session)
    assert program.signers() == ["THIRD_KEY"]
    assert program.world.aws.requests[0].region == "eu-north-1"


def test_older_session_that_lacks_a_variable_can_be_fitted(program: Program) -> None:
    session = botocore.session.Session()
    del session.session_var_map["profile"]
    program.arrange(KEYED)
    botocore_conn_provider.install()
    ask(session)
    assert program.signers() == ["KEY"]
