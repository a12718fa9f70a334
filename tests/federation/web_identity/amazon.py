"""AWS on loopback: moto's server, with the check of the token that moto leaves out.

moto hands out credentials for any text. In front of it stands what STS does first:
verify the signature and the expiry, and compare the role's real trust policy (as it
stands in moto's IAM) with the condition keys. Each STS call is recorded.
"""

from __future__ import annotations

import io
import json
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import jwt
from moto.backends import get_backend
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    create_backend_app,
)
from werkzeug.serving import make_server

if TYPE_CHECKING:
    from collections.abc import Callable

ACCOUNT = "123456789012"
CALL = "AssumeRoleWithWebIdentity"
REFUSAL = (
    "<ErrorResponse xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><Error>"
    "<Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error>"
    "<RequestId>1</RequestId></ErrorResponse>"
)


class Amazon:
    """The server. `calls` are the parameters of each web identity exchange."""

    def __init__(self, issuer_keys: dict[str, Any]) -> None:
        self._issuer_keys = issuer_keys
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._serve, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.calls: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def reset(self) -> None:
        self.calls.clear()
        self.headers.clear()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def create_role(self, name: str, trust_policy: dict[str, Any]) -> str:
        """Create or replace the role and return its ARN."""
        iam = get_backend("iam")[ACCOUNT]["aws"]
        arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
        for role in [r for r in iam.get_roles() if r.arn == arn]:
            iam.delete_role(role.name)
        iam.create_role(name, json.dumps(trust_policy), "/", None, "", [], "3600")
        return arn

    def _serve(self, environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        form = {k: v[0] for k, v in parse_qs(body.decode()).items()}
        if form.get("Action") == CALL:
            self.calls.append(form)
            self.headers.append(
                {k: v for k, v in environ.items() if k.startswith("HTTP_")}
            )
            refusal = self._judge(form)
            if refusal:
                start("400 Bad Request", [("Content-Type", "text/xml")])
                return [REFUSAL.format(*refusal).encode()]
        return self._moto(environ, start)

    def _judge(self, form: dict[str, str]) -> tuple[str, str] | None:
        token = form["WebIdentityToken"]
        said = jwt.decode(token, options={"verify_signature": False})
        key = self._issuer_keys.get(said["iss"])
        if key is None:
            return "InvalidIdentityToken", "No OpenIDConnect provider found"
        try:
            jwt.decode(token, key, algorithms=["RS256"], options={"verify_aud": False})
        except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError):
            now = int(time.time())
            text = (
                f"Token expired: current date/time {now} must be before {said['exp']}"
            )
            return "ExpiredTokenException", text
        except jwt.PyJWTError:
            return "InvalidIdentityToken", "Couldn't retrieve verification key"
        if not self._trusts(form["RoleArn"], said):
            return "AccessDenied", f"Not authorized to perform sts:{CALL}"
        return None

    def _trusts(self, role_arn: str, said: dict[str, Any]) -> bool:
        """Compare by AWS's rule: aud is azp if there is one, oaud is aud."""
        role = get_backend("iam")[ACCOUNT]["aws"].get_role_by_arn(role_arn)
        statement = json.loads(role.assume_role_policy_document)["Statement"][0]
        provider = said["iss"].removeprefix("https://")
        keys = {
            f"{provider}:aud": said.get("azp") or said["aud"],
            f"{provider}:oaud": said["aud"],
            f"{provider}:sub": said["sub"],
        }
        wanted: dict[str, str] = statement["Condition"]["StringEquals"]
        federated = statement["Principal"]["Federated"]
        return federated.endswith(provider) and all(
            keys.get(name) == value for name, value in wanted.items()
        )
