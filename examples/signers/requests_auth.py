"""requests: sign what API Gateway, Lambda URLs, Neptune and the like are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import NoCredentialsError
from requests.auth import AuthBase

if TYPE_CHECKING:
    import boto3
    from requests import PreparedRequest


class AwsAuth(AuthBase):
    """Signs each request with the credentials that the session has at that moment."""

    def __init__(self, session: boto3.Session, service: str) -> None:
        credentials = session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        self.credentials = credentials
        self.region = session.region_name
        self.service = service

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the signature, which covers the method, the address and the body."""
        to_sign = AWSRequest(request.method, request.url, data=request.body)
        # Once for each request, so that its key id, token and signature are of one set.
        frozen = self.credentials.get_frozen_credentials()
        SigV4Auth(frozen, self.service, self.region).add_auth(to_sign)
        request.headers.update(to_sign.headers.items())
        return request
