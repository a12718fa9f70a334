"""Make a session's clients with the connection's defaults.

A fitted session gets a class of its own, made from the class it had, whose
`create_client` fills in what the caller left None: Config, endpoint and `verify`. It
is a class and not an attribute of the session because copies of a session are made
without its methods: an attribute would go on making the original's clients.
"""

from __future__ import annotations

import copy
import functools
import sys
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore import UNSIGNED

from botocore_conn_provider.fork import ProcessLock
from botocore_conn_provider.secret import Hidden

try:
    from botocore.context import start_as_current_context
except ImportError:  # an older botocore, which tells no features
    from contextlib import (  # type: ignore[assignment] # it takes arguments
        nullcontext as start_as_current_context,
    )

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.sessions.binding import FittedSession

CREATION = "conn_provider_clients"
MARK = "conn_provider_fitted_class"

# What `create_client` takes, after `self`, in its order, as far as it is looked at here.
# Written down, because to ask botocore's function for it delays each start.
ARGUMENTS = (
    "service_name",
    "region_name",
    "api_version",
    "use_ssl",
    "verify",
    "endpoint_url",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "config",
)

KEYS = ("aws_access_key_id", "aws_secret_access_key")


def put_client_defaults(fitted: FittedSession) -> None:
    """Have the session's clients made with the connection's defaults."""
    session = fitted.session
    setattr(session, CREATION, ClientCreation(fitted))
    session.__class__ = find_fitted_class(type(session))


def find_fitted_class(kind: type[Any]) -> type[Any]:
    """Return the class of fitted sessions of this kind, made once."""
    # A session that the program made from a fitted one's class has it already.
    for known in (kind, *kind.__subclasses__()):
        if MARK in vars(known):
            return known
    return _make_fitted_class(kind)


def _make_fitted_class(kind: type[Any]) -> type[Any]:
    @functools.wraps(kind.create_client)
    def create_client(self: Any, *args: Any, **kwargs: Any) -> Any:
        make = super(made, self).create_client
        creation: ClientCreation | None = vars(self).get(CREATION)
        try:
            if creation is None:  # made from this class, with nothing installed
                return make(*args, **kwargs)
            return creation.create(self, make, ClientArguments(args, kwargs))
        finally:
            del args, kwargs  # keys, maybe, and a traceback shows this frame

    body = {
        "__doc__": kind.__doc__,
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "create_client": create_client,
        MARK: True,
    }
    made: type[Any] = type(kind.__name__, (kind,), body)
    return made


class ClientArguments:
    """The arguments of one call, each where the caller wrote it; keys may be among them."""

    def __init__(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        self._args = Hidden(list(args))
        self._kwargs = Hidden(dict(kwargs))

    def find(self, name: str) -> Any:
        """Return the argument's value; None where the caller wrote none."""
        place = ARGUMENTS.index(name)
        args = self._args.reveal()
        return args[place] if place < len(args) else self._kwargs.reveal().get(name)

    def put(self, name: str, value: Any) -> None:
        """Replace the argument, or add it by its name."""
        place = ARGUMENTS.index(name)
        if place < len(self._args.reveal()):
            self._args.reveal()[place] = value
        else:
            self._kwargs.reveal()[name] = value

    def call(self, function: Callable[..., Any]) -> Any:
        """Call the function with the arguments."""
        return function(*self._args.reveal(), **self._kwargs.reveal())


class ClientCreation:
    """Creates a session's clients, and those of its copies.

    Thread safety: botocore's sessions are not safe to make clients on from many
    threads at once (boto/boto3#1592), so each session makes one at a time. What the
    session's identity takes (a program, instance metadata) is waited for before that,
    by the clients that need it and by no others.
    """

    def __init__(self, fitted: FittedSession) -> None:
        self._fitted = fitted
        self._lock = ProcessLock()
        self._identity_lock = ProcessLock()

    def create(
        self,
        session: botocore.session.Session,
        make: Callable[..., Any],
        arguments: ClientArguments,
    ) -> Any:
        """Create a client with the connection's defaults where the caller has none.

        Args:
            session: That the client is asked of: the fitted one, or a copy of it.
            make: What creates a client of that session without the connection.
            arguments: The caller's.
        """
        # Before the lock: reading logs notices, and a log handler may make a client.
        self._fitted.read()
        with self._lock.own:
            self._prepare(session, arguments)
        # One for both: where credentials come from is among the features that botocore
        # has a client tell in its User-Agent.
        with start_as_current_context():
            if _needs_identity(session, arguments):
                with self._identity_lock.own:
                    session.get_credentials()  # which keeps them
            with self._lock.own:
                return arguments.call(make)

    def _prepare(
        self, session: botocore.session.Session, arguments: ClientArguments
    ) -> None:
        fitted = self._fitted
        settings = fitted.read()
        if settings is not None:
            fill_client_arguments(arguments, settings, session)
        config = arguments.find("config")
        asked = arguments.find("region_name") or getattr(config, "region_name", None)
        fitted.client_region = asked or fitted.client_region

    def __deepcopy__(self, memo: dict[int, Any]) -> ClientCreation:
        return ClientCreation(copy.deepcopy(self._fitted, memo))


def _needs_identity(
    session: botocore.session.Session, arguments: ClientArguments
) -> bool:
    """Return whether `create_client` will ask the session for credentials, and block.

    aiobotocore's only makes a coroutine that does.
    """
    if is_aio(session) or any(arguments.find(name) is not None for name in KEYS):
        return False
    configs = [session.get_default_client_config(), arguments.find("config")]
    given = [each for each in configs if each is not None]
    if not given:
        return True
    merged = given[0].merge(given[1]) if len(given) == 2 else given[0]  # noqa: PLR2004
    return merged.signature_version is not UNSIGNED


def fill_client_arguments(
    arguments: ClientArguments,
    settings: AwsSettings,
    session: botocore.session.Session,
) -> None:
    """Fill what the caller left None, and lay the caller's Config over the connection's.

    Where the connection says nothing of one of them, the caller's passes untouched.
    """
    if settings.client.config:
        _fill_config(arguments, settings, session)
    client = settings.client
    for name, value in (
        ("endpoint_url", client.find_endpoint(arguments.find("service_name"))),
        ("verify", client.verify),
    ):
        if value is not None and arguments.find(name) is None:
            arguments.put(name, value)


def _fill_config(
    arguments: ClientArguments,
    settings: AwsSettings,
    session: botocore.session.Session,
) -> None:
    from botocore_conn_provider.exchange.checks import build_config

    if is_aio(session):
        from botocore_conn_provider.sessions.aio.aio_config import (
            merge_all,  # imports it
        )
    else:
        from botocore_conn_provider.sessions.config_merge import merge_all
    callers = [session.get_default_client_config(), arguments.find("config")]
    # A copy, because botocore writes into the options that hold a mapping.
    lowest = build_config(copy.deepcopy(settings.client.config))
    merged = merge_all(lowest, callers)
    arguments.put("config", merged)


def find_aio_session_class() -> type[botocore.session.Session] | None:
    """Return `AioSession` if this process has imported it."""
    module = sys.modules.get("aiobotocore.session")
    kind: type[botocore.session.Session] | None = getattr(module, "AioSession", None)
    return kind


def is_aio(session: botocore.session.Session) -> bool:
    """Return whether it is aiobotocore's, which awaits what it asks for."""
    kind = find_aio_session_class()
    return kind is not None and isinstance(session, kind)
