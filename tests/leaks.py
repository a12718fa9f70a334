"""Find secrets where none may be: logs, output, errors, locals, reprs, pickles.

Each test gets its own sentinels, so a hit names the test that leaked. What
botocore logs of the *user's own* calls is the user's, and holds the key id and
the session token that the call was signed with; `user_calls` lets exactly these
two kinds pass in exactly those loggers, and nothing else: a secret key or an
assertion is a leak there too.
"""

from __future__ import annotations

import base64
import contextlib
import logging
import pickle
import secrets as random_source
import string
import threading
import traceback
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

from botocore_conn_provider.errors import ConnProviderError
from tests.tracebacks import Shown, list_shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

# Loggers that write about the calls which the user's code makes.
OF_THE_USER = ("boto3", "botocore", "s3transfer", "urllib3")
_FORMATTER = logging.Formatter()
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}

_users_call: ContextVar[bool] = ContextVar("users_call", default=False)


class LeakError(AssertionError):
    """A secret was seen. Says its name and the place, never the secret."""


class Sentinel(NamedTuple):
    name: str
    forms: tuple[str, ...]
    in_user_calls: bool


class Secrets:
    """Make texts that must not be seen, and know those that others made."""

    def __init__(self) -> None:
        self._sentinels: list[Sentinel] = []
        self._lock = threading.Lock()  # servers add what they issue, in their threads

    def new(self, name: str) -> str:
        """Return a new secret: a key, a password, an assertion, a token."""
        return self.add(f"Sentinel{random_source.token_hex(16)}", name=name)

    def new_session_token(self) -> str:
        """Return a new AWS session token, which the user's own calls may show."""
        text = f"SentinelToken{random_source.token_hex(16)}"
        return self.add(text, name="session token", in_user_calls=True)

    def new_access_key_id(self) -> str:
        """Return a new AWS access key id, which the user's own calls may show."""
        letters = string.ascii_uppercase + "234567"
        text = "AKIA" + "".join(random_source.choice(letters) for _ in range(16))
        return self.add(text, name="access key id", in_user_calls=True)

    def add(self, text: str, *, name: str, in_user_calls: bool = False) -> str:
        """Register `text`, made elsewhere, and return it."""
        with self._lock:
            self._sentinels.append(Sentinel(name, tuple(_forms(text)), in_user_calls))
        return text

    def find_in(self, seen: str, *, in_user_calls: bool = False) -> list[str]:
        """Return the names of the secrets in `seen`, plain or as base64."""
        with self._lock:
            sentinels = list(self._sentinels)
        return [
            sentinel.name
            for sentinel in sentinels
            if not (in_user_calls and sentinel.in_user_calls)
            and any(form in seen for form in sentinel.forms)
        ]


def _forms(text: str) -> Iterator[str]:
    yield text
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + text.encode()).decode()
        # The first and last quanta mix with what stands beside the secret.
        yield encoded[4:-4]


class Leaks(logging.Handler):
    """Look at every log record of the process, and at what a test shows it."""

    def __init__(self, secrets: Secrets) -> None:
        super().__init__(logging.DEBUG)
        self._secrets = secrets
        self._seen: dict[bool, list[Shown]] = {False: [], True: []}  # the user's: True
        self._errors: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        users = record.name.partition(".")[0] in OF_THE_USER and _users_call.get()
        place = f"a log record of {record.name} at {record.levelname}"
        self._seen[users].append(Shown(place, show_record(record)))
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and record.name.startswith("botocore_conn_provider"):
            self._errors.append(error)

    @contextlib.contextmanager
    def user_calls(self) -> Iterator[None]:
        """Let botocore's logs show this thread's key ids and session tokens."""
        token = _users_call.set(True)
        try:
            yield
        finally:
            _users_call.reset(token)

    def check_text(self, text: str, *, place: str = "a text") -> None:
        """Fail if a secret is in `text`."""
        if names := self._secrets.find_in(text):
            raise LeakError(f"{place} shows: {', '.join(names)}")

    def check_error(self, error: BaseException) -> None:
        """Fail if a secret is in anything that a tool shows of the error.

        That is its text, repr and attributes, its traceback, the locals of its frames,
        all of the same of its causes and contexts, and its pickle.
        """
        printed = "".join(traceback.format_exception(error))
        shown = [Shown(f"a {type(error).__name__}", printed), *list_shown(error)]
        self._check(shown, in_user_calls=False)
        self.check_pickle(error)

    def check_pickle(self, value: object) -> None:
        """Fail if a secret is in the pickle of `value`."""
        pickled = pickle.dumps(value).decode("latin-1")
        self.check_text(pickled, place=f"the pickle of a {type(value).__name__}")

    def check_all(self) -> None:
        """Fail if a secret was in any log record or any error of ours.

        Also if a frame of such an error has one in a local.
        """
        for users, seen in self._seen.items():
            self._check(seen, in_user_calls=users)
        for error in self._errors:
            self.check_error(error)

    def _check(self, seen: list[Shown], *, in_user_calls: bool) -> None:
        # Most have none, which one search of all of them tells soonest.
        everything = "\0".join(text for _, text in seen)
        if not self._secrets.find_in(everything, in_user_calls=in_user_calls):
            return
        for place, text in seen:
            if names := self._secrets.find_in(text, in_user_calls=in_user_calls):
                raise LeakError(f"{place} shows: {', '.join(names)}")

    @contextlib.contextmanager
    def watch(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """See every record and every error of ours from here on."""
        monkeypatch.setattr(ConnProviderError, "__new__", self._keep_error)
        root = logging.getLogger()
        level = root.level
        root.addHandler(self)
        root.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            root.removeHandler(self)
            root.setLevel(level)

    def _keep_error(
        self, kind: type[ConnProviderError], *args: object, **_named: object
    ) -> ConnProviderError:
        error = Exception.__new__(kind, *args)
        # Ray's own, of a class that it makes up: only Ray can pickle it.
        if kind.__module__ != "ray.exceptions":
            self._errors.append(error)
        return error


def show_record(record: logging.LogRecord) -> str:
    """Show all of a record: message, arguments, traceback, stack and extras."""
    extras = {name: vars(record)[name] for name in vars(record).keys() - _STANDARD}
    formatted = _FORMATTER.format(record)
    return f"{formatted}\n{record.args!r}\n{extras!r}"
