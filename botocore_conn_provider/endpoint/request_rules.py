"""Decide whether a request may have the credentials. Pure: no socket, no clock.

Any program of this machine can connect, and so can a page in a browser, under a name
that it makes point here (DNS rebinding). So who asks shows a token, names this address
as host, and comes neither from a page nor through a proxy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from botocore_conn_provider.secret import Secret

    Headers = Sequence[tuple[bytes, bytes]]

LOOPBACK = "127.0.0.1"
HEALTH_PATH = "/healthz"
# Where figures are told, by an endpoint that has any.
METRICS_PATH = "/metrics"
BEARER = b"Bearer "  # as Prometheus sends it

# What only a browser or something between the client and us sends.
FOREIGN_HEADERS = (b"origin", b"x-forwarded-for", b"forwarded", b"sec-fetch-site")
# A body belongs to no question that we answer.
BODY_HEADERS = (b"content-length", b"transfer-encoding")


class Denial(Value):
    """Why a request is not answered, as AWS's clients show it to their users."""

    status: int
    code: str
    message: str


class Rules(Value):
    """What a request to one endpoint has to have.

    `path` is random where only programs that are told of it may ask. The token is what
    protects the credentials.
    """

    port: int
    path: Secret
    token: Secret
    has_metrics: bool = False

    def judge(self, method: bytes, target: bytes, headers: Headers) -> Denial | None:
        """Return why the request is refused; None if it is answered.

        Args:
            method: Of the request line.
            target: Of the request line: a path.
            headers: Names in lower case, and values, in their order.
        """
        denial = self._judge_sender(method, headers)
        if denial is not None or target == HEALTH_PATH.encode():
            return denial
        is_scrape = self.has_metrics and target == METRICS_PATH.encode()
        if not (is_scrape or _is_same(target, self.path)):
            return Denial(404, "NotFound", "There are no credentials at this path.")
        tokens = _list_values(headers, b"authorization")
        if not tokens:
            return Denial(
                401,
                "MissingToken",
                "The request has no Authorization. Its value is the content of the file"
                " that AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names.",
            )
        given = tokens[0].removeprefix(BEARER) if is_scrape else tokens[0]
        if len(tokens) > 1 or not _is_same(given, self.token):
            return Denial(401, "WrongToken", "The request has the wrong token.")
        return None

    def _judge_sender(self, method: bytes, headers: Headers) -> Denial | None:
        if method != b"GET":
            return Denial(405, "MethodNotAllowed", "Only GET is answered.")
        hosts = _list_values(headers, b"host")
        # Without the port: AWS's common runtime (s3torchconnector, awscrt) leaves it out.
        known = (f"{LOOPBACK}:{self.port}".encode(), LOOPBACK.encode())
        if len(hosts) != 1 or hosts[0] not in known:
            return Denial(403, "WrongHost", f"The host to ask is {LOOPBACK}.")
        if any(_list_values(headers, name) for name in FOREIGN_HEADERS):
            return Denial(
                403, "NotLocal", "Neither web pages nor proxies are answered."
            )
        if any(
            value != b"0"
            for name in BODY_HEADERS
            for value in _list_values(headers, name)
        ):
            return Denial(400, "UnexpectedBody", "The request must have no body.")
        return None


def _list_values(headers: Headers, name: bytes) -> list[bytes]:
    return [value for each, value in headers if each == name]


def _is_same(given: bytes, wanted: Secret) -> bool:
    """Compare in a time that does not tell how much is right."""
    # Imported here: the first request comes after the program's own imports.
    import hmac

    return hmac.compare_digest(given, wanted.reveal().encode())
