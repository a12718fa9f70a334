"""As much of AWS as a probe meets: S3, STS, SSO, metadata, a container's endpoint.

S3 is a proxy, too, which refuses everything, so that a program that wants to leave
this machine does not get far.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from botocore_conn_provider.cli.whoami.loopback_server import Answer

if TYPE_CHECKING:
    from botocore_conn_provider.cli.whoami.loopback_server import Request
    from botocore_conn_provider.cli.whoami.marker_keys import MarkerKeys

XML = "application/xml"
ROLES = "/latest/meta-data/iam/security-credentials"
CONTAINER = "/container"
PORTAL = "/federation/credentials"
METADATA_TOKEN = "whoami"  # noqa: S105 - it opens nothing
TOKEN_HEADER = "X-aws-ec2-metadata-token"  # noqa: S105 - its name
TOKEN_LIFETIME = {"x-aws-ec2-metadata-token-ttl-seconds": "21600"}
LISTED = """\
<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>whoami</Name>\
<Prefix/><KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>\
</ListBucketResult>"""
NO_SUCH_KEY = """\
<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>NoSuchKey</Code><Message>There is nothing here.</Message></Error>"""
REFUSED = Answer(HTTPStatus.FORBIDDEN, "whoami lets nothing leave this machine")
# Of a signature in a header (SigV4, SigV4a, SigV2) or in a query.
SIGNED_WITH = (
    r"Credential=(?P<key>[^/,\s]+)/",
    r"AWS (?P<key>[^:\s]+):",
)
AGENT = r"aws-(?:cli|sdk-js)/(?P<version>[\d.]+)"


class LoopbackS3:
    """A bucket with nothing in it, which notes who asks, and a proxy that refuses.

    Thread safety: notes are appended only, and read after the probe has ended.
    """

    def __init__(self) -> None:
        self.key_ids: list[str | None] = []
        self.version: str | None = None
        self.wanted: list[str] = []

    def __call__(self, request: Request) -> Answer:
        """Note the key id, never the signature; list nothing."""
        if request.method == "CONNECT":
            self.wanted.append(request.target.partition(":")[0])
            return REFUSED
        self.key_ids.append(find_key_id(request))
        agent = re.search(AGENT, request.headers.get("User-Agent", ""))
        if agent is not None:
            self.version = agent["version"]
        parts = [part for part in urlsplit(request.target).path.split("/") if part]
        if request.method in ("GET", "HEAD") and len(parts) < 2:  # noqa: PLR2004 - a bucket and no key
            return Answer(text=LISTED, content_type=XML)
        return Answer(HTTPStatus.NOT_FOUND, NO_SUCH_KEY, XML)

    def find_signer(self) -> str | None:
        """Return the key id of the first signed request; None if none was signed."""
        return next((key_id for key_id in self.key_ids if key_id is not None), None)


def find_key_id(request: Request) -> str | None:
    """Return the key id that a request was signed with; None if it is not signed."""
    header = request.headers.get("Authorization", "")
    for pattern in SIGNED_WITH:
        if found := re.search(pattern, header):
            return found["key"]
    query = parse_qs(urlsplit(request.target).query)
    for credential in query.get("X-Amz-Credential", []):
        return credential.partition("/")[0]
    return None


class LoopbackMachine:
    """What surrounds a program on AWS: metadata, a container's endpoint, and STS.

    The first two hand out the machine's keys, STS and the portal of IAM Identity
    Center (SSO) those of any role.
    """

    def __init__(self, machine: MarkerKeys, role: MarkerKeys) -> None:
        self._document = machine.write_document()
        self._role = role

    def __call__(self, request: Request) -> Answer:
        """Answer as AWS would; STS knows nothing but roles."""
        path = urlsplit(re.sub("^/+", "/", request.target)).path
        if path == "/latest/api/token" and request.method == "PUT":
            return Answer(text=METADATA_TOKEN, headers=TOKEN_LIFETIME)
        if request.method == "POST":
            return self._answer_sts(request)
        if path.startswith("/latest") and TOKEN_HEADER not in request.headers:
            return Answer(HTTPStatus.UNAUTHORIZED)
        texts = {
            ROLES: "whoami",
            f"{ROLES}/whoami": self._document,
            "/latest/meta-data/placement/region": "us-east-1",
            "/latest/meta-data/placement/availability-zone": "us-east-1a",
            CONTAINER: self._document,
            PORTAL: self._role.write_portal(),
        }
        text = texts.get(path.rstrip("/"))
        return Answer(HTTPStatus.NOT_FOUND) if text is None else Answer(text=text)

    def _answer_sts(self, request: Request) -> Answer:
        asked = {
            **parse_qs(urlsplit(request.target).query),
            **parse_qs(request.body.decode("latin-1")),
        }
        operation = asked.get("Action", [""])[0]
        if not operation.startswith("AssumeRole") or not operation.isalpha():
            return REFUSED
        return Answer(text=self._role.write_role(operation), content_type="text/xml")
