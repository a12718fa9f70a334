"""Narrow a role's session for one program: a session policy, an end.

AWS lets a session policy only take away from what the role may do. Several of them add
up among themselves, though: a second one would give back what the first took away. So
where the connection has one already, no other is put beside it.

Source: AWS IAM User Guide, "Session policies"; AWS STS API reference, AssumeRole.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.errors import InvalidConnectionError, Problem
from botocore_conn_provider.secret import Options
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from botocore_conn_provider.connection.settings import AwsSettings, Role

POLICIES = ("Policy", "PolicyArns")
READ_ONLY = "iam::aws:policy/ReadOnlyAccess"
SHORTEST_SECONDS, LONGEST_SECONDS = 15 * 60, 12 * 3600
LONGEST_POLICY = 2048


class Narrowing(Value):
    """What a program is to have of a role. All of it is off by default.

    `policy` is a document or the ARN of a managed policy. `seconds` is how long it has
    credentials at all: they are not renewed after that.
    """

    policy: str | None = None
    read_only: bool = False
    seconds: int | None = None

    @property
    def is_none(self) -> bool:
        """Whether the program gets the whole role."""
        return self == Narrowing()


class PolicyError(ValueError):
    """The text is no session policy. The error's text may be shown."""


def read_policy(text: str) -> str:
    """Return a policy document as it is sent.

    Raises:
        PolicyError: It is not one, or too long.
    """
    try:
        document = json.loads(text)
    except ValueError:
        raise PolicyError("it is not JSON") from None
    if not isinstance(document, dict) or "Statement" not in document:
        raise PolicyError("it is no policy document: it has no Statement")
    compact = json.dumps(document, separators=(",", ":"))
    if len(compact) > LONGEST_POLICY:
        raise PolicyError(
            f"it has {len(compact)} characters; STS takes {LONGEST_POLICY}"
        )
    return compact


def narrow(settings: AwsSettings, narrowing: Narrowing) -> AwsSettings:
    """Return the connection with a narrower session.

    Its credentials are never shared with those of the whole role, since what is asked
    of STS is part of who they are for.

    Raises:
        InvalidConnectionError: The connection cannot be narrowed so.
    """
    if narrowing.is_none:
        return settings
    role = settings.role
    if role is None:
        raise _refuse(
            settings,
            Problem(
                "role_arn",
                "is missing, and only the session of a role can be narrowed",
                "Give the connection a role, or leave the options out.",
            ),
        )
    parameters = {**role.parameters, **_list_policies(settings, role, narrowing)}
    own = settings.own
    if narrowing.seconds is not None:
        parameters["DurationSeconds"] = _limit(settings, role, narrowing.seconds)
        # A stored set may be near its end already.
        own = own._replace(store="off")
    narrowed = role._replace(parameters=Options(parameters))
    return settings._replace(role=narrowed, own=own)


def _list_policies(
    settings: AwsSettings, role: Role, narrowing: Narrowing
) -> dict[str, Any]:
    if narrowing.policy is None and not narrowing.read_only:
        return {}
    for name in POLICIES:
        if role.parameters.get(name):
            raise _refuse(
                settings,
                Problem(
                    f"assume_role_kwargs.{name}",
                    "is a session policy already, and another one beside it would not narrow"
                    " it",
                    "Leave the option out, or write one policy for both.",
                ),
            )
    if narrowing.policy is not None and not narrowing.policy.startswith("arn:"):
        return {"Policy": narrowing.policy}
    partition = role.role_arn.split(":")[1]
    arn = narrowing.policy or f"arn:{partition}:{READ_ONLY}"
    return {"PolicyArns": [{"arn": arn}]}


def _limit(settings: AwsSettings, role: Role, seconds: int) -> int:
    said = role.parameters.get("DurationSeconds")
    if isinstance(said, int) and seconds > said:
        raise _refuse(
            settings,
            Problem(
                "assume_role_kwargs.DurationSeconds",
                f"is {said}, and the program is to have {seconds} seconds",
                "Ask for less.",
            ),
        )
    return seconds


def _refuse(settings: AwsSettings, problem: Problem) -> InvalidConnectionError:
    return InvalidConnectionError(conn_id=settings.conn_id, problems=[problem])
