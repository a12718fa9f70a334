"""What a program said on its session is told apart by content, else by the object."""

from __future__ import annotations

import functools
from typing import Any

import botocore.session
import pytest
from botocore.hooks import HierarchicalEmitter

from botocore_conn_provider.connection.environment import Snapshot
from botocore_conn_provider.connection.record import Connection
from botocore_conn_provider.exchange.base_session import create_base_session
from botocore_conn_provider.exchange.session_reading import view_session
from botocore_conn_provider.exchange.session_view import (
    EVENTS,
    SessionView,
    name_object,
)


class Thing:
    """What a program may hand to botocore: a handler, a value."""

    def __call__(self, **_: Any) -> None:
        """Do nothing."""


class Bare:
    """A thing that nothing can refer to weakly."""

    __slots__ = ()


def describe(value: Any) -> dict[str, str]:
    return SessionView(snapshot=Snapshot.take(), variables={"v": value}).describe()


@pytest.mark.parametrize("make", [Thing, lambda: functools.partial(print, Thing())])
def test_object_keeps_its_name_and_no_other_gets_it(make: Any) -> None:
    names, addresses = set(), set()
    for _ in range(50):
        thing = make()
        assert name_object(thing) == name_object(thing)
        names.add(name_object(thing))
        addresses.add(id(thing))
        del thing
    assert len(addresses) < len(names) == 50


def test_object_that_cannot_be_followed_has_another_name_each_time() -> None:
    bare = Bare()
    assert name_object(bare) != name_object(bare)


@pytest.mark.parametrize(
    "value", [1, "a", None, [1, ("a", {"b": 2.5})], Thing], ids=str
)
def test_same_content_is_described_the_same(value: Any) -> None:
    assert describe(value) == describe(value)


@pytest.mark.parametrize("make", [Thing, lambda: [Thing()], lambda: {"a": (Thing(),)}])
def test_value_of_an_unknown_kind_is_told_apart_by_the_object(make: Any) -> None:
    told = [describe(make())["v"] for _ in range(50)]
    assert len(set(told)) == 50


def test_handlers_that_were_described_once_are_told_as_ever() -> None:
    session = botocore.session.Session()
    session.register("before-call.sts.AssumeRole", lambda **_: None)
    view = view_session(session, Snapshot.take())
    told = view.describe()
    assert any(name.startswith("handler ") for name in told)
    assert view.describe_handlers_once().describe() == told


def list_handlers(events: Any, event: str) -> list[Any]:
    return list(events._emitter._handlers.prefix_search(event))


@pytest.mark.parametrize("service", ["sts", "sso", "sso-oidc", "signin"])
def test_exchange_calls_the_handlers_that_were_there_in_their_order(
    service: str,
) -> None:
    session = botocore.session.Session()
    events = session.get_component("event_emitter")
    for name in ("before-call", "before-call.*.AssumeRole", "*", f"*.{service}"):
        events.register(name, Thing())
        events.register_first(name, Thing())
        events.register_last(name, Thing(), unique_id=name)
    view = view_session(session, Snapshot.take())
    asked = [f"{event}.{service}.AssumeRole" for event in EVENTS]
    before = [list_handlers(events, event) for event in asked]
    events.register_first(f"before-call.{service}", Thing())
    events.unregister("*", unique_id="*")
    assert [list_handlers(view.events, event) for event in asked] == before
    assert any(before)


def test_exchange_copies_no_handlers_of_other_services() -> None:
    session = botocore.session.Session()
    events = session.get_component("event_emitter")
    events.register("made-up.s3", Thing())
    assert events.emit("made-up.s3")  # botocore remembers whom it has called
    heard: Any = view_session(session, Snapshot.take()).events
    assert heard.emit("made-up.s3") == []


def test_emitter_of_another_kind_is_copied_whole() -> None:
    class Own(HierarchicalEmitter):
        """A program's."""

    session = botocore.session.Session(event_hooks=Own())
    session.register("before-call.s3", Thing())
    view = view_session(session, Snapshot.take())
    assert type(vars(view.events)["_emitter"]) is Own
    assert list_handlers(view.events, "before-call.s3")


def test_base_session_replaces_old_names_of_events_once() -> None:
    session = botocore.session.Session()
    view = view_session(session, Snapshot.take())
    settings = Connection.parse(
        '{"conn_type": "aws", "extra": {"region_name": "eu-central-1"}}',
        "a",
        environ={},
    ).settings
    base = create_base_session(settings, view)
    heard: list[str] = []
    base.register("made-up", lambda **told: heard.append(told["event_name"]))
    base.get_component("event_emitter").emit("made-up.event")
    # The emitter that its clients copy: wrapped as often as that of any session.
    kinds = [type(base.get_component("event_emitter")._emitter)]
    assert kinds == [type(session.get_component("event_emitter")._emitter)]
    assert heard == ["made-up.event"]
