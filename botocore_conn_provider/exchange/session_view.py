"""What a session's identity is resolved from, and its description by content.

A program's handlers may change what an exchange asks for, so two sessions are told
apart by theirs: by the very objects, since no program can say what a function does.

Free of botocore, so that a start from the store loads no session of botocore's.
"""

from __future__ import annotations

import contextlib
import functools
import os
import weakref
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.file_content import read_content
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from botocore.config import Config
    from botocore.configprovider import BaseProvider
    from botocore.hooks import BaseEventHooks
    from botocore.loaders import Loader

    from botocore_conn_provider.connection.environment import Snapshot

# The mark of a class whose sessions no connection is fitted to. By its name, because a
# start from the store makes none and need not load the class.
UNFITTED = "conn_provider_unfitted"
# Session variables that hold paths, which botocore would expand at each reading.
FILES = ("config_file", "credentials_file")
REGION_VARIABLE = "AWS_DEFAULT_REGION"
CONFIG_FILE, CONFIG_VARIABLE = "~/.aws/config", "AWS_CONFIG_FILE"
# Every one of these may decide which STS answers, but for the machine's own keys,
# which decide nothing but the base identity.
DECIDING, KEYS = (
    "AWS_",
    (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN",
        "AWS_CREDENTIAL_EXPIRATION",
    ),
)

# Handlers: source is botocore.hooks, and the events that botocore's clients emit.
HOSTS = ("botocore", "aiobotocore")
OPERATIONS = ("AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity")
# What a client of STS emits from its creation to the answer.
EVENTS = (
    "creating-client-class",
    "creating-serializer",
    "provide-client-params",
    "before-parameter-build",
    "before-endpoint-resolution",
    "before-call",
    "request-created",
    "choose-signer",
    "before-sign",
    "before-send",
    "response-received",
    "before-parse",
    "needs-retry",
    "after-call",
    "after-call-error",
)
PLAIN = (str, bytes, int, float, bool, type(None))
# By address: an object that no program can change into another while it exists, and the
# name that it has here.
_named: dict[int, tuple[weakref.ref[Any], str]] = {}


class SessionView(Value):
    """What a program said on its session, and the snapshot of its creation.

    Everything that an exchange starts from is resolved from this value alone.

    Attributes:
        snapshot: The environment when the session was created.
        specifications: How botocore finds each session variable: the names in the
            configuration file and in the environment, the default, the conversion.
            None for botocore's own.
        data_loader: Returns the session's, so that the data files are read once, or
            None when it is gone: models are large, and a view lives longer.
        variables: Session variables that were set in code.
        providers: Providers that the program put into the configuration store.
        overrides: Values that the program set in the configuration store.
        client_config: The session's default client Config.
        events: The session's handlers; they see the exchange's requests too.
        handlers: The description of these, once it is known.
        region_name: The region for clients that is known where the session has none.
    """

    snapshot: Snapshot
    specifications: Mapping[str, tuple[Any, Any, Any, Any]] | None = None
    data_loader: Callable[[], Loader | None] = lambda: None
    variables: Mapping[str, Any] = {}
    providers: Mapping[str, BaseProvider] = {}
    overrides: Mapping[str, Any] = {}
    client_config: Config | None = None
    events: BaseEventHooks | None = None
    handlers: Mapping[str, str] | None = None
    region_name: str | None = None

    def __repr__(self) -> str:
        return "SessionView(…)"

    def describe(self) -> dict[str, str]:
        """Describe by content which STS is asked: it decides who answers for whom.

        Holds secrets: never show it.
        """
        environ = self.snapshot.environ
        return {
            **{
                f"${name}": value
                for name, value in environ.items()
                if name.startswith(DECIDING) and name not in KEYS
            },
            **dict(self._list_said()),
            "config file": read_content(self._find_config_file()),
        }

    def describe_handlers_once(self) -> SessionView:
        """Return the same, with handlers that are not described at each exchange."""
        return self._replace(handlers=dict(describe_handlers(self.events)))

    def _list_said(self) -> Iterator[tuple[str, str]]:
        """List what was said in code. Providers are asked: their values count."""
        for name, value in {**self.variables, **self.overrides}.items():
            yield name, _tell(value)
        for name, provider in self.providers.items():
            yield name, _tell(provider.provide())
        if self.region_name and REGION_VARIABLE not in self.snapshot.environ:
            yield "region for clients", self.region_name
        # Its attributes, because options may have been set as such.
        options = {} if self.client_config is None else vars(self.client_config)
        for name, value in options.items():
            if not name.startswith("_"):
                yield f"Config {name}", _tell(value)
        handlers = self.handlers
        if handlers is None:
            handlers = dict(describe_handlers(self.events))
        yield from handlers.items()
        yield from self._list_own_specifications()

    def _list_own_specifications(self) -> Iterator[tuple[str, str]]:
        """List the session variables that the program has botocore find elsewhere."""
        if self.specifications is None:
            return
        # Imported here: a start from the store has no such session.
        from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES as USUAL

        environ = self.snapshot.environ
        for name, specification in self.specifications.items():
            usual = USUAL.get(name)
            if usual is None or tuple(specification) != tuple(usual):
                in_file, variables, default, _ = specification
                names = [variables] if isinstance(variables, str) else variables or []
                found = [environ.get(each) for each in names]
                yield f"found elsewhere: {name}", repr((in_file, found, default))

    def _find_config_file(self) -> str:
        said = dict(self._list_paths())
        named = self.snapshot.environ.get(CONFIG_VARIABLE) or CONFIG_FILE
        return self.snapshot.locate(said.get("config_file") or named)

    def _list_paths(self) -> Iterator[tuple[str, str]]:
        for name, value in {**self.variables, **self.overrides}.items():
            if isinstance(value, str):
                yield name, value


def is_given(thing: Any) -> bool:
    """Return whether an object, a class or a function is neither botocore's nor ours."""
    if isinstance(thing, functools.partial):
        return is_given(thing.func)
    module = getattr(thing, "__module__", None) or type(thing).__module__
    return str(module).partition(".")[0] not in (*HOSTS, __name__.partition(".")[0])


def describe_handlers(events: BaseEventHooks | None) -> Iterator[tuple[str, str]]:
    """Yield a name and the identity of each handler of the program's own."""
    found = {id(each): each for each in _list_handlers(events) if is_given(each)}
    if found:
        # Imported here: a start from the store loads no client.
        from botocore.handlers import BUILTIN_HANDLERS

        # Those that a library gives to every session tell none apart.
        for _, each, *_ in BUILTIN_HANDLERS:
            found.pop(id(each), None)
    for each in found.values():
        yield f"handler {name_object(each)}", ""


def _tell(value: Any) -> str:
    """Describe a value of the program's by content, or by the very object."""
    if type(value) in PLAIN:
        return repr(value)
    if isinstance(value, dict):
        told = [f"{_tell(name)}: {_tell(each)}" for name, each in value.items()]
        return f"{{{', '.join(told)}}}"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}({', '.join(map(_tell, value))})"
    return name_object(value)


def name_object(thing: object) -> str:
    """Return a name of the object that no other one ever has, in any process.

    An address would be used again for another object, and credentials outlive a session
    and its handlers. A thing that cannot be referred to weakly has another name each
    time, so nothing is shared by it.
    """
    address = id(thing)
    known = _named.get(address)
    if known is not None and known[0]() is thing:
        return known[1]
    name = os.urandom(16).hex()
    with contextlib.suppress(TypeError):
        _named[address] = (
            weakref.ref(thing, functools.partial(_unname, address)),
            name,
        )
    return name


def _unname(address: int, gone: weakref.ref[Any]) -> None:
    known = _named.get(address)
    if known is not None and known[0] is gone:
        del _named[address]


def _list_handlers(events: BaseEventHooks | None) -> Iterator[Any]:
    """Yield the handlers of an exchange's events, botocore's own included.

    Private, because what botocore offers can only emit them.
    """
    trie = getattr(getattr(events, "_emitter", events), "_handlers", None)
    if trie is not None:
        for event in EVENTS:
            for operation in OPERATIONS:
                yield from trie.prefix_search(f"{event}.sts.{operation}")
