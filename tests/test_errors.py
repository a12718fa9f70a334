"""Errors say what is wrong, fit a log, and travel between processes."""

from __future__ import annotations

import copy
import pickle
import re
from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    CredentialRetrievalError,
    InvalidConfigError,
)

from botocore_conn_provider import errors
from botocore_conn_provider.connection.spelling import find_near
from botocore_conn_provider.errors import (
    ConnectionNotFoundError,
    ConnProviderError,
    CredentialFetchError,
    InvalidConnectionError,
    MissingDependencyError,
    Problem,
)
from botocore_conn_provider.redaction import describe_value, show_name

LINK = " See docs/troubleshooting.md#invalid-connection"
FETCH_ERRORS = (
    CredentialFetchError,
    errors.IdpRequestError,
    errors.SamlResponseError,
    errors.WebIdentityTokenError,
    errors.StsExchangeError,
)
PROBLEMS = [Problem("a.b", "is empty", "Fill it."), Problem("c", "is null", "Fix it.")]
EVERY: list[ConnProviderError] = [
    *(kind(conn_id="x", cause="Why.", hint="Do.") for kind in FETCH_ERRORS),
    *(kind(conn_id="x", cause="W.", retryable=True) for kind in FETCH_ERRORS),
    ConnProviderError(conn_id="x", cause="Why."),
    MissingDependencyError(conn_id="x", cause="No.", hint="pip install it."),
    errors.PresignedUrlError(conn_id="x", cause="Early.", hint="Ask for less."),
    InvalidConnectionError(conn_id="x", problems=PROBLEMS, variable="AIRFLOW_CONN_X"),
    InvalidConnectionError(conn_id="x", problems=PROBLEMS[:1]),
    ConnectionNotFoundError(conn_id="x", problems=PROBLEMS),
]


@pytest.mark.parametrize("error", EVERY, ids=lambda error: type(error).__name__)
def test_error_survives_pickling_and_copying(error: ConnProviderError) -> None:
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301 - our own
        assert type(other) is type(error)
        assert str(other) == str(error)
        assert vars(other) == vars(error)


@pytest.mark.parametrize("kind", sorted({type(e) for e in EVERY}, key=str))
def test_library_may_say_an_error_again_in_its_own_words(
    kind: type[ConnProviderError],
) -> None:
    """As `type(error)(text)`, which polars does."""
    make: Any = kind
    error = make("while reading: refused")
    assert (type(error), str(error)) == (kind, "while reading: refused")
    assert (error.conn_id, error.cause, error.hint) == (
        "",
        "while reading: refused",
        "",
    )
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301 - our own
        assert (type(other), str(other)) == (kind, str(error))


def test_every_error_class_is_tried_here() -> None:
    kinds = {
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, ConnProviderError)
    }
    assert kinds == {type(error) for error in EVERY}


@pytest.mark.parametrize("error", EVERY, ids=lambda error: type(error).__name__)
def test_error_is_botocores_too(error: ConnProviderError) -> None:
    assert isinstance(error, BotoCoreError)
    assert isinstance(error, CredentialRetrievalError) == isinstance(
        error, CredentialFetchError
    )
    assert isinstance(error, InvalidConfigError) == isinstance(
        error, InvalidConnectionError
    )


def test_message_says_connection_cause_and_hint() -> None:
    error = MissingDependencyError(conn_id="x", cause="It is not here.", hint="Get it.")
    link = " See docs/troubleshooting.md#missing-dependency"
    assert str(error) == f"Connection 'x': It is not here. Get it.{link}"
    assert error.hint == "Get it."


def test_braces_in_a_cause_stand_as_they_are() -> None:
    error = ConnProviderError(conn_id="{x}", cause="{y}")
    assert str(error).startswith("Connection '{x}': {y} See ")


def test_every_message_ends_with_the_link_to_its_section() -> None:
    sections = set()
    for error in EVERY:
        assert str(error).endswith(f" See docs/troubleshooting.md#{error.section}")
        sections.add(error.section)
    assert len(sections) == len({type(error) for error in EVERY})


def test_problems_are_numbered_when_there_are_more() -> None:
    assert str(EVERY[-3]) == (
        "Connection 'x' (AIRFLOW_CONN_X): (1) 'a.b' is empty. Fill it."
        f" (2) 'c' is null. Fix it.{LINK}"
    )
    assert str(EVERY[-2]) == f"Connection 'x': 'a.b' is empty. Fill it.{LINK}"


@pytest.mark.parametrize("size", [1, 10, 100, 1000])
@pytest.mark.parametrize("count", [1, 2, 30, 1000])
def test_message_fits_a_log_whatever_was_wrong(size: int, count: int) -> None:
    name = ("x\n\x1b\ud800" * size)[:size]
    problem = Problem(name, name, name)
    error = InvalidConnectionError(
        conn_id=name, problems=[problem] * count, variable=name
    )
    assert len(str(error)) < 1500
    assert str(error).isprintable()
    assert len(error.problems) == count
    assert error.problems[0] == problem
    told = len(re.findall(r"\(\d+\) ", str(error))) if count > 1 else 1
    rest = f"And {count - told} more.{LINK}"
    assert str(error).endswith(rest) == (told < count)


def test_message_fits_a_log_when_one_field_was_huge() -> None:
    huge = "x\n\x1b\ud800" * 5000
    problems = [Problem(huge, huge, huge), PROBLEMS[0]]
    error = InvalidConnectionError(conn_id=huge, problems=problems, variable=huge)
    assert len(str(error)) < 1500
    assert str(error).isprintable()


def test_longest_field_of_ours_and_the_longest_id_fit_in_front() -> None:
    field = "assume_role_with_saml.idp_request_retry_kwargs.remove_headers_on_redirect"
    seen = "is text (1000000 characters), not an address"
    problems = [Problem(field, seen, "Fix it.")] * 2
    for conn_id in ("aws_default", "x" * 36, "x" * 1000):
        variable = f"AIRFLOW_CONN_{conn_id.upper()}"
        error = InvalidConnectionError(
            conn_id=conn_id, problems=problems, variable=variable
        )
        assert f"(1) '{field}' {seen}." in str(error)[:200]
        assert conn_id[:39] in str(error)[:60]


def test_cause_of_any_length_fits_a_log() -> None:
    error = CredentialFetchError(conn_id="x" * 9999, cause="y\n" * 9999)
    assert len(str(error)) < 1500
    assert str(error).isprintable()


def test_values_are_described_without_being_shown() -> None:
    values: list[object] = [None, True, 5, 1.5, "", "abc", [], (), {}]
    assert [describe_value(value) for value in values] == [
        "is null",
        "is true",
        "is a number",
        "is a number",
        "is empty",
        "is text (3 characters)",
        "is a list",
        "is a list",
        "is an object",
    ]


def test_names_are_compared_as_people_misspell_them() -> None:
    known = ("role_arn", "region_name")
    near = [find_near(name, known) for name in ("Role-ARN", "region", "reg", "zz")]
    assert near == ["role_arn", "region_name", None, None]
    assert find_near("role_arn" * 10, known) is None


def test_unknown_name_is_shown_in_part() -> None:
    shown = [show_name(name) for name in ("tag", "colour", "Colour", "a" * 41)]
    assert shown == ["tag", "colo…", "(6 characters)", "(41 characters)"]
    assert show_name("Role-ARN", near="role_arn") == "Role-ARN"


def test_an_error_that_a_library_makes_of_ours_keeps_ours_whole() -> None:
    # As Ray does with the error of a task.
    ours = errors.StsExchangeError(
        conn_id="x", cause="no", retryable=True, code="Throttling"
    )

    class Both(RuntimeError, errors.StsExchangeError):
        def __init__(self, cause: Exception) -> None:
            self.cause = cause  # type: ignore[assignment] # as Ray does

        def __getattr__(self, name: str) -> object:
            return getattr(self.cause, name)

    both: Any = Both(ours)
    assert both.cause is ours
    assert (both.conn_id, both.code, both.retryable) == ("x", "Throttling", True)
