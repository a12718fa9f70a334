"""No value of a connection, or of the program's, shows in the frames of a failed call.

The leak check under every test looks at each error of ours; these tests are about what
other tests do not have at hand, or look at errors that are not ours.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

import botocore_conn_provider
from botocore_conn_provider.connection.record import Connection
from botocore_conn_provider.errors import (
    ConnProviderError,
    CredentialFetchError,
    InvalidConnectionError,
)
from botocore_conn_provider.exchange import sts
from tests.tracebacks import list_shown

if TYPE_CHECKING:
    from tests.leaks import Leaks, Secrets

pytestmark = pytest.mark.usefixtures("world")
ROLE = "arn:aws:iam::123456789012:role/r"


def check(error: BaseException, leaks: Leaks) -> None:
    """Look at an error of any class, as the leak check looks at ours."""
    for place, text in list_shown(error):
        leaks.check_text(text, place=place)


def write(secrets: Secrets, **extra: object) -> str:
    record = {
        "conn_type": "aws",
        "login": secrets.new_access_key_id(),
        "password": secrets.new("secret key"),
        "extra": {"region_name": "eu-west-1", **extra},
    }
    return json.dumps(record)


BROKEN = {
    "a field that is none": {"aws_secret_key": "x"},
    "a profile that is not there": {"profile_name": "nobody"},
    "a wrong option": {"config_kwargs": {"signature_version": "s3v5"}},
    "a wrong parameter": {"role_arn": ROLE, "assume_role_kwargs": {"Tags": "x"}},
}


@pytest.mark.parametrize("extra", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("way", ["session", "client", "from_env", "parse"])
def test_other_connections_show_in_no_error_about_one(
    way: str,
    extra: dict[str, object],
    secrets: Secrets,
    leaks: Leaks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = write(secrets, **extra)
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", write(secrets))
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", text)
    ways = {
        "session": lambda: botocore_conn_provider.session("aws_default"),
        "client": lambda: (botocore_conn_provider.install(), boto3.client("s3")),
        "from_env": Connection.from_env,
        "parse": lambda: Connection.parse(f"{text[:-2]}, 'x'"),
    }
    try:
        ways[way]()  # type: ignore[no-untyped-call]
    except InvalidConnectionError as error:
        check(error, leaks)
    else:
        assert way == "from_env"  # what only botocore can judge is judged later


def test_keys_that_the_program_passes_show_in_no_frame_of_ours(
    secrets: Secrets, leaks: Leaks, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = boto3.Session()
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", write(secrets, verify=0))
    botocore_conn_provider.install()
    keys: dict[str, Any] = {
        "aws_access_key_id": secrets.new_access_key_id(),
        "aws_secret_access_key": secrets.new("secret key"),
    }
    for session in (older, boto3.Session()):
        with pytest.raises(InvalidConnectionError) as caught:
            session._session.create_client("s3", **keys)
        check(caught.value, leaks)


@pytest.mark.parametrize("way", ["session", "install", "from_env", "parse"])
def test_connection_in_the_place_of_its_id_shows_nowhere(
    way: str, secrets: Secrets, leaks: Leaks
) -> None:
    pasted = f"aws://{secrets.new_access_key_id()}:{secrets.new('secret key')}@/"
    ways = {
        "session": botocore_conn_provider.session,
        "install": botocore_conn_provider.install,
        "from_env": Connection.from_env,
        "parse": lambda text: Connection.parse("{", text),
    }
    with pytest.raises(InvalidConnectionError) as caught:
        ways[way](pasted)  # type: ignore[operator]
    check(caught.value, leaks)


def test_parameters_and_endpoints_show_in_no_error_of_a_role(
    secrets: Secrets, leaks: Leaks, monkeypatch: pytest.MonkeyPatch
) -> None:
    external_id, password = secrets.new("external id"), secrets.new("STS's password")
    # botocore logs the endpoints of the user's own calls.
    users = secrets.add("endpoint-password-7", name="password", in_user_calls=True)
    text = write(
        secrets,
        role_arn=ROLE,
        botocore_conn_provider={"sign_in_deadline_seconds": 2},
        assume_role_kwargs={"ExternalId": external_id},
        endpoint_url=f"http://user:{users}@server.test",
        config_kwargs={"proxies": {"http": f"http://user:{password}@127.0.0.1:1"}},
        service_config={"sts": {"endpoint_url": f"http://u:{password}@127.0.0.1:1"}},
    )
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", text)
    client = botocore_conn_provider.session("aws_default").client("s3")
    with leaks.user_calls(), pytest.raises(ConnProviderError) as caught:
        client.list_buckets()
    check(caught.value, leaks)


def test_interrupt_and_fault_of_our_own_show_no_value_either(
    secrets: Secrets, leaks: Leaks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody foresaw is told by its kind: its frames are those of the renewal."""
    for error in (KeyboardInterrupt(), AssertionError("unforeseen")):
        parameters = {"ExternalId": secrets.new("external id")}
        text = write(secrets, role_arn=ROLE, assume_role_kwargs=parameters)
        monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", text)

        def fail(*_: object, error: BaseException = error, **__: object) -> None:
            raise error

        monkeypatch.setattr(sts.StsExchange, "_call", fail)
        client = botocore_conn_provider.session("aws_default").client("s3")
        with leaks.user_calls(), pytest.raises(CredentialFetchError) as caught:
            client.list_buckets()
        assert type(error).__name__ in str(caught.value)
        check(caught.value, leaks)
