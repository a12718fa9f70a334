"""How the programs of the tests use each example."""

from __future__ import annotations

SESSION = (
    "import boto3, botocore_conn_provider as b; b.install(); s = boto3.Session()\n"
)
OTHER = "import botocore_conn_provider as b; s = b.session('other')\n"
# What makes `call`, which makes one request. `s` is a session where one can be given.
WITH_A_SESSION = {
    "opensearch": """
import opensearch_client
client = opensearch_client.connect(sys.argv[1], s)
call = client.info
""",
    "opensearch with asyncio": """
import asyncio, opensearch_async
loop = asyncio.new_event_loop()
client = loop.run_until_complete(opensearch_async.connect(sys.argv[1], s))
call = lambda: loop.run_until_complete(client.info())
""",
    "opensearch with urllib3": """
from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth, Urllib3HttpConnection
auth = Urllib3AWSV4SignerAuth(s.get_credentials(), s.region_name)
client = OpenSearch(sys.argv[1], http_auth=auth, connection_class=Urllib3HttpConnection)
call = client.info
""",
    "requests": """
import requests, requests_auth
web = requests.Session()
web.auth = requests_auth.AwsAuth(s, "execute-api")
call = lambda: web.post(sys.argv[1] + "/a b/c%2Fd?x=1&b=%20&a=", json={"q": "ü"})
""",
    "httpx": """
import httpx, httpx_auth
web = httpx.Client(auth=httpx_auth.AwsAuth(s, "execute-api"))
call = lambda: web.post(sys.argv[1] + "/a b/c%2Fd?x=1&b=%20&a=", json={"q": "ü"})
""",
    "httpx with asyncio": """
import asyncio, httpx, httpx_auth
loop = asyncio.new_event_loop()
web = httpx.AsyncClient(auth=httpx_auth.AwsAuth(s, "execute-api"))
call = lambda: loop.run_until_complete(web.get(sys.argv[1] + "/orders"))
""",
    "langchain-aws": """
import bedrock_langchain
model = bedrock_langchain.make_model("anthropic.claude-sonnet-4-5", s)
call = lambda: model.invoke("?")
""",
    "langchain-aws with asyncio": """
import asyncio, bedrock_langchain
model = bedrock_langchain.make_model("anthropic.claude-sonnet-4-5", s)
call = lambda: asyncio.run(model.ainvoke("?"))
""",
    "anthropic with a session": """
import bedrock_anthropic_session
client = bedrock_anthropic_session.make_client(s).with_options(base_url=sys.argv[1])
ask = [{"role": "user", "content": "?"}]
call = lambda: client.messages.create(model="claude", max_tokens=9, messages=ask)
""",
    "anthropic with a session and asyncio": """
import asyncio, bedrock_anthropic_session, httpx2
from anthropic import AsyncAnthropicBedrock
auth = bedrock_anthropic_session.BedrockAuth(s)
client = AsyncAnthropicBedrock(
    api_key="none", aws_region=s.region_name, base_url=sys.argv[1],
    http_client=httpx2.AsyncClient(auth=auth),
)
loop = asyncio.new_event_loop()
ask = [{"role": "user", "content": "?"}]
call = lambda: loop.run_until_complete(
    client.messages.create(model="claude", max_tokens=9, messages=ask)
)
""",
}
BY_THEMSELVES = {
    "anthropic": """
import bedrock_anthropic
client = bedrock_anthropic.make_client().with_options(base_url=sys.argv[1])
ask = [{"role": "user", "content": "?"}]
call = lambda: client.messages.create(model="claude", max_tokens=9, messages=ask)
import boto3
s = boto3.Session(region_name="eu-west-1")
""",
    "litellm": """
import os; os.environ["AWS_BEDROCK_RUNTIME_ENDPOINT"] = sys.argv[1]
import bedrock_litellm, boto3
s = boto3.Session()
call = lambda: bedrock_litellm.ask("bedrock/anthropic.claude-sonnet-4-5", "?")
""",
    "awswrangler": """
import boto3, tables_awswrangler
s = boto3.Session()
call = lambda: tables_awswrangler.count_rows("s3://tables/table.csv")
""",
}
PROGRAMS = {
    **{name: SESSION + code for name, code in WITH_A_SESSION.items()},
    **BY_THEMSELVES,
}
