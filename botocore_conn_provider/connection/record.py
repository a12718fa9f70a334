"""A connection as Airflow writes it: the record, and what it means.

`Connection` checks everything when it is made: a `Connection` that exists is valid,
as far as that can be known without botocore. What only botocore can check is checked
in `exchange.checks`, before anything is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore_conn_provider.connection.environment import (
    CONN_ID_VARIABLE,
    DEFAULT_CONN_ID,
    current_environment,
    find_former,
    find_text,
    name_connection,
)
from botocore_conn_provider.connection.extra import read_settings
from botocore_conn_provider.connection.field_reader import Findings
from botocore_conn_provider.connection.fields import RecordFields
from botocore_conn_provider.connection.json_form import parse_json, write_json
from botocore_conn_provider.connection.strict_json import has_surrogates
from botocore_conn_provider.errors import (
    ConnectionNotFoundError,
    InvalidConnectionError,
    Problem,
)
from botocore_conn_provider.redaction import show_conn_id
from botocore_conn_provider.secret import KeyId, Options, Secret
from botocore_conn_provider.tracebacks import scrubbed
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore_conn_provider.connection.environment import ConnectionName
    from botocore_conn_provider.connection.settings import AwsSettings


WRONG_ID_FIX = (
    "An id has letters, digits, '_', '.' and '-' only. The connection itself belongs in"
    " AIRFLOW_CONN_<ID>."
)


class Connection(Value):
    """An Airflow connection for AWS, checked completely.

    What only botocore can check (Config options, STS parameters, profiles, files) is
    checked later, before anything is sent. Its repr shows the `conn_id` only.

    Example:
        connection = Connection.parse('{"conn_type": "aws", "login": "AKIA…", …}')
        print(connection.to_uri())

    Attributes:
        conn_id: Its name.
        conn_type: `aws`; another type works with a warning.
        login: The access key id; None if the connection has none.
        password: The secret access key, as a `plugins.Secret`; None if it has none.
        host: Kept and not used for AWS.
        port: Kept and not used for AWS.
        schema: Kept and not used for AWS.
        description: Kept and not used for AWS.
        extra: The fields of the extra as the user wrote them, with the methods of a
            read-only mapping; `dict(extra)` is a dict.
            It may hold secrets; its repr shows their number only.
        settings: What the connection means. Private: it may change in any release.

    Source: Apache Airflow, "Managing Connections" (URI and JSON form).
    """

    conn_id: str
    conn_type: str
    login: str | None
    password: Secret | None
    host: str | None
    port: int | None
    schema: str | None
    description: str | None
    extra: Mapping[str, Any]
    settings: AwsSettings

    @classmethod
    @scrubbed
    def parse(
        cls,
        text: str,
        conn_id: str = DEFAULT_CONN_ID,
        *,
        environ: Mapping[str, str] | None = None,
        variable: str | None = None,
    ) -> Connection:
        """Read a connection from its URI or JSON form, and check all of it.

        Reads no file, no environment and no network.

        Args:
            text: The connection. It begins with `{`, or with a scheme such as `aws://`.
            conn_id: Its name, for errors and for the role's session name. A text that
                may be a connection itself is not kept.
            environ: Supplies the `BOTOCORE_CONN_<SETTING>` variables and
                `AWS_WEB_IDENTITY_TOKEN_FILE`; None means an empty environment.
            variable: The environment variable that the text came from, for errors.

        Raises:
            InvalidConnectionError: The connection is wrong; all its problems are
            listed.
        """
        conn_id = show_conn_id(conn_id)
        findings = Findings()
        fields = _parse_text(text, findings)
        settings = read_settings(
            fields, findings, conn_id=conn_id, environ=environ or {}
        )
        if findings.problems:
            raise InvalidConnectionError(
                conn_id=conn_id, problems=findings.problems, variable=variable
            )
        return cls(
            conn_id=conn_id,
            conn_type=fields.conn_type,
            login=None if fields.login is None else KeyId(fields.login),
            password=None if fields.password is None else Secret(fields.password),
            host=fields.host,
            port=fields.port,
            schema=fields.schema,
            description=fields.description,
            extra=Options(fields.extra),
            settings=settings,
        )

    @classmethod
    @scrubbed
    def from_env(
        cls, conn_id: str | None = None, *, environ: Mapping[str, str] | None = None
    ) -> Connection:
        """Read a connection from `AIRFLOW_CONN_<CONN_ID>`.

        Args:
            conn_id: The connection; None for `BOTOCORE_CONN_ID`, else
                `aws_default`.
            environ: The environment; None for this process's own.

        Raises:
            ConnectionNotFoundError: The variable is unset or blank.
            InvalidConnectionError: The connection is wrong.
        """
        if environ is None:
            environ = find_former() or current_environment()
        name = name_connection(environ, conn_id)
        text = find_text(environ, name)
        if text is None:
            raise not_found(name)
        return cls.parse(
            text.reveal(), name.conn_id, environ=environ, variable=name.variable
        )

    def to_uri(self) -> str:
        """Return the URI form, secrets included.

        Only `description` is lost, because a URI has no place for it.
        """
        # Imported here, like below: connections in JSON do not need it.
        from botocore_conn_provider.connection.uri_form import write_uri

        return write_uri(self._fields_revealed())

    def to_json(self) -> str:
        """Return the JSON form, secrets included. Nothing is lost."""
        return write_json(self._fields_revealed())

    def _fields_revealed(self) -> RecordFields:
        return RecordFields(
            conn_type=self.conn_type,
            login=self.login,
            password=None if self.password is None else self.password.reveal(),
            host=self.host,
            port=self.port,
            schema=self.schema,
            description=self.description,
            extra=dict(self.extra),
        )

    def __repr__(self) -> str:
        return f"Connection(conn_id={self.conn_id!r})"


def not_found(name: ConnectionName) -> InvalidConnectionError:
    """Return the error for a connection that was named but is not set."""
    if name.is_wrong:
        field = CONN_ID_VARIABLE if name.named_by == CONN_ID_VARIABLE else "conn_id"
        problem = Problem(field, "is not the id of a connection", WRONG_ID_FIX)
        return InvalidConnectionError(conn_id=name.conn_id, problems=[problem])
    fix = "Set it to the connection's URI or JSON."
    problem = Problem(name.variable, "is not set", fix)
    return ConnectionNotFoundError(conn_id=name.conn_id, problems=[problem])


def _parse_text(text: str, findings: Findings) -> RecordFields:
    text = text.strip()
    if has_surrogates(text):
        findings.refuse("connection", "is not UTF-8 text", "Encode it as UTF-8.")
    elif text.startswith("\ufeff"):
        findings.refuse(
            "connection", "begins with a byte order mark", "Save it without one."
        )
    elif text.startswith("{"):
        return parse_json(text, findings)
    else:
        from botocore_conn_provider.connection.uri_form import parse_uri

        return parse_uri(text, findings)
    return RecordFields()
