"""Bedrock through langchain-aws: a client of the session, for `invoke` and `ainvoke`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_aws import ChatBedrockConverse

if TYPE_CHECKING:
    import boto3


def make_model(model: str, session: boto3.Session) -> ChatBedrockConverse:
    """Return a chat model; its client signs with the current credentials."""
    return ChatBedrockConverse(
        model=model,
        client=session.client("bedrock-runtime"),
        bedrock_client=session.client("bedrock"),
    )
