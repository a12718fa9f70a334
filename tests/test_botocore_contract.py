"""Every member of botocore and boto3 that we lean on, public or not."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import boto3
import boto3.session
import botocore
import botocore.session
import botocore.utils
import pytest
from botocore import client, credentials, endpoint, exceptions, handlers, signers
from botocore.config import Config
from botocore.configprovider import (
    BaseProvider,
    ConfiguredEndpointProvider,
    ConstantProvider,
)
from botocore.hooks import HierarchicalEmitter
from botocore.loaders import create_loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from google.auth import pluggable

from botocore_conn_provider.exchange.base_session import MACHINE_PROVIDERS
from botocore_conn_provider.exchange.checks import STS_MODEL
from botocore_conn_provider.exchange.session_view import (
    describe_handlers,
    name_object,
)
from botocore_conn_provider.sessions.client_creation import ARGUMENTS
from botocore_conn_provider.sessions.presigners import PRESIGNERS


def test_frozen_credentials_begin_with_the_three_keys() -> None:
    fields = credentials.ReadOnlyCredentials._fields
    assert fields[:3] == ("access_key", "secret_key", "token")
    assert fields[3:] in ((), ("account_id",))


def test_refreshable_credentials_have_the_members_we_override() -> None:
    theirs = credentials.RefreshableCredentials
    for name in ("access_key", "secret_key", "token"):
        assert isinstance(inspect.getattr_static(theirs, name), property)
    assert list(inspect.signature(theirs.refresh_needed).parameters) == [
        "self",
        "refresh_in",
    ]
    assert list(inspect.signature(theirs.get_frozen_credentials).parameters) == ["self"]
    assert "_expiry_time" in inspect.getsource(theirs)


def test_signing_comes_before_a_last_handler_of_all_requests() -> None:
    order: list[str] = []
    events = HierarchicalEmitter()
    events.register_last("request-created", lambda **_: order.append("ours"))
    events.register("request-created.s3", lambda **_: order.append("signer"))
    events.emit("request-created.s3.GetObject")
    assert order == ["signer", "ours"]


def test_first_answer_that_is_not_none_decides_about_a_retry() -> None:
    source = inspect.getsource(endpoint)
    assert "first_non_none_response" in source
    for name in ("response=", "request_dict="):
        assert name in source


def test_sessions_offer_their_events() -> None:
    events = botocore.session.Session().get_component("event_emitter")
    for name in ("register", "register_last", "unregister"):
        assert "unique_id" in inspect.signature(getattr(events, name)).parameters


def test_handlers_of_a_program_are_found_among_botocores() -> None:
    def watch(**_: object) -> None: ...

    events = botocore.session.Session().get_component("event_emitter")
    assert list(describe_handlers(events)) == []
    events.register("*.sts.AssumeRole", watch)
    events.register("before-call.s3", lambda **_: None)
    (found,) = describe_handlers(copy.copy(events))
    assert found[0] == f"handler {name_object(watch)}"


def test_every_session_calls_the_initializers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[object] = []
    monkeypatch.setattr(botocore, "_INITIALIZERS", [])
    botocore.register_initializer(seen.append)
    session = botocore.session.Session()
    botocore.unregister_initializer(seen.append)
    botocore.session.Session()
    assert seen == [session]


def test_sessions_have_the_members_that_are_wrapped_and_used() -> None:
    own = vars(botocore.session.Session)
    for name in ("create_client", "get_credentials"):
        assert inspect.isfunction(own[name])
    session = botocore.session.Session()
    assert session.instance_variables() == {}
    assert vars(session)["_credentials"] is None
    session.set_config_variable("region", "eu-west-1")
    session.set_config_variable("profile", "p")
    assert session.instance_variables() == {"region": "eu-west-1", "profile": "p"}
    session.set_credentials("AKIA", "s", "t")
    assert vars(session)["_credentials"].method == "explicit"
    assert session.get_default_client_config() is None
    assert session.available_profiles == []


def test_clients_take_the_arguments_that_are_filled_in() -> None:
    taken = inspect.signature(botocore.session.Session.create_client).parameters
    assert tuple(taken)[1 : len(ARGUMENTS) + 1] == ARGUMENTS


def test_session_asks_its_components_for_credentials_and_variables() -> None:
    session = botocore.session.Session()
    session.register_component("credential_provider", OneProvider())
    loader = session.get_component("data_loader")
    session.register_component("data_loader", loader)
    found = session.get_credentials()
    assert found is not None
    assert (found.access_key, found.method) == ("AKIA", "ours")
    asked: list[str] = []
    other = botocore.session.Session()
    other.lazy_register_component("credential_provider", lambda: asked.append("now"))
    assert asked == []
    other.get_component("credential_provider")
    assert asked == ["now"]


class OneProvider(credentials.CredentialResolver):
    """Overrides `providers`, as ours does, and calls no constructor."""

    def __init__(self) -> None:
        pass

    @property
    def providers(self) -> list[Any]:  # type: ignore[override]
        return [self]

    def load(self) -> credentials.Credentials:
        return credentials.Credentials("AKIA", "s", method="ours")

    METHOD = "ours"


def test_config_store_lets_a_provider_be_replaced() -> None:
    session = botocore.session.Session()
    store = session.get_component("config_store")
    for name in ("region", "profile"):
        replaced = store.get_config_provider(name)
        assert isinstance(replaced, BaseProvider)
        store.set_config_provider(name, ConstantProvider(f"a {name}"))
        assert session.get_config_variable(name) == f"a {name}"
    store.set_config_variable("profile", None)
    assert session.get_config_variable("profile") is None


def test_chain_is_made_for_a_session_and_holds_the_machines_providers() -> None:
    session = botocore.session.Session()
    chain = credentials.create_credential_resolver(session, region_name="eu-west-1")
    methods = {each.METHOD for each in chain.providers}
    assert set(MACHINE_PROVIDERS) - {"ec2-credentials-file"} <= methods
    for name in MACHINE_PROVIDERS:
        chain.get_provider(name)
        chain.remove(name)
    assert not {"iam-role", "container-role"} & {
        each.METHOD for each in chain.providers
    }


def test_providers_of_our_own_may_have_the_names_we_give() -> None:
    theirs = credentials.CredentialProvider()
    assert (theirs.METHOD, theirs.CANONICAL_NAME) == (None, None)
    assert inspect.signature(credentials.CredentialProvider.load).parameters


def test_static_credentials_have_the_members_we_set() -> None:
    given = credentials.Credentials("AKIA", "s", None, method="m")
    frozen = given.get_frozen_credentials()
    assert frozen[:3] == ("AKIA", "s", None)
    setattr(given, "account_id", "1")  # noqa: B010 - the oldest has no such member


def test_default_session_of_boto3_shows_its_botocore_session() -> None:
    assert hasattr(boto3, "DEFAULT_SESSION")
    inner = botocore.session.Session()
    assert boto3.session.Session(botocore_session=inner)._session is inner


def test_config_knows_its_options_and_merges_above_others() -> None:
    assert {"retries", "proxies", "region_name"} <= set(Config.OPTION_DEFAULTS)
    below, above = Config(read_timeout=1, connect_timeout=1), Config(read_timeout=2)
    merged: Any = below.merge(above)
    assert (merged.read_timeout, merged.connect_timeout) == (2, 1)
    with pytest.raises(TypeError):
        Config(no_such_option=1)  # type: ignore[call-arg]


def test_sts_model_is_where_it_is_read_and_judges_parameters() -> None:
    model = ServiceModel(create_loader().load_data(STS_MODEL), "sts")
    for operation in (
        "AssumeRole",
        "AssumeRoleWithSAML",
        "AssumeRoleWithWebIdentity",
    ):
        shape = model.operation_model(operation).input_shape
        assert shape is not None
        duration = shape.members["DurationSeconds"]
        validate: Any = ParamValidator().validate  # the stubs take mappings only
        assert not validate(900, duration).has_errors()
        assert validate("x", duration).has_errors()


def test_errors_of_the_network_have_the_roots_we_sort_by() -> None:
    for error in ("EndpointConnectionError", "ConnectTimeoutError", "SSLError"):
        assert issubclass(getattr(exceptions, error), exceptions.ConnectionError)
    for error in ("ReadTimeoutError", "ConnectionClosedError"):
        assert issubclass(getattr(exceptions, error), exceptions.HTTPClientError)
    address = exceptions.EndpointConnectionError(endpoint_url="http://x")
    assert vars(address)["kwargs"] == {"endpoint_url": "http://x"}


def test_clients_find_their_endpoint_by_a_member_that_we_replace() -> None:
    method: Any = vars(botocore.session.Session)["_add_configured_endpoint_provider"]
    assert list(inspect.signature(method).parameters) == [
        "self",
        "client_name",
        "config_store",
    ]
    parameters = inspect.signature(ConfiguredEndpointProvider).parameters
    assert {"full_config", "scoped_config", "client_name", "environ"} <= set(parameters)


def test_commands_of_external_accounts_get_variables_by_a_member_that_we_replace() -> (
    None
):
    method = vars(pluggable.Credentials)["_inject_env_variables"]
    assert list(inspect.signature(method).parameters) == ["self", "env"]


def test_session_shows_whether_its_resolver_was_made() -> None:
    session = botocore.session.Session()
    locator = vars(vars(session)["_components"])
    factory = locator["_deferred"]["credential_provider"]
    assert factory.__module__ == "botocore.session"
    assert "credential_provider" not in locator["_components"]
    made = session.get_component("credential_provider")
    assert locator["_components"]["credential_provider"] is made
    assert "credential_provider" not in locator["_deferred"]
    assert type(made).__module__ == "botocore.credentials"
    assert "assume-role" in [each.METHOD for each in made.providers]


def test_refreshable_credentials_hold_what_renews_them() -> None:
    def refresh() -> dict[str, str]:
        raise NotImplementedError

    deferred = credentials.DeferredRefreshableCredentials(refresh, "theirs")
    assert vars(deferred)["_refresh_using"] is refresh


def test_signer_is_chosen_with_the_requests_context() -> None:
    source = inspect.getsource(signers)
    assert "choose-signer" in source
    for name in ("signing_name=", "context="):
        assert name in source
    if hasattr(botocore.utils, "get_token_from_environment"):
        assert "'auth_options'" in inspect.getsource(client)
        assert "auth_options" in inspect.getsource(handlers)
        parameters = inspect.signature(botocore.session.Session.get_auth_token)
        assert "kwargs" in parameters.parameters


def test_merging_a_config_takes_what_its_constructor_was_told() -> None:
    config: Any = Config(read_timeout=3)
    config.connect_timeout = 7
    merged: Any = Config().merge(config)
    assert (merged.read_timeout, merged.connect_timeout) == (3, 60)


def test_provider_of_a_login_has_its_keys_from_awscrt() -> None:
    """`doctor` tells by these two names what a profile with a login needs."""
    if hasattr(credentials, "LoginProvider"):  # from 1.41.0 on
        assert hasattr(credentials, "EC")
        assert "EC is None" in inspect.getsource(credentials.LoginProvider.load)


def test_presigners_take_their_time_where_we_read_it() -> None:
    for name, (place, usual) in PRESIGNERS.items():
        theirs = getattr(signers, name, None) or getattr(signers, f"dsql_{name}", None)
        if theirs is None:
            assert "db_connect" in name  # younger than the oldest botocore
            continue
        taken = list(inspect.signature(theirs).parameters.values())[1:]
        told = [(n, each.default) for n, each in enumerate(taken)]
        times = [told[n] for n, each in enumerate(taken) if each.name == "ExpiresIn"]
        assert times == ([] if place is None else [(place, usual)])
    assert "expires_in=900" in inspect.getsource(signers.generate_db_auth_token)


def test_every_presigner_that_botocore_adds_is_known() -> None:
    added = [
        name
        for event, handler, *_ in handlers.BUILTIN_HANDLERS
        if event.startswith("creating-client-class") and callable(handler)
        for name in find_added(handler)
        if "presign" in name or "token" in name
    ]
    assert "generate_presigned_url" in added
    assert set(added) <= set(PRESIGNERS)


def find_added(handler: Any) -> list[str]:
    attributes: dict[str, Any] = {}
    handler(class_attributes=attributes)
    return list(attributes)


def test_client_tells_whose_credentials_sign() -> None:
    session = botocore.session.Session()
    session.set_credentials("AKIA", "s", "t")
    made: Any = session.create_client("sts", "eu-west-1")
    assert made._get_credentials() is session.get_credentials()


def test_presigners_are_put_on_a_class_before_a_last_handler() -> None:
    seen: dict[str, Any] = {}
    session = botocore.session.Session()
    events: Any = session.get_component("event_emitter")

    def look(class_attributes: dict[str, Any], **_: Any) -> None:
        seen.update(class_attributes)

    events.register_last("creating-client-class", look)
    session.set_credentials("AKIA", "s", "t")
    for service in ("s3", "rds"):
        session.create_client(service, "eu-west-1")
    assert {name for name in PRESIGNERS if "connect" not in name} <= set(seen)
