"""The steps at AWS: reach STS, compare clocks, exchange, ask who we are, probe.

An endpoint that speaks S3 and has no STS (MinIO and its kin) is no fault: it is
told, and who we are stays unknown.
"""

from __future__ import annotations

import email.utils
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSRequest
from botocore.exceptions import (
    BotoCoreError,
    ConnectionError,  # noqa: A004 - botocore's name
)

from botocore_conn_provider.cli.doctor.caller import Caller
from botocore_conn_provider.cli.doctor.step import Step
from botocore_conn_provider.cli.plain_http import open_http
from botocore_conn_provider.connection.client_settings import is_unsigned
from botocore_conn_provider.errors import StsExchangeError
from botocore_conn_provider.exchange.refusal import FIELDS
from botocore_conn_provider.exchange.sts import create_sts_client
from botocore_conn_provider.network_faults import (
    explain_fault,
    explain_proxy_sign_in,
)
from botocore_conn_provider.redaction import show_key_id, show_origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.exchange.flow import TemporaryCredentials
    from botocore_conn_provider.exchange.unfitted_session import UnfittedSession

# AWS refuses signatures that are older or younger.
ALLOWED_SKEW_SECONDS = 300


class AwsSteps:
    """Goes to STS and beyond, with what `exchange` makes of the proof before."""

    def __init__(
        self,
        settings: AwsSettings,
        base: UnfittedSession,
        exchange: Callable[[], TemporaryCredentials] | None,
        *,
        probe: str | None,
    ) -> None:
        self._settings = settings
        self._base = base
        self._exchange = exchange
        self._probe = probe
        self._date: str | None = None
        self._issued: TemporaryCredentials | None = None

    def list(self) -> Iterator[Step]:
        """Yield the steps in their order."""
        yield Step("STS", self._look_at_sts)
        yield Step("clock", self._look_at_clock)
        if self._exchange is not None:
            run = self._exchange
            yield Step("exchange", lambda: self._look_at_exchange(run))
        caller = Caller(self._settings, self._base, self._issued)
        if not is_unsigned(self._settings.client.config):
            yield Step("caller identity", caller.look_at_identity)
        if self._probe is not None:
            service = self._probe
            yield Step(f"probe of {service}", lambda: caller.probe(service))

    def _look_at_sts(self) -> Iterator[str]:
        url = self._find_url()
        try:
            answer = self._fetch(url)
        except (ConnectionError, BotoCoreError) as error:
            raise self._explain(error, show_origin(url)) from None
        if answer.status_code == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            fault = explain_proxy_sign_in(show_origin(url), FIELDS)
            raise self._error(fault.cause, fault.hint)
        self._date = answer.headers.get("Date")
        yield f"{show_origin(url)} answers"

    def _find_url(self) -> str:
        """Return the address that the exchange uses; without a role the clients'."""
        client = self._settings.client
        endpoint = client.find_endpoint("sts")
        if self._settings.role is None and endpoint is not None:
            return endpoint
        made: Any = create_sts_client(self._base, client)
        return str(made.meta.endpoint_url)

    def _fetch(self, url: str) -> Any:
        """Ask for the bare page, on the way that the exchange takes."""
        with open_http(self._settings.client, self._base, url) as http:
            return http.send(AWSRequest(method="GET", url=url).prepare())

    def _look_at_clock(self) -> Iterator[str]:
        try:
            told = email.utils.parsedate_to_datetime(self._date or "")
        except ValueError:
            yield "the server tells no time"
            return
        skew = time.time() - told.timestamp()
        if abs(skew) > ALLOWED_SKEW_SECONDS:
            raise self._error(
                f"This machine's clock is {skew:+.0f} s off the server's, which tells"
                f" {self._date}. AWS allows {ALLOWED_SKEW_SECONDS} s.",
                "Set the clock (timedatectl, NTP).",
            )
        yield f"{skew:+.0f} s off the server's"

    def _look_at_exchange(
        self, exchange: Callable[[], TemporaryCredentials]
    ) -> Iterator[str]:
        issued = self._issued = exchange()
        left = issued.expires_at.timestamp() - time.time()
        if left <= 0:
            raise self._error(
                f"The new credentials have already expired, at {issued.expires_at}.",
                "Check the clock of this machine.",
            )
        yield f"{show_key_id(issued.access_key_id)}, for {left / 60:.0f} min"

    def _explain(self, error: Exception, origin: str) -> StsExchangeError:
        fault = explain_fault(error, origin, FIELDS)
        return self._error(fault.cause, fault.hint)

    def _error(self, cause: str, hint: str) -> StsExchangeError:
        return StsExchangeError(conn_id=self._settings.conn_id, cause=cause, hint=hint)
