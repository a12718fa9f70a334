"""Sign in at the IdP and return the assertion that STS wants.

Nothing is kept between two sign-ins: no session, no cookie, no token, no thread.
So threads may share a fetcher, and a forked child may use it. The keeper sees to it
that two threads cause one sign-in only.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from botocore_conn_provider.errors import (
    ConnProviderError,
    IdpRequestError,
    InvalidConnectionError,
    MissingDependencyError,
    SamlResponseError,
)
from botocore_conn_provider.federation.deadline import (
    Deadline,
    DeadlineExceededError,
    run_within,
)
from botocore_conn_provider.federation.plugin_guard import (
    BuiltIn,
    PluginKind,
    name_type,
)
from botocore_conn_provider.federation.plugin_lookup import (
    SIGN_INS,
    create_plugin,
    identify_plugin,
)
from botocore_conn_provider.plugins import Page, SignInRequest
from botocore_conn_provider.quiet import quiet_exchange
from botocore_conn_provider.redaction import show_origin, show_words
from botocore_conn_provider.tracebacks import scrubbed

if TYPE_CHECKING:
    from botocore_conn_provider.connection.environment import Environ
    from botocore_conn_provider.connection.settings import AssumeRoleWithSaml
    from botocore_conn_provider.errors import Problem
    from botocore_conn_provider.federation.saml.assertion import Assertion
    from botocore_conn_provider.federation.saml.transcript import Transcript
    from botocore_conn_provider.plugins import SignIn
    from botocore_conn_provider.secret import Secret

logger = logging.getLogger(__name__)

HERE = "botocore_conn_provider.federation.saml"
BUILT_IN = {
    "spnego": BuiltIn(f"{HERE}.spnego:SpnegoSignIn", f"{HERE}.kerberos:identify")
}
INSTALL = "Run: pip install 'botocore-conn-provider[saml]'"
SYSTEM_LIBRARY = (
    "Install it (Debian: apt-get install libgssapi-krb5-2; Red Hat: dnf install"
    " krb5-libs), then"
)


def find_page_flaw(page: object) -> str | None:
    """Return what a plug-in gave, if it is not a whole `Page`."""
    if not isinstance(page, Page):
        return f"a {name_type(page)}, not a Page"
    wanted = {"origin": str, "content_type": str, "body": bytes}
    for name, kind in wanted.items():
        value = getattr(page, name)
        if not isinstance(value, kind):
            return f"a Page whose {name} is a {name_type(value)}, not {kind.__name__}"
    try:
        show_origin(page.origin)
    except ValueError:
        return "a Page whose origin is not an address"
    return None


KIND = PluginKind(
    noun="sign-in method",
    group=SIGN_INS,
    built_in=BUILT_IN,
    field="assume_role_with_saml.idp_auth_method",
    failure=IdpRequestError,
    find_flaw=find_page_flaw,
)


class SamlProof(NamedTuple):
    """What STS wants: the assertion (base64) and the provider that vouches for it."""

    assertion: Secret
    principal_arn: str
    details: Assertion


class SamlProofFetcher:
    """Fetches proofs for one role. Threads may share it; it keeps nothing.

    Args:
        role: What the connection says.
        conn_id: The connection, for errors.
        deadline_seconds: Bounds one whole sign-in.
        allow_plugins: False knows the built-in method only.
        environ: The environment when the session was created, with absolute paths.
    """

    def __init__(
        self,
        role: AssumeRoleWithSaml,
        *,
        conn_id: str,
        deadline_seconds: float,
        allow_plugins: bool,
        environ: Environ,
    ) -> None:
        self._role = role
        self._conn_id = conn_id
        self._allow_plugins = allow_plugins
        self._request = SignInRequest(
            conn_id=conn_id,
            role_arn=role.role_arn,
            idp_url=role.sign_in.idp_url,
            options=role.sign_in.auth,
            mutual_authentication=role.sign_in.mutual_authentication,
            deadline_seconds=deadline_seconds,
            environ=environ,
        )

    @scrubbed
    def check(self) -> None:
        """Judge all that can be judged without the network.

        Raises:
            InvalidConnectionError: An option, the XPath or the method is wrong.
            MissingDependencyError: The extra or the system's library is missing.
        """
        self._create_method()

    @scrubbed
    def identify(self) -> dict[str, str]:
        """Describe by content who signs in. Asks no one for a new ticket.

        A plug-in that does not say what it depends on depends on everything. Holds
        secrets: never show it.

        Raises:
            InvalidConnectionError: No such sign-in method.
        """
        return identify_plugin(
            KIND,
            self._role.sign_in.method,
            self._request,
            allow_plugins=self._allow_plugins,
        )

    @scrubbed
    def fetch_proof(self) -> SamlProof:
        """Sign in and return the assertion, decoded for the choice of provider.

        Blocks for at most the deadline. One request with opportunistic sign-in,
        two without, more only for redirects and the retries asked for.

        Raises:
            IdpRequestError: The IdP could not be reached or refused the sign-in.
            SamlResponseError: Its page has no usable SAML response for the role.
            InvalidConnectionError, MissingDependencyError: As in `check`.
        """
        method = self._create_method()
        deadline = Deadline(self._request.deadline_seconds)
        try:
            with quiet_exchange("requests_gssapi", "requests_gssapi.gssapi_"):
                return run_within(deadline, lambda: self._fetch(method, deadline))
        except DeadlineExceededError:
            raise IdpRequestError(
                conn_id=self._conn_id,
                cause=f"The sign-in took longer than {deadline.seconds:g} s, while"
                f" {deadline.was_doing}.",
                hint="Raise 'sign_in_deadline_seconds' if the IdP is known to be slow.",
                retryable=True,
            ) from None

    def _create_method(self) -> SignIn:
        """Return the sign-in method, after everything that can be judged offline."""
        try:
            from botocore_conn_provider.federation.saml import page, request_options

            method: SignIn = create_plugin(
                KIND,
                self._role.sign_in.method,
                self._request,
                allow_plugins=self._allow_plugins,
            )
        except ModuleNotFoundError as error:
            raise self._missing(f"The package {error.name} is not installed.") from None
        except (ImportError, OSError) as error:  # gssapi without the C library
            cause = f"A system library for Kerberos cannot be loaded ({show_words(str(error))})."
            raise self._missing(cause, SYSTEM_LIBRARY) from None
        sign_in = self._role.sign_in
        problems = [
            *request_options.find_problems(sign_in),
            *page.find_xpath_problems(sign_in.saml_response_xpath),
        ]
        self._check_method(method, problems)
        return method

    def _check_method(self, method: SignIn, problems: list[Problem]) -> None:
        """Have the method judge its options; refuse its problems and ours at once."""
        try:
            method.check()
        except InvalidConnectionError as error:
            problems += error.problems
        except ConnProviderError:
            if not problems:
                raise
        if problems:
            raise InvalidConnectionError(conn_id=self._conn_id, problems=problems)

    def _fetch(self, method: SignIn, deadline: Deadline) -> SamlProof:
        # Here and not above: these need the extra, which is there by now.
        from botocore_conn_provider.federation.saml.browser import IdpBrowser
        from botocore_conn_provider.federation.saml.transcript import Transcript

        sign_in = self._role.sign_in
        transcript = Transcript(conn_id=self._conn_id, enabled=sign_in.log_idp_response)
        browser = IdpBrowser(
            sign_in, conn_id=self._conn_id, deadline=deadline, transcript=transcript
        )
        try:
            found = method.fetch(browser)
        finally:
            browser.close()
        deadline.doing = "reading the page"
        return self._read(found, transcript)

    def _read(self, found: Page, transcript: Transcript) -> SamlProof:
        from botocore_conn_provider.federation.saml import assertion, page

        # A plug-in's page may have more in it than errors may show.
        found = found._replace(origin=show_origin(found.origin))
        xpath = self._role.sign_in.saml_response_xpath
        reader = page.PageReader(found, conn_id=self._conn_id, xpath=xpath)
        transcript.note_page(reader.outline())
        finding = reader.find()
        try:
            details = assertion.parse_assertion(finding.xml)
            principal_arn = assertion.choose_principal(
                details,
                role_arn=self._role.role_arn,
                principal_arn=self._role.principal_arn,
            )
        except assertion.UnusableAssertionError as error:
            raise SamlResponseError(
                conn_id=self._conn_id, cause=error.cause, hint=error.hint
            ) from None
        logger.debug("Connection '%s': %s", self._conn_id, details.describe())
        return SamlProof(finding.assertion, principal_arn, details)

    def _missing(self, cause: str, first: str = "") -> MissingDependencyError:
        return MissingDependencyError(
            conn_id=self._conn_id, cause=cause, hint=f"{first} {INSTALL}".strip()
        )
