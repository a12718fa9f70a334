"""Run a plug-in's code, and turn whatever it does wrong into our errors.

botocore logs our errors with their tracebacks, and a foreign exception's text may
hold a token or a page. So only its type is told, and it is no cause of our error.
The errors of ours that a plug-in raises pass, without what led to them.

What goes wrong before `fetch` is an `InvalidConnectionError`, because nothing was
sent; what goes wrong in `fetch` is the error of the plug-in's kind.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore_conn_provider.errors import (
    ConnProviderError,
    CredentialFetchError,
    InvalidConnectionError,
    Problem,
)
from botocore_conn_provider.federation.deadline import DeadlineExceededError
from botocore_conn_provider.redaction import shorten
from botocore_conn_provider.tracebacks import scrubbed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

REPORT = "Report it to the plug-in's authors."
# A plug-in that calls sys.exit() must not end the user's program.
FOREIGN = (Exception, SystemExit)


class BuiltIn(NamedTuple):
    """Where a built-in plug-in is: texts `module:attribute`, imported when used.

    `identify` is a function apart from the class, because it must load nothing that a
    start from the store does without.
    """

    create: str
    identify: str


class PluginKind(NamedTuple):
    """Token sources, or sign-in methods.

    `find_flaw` finishes "It gave …" for a result of `fetch` that cannot be used, and
    returns None for one that can.
    """

    noun: str
    group: str
    built_in: Mapping[str, BuiltIn]
    field: str
    failure: type[CredentialFetchError]
    find_flaw: Callable[[object], str | None]


class PluginFault(NamedTuple):
    """The errors about one plug-in."""

    kind: PluginKind
    name: str
    conn_id: str

    def refuse(self, seen: str) -> InvalidConnectionError:
        """Build the error about a plug-in that cannot be used at all."""
        problem = Problem(
            self.kind.field,
            f"is '{shorten(self.name)}', whose plug-in {seen}",
            f"Update or reinstall it. {REPORT}",
        )
        return InvalidConnectionError(conn_id=self.conn_id, problems=[problem])

    def fail(self, seen: str) -> CredentialFetchError:
        """Build the error about a fetch that went wrong."""
        name = shorten(self.name)
        cause = f"the {self.kind.noun} '{name}' ({self.kind.field}) {seen}."
        return self.kind.failure(conn_id=self.conn_id, cause=cause, hint=REPORT)

    @contextlib.contextmanager
    def offline(self, seen: str) -> Iterator[None]:
        """Run code of the plug-in's that sends nothing."""
        try:
            yield
        except ConnProviderError as error:
            raise error from None
        except FOREIGN as error:
            raise self.refuse(f"{seen} ({name_type(error)})") from None

    @contextlib.contextmanager
    def online(self) -> Iterator[None]:
        """Run code of the plug-in's that fetches something."""
        try:
            yield
        except DeadlineExceededError:  # of the browser, for who waits at the deadline
            raise
        except ConnProviderError as error:
            raise error from None
        except FOREIGN as error:
            raise self.fail(f"failed with {name_type(error)}") from None


class GuardedPlugin:
    """A plug-in's object, in the shape that it must have itself."""

    @scrubbed
    def __init__(self, factory: Any, request: object, *, fault: PluginFault) -> None:
        self._fault = fault
        with fault.offline("cannot be set up"):
            self._plugin = factory(request)
            missing = [
                name
                for name in ("check", "fetch")
                if not callable(getattr(self._plugin, name, None))
            ]
        if missing:
            raise fault.refuse(f"has no method {' and no method '.join(missing)}")

    @scrubbed
    def check(self) -> None:
        """Have the plug-in judge the connection."""
        with self._fault.offline("failed when it was asked to check"):
            self._plugin.check()

    @scrubbed
    def identify(self) -> dict[str, str] | None:
        """Return what the plug-in says that its identity depends on, None for nothing."""
        identify = getattr(self._plugin, "identify", None)
        if identify is None:
            return None
        with self._fault.offline("failed when it was asked what it depends on"):
            return {str(name): str(value) for name, value in identify().items()}

    @scrubbed
    def fetch(self, *arguments: Any) -> Any:
        """Return what the plug-in fetches, if it can be used."""
        with self._fault.online():
            result = self._plugin.fetch(*arguments)
        if flaw := self._fault.kind.find_flaw(result):
            raise self._fault.fail(f"gave {flaw}")
        return result


def name_type(value: object) -> str:
    """Return the name of a value's type, cut to what an error may hold."""
    return shorten(type(value).__name__)
