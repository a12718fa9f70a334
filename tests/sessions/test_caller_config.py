"""A caller's Config: untouched where the connection says nothing of it, else on top."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import pytest
from botocore import UNSIGNED
from botocore.config import Config

import botocore_conn_provider
from tests.sessions.program import KEYED, ask, list_buckets, with_config

if TYPE_CHECKING:
    from tests.sessions.program import Program

TIMEOUT = {"connect_timeout": 7}


class Noting(botocore.session.Session):
    """Notes with what its own `create_client` is called."""

    calls: list[tuple[tuple[Any, ...], dict[str, Any]]]

    def create_client(self, *args: Any, **kwargs: Any) -> Any:
        vars(self).setdefault("calls", []).append((args, kwargs))
        return super().create_client(*args, **kwargs)


class NotMaking(botocore.session.Session):
    """Returns the Config with which it is asked for a client."""

    def create_client(self, *_: Any, **kwargs: Any) -> Any:
        return kwargs.get("config")


def attributes(**options: Any) -> Config:
    """Return a Config whose options were set after its creation."""
    config = Config()
    for name, value in options.items():
        setattr(config, name, value)
    return config


@pytest.mark.parametrize("config", [None, Config(), Config(read_timeout=3)])
def test_config_passes_untouched_where_the_connection_says_nothing(
    program: Program, config: Config | None
) -> None:
    program.arrange(KEYED)
    botocore_conn_provider.install()
    session = Noting()
    session.create_client("sts", config=config)
    ((args, kwargs),) = session.calls
    assert args == ("sts",)
    assert kwargs.keys() == {"config"}
    assert kwargs["config"] is config


def test_arguments_stay_as_they_were_given(program: Program) -> None:
    program.arrange(KEYED)
    botocore_conn_provider.install()
    session = Noting()
    session.create_client("sts", "us-west-2", use_ssl=True)
    session.create_client(service_name="sts")
    assert session.calls == [
        (("sts", "us-west-2"), {"use_ssl": True}),
        ((), {"service_name": "sts"}),
    ]


def test_positional_config_is_merged_in_its_place(program: Program) -> None:
    program.arrange(with_config(**TIMEOUT))
    botocore_conn_provider.install()
    session = Noting()
    config = Config(read_timeout=3)
    arguments: Any = ("sts", "us-west-2", None, True, *(None,) * 5, config)
    client: Any = session.create_client(*arguments)
    ((args, kwargs),) = session.calls
    assert (len(args), kwargs) == (len(arguments), {})
    assert client.meta.config.connect_timeout == 7
    assert client.meta.config.read_timeout == 3


def test_smart_timeouts_of_a_defaults_mode_count(program: Program) -> None:
    program.arrange(KEYED, env={"AWS_DEFAULTS_MODE": "standard"})
    bare: Any = boto3.client("sts")
    botocore_conn_provider.install()
    client: Any = boto3.client("sts")
    assert bare.meta.config.connect_timeout == 3.1
    assert client.meta.config.connect_timeout == 3.1


@pytest.mark.parametrize("connection", [KEYED, with_config(**TIMEOUT)])
@pytest.mark.parametrize("as_default", [False, True])
def test_request_meant_to_be_unsigned_is_not_signed(
    program: Program, connection: Any, *, as_default: bool
) -> None:
    program.arrange(connection)
    botocore_conn_provider.install()
    session = botocore.session.Session()
    config = attributes(signature_version=UNSIGNED)
    if as_default:
        session.set_default_client_config(config)
        list_buckets(session)
    else:
        list_buckets(session, config=config)
    assert program.signers() == ["unsigned"]


def test_unsigned_beside_a_default_config_of_the_session_is_not_signed(
    program: Program,
) -> None:
    program.arrange(with_config(**TIMEOUT))
    botocore_conn_provider.install()
    session = botocore.session.Session()
    session.set_default_client_config(Config(read_timeout=3))
    list_buckets(session, config=attributes(signature_version=UNSIGNED))
    assert program.signers() == ["unsigned"]


OPTIONS = [
    ("signature_version", "s3"),
    ("user_agent", "theirs"),
    ("user_agent_extra", "theirs"),
    ("connect_timeout", 11),
    ("read_timeout", 11),
    ("max_pool_connections", 11),
    ("proxies", {"http": "http://127.0.0.1:9"}),
    ("retries", {"max_attempts": 4}),
    ("s3", {"addressing_style": "path"}),
    ("inject_host_prefix", False),
    ("tcp_keepalive", True),
]
BELOW = {
    "connect_timeout": 7,
    "read_timeout": 7,
    "max_pool_connections": 7,
    "user_agent": "connection",
    "user_agent_extra": "connection",
    "signature_version": "s3v4",
    "proxies": {"http": "http://127.0.0.1:8"},
    "retries": {"max_attempts": 2},
    "s3": {"addressing_style": "virtual"},
}


@pytest.mark.parametrize(("name", "value"), OPTIONS)
def test_attribute_of_the_callers_config_beats_the_connection(
    program: Program, name: str, value: Any
) -> None:
    program.arrange(with_config(**BELOW))
    botocore_conn_provider.install()
    config = attributes(**{name: value})
    merged: Any = NotMaking().create_client("s3", config=config)
    assert getattr(merged, name) == value
    others = {each: getattr(merged, each) for each in BELOW if each != name}
    assert others == {each: BELOW[each] for each in BELOW if each != name}


def test_option_that_was_said_and_set_back_stays_back(program: Program) -> None:
    program.arrange(with_config(**TIMEOUT))
    botocore_conn_provider.install()
    config: Any = Config(connect_timeout=11)
    config.connect_timeout = 60
    client: Any = boto3.client("sts", config=config)
    assert client.meta.config.connect_timeout == 60


def test_option_that_is_said_at_its_default_beats_the_connection(
    program: Program,
) -> None:
    program.arrange(with_config(**TIMEOUT))
    botocore_conn_provider.install()
    client: Any = boto3.client("sts", config=Config(connect_timeout=60))
    assert client.meta.config.connect_timeout == 60


def test_defaults_mode_set_later_keeps_the_timeouts_it_found(program: Program) -> None:
    program.arrange(with_config(read_timeout=7))
    botocore_conn_provider.install()
    client: Any = boto3.client("sts", config=attributes(defaults_mode="standard"))
    assert client.meta.config.connect_timeout == 60


def test_clients_do_not_write_into_the_connections_options(program: Program) -> None:
    program.arrange(with_config(retries={"max_attempts": 2}))
    botocore_conn_provider.install()
    session = botocore.session.Session()
    modes = []
    for mode in ("adaptive", "standard"):
        program.change("AWS_RETRY_MODE", mode)
        client: Any = session.create_client("sts")
        modes.append(client.meta.config.retries["mode"])
    assert modes == ["adaptive", "standard"]


def test_callers_config_is_left_as_it_was(program: Program) -> None:
    program.arrange(with_config(**TIMEOUT))
    botocore_conn_provider.install()
    config = attributes(read_timeout=3)
    before = dict(vars(config))
    boto3.client("sts", config=config)
    assert vars(config) == before


def test_default_config_of_the_session_is_between_caller_and_connection(
    program: Program,
) -> None:
    program.arrange(
        with_config(connect_timeout=1, read_timeout=1, max_pool_connections=1)
    )
    botocore_conn_provider.install()
    session = botocore.session.Session()
    session.set_default_client_config(Config(read_timeout=2, max_pool_connections=2))
    client: Any = session.create_client("sts", config=Config(max_pool_connections=3))
    config = client.meta.config
    assert config.connect_timeout == 1
    assert config.read_timeout == 2
    assert config.max_pool_connections == 3


@pytest.mark.parametrize("connection", [KEYED, with_config(**TIMEOUT)])
@pytest.mark.parametrize("config", [None, Config(read_timeout=3)])
def test_resource_keeps_its_user_agent(
    program: Program, connection: Any, config: Config | None
) -> None:
    program.arrange(connection)
    botocore_conn_provider.install()
    assert list(boto3.resource("s3", config=config).buckets.all()) == []
    (request,) = program.world.aws.requests
    assert "Resource" in request.user_agent
    assert program.signers() == ["KEY"]


def test_pseudo_region_of_fips_keeps_the_connections_options(program: Program) -> None:
    program.arrange(with_config(**TIMEOUT))
    botocore_conn_provider.install()
    client: Any = boto3.client("sts", region_name="fips-us-east-1")
    assert client.meta.config.connect_timeout == 7


def test_class_that_is_patched_later_is_what_a_session_calls(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.arrange(KEYED)
    botocore_conn_provider.install()
    session = botocore.session.Session()
    monkeypatch.setattr(
        botocore.session.Session, "create_client", lambda *_, **__: "stubbed"
    )
    made: Any = session.create_client("sts")
    assert made == "stubbed"


def test_session_whose_method_is_patched_calls_that(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.arrange(KEYED)
    botocore_conn_provider.install()
    session = botocore.session.Session()
    monkeypatch.setattr(session, "create_client", lambda *_, **__: "stubbed")
    made: Any = session.create_client("sts")
    assert made == "stubbed"
    monkeypatch.undo()


def test_clients_of_a_class_of_the_programs_own_are_the_connections(
    program: Program,
) -> None:
    program.arrange(KEYED)
    botocore_conn_provider.install()
    ask(Noting())
    assert program.signers() == ["KEY"]
