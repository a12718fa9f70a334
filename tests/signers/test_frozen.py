"""What copies the keys out of a session, so that no renewal reaches it.

Each test fails when its library has changed that, and then docs/signers.md and
docs/troubleshooting.md have something good to say.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.signers.conftest import ONE_REQUEST_SECONDS
from tests.signers.libraries import SESSION

if TYPE_CHECKING:
    from tests.signers.conftest import Programs

MENDED = "it renews now: say so in docs/signers.md and docs/troubleshooting.md"
KEYS_AS_TEXTS = """
import awswrangler._utils as wr, boto3
keys = wr.boto3_to_primitives(s)
del keys["profile_name"]  # "default", which is not in any file here
client = boto3.Session(**keys).client("s3", endpoint_url=sys.argv[1])
call = lambda: client.head_object(Bucket="tables", Key="table.csv")
"""
OPENSEARCH_OF_AWSWRANGLER = """
import awswrangler as wr, urllib.parse
at = urllib.parse.urlsplit(sys.argv[1])
client = wr.opensearch.connect(at.hostname, port=at.port, service="es")
call = client.info
"""
OPENSEARCH_HANDED_TO_AWSWRANGLER = """
import awswrangler as wr, opensearch_client
client = opensearch_client.connect(sys.argv[1], s)
call = lambda: wr.opensearch.delete_index(client=client, index="orders")
"""
NOVA_SONIC = """
import asyncio
from aws_sdk_bedrock_runtime.models import ConverseInput
from langchain_aws.chat_models.bedrock_nova_sonic import ChatBedrockNovaSonic
def make():
    return ChatBedrockNovaSonic(region_name="eu-west-1", endpoint_url=sys.argv[1])
loop = asyncio.new_event_loop()
def ask(model):
    loop.run_until_complete(model._client.converse(ConverseInput(model_id="nova", messages=[])))
"""
# Its SDK looks for a region there, whatever it is told.
REGION = {"AWS_REGION": "eu-west-1"}
needs_python_3_12 = pytest.mark.skipif(
    sys.version_info < (3, 12), reason="aws-sdk-bedrock-runtime needs Python 3.12"
)


@pytest.mark.parametrize("code", [KEYS_AS_TEXTS, OPENSEARCH_OF_AWSWRANGLER])
def test_awswrangler_signs_with_the_old_set_after_a_renewal(
    programs: Programs, code: str
) -> None:
    programs.run(SESSION + code + "look(call, s)", ends_in=ONE_REQUEST_SECONDS)

    first, _ = programs.issued
    assert set(programs.service.key_ids) == {first}, MENDED


def test_awswrangler_takes_a_client_that_renews(programs: Programs) -> None:
    code = OPENSEARCH_HANDED_TO_AWSWRANGLER
    programs.run(SESSION + code + "look(call, s)", ends_in=ONE_REQUEST_SECONDS)

    assert programs.service.key_ids == programs.issued


@needs_python_3_12
def test_nova_sonic_signs_with_the_old_set_after_a_renewal(programs: Programs) -> None:
    programs.environ |= REGION
    code = "model = make()\nlook(lambda: ask(model), s)"
    programs.run(SESSION + NOVA_SONIC + code, ends_in=ONE_REQUEST_SECONDS)

    first, _ = programs.issued
    assert programs.service.key_ids == [first, first], MENDED


@needs_python_3_12
def test_new_object_of_nova_sonic_signs_with_the_new_set(programs: Programs) -> None:
    programs.environ |= REGION
    code = "look(lambda: ask(make()), s)"
    programs.run(SESSION + NOVA_SONIC + code, ends_in=ONE_REQUEST_SECONDS)

    assert programs.service.key_ids == programs.issued
