"""Hostile surroundings: what changes between two moments must change nobody's identity.

Each test is one way in which a session was once, or could be, signed as somebody else.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import copy
import gc
import json
import logging
import os
import sys
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.configprovider import ConfigChainFactory

import botocore_conn_provider
from botocore_conn_provider.cli.process_credentials import issue
from botocore_conn_provider.connection.environment import Snapshot
from botocore_conn_provider.errors import ConnProviderError
from botocore_conn_provider.exchange import assume_role_flow
from botocore_conn_provider.renewal.registry import keepers
from tests.loopback import LOOPBACK, serve
from tests.sessions.tenants import ALICE, BOB, Cloud

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.leaks import Leaks

ROLE = "arn:aws:iam::123456789012:role/job"
EXTRA = {"role_arn": ROLE, "region_name": "eu-west-1"}


class Stage:
    """An installed process, an STS that knows who asks, and a folder."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.cloud = cloud
        self.folder = folder

    def connect(self, **extra: str) -> None:
        os.environ["AIRFLOW_CONN_AWS_DEFAULT"] = json.dumps({"extra": extra})

    def write_keys(self, name: str, tenant: str, *, section: str = "default") -> Path:
        keys = self.cloud.make_keys(tenant)
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f"[{section}]\naws_access_key_id = {keys['AccessKeyId']}\n"
            f"aws_secret_access_key = {keys['SecretAccessKey']}\n"
        )
        return path

    def ask(self, session: Any) -> str:
        """Return whose key signs a call of this session."""
        make = getattr(session, "client", None) or session.create_client
        client = make("sts", endpoint_url=self.cloud.url)
        arn: str = client.get_caller_identity()["Arn"]
        return arn.rpartition("/")[2]


@contextlib.contextmanager
def serve_cloud() -> Iterator[Cloud]:
    cloud = Cloud()
    with serve(cloud) as port:
        cloud.url = f"http://{LOOPBACK}:{port}"
        yield cloud


@pytest.fixture
def stage(leaks: Leaks, tmp_path: Path) -> Iterator[Stage]:
    """An installed process whose environment is put back afterwards."""
    before, directory = dict(os.environ), os.getcwd()  # noqa: PTH109
    with serve_cloud() as cloud, leaks.user_calls():
        os.environ["AWS_ENDPOINT_URL_STS"] = cloud.url
        made = Stage(cloud, tmp_path / "stage")
        made.folder.mkdir()
        made.connect(**EXTRA)
        botocore_conn_provider.install()
        yield made
        botocore_conn_provider.uninstall()
        keepers.forget()
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(before)


def renew(session: Any) -> None:
    """Have the session's next use ask for new credentials."""
    credentials = session.get_credentials()
    credentials._keeper.state.held = None


def test_an_endpoint_that_is_set_later_gets_nothing_of_the_session(
    stage: Stage,
) -> None:
    os.environ.update(as_variables(stage, ALICE))
    hers = boto3.Session()
    with serve_cloud() as elsewhere:
        os.environ["AWS_ENDPOINT_URL_STS"] = elsewhere.url
        assert stage.ask(hers) == ALICE
        assert not elsewhere.exchanges


def as_variables(stage: Stage, tenant: str) -> dict[str, str]:
    keys = stage.cloud.make_keys(tenant)
    return {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
    }


def test_a_file_that_is_switched_back_does_not_serve_what_the_other_asked_for(
    stage: Stage,
) -> None:
    path = stage.write_keys("credentials", ALICE)
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(path)
    of_alice = path.read_text()
    older = boto3.Session()
    assert stage.ask(older) == ALICE
    stage.write_keys("credentials", BOB)
    renew(older)
    stage.ask(older)
    path.write_text(of_alice)
    assert stage.ask(boto3.Session()) == ALICE


def test_a_file_that_is_switched_back_does_so_neither_through_the_store(
    stage: Stage,
) -> None:
    os.environ["BOTOCORE_CONN_STORE"] = str(stage.folder / "store")
    path = stage.write_keys("credentials", ALICE)
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(path)
    of_alice = path.read_text()
    older = boto3.Session()
    older.get_credentials()
    stage.write_keys("credentials", BOB)
    time.sleep(
        assume_role_flow.PROOF_SECONDS + 0.1
    )  # what was found is not used any more
    stage.ask(older)
    path.write_text(of_alice)
    del older
    keepers.forget()
    gc.collect()
    assert stage.ask(boto3.Session()) == ALICE


def test_a_token_that_is_switched_back_does_not_serve_what_the_other_asked_for(
    stage: Stage,
) -> None:
    path = stage.folder / "token"
    of_alice = stage.cloud.make_token(ALICE)
    path.write_text(of_alice)
    stage.connect(
        **EXTRA,
        assume_role_method="assume_role_with_web_identity",
        assume_role_with_web_identity_federation="file",
        assume_role_with_web_identity_token_file=str(path),
    )
    older = boto3.Session()
    older.get_credentials()
    path.write_text(stage.cloud.make_token(BOB))
    stage.ask(older)
    path.write_text(of_alice)
    assert stage.ask(boto3.Session()) == ALICE


def test_the_profile_is_that_of_the_files_at_creation(stage: Stage) -> None:
    hers = stage.write_keys("alice", ALICE, section="job")
    his = stage.write_keys("bob", BOB, section="other")
    stage.connect(**EXTRA, profile_name="job")
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(hers)
    session = boto3.Session(region_name="eu-west-1")
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(his)
    assert stage.ask(session) == ALICE


def test_the_environments_profile_is_that_of_creation(stage: Stage) -> None:
    path = stage.write_keys("both", ALICE, section="job")
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(path)
    os.environ["AWS_PROFILE"] = "job"
    session = botocore.session.Session()
    os.environ["AWS_PROFILE"] = "gone"
    assert stage.ask(session) == ALICE


def test_a_variable_in_a_path_that_was_unset_is_not_read_later(stage: Stage) -> None:
    stage.write_keys("bob/credentials", BOB)
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = f"{stage.folder}/$TENANT/credentials"
    session = boto3.Session()
    os.environ["TENANT"] = "bob"
    with pytest.raises(ConnProviderError):
        stage.ask(session)


@pytest.mark.usefixtures("stage")
def test_an_empty_home_is_no_users_home() -> None:
    os.environ["HOME"] = ""
    assert Snapshot.take().locate("~/x") == os.path.expanduser("~/x")  # noqa: PTH111


def test_old_files_of_two_homes_are_not_taken_for_one_when_they_agree(
    stage: Stage,
) -> None:
    first = stage.write_keys("alice/boto", ALICE, section="Credentials")
    second = stage.folder / "bob" / "boto"
    second.parent.mkdir()
    second.write_text(first.read_text())
    os.environ["BOTO_CONFIG"] = str(first)
    hers = boto3.Session()
    assert stage.ask(hers) == ALICE
    os.environ["BOTO_CONFIG"] = str(second)
    his = boto3.Session()
    assert stage.ask(his) == ALICE
    stage.write_keys("bob/boto", BOB, section="Credentials")
    renew(his)
    assert stage.ask(his) == BOB


def test_programs_of_two_folders_are_not_taken_for_one_when_they_agree(
    stage: Stage,
) -> None:
    keys = json.dumps({**stage.cloud.make_keys(ALICE), "Version": 1})
    for tenant in (ALICE, BOB):
        (stage.folder / tenant).mkdir()
        (stage.folder / tenant / "keys.json").write_text(keys)
    config = stage.folder / "config"
    config.write_text("[default]\ncredential_process = cat keys.json\n")
    os.environ["AWS_CONFIG_FILE"] = str(config)
    os.chdir(stage.folder / ALICE)
    hers = boto3.Session()
    assert stage.ask(hers) == ALICE
    os.chdir(stage.folder / BOB)
    his = boto3.Session()
    assert stage.ask(his) == ALICE
    changed = json.dumps({**stage.cloud.make_keys(BOB), "Version": 1})
    (stage.folder / BOB / "keys.json").write_text(changed)
    renew(his)
    assert stage.ask(his) == BOB


def test_relative_files_of_two_folders_are_not_taken_for_one_when_they_agree(
    stage: Stage,
) -> None:
    keys = stage.cloud.make_keys(ALICE)
    text = f"AWSAccessKeyId={keys['AccessKeyId']}\nAWSSecretKey={keys['SecretAccessKey']}\n"
    for tenant in (ALICE, BOB):
        (stage.folder / tenant).mkdir()
        (stage.folder / tenant / "ec2").write_text(text)
    os.environ["AWS_CREDENTIAL_FILE"] = "ec2"
    os.chdir(stage.folder / ALICE)
    hers = boto3.Session()
    assert stage.ask(hers) == ALICE
    os.chdir(stage.folder / BOB)
    his = boto3.Session()
    assert stage.ask(his) == ALICE
    new = stage.cloud.make_keys(BOB)
    (stage.folder / BOB / "ec2").write_text(
        f"AWSAccessKeyId={new['AccessKeyId']}\nAWSSecretKey={new['SecretAccessKey']}\n"
    )
    renew(hers)
    renew(his)
    assert stage.ask(his) == BOB


def test_handlers_of_one_session_do_not_decide_for_another(stage: Stage) -> None:
    path = stage.write_keys("credentials", ALICE)
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(path)
    his = boto3.Session()
    seen = []
    his.events.register("before-call.sts.AssumeRole", lambda **_: seen.append(1))
    assert stage.ask(his) == ALICE
    assert seen
    hers = boto3.Session()
    stage.ask(hers)
    assert stage.cloud.exchanges == 2


def test_file_that_the_program_named_is_the_sessions_own(stage: Stage) -> None:
    session = botocore.session.Session()
    path = stage.write_keys("hers", ALICE, section="new")
    session.set_config_variable("credentials_file", str(path))
    assert session.available_profiles == ["new"]


def test_chain_that_the_program_made_for_a_variable_counts(stage: Stage) -> None:
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(stage.write_keys("bobs", BOB))
    os.environ["OUR_FILE"] = str(stage.write_keys("hers", ALICE))
    session = botocore.session.Session()
    for environ in (dict(os.environ), os.environ):
        chains = ConfigChainFactory(session, environ=environ)
        chain = chains.create_config_chain("credentials_file", "OUR_FILE")
        store = session.get_component("config_store")
        store.set_config_provider("credentials_file", chain)
        os.environ["OUR_FILE"] = str(stage.folder / "bobs")
        assert stage.ask(session) == ALICE
        os.environ["OUR_FILE"] = str(stage.folder / "hers")
        session = botocore.session.Session()


def test_sessions_of_the_same_handler_share(stage: Stage) -> None:
    path = stage.write_keys("credentials", ALICE)
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(path)
    for _ in range(2):
        session = boto3.Session()
        session.events.register("before-call.sts", count_calls)
        session.events.register("before-call.s3", lambda **_: None)
        assert stage.ask(session) == ALICE
    assert stage.cloud.exchanges == 1


def count_calls(**_: object) -> None:
    """Be a handler that sessions share."""


def test_default_config_of_one_session_does_not_decide_for_another(
    stage: Stage,
) -> None:
    path = stage.write_keys("credentials", ALICE)
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(path)
    broken = botocore.session.Session()
    broken.set_default_client_config(
        Config(
            proxies={"http": "http://127.0.0.1:9"}, retries={"total_max_attempts": 1}
        )
    )
    broken.get_credentials()
    assert stage.ask(boto3.Session()) == ALICE


def test_session_variables_of_ones_own_names_count(stage: Stage) -> None:
    keys = stage.cloud.make_keys(ALICE)
    stage.connect(
        **EXTRA,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
    )
    del os.environ["AWS_ENDPOINT_URL_STS"]
    with serve_cloud() as elsewhere:
        elsewhere.owners = stage.cloud.owners
        sessions = []
        for name, cloud in (("a", elsewhere), ("b", stage.cloud)):
            path = stage.folder / name
            path.write_text(f"[default]\nendpoint_url = {cloud.url}\n")
            os.environ["MY_CONFIG"] = str(path)
            session = botocore.session.Session(
                session_vars={"config_file": (None, "MY_CONFIG", "~/x", None)}
            )
            found: Any = session.get_credentials()
            found.get_frozen_credentials()
            sessions.append(session)
        assert (elsewhere.exchanges, stage.cloud.exchanges) == (1, 1)


def test_clients_of_two_regions_share_where_the_connection_has_one(
    stage: Stage,
) -> None:
    os.environ.update(as_variables(stage, ALICE))
    for region in ("eu-central-1", "us-west-2"):
        session = boto3.Session()
        client = session.client("sts", endpoint_url=stage.cloud.url, region_name=region)
        client.get_caller_identity()
    assert stage.cloud.exchanges == 1


def test_a_deleted_directory_does_not_keep_a_program_from_starting(
    stage: Stage,
) -> None:
    keys = json.dumps({**stage.cloud.make_keys(ALICE), "Version": 1})
    (stage.folder / "keys.json").write_text(keys)
    config = stage.folder / "config"
    config.write_text(f"[default]\ncredential_process = cat {stage.folder}/keys.json\n")
    os.environ["AWS_CONFIG_FILE"] = str(config)
    gone = stage.folder / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    assert stage.ask(boto3.Session()) == ALICE


@pytest.mark.parametrize(
    "command", ["/no/such/program", "echo nothing", "echo '{\"Version\": 1}'"]
)
def test_a_program_that_does_not_give_keys_is_an_error_of_ours(
    stage: Stage, command: str
) -> None:
    config = stage.folder / "config"
    config.write_text(f"[default]\ncredential_process = {command}\n")
    os.environ["AWS_CONFIG_FILE"] = str(config)
    with pytest.raises(ConnProviderError):
        boto3.client("sts").get_caller_identity()


@pytest.mark.usefixtures("stage")
def test_environment_that_changes_while_it_is_copied() -> None:
    stop = threading.Event()

    def change() -> None:
        n = 0
        while not stop.is_set():
            n += 1
            os.environ[f"ATTACK_{n % 50}"] = "x"
            os.environ.pop(f"ATTACK_{(n + 25) % 50}", None)

    threads = [threading.Thread(target=change)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for each in threads:
            each.start()
        for _ in range(3000):
            Snapshot.take()
    finally:
        stop.set()
        sys.setswitchinterval(interval)
        for each in threads:
            each.join()


def test_a_session_that_is_let_go_is_not_kept_by_its_keeper(stage: Stage) -> None:
    os.environ.update(as_variables(stage, ALICE))
    logging.disable()  # records hold handlers, and so sessions
    session = botocore.session.Session()
    assert stage.ask(session) == ALICE
    logging.disable(logging.NOTSET)
    unused = boto3.Session()._session
    os.environ.update(as_variables(stage, BOB))
    unused.get_credentials()
    logging.disable(logging.NOTSET)
    held = [
        session,
        unused,
        *(s.get_component("data_loader") for s in (session, unused)),
    ]
    gone = [weakref.ref(each) for each in held]
    del session, unused, held
    gc.collect()
    assert [each() for each in gone] == [None] * 4


def test_a_program_of_the_profile_that_uses_the_connection_ends(
    stage: Stage,
) -> None:
    counter = stage.folder / "count"
    program = stage.folder / "program.py"
    program.write_text(
        "import json, os, sys\n"
        f"open({str(counter)!r}, 'a').write('x')\n"
        f"if os.path.getsize({str(counter)!r}) > 4: sys.exit(9)\n"
        "import botocore_conn_provider, boto3\n"
        "botocore_conn_provider.install()\n"
        "k = boto3.Session().get_credentials().get_frozen_credentials()\n"
        "print(json.dumps({'Version': 1, 'AccessKeyId': k.access_key,"
        " 'SecretAccessKey': k.secret_key, 'SessionToken': k.token}))\n"
    )
    config = stage.folder / "config"
    config.write_text(
        f"[profile job]\ncredential_process = {sys.executable} {program}\n"
    )
    os.environ["AWS_CONFIG_FILE"] = str(config)
    stage.connect(**EXTRA, profile_name="job")
    with pytest.raises(ConnProviderError):
        boto3.client("sts").get_caller_identity()
    assert counter.read_text() == "x" or counter.read_text() == "xx"


def test_the_profile_of_a_bare_session_is_that_of_the_files_at_creation(
    stage: Stage,
) -> None:
    hers = stage.write_keys("alice", ALICE, section="job")
    his = stage.write_keys("bob", BOB, section="other")
    stage.connect(**EXTRA, profile_name="job")
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(hers)
    session = botocore.session.Session()
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(his)
    assert stage.ask(session) == ALICE


def test_a_variable_map_that_changes_later_does_not_count(stage: Stage) -> None:
    hers = stage.write_keys("alice", ALICE)
    his = stage.write_keys("bob", BOB)
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(hers)
    session = botocore.session.Session()
    assert stage.ask(session) == ALICE
    specification = ("credentials_file", "BOBS", str(his), None)
    session.session_var_map["credentials_file"] = specification
    renew(session)
    assert stage.ask(session) == ALICE


def test_a_home_that_is_unset_later_stays_the_sessions(stage: Stage) -> None:
    stage.write_keys("alice/.aws/credentials", ALICE)
    del os.environ["AWS_SHARED_CREDENTIALS_FILE"]
    os.environ["HOME"] = str(stage.folder / "alice")
    session = boto3.Session()
    del os.environ["HOME"]
    assert stage.ask(session) == ALICE


def test_a_profile_that_is_gone_at_renewal_is_not_the_machines(stage: Stage) -> None:
    path = stage.write_keys("both", ALICE, section="job")
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(path)
    os.environ["AWS_PROFILE"] = "job"
    os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"{stage.cloud.url}/keys/{BOB}"
    session = boto3.Session()
    assert stage.ask(session) == ALICE
    path.write_text("[job]\nregion = eu-west-1\n")
    renew(session)
    with pytest.raises(ConnProviderError):
        stage.ask(session)


def test_an_unknown_profile_of_the_environment_is_an_error(stage: Stage) -> None:
    os.environ.update(as_variables(stage, BOB))
    os.environ["AWS_PROFILE"] = "gone"
    with pytest.raises(Exception, match="gone"):
        stage.ask(botocore.session.Session())


@pytest.mark.parametrize("signature", [UNSIGNED, "s3v4-query"])
def test_signature_of_a_default_config_is_not_that_of_the_exchange(
    stage: Stage, signature: Any
) -> None:
    os.environ.update(as_variables(stage, ALICE))
    session = botocore.session.Session()
    session.set_default_client_config(Config(signature_version=signature))
    client: Any = session.create_client(
        "sts", endpoint_url=stage.cloud.url, config=Config(signature_version="v4")
    )
    assert client.get_caller_identity()["Arn"].endswith(ALICE)


def test_threads_that_use_one_new_session_at_once_are_one_asker(stage: Stage) -> None:
    os.environ.update(as_variables(stage, ALICE))
    session = botocore.session.Session()
    os.environ.update(as_variables(stage, BOB))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: stage.ask(session), range(8)))
    assert told == [ALICE] * 8
    assert stage.cloud.exchanges == 1


def test_copies_are_who_the_original_is(stage: Stage) -> None:
    os.environ.update(as_variables(stage, ALICE))
    session = botocore.session.Session()
    os.environ.update(as_variables(stage, BOB))
    assert stage.ask(copy.copy(session)) == ALICE
    assert stage.ask(copy.deepcopy(session)) == ALICE


def test_the_store_of_the_command_is_that_of_the_library(stage: Stage) -> None:
    os.environ["BOTOCORE_CONN_STORE"] = str(stage.folder / "store")
    keys = json.dumps({**stage.cloud.make_keys(ALICE), "Version": 1})
    (stage.folder / "keys.json").write_text(keys)
    config = stage.folder / "config"
    config.write_text(f"[default]\ncredential_process = cat {stage.folder}/keys.json\n")
    os.environ["AWS_CONFIG_FILE"] = str(config)
    stage.ask(botocore.session.Session())
    issue(None, deadline_seconds=20)
    assert stage.cloud.exchanges == 1
