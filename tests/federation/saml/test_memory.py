"""How much memory a login takes, whatever the IdP answers: in a child process."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.federation.saml.parts import StartIdp

pytestmark = pytest.mark.kerberos

LIMIT_KIB = 40 * 1024
PROGRAM = """
import os, resource, sys, lxml.etree, requests, requests_gssapi, botocore.session
from botocore_conn_provider.connection.settings import AssumeRoleWithSaml, SamlSignIn
from botocore_conn_provider.errors import CredentialFetchError
from botocore_conn_provider.federation.saml import SamlProofFetcher
role = AssumeRoleWithSaml("arn:aws:iam::123456789012:role/analyst", SamlSignIn(
    sys.argv[1], log_idp_response=True))
fetcher = SamlProofFetcher(role, conn_id="x", deadline_seconds=20, allow_plugins=False,
    environ=dict(os.environ))
idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    fetcher.fetch_proof()
except CredentialFetchError as error:
    print(error, file=sys.stderr)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - idle)
"""


@pytest.mark.usefixtures("ticket")
@pytest.mark.parametrize(
    "fault", ["bomb", "bomb-redirect", "bomb-401", "siblings", "attributes"]
)
def test_login_takes_less_than_40_mib(start_idp: StartIdp, fault: str) -> None:
    with start_idp({"fault": fault}) as idp:
        child = subprocess.run(
            [sys.executable, "-c", PROGRAM, idp.url(host="localhost")],
            env={**os.environ, "no_proxy": "*"},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )

    assert "Connection 'x'" in child.stderr
    assert int(child.stdout) < LIMIT_KIB
