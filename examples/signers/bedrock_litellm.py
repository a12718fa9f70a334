"""Bedrock through litellm: leave every `aws_…` argument for credentials out."""

from __future__ import annotations

import boto3
import litellm

import botocore_conn_provider

botocore_conn_provider.install()


def ask(model: str, question: str) -> str:
    """Return the answer of a model such as bedrock/anthropic.claude-sonnet-4-5."""
    answer = litellm.completion(
        model=model,
        messages=[{"role": "user", "content": question}],
        aws_region_name=boto3.Session().region_name,
    )
    return str(answer.choices[0].message.content)
