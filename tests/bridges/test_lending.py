"""Whose credentials a bridge lends, and from when on."""

from __future__ import annotations

import asyncio
import json
import pickle
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import TYPE_CHECKING, Any

import botocore.credentials
import botocore.session
import pytest

import botocore_conn_provider
from botocore_conn_provider import (
    ConnectionNotFoundError,
    CredentialFetchError,
    InvalidConnectionError,
    MissingDependencyError,
    StsExchangeError,
    bridges,
)
from botocore_conn_provider.bridges.lending import Lender
from botocore_conn_provider.bridges.library import import_library
from tests.aws import Fault, build_error
from tests.child import UNMEASURED
from tests.connections import make_role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.aws import Aws
    from tests.child import Children
    from tests.leaks import Leaks, Secrets

NAMES = sorted(bridges.__all__)
LIBRARIES = {
    **{name: name for name in NAMES},
    "awscrt": "awscrt.auth",
    "daft": "daft.io",
    "lance": "lance.namespace",
    "pyarrow": "pyarrow.fs",
}


@pytest.fixture(autouse=True)
def _uninstalled() -> Iterator[None]:
    yield
    botocore_conn_provider.uninstall()


@pytest.fixture
def role(aws: Aws, secrets: Secrets) -> dict[str, Any]:
    """A connection with a role."""
    return make_role(aws, secrets, endpoint_url="https://s3.example")


def put(
    monkeypatch: pytest.MonkeyPatch, document: object, conn_id: str = "aws_default"
) -> None:
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(document))


def test_bridge_lends_what_a_client_of_the_process_signs_with(
    aws: Aws, role: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(monkeypatch, role)
    botocore_conn_provider.install()
    found = botocore.session.Session().get_credentials()
    assert found is not None
    client = found.get_frozen_credentials()

    lender = Lender(None)
    lent = lender.lend()
    again = asyncio.run(Lender("aws_default").lend_async())

    assert lent.session_token is not None
    assert lent.access_key_id == client.access_key == again.access_key_id
    assert lent.secret_access_key.reveal() == client.secret_key
    assert lent.session_token.reveal() == client.token
    assert (lender.region_name, lender.endpoint_url) == (
        "eu-west-1",
        "https://s3.example",
    )
    assert [each.action for each in aws.sts_requests] == ["AssumeRole"]


def test_many_threads_and_coroutines_cost_one_exchange(
    aws: Aws, role: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(monkeypatch, role)
    aws.inject(Fault(delay_seconds=0.5))

    async def lend_many() -> set[str]:
        found = await asyncio.gather(*(Lender(None).lend_async() for _ in range(20)))
        return {each.access_key_id for each in found}

    with ThreadPoolExecutor(21) as pool:
        others = pool.submit(asyncio.run, lend_many())
        threads = {each.access_key_id for each in pool.map(lend_one, range(20))}
        assert others.result() == threads

    assert len(threads) == len(aws.sts_requests) == 1


def lend_one(_: int) -> Any:
    return Lender(None).lend()


def test_event_loop_goes_on_while_an_exchange_runs(
    aws: Aws, role: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(monkeypatch, role)
    gate = threading.Event()
    aws.inject(Fault(until=gate))

    async def lend() -> str:
        waiting = asyncio.ensure_future(Lender(None).lend_async())
        await asyncio.sleep(0.2)
        assert not waiting.done()
        gate.set()  # by this very loop
        return (await waiting).access_key_id

    assert asyncio.run(lend()).startswith("ASIA")


def test_bridge_without_a_name_is_the_installed_connection(
    role: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(monkeypatch, role)
    put(monkeypatch, role, "other")
    put(monkeypatch, role, "third")
    assert Lender(None).conn_id == "aws_default"
    monkeypatch.setenv("BOTOCORE_CONN_ID", "third")
    assert Lender(None).conn_id == "third"
    botocore_conn_provider.install("other")
    assert Lender(None).conn_id == "other"


@pytest.mark.parametrize("conn_id", [None, "aws_default", "lake"])
def test_connection_that_is_not_there_is_an_error(conn_id: str | None) -> None:
    with pytest.raises(ConnectionNotFoundError, match="is not set"):
        Lender(conn_id)


@pytest.mark.parametrize("name", NAMES)
def test_wrong_connection_is_an_error_before_anything_else(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(monkeypatch, {"conn_type": "aws", "extra": {"role_arn": "nonsense"}})
    arguments = (None,) if name == "duckdb" else ()
    with pytest.raises(InvalidConnectionError, match="role_arn"):
        getattr(bridges, name)(*arguments)


def test_source_that_refuses_is_told_and_nobody_else_is_lent(
    aws: Aws, role: dict[str, Any], monkeypatch: pytest.MonkeyPatch, secrets: Secrets
) -> None:
    put(monkeypatch, role)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", secrets.new_access_key_id())
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secrets.new("foreign"))
    aws.inject(Fault(403, build_error("AccessDenied", "not you")), times=100)
    lender = Lender(None)
    for lend in (lender.lend, lambda: asyncio.run(lender.lend_async())):
        with pytest.raises(StsExchangeError, match="not you"):
            lend()


def test_unsigned_connection_lends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    extra = {"config_kwargs": {"signature_version": "unsigned"}}
    put(monkeypatch, {"conn_type": "aws", "extra": extra})
    with pytest.raises(CredentialFetchError, match="signature_version"):
        Lender(None)


def test_keys_of_a_connection_have_no_end(
    secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_id, key, token = (
        secrets.new_access_key_id(),
        secrets.new("key"),
        secrets.new_session_token(),
    )
    document = {"conn_type": "aws", "login": key_id, "password": key}
    put(monkeypatch, document)
    lent = Lender(None).lend()
    assert (lent.access_key_id, lent.session_token, lent.ends_at) == (
        key_id,
        None,
        None,
    )
    put(monkeypatch, {**document, "extra": {"aws_session_token": token}})
    lent = Lender(None).lend()
    assert lent.session_token is not None
    assert (lent.session_token.reveal(), lent.ends_at) == (token, None)


def test_connection_without_an_identity_lends_the_chains(
    secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_id = secrets.new_access_key_id()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secrets.new("key"))
    put(monkeypatch, {"conn_type": "aws", "extra": {"region_name": "eu-west-1"}})
    lender = Lender(None)
    assert lender.region_name == "eu-west-1"
    assert lender.lend()[0::3] == (key_id, None)


def test_credentials_that_botocore_renews_are_asked_for_again_soon(
    monkeypatch: pytest.MonkeyPatch, secrets: Secrets
) -> None:
    put(monkeypatch, {"conn_type": "aws"})
    lender = Lender(None)
    theirs = {
        "access_key": secrets.new_access_key_id(),
        "secret_key": secrets.new("key"),
        "token": secrets.new("token"),
        "expiry_time": "2099-01-01T00:00:00Z",
    }
    renewed = botocore.credentials.RefreshableCredentials.create_from_metadata(
        theirs, refresh_using=dict, method="test"
    )
    monkeypatch.setattr(lender, "_session", Session(renewed))
    for lent in (lender.lend(), asyncio.run(lender.lend_async())):
        assert lent.access_key_id == theirs["access_key"]
        assert lent.ends_at is not None
        assert lent.ends_at.year < 2099


class Session:
    """A session whose credentials are given."""

    def __init__(self, credentials: object) -> None:
        self._credentials = credentials

    def get_credentials(self) -> object:
        return self._credentials


def test_switched_off_the_chain_is_lent_and_said(
    role: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    secrets: Secrets,
) -> None:
    key_id = secrets.new_access_key_id()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secrets.new("key"))
    monkeypatch.setenv("BOTOCORE_CONN_DISABLE", "1")
    put(monkeypatch, role)
    assert Lender("aws_default").lend().access_key_id == key_id


@pytest.mark.parametrize("name", NAMES)
def test_missing_library_is_told_with_the_command(
    name: str, role: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(monkeypatch, role)
    for module in (LIBRARIES[name], LIBRARIES[name].partition(".")[0]):
        monkeypatch.setitem(sys.modules, module, None)
    arguments = (None,) if name == "duckdb" else ()
    with pytest.raises(MissingDependencyError, match=f"pip install (py)?{name}"):
        getattr(bridges, name)(*arguments)


def test_library_that_lacks_something_of_its_own_says_so_itself(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "half_there.py").write_text("import not_there_at_all\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="not_there_at_all"):
        import_library("half_there", conn_id="x")


def test_importing_the_bridges_imports_no_library(run_python: Children) -> None:
    ended = run_python(
        f"""
        import sys
        from botocore_conn_provider import bridges
        print(dir(bridges)[-1], [
            name for name in ({", ".join(map(repr, [*NAMES, "s3fs"]))}, "botocore", "boto3")
            if name in sys.modules
        ])
        """,
        env=UNMEASURED,
    )
    assert ended.stdout == "pyarrow []\n"
    with pytest.raises(AttributeError, match="no attribute 'spark'"):
        getattr(bridges, "spark")  # noqa: B009 - whether it is there is the question


@pytest.fixture
def _libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have polars and obstore be there. Their bridges use nothing of them."""
    for name in ("polars", "obstore"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))


@pytest.mark.usefixtures("_libraries")
def test_pickle_holds_the_name_of_the_connection_that_is_meant(
    role: dict[str, Any], monkeypatch: pytest.MonkeyPatch, leaks: Leaks
) -> None:
    put(monkeypatch, role, "lake")
    monkeypatch.setenv("BOTOCORE_CONN_ID", "lake")
    for bridge in (
        bridges.polars(),
        bridges.obstore(),
        bridges.obstore(asynchronous=True),
    ):
        result = bridge()
        if asyncio.iscoroutine(result):
            asyncio.run(result)
        leaks.check_pickle(bridge)
        text = pickle.dumps(bridge)
        with monkeypatch.context() as elsewhere:
            elsewhere.delenv("BOTOCORE_CONN_ID")
            remade = pickle.loads(text)  # noqa: S301 - our own
            assert (type(remade), remade.lender.conn_id) == (type(bridge), "lake")
            elsewhere.delenv("AIRFLOW_CONN_LAKE")
            with pytest.raises(ConnectionNotFoundError):
                pickle.loads(text)  # noqa: S301 - our own


@pytest.mark.usefixtures("_libraries")
def test_polars_takes_no_two_bridges_for_one(
    role: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It shares what it has opened among providers with the same pickle."""
    put(monkeypatch, role)
    first = bridges.polars()
    assert pickle.dumps(first) == pickle.dumps(first)
    assert pickle.dumps(first) != pickle.dumps(bridges.polars())


def test_forked_child_lends_what_its_parent_had(
    aws: Aws, role: dict[str, Any], run_python: Children
) -> None:
    ended = run_python(
        """
        import os
        from botocore_conn_provider.bridges.lending import Lender
        lender = Lender(None)
        before = lender.lend().access_key_id
        child = os.fork()
        if not child:
            os._exit(lender.lend().access_key_id != before)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """,
        env={"AIRFLOW_CONN_AWS_DEFAULT": json.dumps(role)},
    )
    assert ended.stdout == "0\n", ended.stderr
    assert len(aws.sts_requests) == 1
