"""Every member of botocore that the credentials and the rejection lean on."""

from __future__ import annotations

import inspect

import botocore.session
from botocore import credentials, endpoint
from botocore.hooks import HierarchicalEmitter


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
