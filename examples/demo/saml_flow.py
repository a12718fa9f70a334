"""Kerberos to AWS without stored keys, with realm, IdP and AWS on loopback.

Run from anywhere: `python examples/demo/saml_flow.py`. The realm is MIT's, the IdP is
Apache with mod_auth_gssapi, the assertion is really signed, the AWS is moto's. Where
they cannot be had, one line says what is missing. `requirements-saml.txt` says what
must be installed; the realm and the IdP are those of the tests.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from embedded_aws import EmbeddedAws

import botocore_conn_provider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.federation.saml.apache import Apache
    from tests.federation.saml.realm import Realm

# Each with the Debian package that brings it.
PROGRAMS = {
    "krb5kdc": "krb5-kdc",
    "kadmin.local": "krb5-admin-server",
    "kinit": "krb5-user",
    "apache2": "apache2-bin",
    "xmlsec1": "xmlsec1",
}
APACHE_MODULE = Path("/usr/lib/apache2/modules/mod_auth_gssapi.so")
MODULES = ("requests_gssapi", "lxml", "k5test", "saml2", "trustme")


def main() -> None:
    """Show the flow, or say what is missing for it."""
    missing = list(find_missing())
    if missing:
        print("The SAML flow is left out; missing:", ", ".join(missing))
        return
    sys.path.insert(0, str(Path(__file__).parents[2]))  # they live with the tests
    from tests.federation.saml.apache import run_apache

    with make_realm() as realm, EmbeddedAws().serve() as aws:
        prepare_environment(aws.url, realm)
        with run_apache(realm, make_page()) as apache:
            write_connection(apache)
            show_sign_in(realm, apache, aws)
            show_refusal(realm, aws)


def find_missing() -> Iterator[str]:
    """Yield what has to be installed, by the names of its packages."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    for program, package in PROGRAMS.items():
        if not shutil.which(program, path=path):
            yield f"{package} (apt)"
    if not APACHE_MODULE.exists():
        yield "libapache2-mod-auth-gssapi (apt)"
    for module in MODULES:
        if importlib.util.find_spec(module) is None:
            yield f"{module} (pip)"


@contextlib.contextmanager
def make_realm() -> Iterator[Realm]:
    """Run a realm of our own."""
    from tests.federation.saml.realm import Realm

    realm = Realm()
    try:
        yield realm
    finally:
        realm.stop()


def make_page() -> str:
    """Make the page that the IdP shows after a sign-in, with a signed response."""
    import trustme

    from tests.federation.saml.asking import build_page
    from tests.federation.saml.signing import PROVIDER, ROLE, sign_response

    with tempfile.TemporaryDirectory() as folder:
        grants = (f"{ROLE},{PROVIDER}",)
        return build_page(sign_response(Path(folder), trustme.CA(), grants=grants))


def prepare_environment(url: str, realm: Realm) -> None:
    """Be in the realm with a ticket, and point boto3 at the embedded AWS."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "BOTO"))]:
        del os.environ[name]
    cache = realm.new_cache()
    realm.log_in(cache)
    os.environ.update(
        realm.environment(cache),
        AWS_ENDPOINT_URL=url,
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
        AWS_DEFAULT_REGION="eu-central-1",
        NO_PROXY="127.0.0.1,localhost",
    )


def write_connection(apache: Apache) -> None:
    """Put the connection into the environment, as an operator would."""
    from tests.federation.saml.signing import ROLE

    extra = {
        "role_arn": ROLE,
        "assume_role_method": "assume_role_with_saml",
        "assume_role_with_saml": {
            "idp_url": apache.url,
            "idp_auth_method": "http_spegno_auth",
            "mutual_authentication": "REQUIRED",
        },
    }
    connection = {"conn_type": "aws", "extra": extra}
    os.environ["AIRFLOW_CONN_AWS_DEFAULT"] = json.dumps(connection)
    print(f"\nThe connection, with no keys in it:\n{json.dumps(extra, indent=2)}")


def show_sign_in(realm: Realm, apache: Apache, aws: EmbeddedAws) -> None:
    """Use plain boto3: the ticket becomes the role."""
    botocore_conn_provider.install()
    arn = boto3.client("sts").get_caller_identity()["Arn"]
    boto3.client("s3").list_buckets()
    print(f"\nThe ticket is of        {realm.user}")
    print(f"The IdP answered        {apache.statuses(2)}")
    print(f"The caller identity is  {arn}")
    print(f"Requests to AWS         {len(aws.sent)}, one of them to sign in")


def show_refusal(realm: Realm, aws: EmbeddedAws) -> None:
    """Come without a ticket: an error, and not a single request to AWS."""
    before = len(aws.sent)
    os.environ["KRB5CCNAME"] = realm.new_cache()
    try:
        boto3.session.Session().client("s3").list_buckets()
    except botocore_conn_provider.CredentialFetchError as error:
        print(f"\nWithout a ticket:\n  {error}")
    sent = len(aws.sent) - before
    print(f"Requests to AWS         {sent}\n")
    if sent:
        raise SystemExit("A refused sign-in sent something. That must not be.")


if __name__ == "__main__":
    main()
