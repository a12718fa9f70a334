"""Whose presigned URLs are looked after, and that nothing else about them changes."""

from __future__ import annotations

import copy
import inspect
import os
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import pytest
from botocore import UNSIGNED
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ParamValidationError, UnknownClientMethodError
from botocore.handlers import disable_signing

import botocore_conn_provider
from tests.sessions.program import KEYED, ROLE
from tests.sessions.signing import (
    DENIED,
    HOUR,
    LOGGER,
    OBJECT,
    WEEK,
    make_s3,
    warnings_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.child import Children
    from tests.sessions.program import Program
    from tests.sessions.signing import Signing

    Make = Callable[["Signing"], Any]


def sign(client: Any, seconds: float = HOUR) -> str:
    url: str = client.generate_presigned_url("get_object", OBJECT, seconds)
    return url


def make_older(signing: Signing) -> Any:
    session = botocore.session.Session()
    signing.program.arrange(signing.write())
    botocore_conn_provider.install()
    return boto3.Session(botocore_session=session)


def make_named(signing: Signing) -> Any:
    signing.program.arrange(signing.write())
    return botocore_conn_provider.session("aws_default")


def make_default(signing: Signing) -> Any:
    signing.arrange()
    boto3.setup_default_session()
    return boto3.DEFAULT_SESSION


def make_kept_after_uninstall(signing: Signing) -> Any:
    session = signing.arrange()
    botocore_conn_provider.uninstall()
    return session


def make_deep_copy(signing: Signing) -> Any:
    return copy.deepcopy(signing.arrange()._session)


def make_shallow_copy(signing: Signing) -> Any:
    return copy.copy(signing.arrange()._session)


def make_copy_with_credentials(signing: Signing) -> Any:
    session = signing.arrange()
    session.get_credentials()
    return copy.deepcopy(session._session)


def make_rebound(signing: Signing) -> Any:
    session = make_default(signing)
    make_s3(session)
    other = signing.program.world.fill_all(signing.write())
    signing.program.arrange(signing.write(), other=other)
    botocore_conn_provider.install("other")
    return session


@pytest.mark.parametrize(
    "make",
    [
        make_older,
        make_named,
        make_default,
        make_kept_after_uninstall,
        make_deep_copy,
        make_shallow_copy,
        make_copy_with_credentials,
        make_rebound,
    ],
)
def test_clients_of_every_session_with_a_role_are_looked_after(
    signing: Signing, make: Make
) -> None:
    session = make(signing)
    first = signing.hold(session, age=600, left=3000)
    assert first not in sign(make_s3(session))
    assert signing.count() == 2


def test_client_of_a_resource_is_looked_after(signing: Signing) -> None:
    session = signing.arrange()
    first = signing.hold(session, age=600, left=3000)
    config = Config(signature_version="s3v4")
    client = session.resource("s3", config=config).Object("b", "k").meta.client
    assert first not in sign(client)
    assert signing.count() == 2


def test_presigner_is_wrapped_once_however_often_a_session_is_bound(
    signing: Signing,
) -> None:
    client = make_s3(make_rebound(signing))
    ours = type(client).generate_presigned_url
    assert not hasattr(ours.__wrapped__, "__wrapped__")


def test_presigners_look_as_ever(signing: Signing) -> None:
    ours = signing.arrange().client("s3")
    plain = botocore.session.Session()
    theirs = plain.create_client(
        "s3", "eu-west-1", aws_access_key_id="k", aws_secret_access_key="s"
    )
    for name in ("generate_presigned_url", "generate_presigned_post"):
        one, other = getattr(type(ours), name), getattr(type(theirs), name)
        assert inspect.signature(one) == inspect.signature(other)
        assert (one.__doc__, one.__name__) == (other.__doc__, other.__name__)


def test_wrong_calls_end_as_ever(signing: Signing) -> None:
    client = signing.arrange(presigned_urls="error").client("s3")
    with pytest.raises(UnknownClientMethodError):
        client.generate_presigned_url("no_such_method")
    with pytest.raises(ParamValidationError):
        client.generate_presigned_url("get_object", Params={"Bucket": "b"})
    with pytest.raises(TypeError):
        client.generate_presigned_url()
    with pytest.raises(TypeError):
        client.generate_presigned_url("get_object", OBJECT, 1, "GET", "more")


def test_botocore_that_tells_no_credentials_signs_as_ever(
    signing: Signing, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = signing.arrange()
    first = signing.hold(session, age=600, left=3000)
    client = make_s3(session)
    monkeypatch.delattr(BaseClient, "_get_credentials")
    assert first in sign(client)


def give_keys(signing: Signing) -> Any:
    session = signing.arrange(presigned_urls="error")
    sign(make_s3(session), 60)
    world = signing.program.world
    return session.client(
        "s3",
        aws_access_key_id=world.texts["OTHER_KEY"],
        aws_secret_access_key=world.texts["OTHER_SECRET"],
        aws_session_token=world.texts["OTHER_TOKEN"],
    )


def give_no_signature(signing: Signing) -> Any:
    session = signing.arrange(presigned_urls="error")
    sign(make_s3(session), 60)
    return session.client("s3", config=Config(signature_version=UNSIGNED))


def give_credentials_to_the_session(signing: Signing) -> Any:
    session = signing.arrange(presigned_urls="error")
    sign(make_s3(session), 60)
    world = signing.program.world
    session._session.set_credentials(
        world.texts["OTHER_KEY"],
        world.texts["OTHER_SECRET"],
        world.texts["OTHER_TOKEN"],
    )
    return session.client("s3")


def name_a_profile(signing: Signing) -> Any:
    signing.program.arrange(
        signing.write(presigned_urls="error"),
        credentials="[own]\naws_access_key_id=@FILE_KEY@\naws_secret_access_key=@FILE_SECRET@\n",
    )
    botocore_conn_provider.install()
    sign(make_s3(boto3.Session()), 60)
    return boto3.Session(profile_name="own").client("s3")


def keep_keys_in_the_connection(signing: Signing) -> Any:
    signing.arrange(presigned_urls="error")
    sign(make_s3(boto3.Session()), 60)
    signing.program.arrange({**KEYED, "extra": {"aws_session_token": "@TOKEN@"}})
    return boto3.Session().client("s3")


def install_nothing(signing: Signing) -> Any:
    signing.arrange(presigned_urls="error")
    sign(make_s3(boto3.Session()), 60)
    botocore_conn_provider.uninstall()
    return boto3.Session().client("s3")


@pytest.mark.parametrize(
    "make",
    [
        give_keys,
        give_no_signature,
        give_credentials_to_the_session,
        name_a_profile,
        keep_keys_in_the_connection,
        install_nothing,
    ],
)
def test_urls_that_others_sign_are_left_alone(
    signing: Signing, caplog: pytest.LogCaptureFixture, make: Make
) -> None:
    client = make(signing)
    assert signing.count() == 1
    assert sign(client, WEEK)
    assert signing.count() == 1
    assert warnings_of(caplog) == []


DIRECTORY = {"Bucket": "b--euw1-az1--x-s3", "Key": "k"}


def test_url_of_a_directory_bucket_is_left_to_s3s_own_session(
    signing: Signing, caplog: pytest.LogCaptureFixture
) -> None:
    session = signing.arrange(presigned_urls="error")
    signing.hold(session, age=600, left=3000)
    client = make_s3(session)
    assert client.generate_presigned_url("get_object", DIRECTORY, WEEK)
    assert client.generate_presigned_url("get_object", Params=DIRECTORY, ExpiresIn=WEEK)
    assert signing.count() == 1
    assert warnings_of(caplog) == []


@pytest.mark.parametrize("by_variable", [False, True])
def test_url_of_a_directory_bucket_without_such_a_session_is_as_any_other(
    signing: Signing,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    by_variable: bool,  # noqa: FBT001 - a case
) -> None:
    if not hasattr(Config(), "s3_disable_express_session_auth"):
        pytest.skip("this botocore always has one")
    session = signing.arrange()
    first = signing.hold(session, age=600, left=3000)
    if by_variable:
        monkeypatch.setenv("AWS_S3_DISABLE_EXPRESS_SESSION_AUTH", "true")
        client = make_s3(boto3.Session())
    else:
        client = make_s3(session, s3={"disable_s3_express_session_auth": True})
    assert first not in client.generate_presigned_url("get_object", DIRECTORY, WEEK)
    assert signing.count() == 2
    assert len(warnings_of(caplog)) == 1


def test_url_of_one_connection_neither_renews_nor_names_another(
    signing: Signing, program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    short = signing.write()
    strict = signing.write(presigned_urls="error")
    strict["extra"]["role_arn"] = f"{ROLE}s"
    program.arrange(short, other=program.world.fill_all(strict))
    mine: Any = botocore_conn_provider.session("aws_default")
    others: Any = botocore_conn_provider.session("other")
    signing.hold(mine, age=0, left=HOUR)
    first = signing.hold(others, age=600, left=3000)
    sign(make_s3(mine), WEEK)
    assert others.get_credentials().get_frozen_credentials().access_key == first
    assert signing.count() == 2
    with pytest.raises(botocore_conn_provider.PresignedUrlError, match="'other'"):
        sign(make_s3(others), WEEK)
    assert signing.count() == 3
    (said,) = warnings_of(caplog)
    assert "'aws_default'" in said


def test_each_connection_has_a_warning_of_its_own(
    signing: Signing, program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    program.arrange(signing.write(), other=program.world.fill_all(signing.write()))
    for conn_id in ("aws_default", "other", "other"):
        sign(make_s3(botocore_conn_provider.session(conn_id)), WEEK)
    said = warnings_of(caplog)
    assert ["'aws_default'" in said[0], "'other'" in said[1]] == [True, True]
    assert len(said) == 2


def test_url_that_the_program_leaves_unsigned_needs_no_source(
    signing: Signing,
) -> None:
    signing.aws.inject(DENIED, times=9)
    client = make_s3(signing.arrange(presigned_urls="error"))
    client.meta.events.register("choose-signer.s3.*", disable_signing)
    assert "Signature" not in sign(client)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # beside threads
def test_forked_child_signs_and_renews_for_itself(signing: Signing) -> None:
    session = signing.arrange()
    first = signing.hold(session, age=600, left=3000)
    client = make_s3(session)
    sign(client, 60)
    child = os.fork()
    if child == 0:
        os._exit(7 if first not in sign(client) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert first in sign(client, 60)
    assert signing.count() == 2


LOADED = """
import json, sys, boto3, botocore_conn_provider
botocore_conn_provider.install()
client = boto3.Session().client("s3")
client.list_buckets()
before = set(sys.modules)
client.generate_presigned_url("list_buckets", ExpiresIn=60)
ours = [each for each in set(sys.modules) - before if "conn_provider" in each]
print(json.dumps(sorted(ours)))
"""


def test_what_looks_after_urls_is_loaded_by_the_first_of_them(
    signing: Signing, run_python: Children
) -> None:
    signing.arrange()
    ended = run_python(LOADED)
    assert ended.stdout.strip() == f'["{LOGGER}"]', ended.stderr
