"""Sign in at the IdP and bring home the proof that STS wants.

Nothing is kept between two proofs: no session, no cookie, no token, no thread.
So a fetcher may be shared by threads and used after a fork; that two threads
log in once is the keeper's matter.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from botocore_conn_provider.errors import (
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
from botocore_conn_provider.federation.plugin_lookup import SIGN_INS, find_plugin
from botocore_conn_provider.quiet import quiet_exchange

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Protocol

    from botocore_conn_provider.connection.settings import (
        AssumeRoleWithSaml,
        SamlSignIn,
    )
    from botocore_conn_provider.errors import Problem
    from botocore_conn_provider.federation.saml.assertion import Assertion
    from botocore_conn_provider.federation.saml.browser import Answer, Browser
    from botocore_conn_provider.federation.saml.transcript import Transcript
    from botocore_conn_provider.secret import Secret

    class SignIn(Protocol):
        """A sign-in method: a class of this shape is what a plug-in brings."""

        def __init__(self, sign_in: SamlSignIn, *, conn_id: str) -> None:
            """Take the settings; touch neither files nor the network."""

        def find_problems(self) -> Iterable[Problem]:
            """Yield what is wrong with `idp_auth_kwargs`, offline."""

        def require_libraries(self) -> None:
            """Raise MissingDependencyError if something is not installed."""

        def fetch_page(self, browser: Browser) -> Answer:
            """Sign in and return the page with the SAML response."""


logger = logging.getLogger(__name__)

BUILT_IN = {"spnego": "botocore_conn_provider.federation.saml.spnego:SpnegoSignIn"}
INSTALL = "Run: pip install 'botocore-conn-provider[saml]'"
SYSTEM_LIBRARY = (
    "Install it (Debian: apt-get install libgssapi-krb5-2; Red Hat: dnf install"
    " krb5-libs), then"
)


class SamlProof(NamedTuple):
    """What STS wants: the assertion (base64) and the provider that vouches for it."""

    assertion: Secret
    principal_arn: str
    details: Assertion


class SamlProofFetcher:
    """Fetches proofs for one role. See the module for what it keeps: nothing."""

    def __init__(
        self,
        role: AssumeRoleWithSaml,
        *,
        conn_id: str,
        deadline_seconds: float,
        allow_plugins: bool,
    ) -> None:
        self._role = role
        self._conn_id = conn_id
        self._deadline_seconds = deadline_seconds
        self._allow_plugins = allow_plugins

    def check(self) -> None:
        """Judge all that can be judged without the network.

        Raises:
            InvalidConnectionError: An option, the XPath or the method is wrong.
            MissingDependencyError: The extra or the system's library is missing.
        """
        self._build_sign_in()

    def fetch_proof(self) -> SamlProof:
        """Sign in and return the assertion, decoded for the choice of provider.

        Blocks for at most the deadline. One request with opportunistic sign-in,
        two without, more only for redirects and the retries asked for.

        Raises:
            IdpRequestError: The IdP could not be reached or refused the sign-in.
            SamlResponseError: Its page has no usable SAML response for the role.
            InvalidConnectionError, MissingDependencyError: As in `check`.
        """
        method = self._build_sign_in()
        deadline = Deadline(self._deadline_seconds)
        try:
            with quiet_exchange("requests_gssapi", "requests_gssapi.gssapi_"):
                return run_within(deadline, lambda: self._fetch(method, deadline))
        except DeadlineExceededError:
            raise IdpRequestError(
                conn_id=self._conn_id,
                cause=f"The sign-in took longer than {self._deadline_seconds:g} s, while"
                f" {deadline.was_doing}.",
                hint="Raise 'sign_in_deadline_seconds' if the IdP is known to be slow.",
                retryable=True,
            ) from None

    def _build_sign_in(self) -> SignIn:
        try:
            from botocore_conn_provider.federation.saml import page, request_options

            method = self._find_method()
        except ModuleNotFoundError as error:
            raise self._missing(f"The package {error.name} is not installed.") from None
        except (ImportError, OSError) as error:  # gssapi without the C library
            cause = f"A system library for Kerberos cannot be loaded ({error})."
            raise self._missing(cause, SYSTEM_LIBRARY) from None
        sign_in = self._role.sign_in
        problems = [
            *request_options.find_problems(sign_in),
            *page.find_xpath_problems(sign_in.saml_response_xpath),
            *method.find_problems(),
        ]
        if problems:
            raise InvalidConnectionError(conn_id=self._conn_id, problems=problems)
        method.require_libraries()
        return method

    def _find_method(self) -> SignIn:
        kind = find_plugin(
            self._role.sign_in.method,
            group=SIGN_INS,
            built_in=BUILT_IN,
            field="assume_role_with_saml.idp_auth_method",
            conn_id=self._conn_id,
            allow_plugins=self._allow_plugins,
        )
        method: SignIn = kind(self._role.sign_in, conn_id=self._conn_id)
        return method

    def _fetch(self, method: SignIn, deadline: Deadline) -> SamlProof:
        # Here and not above: these need the extra, which is there by now.
        from botocore_conn_provider.federation.saml.browser import Browser
        from botocore_conn_provider.federation.saml.transcript import Transcript

        sign_in = self._role.sign_in
        transcript = Transcript(conn_id=self._conn_id, enabled=sign_in.log_idp_response)
        browser = Browser(
            sign_in, conn_id=self._conn_id, deadline=deadline, transcript=transcript
        )
        try:
            answer = method.fetch_page(browser)
        finally:
            browser.close()
        deadline.doing = "reading the page"
        return self._read(answer, transcript)

    def _read(self, answer: Answer, transcript: Transcript) -> SamlProof:
        from botocore_conn_provider.federation.saml import assertion, page

        xpath = self._role.sign_in.saml_response_xpath
        reader = page.PageReader(answer, conn_id=self._conn_id, xpath=xpath)
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
