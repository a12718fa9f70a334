"""Claude on Bedrock through anthropic: nothing to pass but the region."""

from __future__ import annotations

import boto3
from anthropic import AnthropicBedrock

import botocore_conn_provider

botocore_conn_provider.install()


def make_client() -> AnthropicBedrock:
    """Return a client; each request is signed with the current credentials."""
    session = boto3.Session()
    # Raises if the connection is wrong; anthropic would only miss the region.
    session.get_credentials()
    return AnthropicBedrock(aws_region=session.region_name)
