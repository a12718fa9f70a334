"""What each field of a connection means, in a line.

Source: connection-spec, section 2. A test holds this table against the fields that
the reader knows.
"""

from __future__ import annotations

from typing import NamedTuple


class Meaning(NamedTuple):
    """One field. `default` is what counts without it; `instead` replaces it."""

    text: str
    default: str = ""
    instead: str = ""


RECORD = {
    "login": Meaning("access key id; the first choice of keys"),
    "password": Meaning("secret access key of 'login'"),
    "host": Meaning("kept; not used for AWS"),
    "port": Meaning("kept; not used for AWS"),
    "schema": Meaning("kept; not used for AWS"),
    "description": Meaning("kept; for people"),
}
EXTRA = {
    "aws_access_key_id": Meaning("access key id; the second choice of keys"),
    "aws_secret_access_key": Meaning("secret access key of 'aws_access_key_id'"),
    "aws_session_token": Meaning("session token of whichever keys won"),
    "session_kwargs": Meaning(
        "third choice of keys, region and profile", instead="the same fields outside"
    ),
    "profile_name": Meaning("profile of AWS's files, for identity and settings"),
    "profile": Meaning("profile of AWS's files", instead="profile_name"),
    "region_name": Meaning("region of clients", default="AWS_DEFAULT_REGION, profile"),
    "role_arn": Meaning("role to assume, starting from the identity above"),
    "aws_account_id": Meaning("account of 'aws_iam_role'", instead="role_arn"),
    "aws_iam_role": Meaning("name of the role", instead="role_arn"),
    "assume_role_method": Meaning("how the role is assumed", default="assume_role"),
    "assume_role_kwargs": Meaning("parameters of the STS call"),
    "external_id": Meaning(
        "ExternalId of AssumeRole", instead="assume_role_kwargs.ExternalId"
    ),
    "assume_role_with_saml": Meaning("how to sign in at the SAML IdP"),
    "assume_role_with_web_identity_federation": Meaning(
        "where the identity token comes from: google, file or a plug-in"
    ),
    "assume_role_with_web_identity_token_file": Meaning(
        "file with the token, for 'file'", default="AWS_WEB_IDENTITY_TOKEN_FILE"
    ),
    "assume_role_with_web_identity_federation_audience": Meaning(
        "audience of the token, for 'google'", default="a fixed one, with a warning"
    ),
    "config_kwargs": Meaning("options of botocore's Config, for services and STS"),
    "endpoint_url": Meaning("endpoint of every service", default="AWS's own"),
    "host": Meaning("endpoint of every service", instead="endpoint_url"),
    "service_config": Meaning("endpoints of single services"),
    "verify": Meaning(
        "TLS verification: true, false or CA file", default="AWS_CA_BUNDLE, system"
    ),
    "botocore_conn_provider": Meaning("settings of this package"),
}
SAML = {
    "idp_url": Meaning("page where the sign-in begins"),
    "idp_auth_method": Meaning("sign-in method", default="SPNEGO"),
    "principal_arn": Meaning("SAML provider in IAM", default="the assertion names it"),
    "saml_response_xpath": Meaning(
        "where the response is in the page", default="the SAMLResponse input"
    ),
    "mutual_authentication": Meaning("whether the IdP proves itself", "DISABLED"),
    "idp_request_kwargs": Meaning("options of the requests to the IdP"),
    "idp_request_retry_kwargs": Meaning("retries at the IdP", default="none"),
    "idp_auth_kwargs": Meaning("options of the sign-in method"),
    "log_idp_response": Meaning("log a redacted transcript", default="false"),
    "assume_role_kwargs": Meaning("parameters of the STS call"),
}
