"""Judge what only the installed host can: Config options, STS parameters, files.

Still before any network, and still all problems at once, as the same kind of
error that reading the connection gives.

Values are never shown: they may be a proxy's password or an MFA code. So
botocore's own texts, which quote them, are not passed on.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore import UNSIGNED, __version__
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.loaders import create_loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from botocore_conn_provider.connection.client_settings import is_unsigned
from botocore_conn_provider.connection.settings import (
    AssumeRole,
    AssumeRoleWithSaml,
)
from botocore_conn_provider.errors import InvalidConnectionError, Problem
from botocore_conn_provider.redaction import describe_value, show_name
from botocore_conn_provider.tracebacks import scrubbed

if TYPE_CHECKING:
    from collections.abc import Iterable

    import botocore.session
    from botocore.model import Shape

    from botocore_conn_provider.connection.settings import AwsSettings, Role
    from botocore_conn_provider.exchange.session_view import SessionView
    from botocore_conn_provider.exchange.unfitted_session import UnfittedSession
    from botocore_conn_provider.secret import Options

# By its path: finding the newest version by name lists every service's folder.
STS_MODEL = "sts/2011-06-15/service-2"


@scrubbed
def judge(
    settings: AwsSettings, session: botocore.session.Session, *, variable: str | None
) -> None:
    """Refuse what this machine's botocore, files and profiles make impossible.

    Reads the shared configuration files and, for some roles, the STS model. Finds nothing
    in settings that do not need it (`needs_checks`).

    Raises:
        InvalidConnectionError: With every problem found here.
    """
    problems = [
        *_judge_config(settings.client.config),
        *_judge_profile(settings, session),
        *_judge_verify(settings),
    ]
    if settings.role is not None and settings.needs_sts_model:
        problems += _judge_parameters(settings.role)
    if problems:
        raise InvalidConnectionError(
            conn_id=settings.conn_id, problems=problems, variable=variable
        )


@scrubbed
def prepare_base(
    settings: AwsSettings, view: SessionView, *, variable: str | None
) -> UnfittedSession:
    """Make the session of the base identity, after the host's judgement.

    Raises:
        InvalidConnectionError: This machine makes the connection impossible.
    """
    # Imported here: a start from the store makes no base session.
    from botocore_conn_provider.exchange.base_session import create_base_session

    base = create_base_session(settings, view)
    judge(settings, base, variable=variable)
    return base


def build_config(options: Options) -> Config:
    """Make the `Config` for services, without a region."""
    values = dict(options)
    if is_unsigned(options):
        values["signature_version"] = UNSIGNED
    return Config(**values)


def _judge_config(options: Options) -> list[Problem]:
    """Try each option alone, so that the problem names it."""
    problems = []
    for name, value in options.items():
        try:
            Config(**{name: value})
        except (BotoCoreError, TypeError, ValueError, AttributeError) as error:  # noqa: PERF203 - each alone
            problems.append(_name_config_problem(name, value, error))
    return [*problems, *_judge_signature(options)]


def _judge_signature(options: Options) -> list[Problem]:
    """Judge the name, which botocore looks up only when it signs a request."""
    name = options.get("signature_version")
    if name is None or is_unsigned(options):
        return []
    from botocore.auth import AUTH_TYPE_MAPS  # not in every start

    if name in AUTH_TYPE_MAPS:
        return []
    near = _find_near(name, AUTH_TYPE_MAPS)
    return [
        Problem(
            "config_kwargs.signature_version",
            f"{describe_value(name)}, and no signature of botocore {__version__}",
            f"Did you mean '{near}'?" if near else "Write s3v4, v4 or unsigned.",
        )
    ]


def _find_near(name: str, known: Iterable[str]) -> str | None:
    # Imported here: a connection without a misspelt name does not need it.
    from botocore_conn_provider.connection.spelling import find_near

    return find_near(name, known)


def _name_config_problem(name: str, value: object, error: Exception) -> Problem:
    known = list(Config.OPTION_DEFAULTS)
    if name in known:
        seen = f"is refused by botocore ({type(error).__name__})"
        return Problem(
            f"config_kwargs.{name}", seen, "See botocore's documentation of Config."
        )
    near = _find_near(name, known)
    fix = f"Did you mean '{near}'?" if near else "Remove it, or update botocore."
    return Problem(
        f"config_kwargs.{show_name(name, near=near)}",
        f"{describe_value(value)}, and no option of botocore {__version__}'s Config",
        fix,
    )


def _judge_profile(
    settings: AwsSettings, session: botocore.session.Session
) -> list[Problem]:
    name = settings.profile_name
    if name is None or name in session.available_profiles:
        return []
    near = _find_near(name, session.available_profiles)
    hint = f"Did you mean '{near}'? " if near else ""
    return [
        Problem(
            "profile_name",
            "names a profile that is not in the AWS configuration files",
            f"{hint}Add it there (AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE).",
        )
    ]


def _judge_verify(settings: AwsSettings) -> list[Problem]:
    path = settings.client.verify
    if not isinstance(path, str) or Path(path).exists():
        return []
    return [
        Problem(
            "verify",
            "is the path of a file that is not there",
            "Write true, false, or the path of a file with CA certificates.",
        )
    ]


def operation_of(role: Role) -> str:
    """Return the STS operation that assumes `role`."""
    if isinstance(role, AssumeRole):
        return "AssumeRole"
    if isinstance(role, AssumeRoleWithSaml):
        return "AssumeRoleWithSAML"
    return "AssumeRoleWithWebIdentity"


def _judge_parameters(role: Role) -> list[Problem]:
    operation = operation_of(role)
    # Not the session's loader: boto3 asks for the profile while that one is being
    # made, so asking here would make a second one, and every data file and folder
    # would be read twice.
    model = ServiceModel(create_loader().load_data(STS_MODEL), "sts")
    shape = model.operation_model(operation).input_shape
    members: dict[str, Shape] = shape.members if shape is not None else {}
    problems = []
    for name, value in role.parameters.items():
        problem = _judge_parameter(name, value, members=members, operation=operation)
        if problem is not None:
            problems.append(problem)
    return problems


def _judge_parameter(
    name: str, value: Any, *, members: dict[str, Shape], operation: str
) -> Problem | None:
    shape = members.get(name)
    if shape is None:
        near = _find_near(name, members)
        return Problem(
            f"assume_role_kwargs.{show_name(name, near=near)}",
            f"is no parameter of {operation}",
            f"Did you mean '{near}'?" if near else "Remove it.",
        )
    if not ParamValidator().validate(value, shape).has_errors():
        return None
    wanted = KINDS.get(shape.type_name, shape.type_name)
    form = getattr(shape, "member", None)
    if form is not None and getattr(form, "members", None):
        wanted += " of {" + ", ".join(form.members) + "}"
    return Problem(
        f"assume_role_kwargs.{name}",
        f"{describe_value(value)}, and {operation} wants {wanted}",
        "See the AWS STS API reference for its form.",
    )


KINDS = {
    "string": "a text within its lengths",
    "integer": "a whole number in its range",
    "list": "a list",
    "structure": "an object",
    "boolean": "true or false",
}
