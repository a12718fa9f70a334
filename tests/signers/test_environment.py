"""What stands in the environment, or was done earlier, and beats the connection.

These are the libraries' own rules. Each test fails when one has changed, and then
docs/signers.md has something else to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.signers.conftest import BEGIN, ROLE
from tests.signers.libraries import BY_THEMSELVES, PROGRAMS, SESSION, WITH_A_SESSION

if TYPE_CHECKING:
    from tests.leaks import Secrets
    from tests.signers.conftest import Programs

CHANGED = "it has changed: say so in docs/signers.md"
TOKEN = "AWS_BEARER_TOKEN_BEDROCK"
# As its documentation has it, without a client.
LANGCHAIN = """
from langchain_aws import ChatBedrockConverse
model = ChatBedrockConverse(
    model="anthropic.claude-sonnet-4-5", region_name="eu-west-1", endpoint_url=sys.argv[1],
)
call = lambda: model.invoke("?")
"""
WITH_BEDROCK = ("anthropic", "litellm", "langchain-aws")
BEDROCK = [name for name in PROGRAMS if name.startswith(WITH_BEDROCK)]
BEATEN_BY_A_TOKEN = {"anthropic", "litellm"}
TAKE_ENVIRONMENT_KEYS = {
    "litellm": BY_THEMSELVES["litellm"],
    "langchain-aws": LANGCHAIN,
}
# Both are started as a shell would start them.
UNDER_EXEC = """
import subprocess
command = [sys.executable, "-m", "botocore_conn_provider", "exec", "--"]
command += [sys.executable, "-c", CODE, sys.argv[1]]
subprocess.run(command, check=True)
"""
INSTALLED_LATE = """
import contextlib, os
os.environ["AWS_BEDROCK_RUNTIME_ENDPOINT"] = sys.argv[1]
import litellm
from anthropic import AnthropicBedrock
client = AnthropicBedrock(aws_region="eu-west-1", base_url=sys.argv[1], max_retries=0)
ask = [{"role": "user", "content": "?"}]
calls = {
    "anthropic": lambda: client.messages.create(
        model="claude", max_tokens=9, messages=ask
    ),
    "litellm": lambda: litellm.completion(
        model="bedrock/anthropic.claude-sonnet-4-5", messages=ask,
        aws_region_name="eu-west-1", max_retries=0,
    ),
}
import botocore_conn_provider
"""
CALL_BEFORE = """
with contextlib.suppress(Exception):
    calls[NAME]()
"""
CALL = """
botocore_conn_provider.install()
with contextlib.suppress(Exception):
    calls[NAME]()
"""


@pytest.mark.parametrize("name", TAKE_ENVIRONMENT_KEYS)
def test_keys_in_the_environment_beat_the_connection(
    programs: Programs, name: str
) -> None:
    programs.environ |= programs.machine.environment_keys
    programs.fail(SESSION + TAKE_ENVIRONMENT_KEYS[name] + "call()")

    keys = {signed.key_id for _, signed in programs.service.requests if signed}
    assert keys == {programs.machine.environment_keys["AWS_ACCESS_KEY_ID"]}, CHANGED


@pytest.mark.parametrize("name", TAKE_ENVIRONMENT_KEYS)
def test_without_keys_in_the_environment_the_connection_signs(
    programs: Programs, name: str
) -> None:
    programs.run(SESSION + TAKE_ENVIRONMENT_KEYS[name] + "call()")

    assert programs.service.key_ids == programs.issued


@pytest.mark.parametrize("name", TAKE_ENVIRONMENT_KEYS)
def test_under_exec_the_connection_signs_whatever_is_in_the_environment(
    programs: Programs, name: str, secrets: Secrets
) -> None:
    programs.environ |= programs.machine.environment_keys
    programs.environ[TOKEN] = secrets.new("bearer token")
    code = BEGIN + SESSION + TAKE_ENVIRONMENT_KEYS[name] + "call()"
    programs.run(UNDER_EXEC.replace("CODE", repr(code)))

    assert set(programs.service.key_ids) == set(programs.issued[-1:])


@pytest.mark.parametrize("name", BEDROCK)
def test_bearer_token_in_the_environment(
    programs: Programs, name: str, secrets: Secrets
) -> None:
    programs.environ[TOKEN] = secrets.new("bearer token")
    is_beaten = name in BEATEN_BY_A_TOKEN
    (programs.fail if is_beaten else programs.run)(PROGRAMS[name] + "call()")

    sent = {each.headers["authorization"] for each, _ in programs.service.requests}
    assert sent, "nothing was sent"
    beaten = sent == {f"Bearer {programs.environ[TOKEN]}"}
    assert beaten is is_beaten, CHANGED


def test_bearer_token_in_the_environment_beats_langchain_without_a_client(
    programs: Programs, secrets: Secrets
) -> None:
    programs.environ[TOKEN] = secrets.new("bearer token")
    told = programs.fail(SESSION + LANGCHAIN + "call()")

    # botocore sends none over plain HTTP, which is all that there is here.
    assert "Bearer authorization requires an HTTPS endpoint" in told, CHANGED


@pytest.mark.parametrize("name", ["anthropic", "litellm"])
def test_connection_that_is_installed_before_the_first_call_signs(
    programs: Programs, name: str
) -> None:
    programs.run(INSTALLED_LATE + CALL.replace("NAME", repr(name)))

    assert programs.service.key_ids == programs.issued


@pytest.mark.parametrize(("name", "stays"), [("anthropic", False), ("litellm", True)])
def test_connection_that_is_installed_after_the_first_call(
    programs: Programs, name: str, *, stays: bool
) -> None:
    code = INSTALLED_LATE + CALL_BEFORE + CALL
    programs.run(code.replace("NAME", repr(name)))

    keys = [signed.key_id for _, signed in programs.service.requests if signed]
    machines = programs.machine.role_key_id
    expected = [machines, machines] if stays else [machines, *programs.issued]
    assert keys == expected, CHANGED


@pytest.mark.parametrize("name", ["opensearch", "requests", "httpx", "langchain-aws"])
def test_what_was_made_before_install_keeps_what_it_was_made_with(
    programs: Programs, name: str
) -> None:
    programs.environ["AWS_DEFAULT_REGION"] = "eu-west-1"
    programs.environ["AWS_ENDPOINT_URL"] = programs.service.url
    before = "import boto3, botocore_conn_provider as b; s = boto3.Session()\n"
    ended = "b.install()\ntry: call()\nexcept Exception: pass"
    programs.run(before + WITH_A_SESSION[name] + ended)

    keys = {signed.key_id for _, signed in programs.service.requests if signed}
    assert keys == {programs.machine.role_key_id}


@pytest.mark.parametrize("name", ["anthropic", "litellm"])
def test_connection_that_is_installed_in_another_ones_place_is_not_noticed(
    programs: Programs, name: str
) -> None:
    change = "\nimport botocore_conn_provider as b\nb.uninstall(); b.install('other')\n"
    programs.run(BY_THEMSELVES[name] + "call()" + change + "call()")

    (key_id,) = programs.issued
    assert programs.roles == [ROLE]
    assert programs.service.key_ids == [key_id, key_id], CHANGED
