#!/bin/sh
# The AWS CLI, version 1 (pip install awscli), with the connection's identity:
#     export AIRFLOW_CONN_AWS_DEFAULT='{"conn_type": "aws", "login": ..., ...}'
#     export PYTHONPATH=".../botocore_conn_provider/startup/autoload"
# Version 2 brings its own Python, which reads no PYTHONPATH: there,
# `credential_process` in a profile does it (see the README).
set -eu
aws sts get-caller-identity --output text --query Arn "$@"
aws s3 ls "$@"
