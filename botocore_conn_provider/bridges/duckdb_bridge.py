"""The bridge to DuckDB: a temporary secret that is kept fresh.

DuckDB copies keys into a secret, and asks nobody when they end. So a background thread
puts new ones there whenever they are renewed, until the connection is closed.

The keys are parameters of the statement: they stand in no text, and so in none of
DuckDB's logs and errors.

Source: DuckDB's documentation of `CREATE SECRET`. Tried with 1.3.0 and 1.4.4.
"""

from __future__ import annotations

import contextlib
import datetime
import secrets
import threading
import weakref
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore_conn_provider.bridges.lending import Lender
from botocore_conn_provider.bridges.library import import_library
from botocore_conn_provider.errors import ConnProviderError, CredentialFetchError
from botocore_conn_provider.events import add_listener, remove_listener
from botocore_conn_provider.fork import ProcessLock
from botocore_conn_provider.redaction import shorten
from botocore_conn_provider.tracebacks import scrubbed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from botocore_conn_provider.bridges.lending import Lent
    from botocore_conn_provider.events import Event

# What DuckDB gives a secret of S3 that names no scope.
WHOLE_S3 = ("s3://", "s3n://", "s3a://")
PREFIX = "botocore_conn_"
# DuckDB's error for a connection that is closed.
CLOSED = "ConnectionException"
# Its error where it cannot read the statement.
NO_PARAMETERS = "ParserException"
RENEWED = ("renewal_succeeded", "store_hit")
# Between two looks, also where credentials could not be renewed.
SHORTEST_SECONDS = 1.0


@scrubbed
def duckdb(
    connection: Any,
    conn_id: str | None = None,
    *,
    scope: str | Sequence[str] | None = None,
) -> str:
    """Create a temporary secret for S3 in DuckDB, keep it fresh, and return its name.

    It is kept fresh until the connection is closed or let go, or the secret is dropped.
    The first credentials are fetched here. A secret of ours for the same scope goes.

    Args:
        connection: DuckDB's. The secret is for all that its database is used by.
        conn_id: The connection; None for that of the process.
        scope: The prefixes of paths that it is for, as `s3://lake`; None for all of S3.

    Raises:
        InvalidConnectionError: The connection is wrong, or not there.
        CredentialFetchError: There are no credentials to be had, or another secret has
            the same scope: DuckDB would choose between the two.
        duckdb.Error: DuckDB cannot create it; its extension `httpfs` may be missing.
        MissingDependencyError: DuckDB is not installed.

    Example:
        bridges.duckdb(database, "aws_lake", scope="s3://lake")
        database.sql("FROM 's3://lake/orders/*.parquet'")
    """
    lender = Lender(conn_id)
    import_library("duckdb", conn_id=lender.conn_id)
    secret = KeptSecret(lender, _list_scopes(scope))
    secret.create(connection)
    if secret.lent.ends_at is not None:
        SecretRenewal(secret, connection).start()
    return secret.name


def _list_scopes(scope: str | Sequence[str] | None) -> tuple[str, ...]:
    if scope is None:
        return WHOLE_S3
    return (scope,) if isinstance(scope, str) else tuple(scope)


class KeptSecret:
    """A secret of DuckDB's, and how to put a connection's credentials into it.

    Thread safety: one lock for all secrets of the process, so that no renewal brings
    back a secret that was dropped for another.

    Args:
        lender: Of the connection.
        scopes: The prefixes of paths that it is for.
    """

    _lock = ProcessLock()

    def __init__(self, lender: Lender, scopes: tuple[str, ...]) -> None:
        self._lender = lender
        self._scopes = scopes
        # One of a kind: a later secret for the same scope is not this one.
        self.name = f"{PREFIX}{lender.conn_id}_{secrets.token_hex(4)}".lower()

    @property
    def conn_id(self) -> str:
        """The connection's name."""
        return self._lender.conn_id

    def create(self, connection: Any) -> None:
        """Create it, in the place of an earlier one of ours for the same scope.

        Raises:
            ConnProviderError: There are no credentials, or a secret of the program's
                has the same scope.
        """
        lent = self._lender.lend()
        with self._lock.own, contextlib.closing(connection.cursor()) as cursor:
            rivals = self._list_rivals(cursor)
            for name in rivals:
                if not name.startswith(PREFIX):
                    raise self._explain_rival(name)
            self._put(cursor, lent)
            for name in rivals:
                cursor.execute(f'DROP TEMPORARY SECRET "{name}"')
        self.lent = lent

    def fetch(self) -> Lent:
        """Return the current credentials.

        Raises:
            ConnProviderError: There are none to be had.
        """
        return self._lender.lend()

    def renew(self, connection: Any, lent: Lent) -> bool:
        """Put credentials into it; False if it is no longer there."""
        with self._lock.own, contextlib.closing(connection.cursor()) as cursor:
            if self.name not in dict(_list_secrets(cursor)):
                return False
            if lent[:3] != self.lent[:3]:
                self._put(cursor, lent)
        self.lent = lent
        return True

    def _list_rivals(self, cursor: Any) -> list[str]:
        ours = set(self._scopes)
        return [n for n, scopes in _list_secrets(cursor) if ours & set(scopes)]

    def _explain_rival(self, name: str) -> CredentialFetchError:
        return CredentialFetchError(
            conn_id=self.conn_id,
            cause=f"the secret {shorten(name)!r} of this DuckDB has the same scope, and"
            " DuckDB would choose between the two.",
            hint="Drop it, or name another scope.",
        )

    def _put(self, cursor: Any, lent: Lent) -> None:
        """Write it. The keys are parameters, in no text that could be shown."""
        given = {
            "KEY_ID": str(lent.access_key_id),
            "SECRET": lent.secret_access_key.reveal(),
            "SCOPE": list(self._scopes),
            **self._describe_place(),
        }
        if lent.session_token is not None:
            given["SESSION_TOKEN"] = lent.session_token.reveal()
        named = ", ".join(f"{name} ?" for name in given)
        statement = (
            f'CREATE OR REPLACE TEMPORARY SECRET "{self.name}" (TYPE s3, {named})'
        )
        try:
            cursor.execute(statement, list(given.values()))
        except Exception as error:
            if type(error).__name__ != NO_PARAMETERS:
                raise
            raise CredentialFetchError(
                conn_id=self.conn_id,
                cause="this DuckDB takes no parameters in CREATE SECRET, and in its text"
                " the keys would stand in logs.",
                hint="Install DuckDB 1.3.0 or a later one.",
            ) from None

    def _describe_place(self) -> dict[str, Any]:
        place: dict[str, Any] = {}
        if self._lender.region_name is not None:
            place["REGION"] = self._lender.region_name
        if self._lender.endpoint_url is not None:
            parts = urlsplit(self._lender.endpoint_url)
            place["ENDPOINT"] = f"{parts.netloc}{parts.path}".rstrip("/")
            place["USE_SSL"] = parts.scheme != "http"
            place["URL_STYLE"] = "path"  # as botocore does at an endpoint of its own
        return place


def _list_secrets(cursor: Any) -> list[tuple[str, list[str]]]:
    """Return the names and scopes of the secrets for S3."""
    cursor.execute("SELECT name, scope FROM duckdb_secrets() WHERE type = 's3'")
    found: list[tuple[str, list[str]]] = cursor.fetchall()
    return found


class SecretRenewal:
    """Renews a secret in a thread of its own, while its connection is there.

    It does not keep the connection: where that is closed or let go, it ends.
    """

    def __init__(self, secret: KeptSecret, connection: Any) -> None:
        self._secret = secret
        self._wake = threading.Event()
        self._connection = weakref.ref(connection, lambda _: self._wake.set())

    def start(self) -> None:
        """Start the thread.

        Raises:
            CredentialFetchError: There can be none.
        """
        thread = threading.Thread(
            target=self._run, name="botocore-conn-duckdb", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:
            raise CredentialFetchError(
                conn_id=self._secret.conn_id,
                cause="no thread can be started, which would renew DuckDB's secret.",
            ) from None

    def _run(self) -> None:
        add_listener(self._hear)
        try:
            while self._renew():
                pass
        finally:
            remove_listener(self._hear)

    def _hear(self, event: Event) -> None:
        """Wake when others have renewed the credentials."""
        if event.kind in RENEWED and event.conn_id == self._secret.conn_id:
            self._wake.set()

    def _renew(self) -> bool:
        """Wait until it is time, and renew; return whether to go on."""
        self._wake.wait(self._count_seconds())
        self._wake.clear()
        if self._connection() is None:
            return False
        try:
            lent = self._secret.fetch()
        except ConnProviderError:
            return True  # the renewal's events say why; the old keys end by themselves
        return self._put(lent)

    def _put(self, lent: Lent) -> bool:
        connection = self._connection()  # not while something is fetched
        if connection is None:
            return False
        try:
            return self._secret.renew(connection, lent)
        except Exception as error:  # noqa: BLE001 - of DuckDB's, which stays unimported
            # Closed. Whatever else it may be (out of memory) is tried again.
            return type(error).__name__ != CLOSED

    def _count_seconds(self) -> float | None:
        ends_at = self._secret.lent.ends_at
        if ends_at is None:
            return None
        now = datetime.datetime.now(datetime.timezone.utc)
        return max((ends_at - now).total_seconds(), SHORTEST_SECONDS)
