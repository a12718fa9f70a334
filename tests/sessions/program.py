"""What a user's program does on its sessions: arrange, ask, and see who signed."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from tests.sessions.wire import Case, World

if TYPE_CHECKING:
    import pytest

KEYED = {"login": "@KEY@", "password": "@SECRET@"}
OTHER = {"login": "@OTHER_KEY@", "password": "@OTHER_SECRET@"}
ROLE = "arn:aws:iam::123456789012:role/reader"
ASSUMING = {**KEYED, "extra": {"role_arn": ROLE}}
BROKEN = {**KEYED, "extra": {"role_arn": ""}}


def with_config(**options: Any) -> dict[str, Any]:
    """Return a connection with keys and these options of Config."""
    return {**KEYED, "extra": {"config_kwargs": options}}


class Program:
    """A program in one world, which sets its environment and looks at AWS."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        self._monkeypatch = monkeypatch

    def arrange(
        self, connection: Any = None, *, other: Any = None, **more: Any
    ) -> None:
        """Set a connection (and more) in the environment."""
        env = dict(more.pop("env", {}))
        if other is not None:
            env["AIRFLOW_CONN_OTHER"] = json.dumps(other)
        case = Case(connection=connection, env=env, **more)
        self.world.arrange(case, self._monkeypatch)

    def change(self, name: str, value: str) -> None:
        """Set a variable from now on."""
        self._monkeypatch.setenv(name, self.world.fill(value))

    def text(self, name: str) -> str:
        """Return a text of the world: a key, say."""
        return self.world.texts[name]

    def signers(self) -> list[str]:
        """Return who signed each request: a name of the world, issued or unsigned."""
        names = {value: name for name, value in self.world.texts.items()}
        return [
            names.get(each.access_key_id, "issued")
            if each.access_key_id
            else "unsigned"
            for each in self.world.aws.requests
        ]


def ask(session: Any = boto3) -> None:
    """Make a client and a call, as the user's code does."""
    make = getattr(session, "client", None) or session.create_client
    make("sts").get_caller_identity()


def list_buckets(session: Any = boto3, **given: Any) -> None:
    """Call S3, which answers an unsigned request too; a refusal is no matter."""
    make = getattr(session, "client", None) or session.create_client
    with contextlib.suppress(ClientError):
        make("s3", **given).list_buckets()
