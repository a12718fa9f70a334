"""Claude on Bedrock through anthropic, each client with a connection of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
from anthropic import AnthropicBedrock
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import NoCredentialsError

if TYPE_CHECKING:
    from collections.abc import Generator

    import boto3


class BedrockAuth(httpx2.Auth):
    """Signs each request with the credentials that the session has at that moment."""

    requires_request_body = True

    def __init__(self, session: boto3.Session) -> None:
        credentials = session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        self.credentials = credentials
        self.region = session.region_name

    def auth_flow(
        self, request: httpx2.Request
    ) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Put the signature where anthropic has put the key that is none."""
        to_sign = AWSRequest(request.method, str(request.url), data=request.content)
        frozen = self.credentials.get_frozen_credentials()
        SigV4Auth(frozen, "bedrock", self.region).add_auth(to_sign)
        request.headers.update(to_sign.headers.items())
        yield request


def make_client(session: boto3.Session) -> AnthropicBedrock:
    """Return a client of the session's connection."""
    return AnthropicBedrock(
        api_key="replaced by the signature",  # so that anthropic does not sign, too
        aws_region=session.region_name,
        http_client=httpx2.Client(auth=BedrockAuth(session)),
    )
