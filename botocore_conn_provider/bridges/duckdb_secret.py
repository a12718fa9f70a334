"""A secret of DuckDB's with a connection's credentials.

The keys are parameters of the statement: they stand in no text, and so in none of
DuckDB's logs and errors.
"""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore_conn_provider.errors import CredentialFetchError
from botocore_conn_provider.fork import ProcessLock
from botocore_conn_provider.redaction import shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from botocore_conn_provider.bridges.lending import Lender, Lent

PREFIX = "botocore_conn_"
# DuckDB's error where it cannot read the statement.
NO_PARAMETERS = "ParserException"


class KeptSecret:
    """A secret of DuckDB's, and how to put a connection's credentials into it.

    Thread safety: one lock for all secrets of the process, so that no renewal brings
    back a secret that was dropped for another.

    Args:
        lender: Of the connection.
        scopes: The prefixes of paths that it is for.
    """

    lock = ProcessLock()

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
        with self.lock.own, contextlib.closing(connection.cursor()) as cursor:
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
        """Put credentials into it; False if it is no longer there.

        In one transaction: where it is dropped meanwhile, DuckDB raises an error.
        """
        with self.lock.own, contextlib.closing(connection.cursor()) as cursor:
            cursor.begin()
            if self.name not in dict(_list_secrets(cursor)):
                return False
            if lent[:3] != self.lent[:3]:
                self._put(cursor, lent)
            cursor.commit()
        self.lent = lent
        return True

    def _list_rivals(self, cursor: Any) -> list[str]:
        ours = _strip(self._scopes)
        return [n for n, scopes in _list_secrets(cursor) if ours & _strip(scopes)]

    def _explain_rival(self, name: str) -> CredentialFetchError:
        return CredentialFetchError(
            conn_id=self.conn_id,
            cause=f"the secret {shorten(name)!r} of this DuckDB has the same scope, and"
            " DuckDB would choose between the two.",
            hint="Drop it, or name another scope.",
        )

    def _put(self, cursor: Any, lent: Lent) -> None:
        """Write it. The keys are parameters, in no text that could be shown."""
        token = lent.session_token
        given = {
            "KEY_ID": str(lent.access_key_id),
            "SECRET": lent.secret_access_key.reveal(),
            # Without it, DuckDB would send that of the environment with these keys.
            "SESSION_TOKEN": "" if token is None else token.reveal(),
            "SCOPE": list(self._scopes),
            **self._describe_place(),
        }
        named = ", ".join(f"{name} ?" for name in given)
        statement = (
            f'CREATE OR REPLACE TEMPORARY SECRET "{self.name}" (TYPE s3, {named})'
        )
        try:
            cursor.execute(statement, list(given.values()))
        except Exception as error:  # of DuckDB's, which stays unimported
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


def _strip(scopes: Sequence[str]) -> set[str]:
    """Return scopes to compare: a slash at the end would win over none."""
    return {each.rstrip("/") for each in scopes}


def _list_secrets(cursor: Any) -> list[tuple[str, list[str]]]:
    """Return the names and scopes of the secrets for S3."""
    cursor.execute("SELECT name, scope FROM duckdb_secrets() WHERE type = 's3'")
    found: list[tuple[str, list[str]]] = cursor.fetchall()
    return found
