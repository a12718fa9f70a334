"""Say what went wrong: which connection, which field, what was seen, what to do.

Every error is a `BotoCoreError`, so code that already catches botocore's errors
catches ours. botocore logs tracebacks of failed renewals at WARNING, so every
word here is fit for a log: no secret, no body, no query, no token.

Errors survive pickling (botocore's own way, by keyword), because they travel
between processes in multiprocessing, Dask and Ray.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from botocore.exceptions import (
    BotoCoreError,
    CredentialRetrievalError,
    InvalidConfigError,
)

from botocore_conn_provider.redaction import shorten, show_conn_id, show_words
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST_MESSAGE = 1500
# Every message ends with its section there.
TROUBLESHOOTING = "docs/troubleshooting.md"
# A longer one repeats a long id: the first problem needs the place in front.
LONGEST_VARIABLE = 30


class Problem(Value):
    """One thing that is wrong with a connection.

    Its text is "'<field>' <seen>. <fix>". Never put a value of the user's in it,
    because it may be a secret.

    Attributes:
        field: The dotted path in the connection, without `extra`, or an environment
            variable.
        seen: What is wrong; finishes the sentence that begins with the field.
        fix: What to do, as a whole sentence.
    """

    field: str
    seen: str
    fix: str

    def __str__(self) -> str:
        return f"'{shorten(self.field, 90)}' {self.seen}. {self.fix}"


class Restatable(type):
    """Lets a library say an error again in its own words, as `type(error)(text)`.

    polars does that, and a `TypeError` would hide what was wrong.
    """

    def __call__(cls, *texts: Any, **parts: Any) -> Any:
        """Make an error of its parts, or of a text alone.

        A class of others with an `__init__` of its own is made as that says: Ray's errors
        of tasks are both its own class and ours, and are made of an error.
        """
        if not texts or cls.__init__.__module__ != __name__:  # type: ignore[misc] # of an instance
            return super().__call__(*texts, **parts)
        make: Any = Exception.__new__
        error = make(cls)
        Exception.__init__(error, *texts)
        vars(error).update(error.unsaid, cause=str(texts[0]), kwargs={})
        return error

    @property
    def __signature__(cls) -> Any:
        """What `inspect` and `help` show: how an error is made of its parts."""
        # Imported here: no start asks for it.
        from inspect import signature

        whole = signature(cls.__init__)  # type: ignore[misc] # of an instance
        return whole.replace(parameters=list(whole.parameters.values())[1:])


class ConnProviderError(BotoCoreError, metaclass=Restatable):
    """The root of our errors.

    Its text has fewer than 1,500 characters, all printable, and no secret. It
    survives pickling.

    Attributes:
        conn_id: The connection that it is about.
        cause: What happened, without the hint.
        hint: What to do, as a whole sentence; may be empty.
        section: The section of the troubleshooting page about this kind of error.
    """

    fmt = "Connection '{shown_id}': {cause}"
    section = "errors"
    # What an error that was made of a text alone has. No class has these as attributes:
    # an error of Ray's would have them instead of what its cause has.
    unsaid: ClassVar[Mapping[str, Any]] = {"conn_id": "", "hint": ""}
    conn_id: str
    cause: str
    hint: str

    def __init__(self, *, conn_id: str, cause: str, hint: str = "") -> None:
        conn_id = show_conn_id(conn_id)
        end = "" if not hint or cause.endswith((".", "!", "?", ":")) else "."
        self._say(conn_id, f"{cause}{end} {hint}".strip())
        self.conn_id, self.cause, self.hint = conn_id, cause, hint
        self._remember(conn_id=conn_id, cause=cause, hint=hint)

    def __reduce__(self) -> Any:
        if not vars(self)["kwargs"]:  # said again by somebody else
            return type(self), self.args
        return super().__reduce__()

    def _remember(self, **parts: Any) -> None:
        """Keep what botocore's unpickling builds the error from."""
        vars(self)["kwargs"] = {**vars(self).get("kwargs", {}), **parts}

    def _say(self, conn_id: str, cause: str) -> None:
        self._set_message(self.fmt.format(shown_id=shorten(conn_id), cause=cause))

    def _set_message(self, text: str) -> None:
        link = f" See {TROUBLESHOOTING}#{self.section}"
        shown = shorten(text, LONGEST_MESSAGE - 1 - len(link))
        Exception.__init__(self, shown + link)


class InvalidConnectionError(ConnProviderError, InvalidConfigError):
    """The connection is there and wrong; nothing was sent anywhere.

    Attributes:
        problems: Everything that is wrong with it, in the order of reading; at least
            one `Problem`.
        variable: The environment variable that it was read from; None if it was not.
    """

    section = "invalid-connection"
    unsaid: ClassVar = {**ConnProviderError.unsaid, "problems": (), "variable": None}
    problems: tuple[Problem, ...]
    variable: str | None

    def __init__(
        self, *, conn_id: str, problems: Sequence[Problem], variable: str | None = None
    ) -> None:
        conn_id = show_conn_id(conn_id)
        shown = bool(variable) and len(variable or "") <= LONGEST_VARIABLE
        place = f" ({shorten(variable or '')})" if shown else ""
        self.problems = tuple(Problem(*problem) for problem in problems)
        self.variable = variable
        self.cause = _join(self.problems)
        self._set_message(f"Connection '{shorten(conn_id)}'{place}: {self.cause}")
        self.conn_id = conn_id
        self.hint = self.problems[0].fix
        self._remember(conn_id=conn_id, problems=self.problems, variable=variable)


def _join(problems: Sequence[Problem]) -> str:
    """Join problems into one text that keeps under the limit, counting the rest."""
    budget = LONGEST_MESSAGE - 250
    told: list[str] = []
    for number, problem in enumerate(problems, start=1):
        line = str(problem) if len(problems) == 1 else f"({number}) {problem}"
        if told and len(" ".join([*told, line])) > budget:
            told.append(f"And {len(problems) - number + 1} more.")
            break
        told.append(shorten(line, budget))
    return " ".join(told)


class ConnectionNotFoundError(InvalidConnectionError):
    """A connection was named explicitly and is not in the environment.

    Named by `install(conn_id)`, `session(conn_id)`, `Connection.from_env` or
    `BOTOCORE_CONN_ID`; or a bridge was asked for the default one.
    """

    section = "connection-not-found"


class MissingDependencyError(ConnProviderError):
    """The connection needs a package that is not installed.

    `hint` has the command that installs it.
    """

    section = "missing-dependency"


class CredentialFetchError(ConnProviderError, CredentialRetrievalError):
    """The connection is right, and getting credentials for it failed.

    Attributes:
        retryable: Whether the same attempt may succeed a little later (throttling,
            5xx, no network) or not (refused, no ticket). Renewal obeys it.
    """

    section = "credential-fetch"
    unsaid: ClassVar = {**ConnProviderError.unsaid, "retryable": False}
    retryable: bool

    def __init__(
        self, *, conn_id: str, cause: str, hint: str = "", retryable: bool = False
    ) -> None:
        super().__init__(conn_id=conn_id, cause=cause, hint=hint)
        self.retryable = retryable
        self._remember(retryable=retryable)


class PresignedUrlError(ConnProviderError):
    """A presigned URL was not made, because it would end before the time asked for.

    Raised only where the connection's `presigned_urls` says `error`.
    """

    section = "presigned-url"


class IdpRequestError(CredentialFetchError):
    """The IdP could not be reached, or refused the sign-in.

    Attributes:
        answered: Whether the IdP itself answered, with an error or a refusal.
    """

    section = "idp-request"
    unsaid: ClassVar = {**CredentialFetchError.unsaid, "answered": False}
    answered: bool

    def __init__(
        self,
        *,
        conn_id: str,
        cause: str,
        hint: str = "",
        retryable: bool = False,
        answered: bool = False,
    ) -> None:
        super().__init__(conn_id=conn_id, cause=cause, hint=hint, retryable=retryable)
        self.answered = answered
        self._remember(answered=answered)


class SamlResponseError(CredentialFetchError):
    """The IdP answered, but not with a SAML response that grants the role."""

    section = "saml-response"


class WebIdentityTokenError(CredentialFetchError):
    """The token source gave no identity token that STS could take.

    Attributes:
        local: Whether it lies with a file of this machine. No call waits for one to
            appear; the next call looks again.
    """

    section = "web-identity-token"
    unsaid: ClassVar = {**CredentialFetchError.unsaid, "local": False}
    local: bool

    def __init__(
        self,
        *,
        conn_id: str,
        cause: str,
        hint: str = "",
        retryable: bool = False,
        local: bool = False,
    ) -> None:
        super().__init__(conn_id=conn_id, cause=cause, hint=hint, retryable=retryable)
        self.local = local
        self._remember(local=local)


class StsExchangeError(CredentialFetchError):
    """STS could not be reached, or refused the exchange.

    Attributes:
        code: What STS calls its refusal, such as AccessDenied; empty if it did not
            answer.
    """

    section = "sts-exchange"
    unsaid: ClassVar = {**CredentialFetchError.unsaid, "code": ""}
    code: str

    def __init__(
        self,
        *,
        conn_id: str,
        cause: str,
        hint: str = "",
        retryable: bool = False,
        code: str = "",
    ) -> None:
        super().__init__(conn_id=conn_id, cause=cause, hint=hint, retryable=retryable)
        self.code = code
        self._remember(code=code)


def describe_error(error: BaseException) -> str:
    """Return what any error says: one of ours as it is, a foreign one masked."""
    if isinstance(error, ConnProviderError):
        return str(error)
    return show_words(str(error), LONGEST_MESSAGE - 1)
