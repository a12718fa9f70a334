"""Two tenants, every way to be one of them, and an STS that remembers who asked.

Whatever the stand-in issues belongs to the tenant whose key or token asked for it, so
the key that signs a program's call tells whose identity it goes back to.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import sys
import threading
import uuid
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from _typeshed.wsgi import StartResponse, WSGIEnvironment


ALICE, BOB = "alice", "bob"
SIGNER = re.compile(r"Credential=([^/]+)/")
ROLE = "arn:aws:iam::123456789012:role/base"
START_URL = "https://example.awsapps.com/start"
PATHS = {"container": "/keys/", "metadata": "/latest/meta-data/iam"}


class Cloud:
    """STS, SSO, a container's endpoint and instance metadata, for two tenants.

    Its keys are no secrets of a test's: most of the calls are botocore's own and the
    user's, which botocore logs. Who may see what is for other tests.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.owners: dict[str, str] = {}
        self.callers: list[str] = []
        self.exchanges = 0
        self.url = ""
        # Of the clock that what is issued expires by.
        self.ahead_seconds = 0.0

    def make_keys(self, tenant: str, *, temporary: bool = False) -> dict[str, str]:
        """Return keys of a tenant, with an AWS answer's names."""
        keys = {
            "AccessKeyId": f"AKIA{uuid.uuid4().hex[:16].upper()}",
            "SecretAccessKey": uuid.uuid4().hex,
        }
        if temporary:
            keys["SessionToken"] = uuid.uuid4().hex
        with self._lock:
            self.owners[keys["AccessKeyId"]] = tenant
        return keys

    def make_token(self, tenant: str) -> str:
        """Return a token that stands for a tenant."""
        token = f"{tenant}-{uuid.uuid4().hex}"
        with self._lock:
            self.owners[token] = tenant
        return token

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        kind = "application/json"
        if path.startswith("/federation/credentials"):
            body = self._serve_sso(environ)
        elif path.startswith("/keys"):
            body = self._serve_container(environ, path)
        elif "/latest/" in path:
            kind, body = "text/plain", self._serve_metadata(path)
        else:
            kind, body = "text/xml", self._serve_sts(environ)
        content = body.encode()
        start_response(
            "200 OK",
            [("Content-Type", kind), ("Content-Length", str(len(content)))],
        )
        return [content]

    def _serve_sts(self, environ: WSGIEnvironment) -> str:
        size = int(environ.get("CONTENT_LENGTH") or 0)
        form = parse_qs(environ["wsgi.input"].read(size).decode())
        signer = SIGNER.search(environ.get("HTTP_AUTHORIZATION", ""))
        asker = form.get("WebIdentityToken", [signer[1] if signer else ""])[0]
        tenant = self.owners.get(asker, f"nobody ({asker[:4]})")
        action = form["Action"][0]
        if action == "GetCallerIdentity":
            self.callers.append(tenant)
            inner = f"<Arn>arn:aws:iam::123456789012:user/{tenant}</Arn>"
        else:
            self.exchanges += 1
            inner = self._write_issued(tenant)
        result = f"<{action}Result>{inner}</{action}Result>"
        return f"<{action}Response>{result}</{action}Response>"

    def _write_issued(self, tenant: str) -> str:
        keys = {
            **self.make_keys(tenant, temporary=True),
            "Expiration": _write_end(self.ahead_seconds),
        }
        fields = "".join(f"<{name}>{value}</{name}>" for name, value in keys.items())
        return f"<Credentials>{fields}</Credentials>"

    def _serve_sso(self, environ: WSGIEnvironment) -> str:
        tenant = self.owners[environ["HTTP_X_AMZ_SSO_BEARER_TOKEN"]]
        keys = self.make_keys(tenant, temporary=True)
        names = {n[0].lower() + n[1:]: value for n, value in keys.items()}
        end = int((_now() + datetime.timedelta(hours=1)).timestamp() * 1000)
        return json.dumps({"roleCredentials": {**names, "expiration": end}})

    def _serve_container(self, environ: WSGIEnvironment, path: str) -> str:
        named = path.removeprefix("/keys/")
        authorization = environ.get("HTTP_AUTHORIZATION", "")
        tenant = named or self.owners[authorization]
        keys = self.make_keys(tenant, temporary=True)
        keys["Token"] = keys.pop("SessionToken")
        return json.dumps({**keys, "Expiration": _write_end()})

    def _serve_metadata(self, path: str) -> str:
        if path.endswith("/token"):
            return "metadata-token"
        if path.endswith("/security-credentials/"):
            return "role"
        tenant = path.split("/")[1]
        keys = self.make_keys(tenant, temporary=True)
        keys["Token"] = keys.pop("SessionToken")
        dates = {"LastUpdated": _write_end(), "Expiration": _write_end()}
        return json.dumps({"Code": "Success", **keys, **dates})


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def _write_end(ahead_seconds: float = 0.0) -> str:
    end = _now() + datetime.timedelta(hours=6, seconds=ahead_seconds)
    return end.strftime("%Y-%m-%dT%H:%M:%SZ")


class Tenants:
    """Arranges files for both tenants; `be(tenant)` gives the environment of one."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self._cloud = cloud
        self._folder = folder

    def _place(self, tenant: str, name: str, content: str) -> str:
        path = self._folder / tenant / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return str(path)

    def _write_profile(
        self, tenant: str, *, section: str = "default", more: str = ""
    ) -> str:
        keys = self._cloud.make_keys(tenant)
        return (
            f"[{section}]\naws_access_key_id = {keys['AccessKeyId']}\n"
            f"aws_secret_access_key = {keys['SecretAccessKey']}\n{more}"
        )

    def variables(self, tenant: str) -> dict[str, str]:
        keys = self._cloud.make_keys(tenant)
        return {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        }

    def variables_with_token(self, tenant: str) -> dict[str, str]:
        keys = self._cloud.make_keys(tenant, temporary=True)
        return {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }

    def web_identity(self, tenant: str) -> dict[str, str]:
        token = self._place(tenant, "token", self._cloud.make_token(tenant))
        return {"AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ROLE_ARN": ROLE}

    def shared_file(self, tenant: str) -> dict[str, str]:
        path = self._place(tenant, "credentials", self._write_profile(tenant))
        return {"AWS_SHARED_CREDENTIALS_FILE": path}

    def config_file(self, tenant: str) -> dict[str, str]:
        path = self._place(tenant, "config", self._write_profile(tenant))
        return {"AWS_CONFIG_FILE": path}

    def named_profile(self, tenant: str) -> dict[str, str]:
        path = self._folder / "both"
        text = path.read_text() if path.exists() else ""
        path.write_text(text + self._write_profile(tenant, section=tenant))
        return {"AWS_SHARED_CREDENTIALS_FILE": str(path), "AWS_PROFILE": tenant}

    def home(self, tenant: str) -> dict[str, str]:
        self._place(tenant, ".aws/credentials", self._write_profile(tenant))
        return {"HOME": str(self._folder / tenant)}

    def variable_in_a_path(self, tenant: str) -> dict[str, str]:
        self._place(tenant, "credentials", self._write_profile(tenant))
        return {
            "TENANT": str(self._folder / tenant),
            "AWS_SHARED_CREDENTIALS_FILE": "$TENANT/credentials",
        }

    def relative_path(self, tenant: str) -> dict[str, str]:
        self._place(tenant, "credentials", self._write_profile(tenant))
        return {
            "AWS_SHARED_CREDENTIALS_FILE": "credentials",
            "@directory": str(self._folder / tenant),
        }

    def program(self, tenant: str) -> dict[str, str]:
        keys = {**self._cloud.make_keys(tenant), "Version": 1}
        self._place(tenant, "keys.json", json.dumps(keys))
        show = f"import os; print(open('{self._folder}/'+os.environ['TENANT']+'/keys.json').read())"
        text = f'[default]\ncredential_process = {sys.executable} -c "{show}"\n'
        path = self._place("both", "config", text)
        return {"AWS_CONFIG_FILE": path, "TENANT": tenant}

    def source_profile(self, tenant: str) -> dict[str, str]:
        role = f"[default]\nrole_arn = {ROLE}\nsource_profile = keys\n"
        keys = self._write_profile(tenant, section="profile keys")
        return {"AWS_CONFIG_FILE": self._place(tenant, "config", role + keys)}

    def credential_source(self, tenant: str) -> dict[str, str]:
        role = f"[profile way]\nrole_arn = {ROLE}\ncredential_source = Environment\n"
        path = self._place("both", "config", role)
        return {**self.variables(tenant), "AWS_CONFIG_FILE": path, "AWS_PROFILE": "way"}

    def sso(self, tenant: str) -> dict[str, str]:
        text = (
            f"[default]\nsso_start_url = {START_URL}\nsso_region = us-east-1\n"
            "sso_account_id = 123456789012\nsso_role_name = reader\n"
        )
        name = hashlib.sha1(START_URL.encode()).hexdigest()  # noqa: S324 - botocore's
        token = {
            "accessToken": self._cloud.make_token(tenant),
            "expiresAt": _write_end(),
            "startUrl": START_URL,
            "region": "us-east-1",
        }
        self._place(tenant, f".aws/sso/cache/{name}.json", json.dumps(token))
        return {
            "AWS_CONFIG_FILE": self._place("both", "config", text),
            "AWS_ENDPOINT_URL_SSO": self._cloud.url,
            "HOME": str(self._folder / tenant),
        }

    def container(self, tenant: str) -> dict[str, str]:
        url = f"{self._cloud.url}/keys/{tenant}"
        return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": url}

    def container_token(self, tenant: str) -> dict[str, str]:
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self._cloud.url}/keys/",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": self._cloud.make_token(tenant),
        }

    def container_token_file(self, tenant: str) -> dict[str, str]:
        token = self._place(tenant, "token", self._cloud.make_token(tenant))
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self._cloud.url}/keys/",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": token,
        }

    def metadata(self, tenant: str) -> dict[str, str]:
        return {
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"{self._cloud.url}/{tenant}/",
            "AWS_EC2_METADATA_DISABLED": "false",
        }

    def ec2_file(self, tenant: str) -> dict[str, str]:
        keys = self._cloud.make_keys(tenant)
        text = (
            f"AWSAccessKeyId={keys['AccessKeyId']}\n"
            f"AWSSecretKey={keys['SecretAccessKey']}\n"
        )
        return {"AWS_CREDENTIAL_FILE": self._place(tenant, "ec2", text)}

    def boto_config(self, tenant: str) -> dict[str, str]:
        text = self._write_profile(tenant, section="Credentials")
        return {"BOTO_CONFIG": self._place(tenant, "boto", text)}


# Each gives the environment of one tenant; "@directory" is where the process stands.
WAYS: tuple[Callable[[Tenants, str], dict[str, str]], ...] = (
    Tenants.variables,
    Tenants.variables_with_token,
    Tenants.web_identity,
    Tenants.shared_file,
    Tenants.config_file,
    Tenants.named_profile,
    Tenants.home,
    Tenants.variable_in_a_path,
    Tenants.relative_path,
    Tenants.program,
    Tenants.source_profile,
    Tenants.credential_source,
    Tenants.sso,
    Tenants.container,
    Tenants.container_token,
    Tenants.container_token_file,
    Tenants.metadata,
    Tenants.ec2_file,
    Tenants.boto_config,
)
