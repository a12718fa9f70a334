"""List buckets as the role that the IdP grants. Nothing here knows about SAML."""

from __future__ import annotations

import boto3

import botocore_conn_provider


def main() -> None:
    """Use whatever connection stands in the environment."""
    botocore_conn_provider.install()
    print(boto3.client("sts").get_caller_identity()["Arn"])
    for bucket in boto3.client("s3").list_buckets()["Buckets"]:
        print(bucket["Name"])


if __name__ == "__main__":
    main()
