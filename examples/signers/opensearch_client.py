"""OpenSearch: a client whose every request is signed with the current credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opensearchpy import OpenSearch, RequestsAWSV4SignerAuth, RequestsHttpConnection

if TYPE_CHECKING:
    import boto3


def connect(url: str, session: boto3.Session) -> OpenSearch:
    """Return a client of the domain at `url`."""
    # The object itself, not get_frozen_credentials(): the signer freezes it each time.
    auth = RequestsAWSV4SignerAuth(session.get_credentials(), session.region_name)
    return OpenSearch(url, http_auth=auth, connection_class=RequestsHttpConnection)
