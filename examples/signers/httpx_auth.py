"""httpx, sync and async: sign what API Gateway, Lambda URLs and the like are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import NoCredentialsError

if TYPE_CHECKING:
    from collections.abc import Generator

    import boto3


class AwsAuth(httpx.Auth):
    """Signs each request with the credentials that the session has at that moment."""

    requires_request_body = True

    def __init__(self, session: boto3.Session, service: str) -> None:
        credentials = session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        self.credentials = credentials
        self.region = session.region_name
        self.service = service

    def auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the signature, which covers the method, the address and the body."""
        to_sign = AWSRequest(request.method, str(request.url), data=request.content)
        # Once for each request, so that its key id, token and signature are of one set.
        frozen = self.credentials.get_frozen_credentials()
        SigV4Auth(frozen, self.service, self.region).add_auth(to_sign)
        request.headers.update(to_sign.headers.items())
        yield request
