"""What plug-ins implement: token sources and sign-in methods.

Both kinds have one shape, and so have the built-in ones: a class whose constructor
takes one request, with `check()`, which judges offline, and `fetch(...)`, which does
the work. A package registers its class as an entry point, and the connection names
the entry point:

| kind | entry-point group | the connection's field |
|---|---|---|
| `TokenSource` | `botocore_conn_provider.token_sources` | `assume_role_with_web_identity_federation` |
| `SignIn` | `botocore_conn_provider.sign_ins` | `assume_role_with_saml.idp_auth_method` |

A new object is made for every attempt. Its constructor touches neither files nor
the network; `check()` is called before each `fetch()`, and alone where a connection
is only examined. A plug-in keeps no token and no page between two attempts: renewal
and sharing are done for it.

A plug-in may also have `identify()`, which returns a mapping of texts: by content, all
that decides whose token or page the next one will be. It sends nothing. Two sessions
share credentials only if these mappings are equal. A plug-in without it depends on the
whole `environ` of its request, so it shares less.

A plug-in raises the errors of `botocore_conn_provider`, whose text the user reads.
Any other exception becomes such an error, which gives the plug-in's name and the
exception's type and never its text, because that may hold a secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from botocore_conn_provider.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore_conn_provider.errors import ConnProviderError

__all__ = [
    "Authentication",
    "Browser",
    "IdpAnswer",
    "Page",
    "Secret",
    "SignIn",
    "SignInRequest",
    "TokenRequest",
    "TokenSource",
]


class TokenRequest(NamedTuple):
    """What a token source is told of the connection that asks.

    Its repr shows the connection and the role only.

    Attributes:
        conn_id: The connection, for errors.
        role_arn: The role that the token is for.
        audience: `assume_role_with_web_identity_federation_audience`; None if absent.
        token_file: `assume_role_with_web_identity_token_file`, with `~` not yet
            expanded; None if absent.
        deadline_seconds: Bounds the whole fetch, in seconds. The caller holds it, so
            a source need not.
        environ: Stands for the process's environment; read no other.
    """

    conn_id: str
    role_arn: str
    audience: str | None
    token_file: str | None
    deadline_seconds: float
    environ: Mapping[str, str]

    def __repr__(self) -> str:
        return f"TokenRequest({self.conn_id!r}, {self.role_arn!r})"


class TokenSource(Protocol):
    """One issuer of identity tokens, for AssumeRoleWithWebIdentity.

    The class is called with one `TokenRequest`. Python's protocols cannot say that;
    for a type checker, `Callable[[TokenRequest], TokenSource]` does.

    Example:
        from botocore_conn_provider.plugins import Secret, TokenRequest


        class VariableToken:
            def __init__(self, request: TokenRequest) -> None:
                self._request = request

            def check(self) -> None:
                pass

            def fetch(self) -> Secret:
                return Secret(self._request.environ["MY_TOKEN"])
    """

    def check(self) -> None:
        """Judge what can be judged offline. Sends nothing and runs nothing.

        Raises:
            InvalidConnectionError: The connection lacks a field, or has a wrong one.
            MissingDependencyError: A package that the source needs is not installed.
            WebIdentityTokenError: This source cannot give a token as things are.
        """

    def fetch(self) -> Secret:
        """Return a new token, never one kept from an earlier call.

        The token has 1 to 20,000 characters, without whitespace or control
        characters (AWS STS API reference, AssumeRoleWithWebIdentity); it need not
        be a JWT. Runs in a thread of its own; the caller waits at most
        `deadline_seconds`.

        Raises:
            WebIdentityTokenError: There is none now. With `retryable` set the
                exchange is tried again a little later.
        """


class SignInRequest(NamedTuple):
    """What a sign-in method is told of the connection that asks.

    Its repr shows the connection and the role only.

    Attributes:
        conn_id: The connection, for errors.
        role_arn: The role that the SAML response must grant.
        idp_url: The address of the IdP's sign-in page, http or https. Its query may
            hold a secret: show the scheme and the host only.
        options: `idp_auth_kwargs` as the connection has it, unchecked: `check()`
            judges it. Empty if absent.
        mutual_authentication: How the IdP has to prove who it is.
        deadline_seconds: Bounds the whole sign-in, in seconds. The caller holds it.
        environ: Stands for the process's environment; read no other.
    """

    conn_id: str
    role_arn: str
    idp_url: str
    options: Mapping[str, Any]
    mutual_authentication: Literal["REQUIRED", "OPTIONAL", "DISABLED"]
    deadline_seconds: float
    environ: Mapping[str, str]

    def __repr__(self) -> str:
        return f"SignInRequest({self.conn_id!r}, {self.role_arn!r})"


class Page(NamedTuple):
    """The page that a sign-in ends with. Its body may hold the assertion.

    The SAML response is looked for in it with the connection's
    `saml_response_xpath`. Its repr shows the origin and the size only.

    Attributes:
        origin: The scheme and the host that it came from, as
            `https://idp.example.com`. Errors show it.
        content_type: The Content-Type header; empty if there was none.
        body: The content, unpacked; the browser refuses more than 512 KiB.
    """

    origin: str
    content_type: str
    body: bytes

    def __repr__(self) -> str:
        return f"Page({self.origin}, {len(self.body)} bytes)"


class IdpAnswer(Protocol):
    """The status and headers of an answer, before its body is read.

    A `requests.Response` has this form.

    Attributes:
        status_code: The HTTP status.
        headers: The headers, found by a name in upper or lower case.
        is_redirect: Whether it leads to another address.
    """

    @property
    def status_code(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def is_redirect(self) -> bool: ...


class Authentication(Protocol):
    """What authenticates one request: its Authorization header.

    `Browser.get` asks for a new one for each request, redirects and repeated
    requests included, so that no host sees a proof that was made for another.
    """

    def greet(self) -> str | None:
        """Return the header to send unasked; None to wait for a 401."""

    def answer(self, challenge: IdpAnswer) -> str:
        """Return the header that answers a 401.

        Raises:
            IdpRequestError: The IdP offers nothing that this method can answer.
        """

    def refuse(self, challenge: IdpAnswer) -> ConnProviderError:
        """Return the error that explains a 401 to the header that was sent."""

    def judge(self, answer: IdpAnswer) -> None:
        """Accept any other answer, or refuse it.

        Raises:
            IdpRequestError: The server does not prove who it is.
        """


class Browser(Protocol):
    """What a sign-in method sends its requests with.

    Each call follows redirects (20 at most, never from https to http), keeps
    cookies until the sign-in ends, obeys `idp_request_kwargs` and
    `idp_request_retry_kwargs`, and ends at the deadline. It is for one thread.
    """

    def get(
        self, url: str, *, authenticate: Callable[[str], Authentication] | None = None
    ) -> Page:
        """Fetch a page.

        Args:
            url: Its address.
            authenticate: Is given the address of each request on the way and returns
                what authenticates it; None sends no Authorization header.

        Raises:
            IdpRequestError: The answer is not a page (2xx) in the end.
        """

    def post(self, url: str, *, fields: Mapping[str, str]) -> Page:
        """Send a form and fetch the page that it leads to.

        Args:
            url: The form's address.
            fields: Names and values, which are sent form-encoded.

        Raises:
            IdpRequestError: The answer is not a page (2xx) in the end.
        """


class SignIn(Protocol):
    """One way to sign in at an IdP, for AssumeRoleWithSAML.

    The class is called with one `SignInRequest`. Python's protocols cannot say that;
    for a type checker, `Callable[[SignInRequest], SignIn]` does.

    Example:
        from botocore_conn_provider.plugins import Browser, Page, SignInRequest


        class Form:
            def __init__(self, request: SignInRequest) -> None:
                self._request = request

            def check(self) -> None:
                pass

            def fetch(self, browser: Browser) -> Page:
                fields = {"user": "jo", "pin": self._request.environ["PIN"]}
                return browser.post(self._request.idp_url, fields=fields)
    """

    def check(self) -> None:
        """Judge what can be judged offline. Sends nothing and runs nothing.

        Raises:
            InvalidConnectionError: An option of `idp_auth_kwargs` is wrong.
            MissingDependencyError: A package that the method needs is not installed.
            IdpRequestError: This method cannot sign in as things are.
        """

    def fetch(self, browser: Browser) -> Page:
        """Sign in and return the page with the SAML response.

        Runs in a thread of its own; the caller waits at most `deadline_seconds`.

        Raises:
            IdpRequestError: The IdP could not be reached or refused the sign-in.
        """
