"""The harness itself: a leak must fail a test, and records must be true."""

from __future__ import annotations

import base64
import logging
import os
import pickle
import threading
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, SSLError

from botocore_conn_provider.errors import ConnProviderError
from tests.aws import Fault, build_error
from tests.leaks import LeakError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aws import Aws
    from tests.child import Children, ForkingParent
    from tests.leaks import Leaks, Secrets
    from tests.ways import MetadataServer, Proxy

ROLE = "arn:aws:iam::123456789012:role/reader"
ASSUME = {"RoleArn": ROLE, "RoleSessionName": "a-session"}
INNER_CONFTEST = """
from tests.conftest import isolated, leaks, secrets, pytest_runtest_makereport
"""
# What a module of ours would hold if it were careless. `get` returns the secret.
CARELESS = """
import json
from botocore_conn_provider.errors import IdpRequestError

class Thing:
    pass

class Talkative:
    def __init__(self, get):
        self.get = get
    def __repr__(self):
        return self.get()

def fail(*_):
    raise IdpRequestError(conn_id='c', cause='x')

def work(get):
    BODY
    fail()
"""


def fail_in_ours(statement: str) -> str:
    """Return a test's body that runs a careless function of ours, which fails."""
    code = CARELESS.replace("BODY", statement)
    return f"""
    import botocore_conn_provider
    file = botocore_conn_provider.__file__.replace('__init__', 'careless')
    names = {{'__name__': 'botocore_conn_provider.careless'}}
    exec(compile({code!r}, file, 'exec'), names)
    try:
        names['work'](lambda: text)
    except names['IdpRequestError']:
        pass"""


LEAKS = {
    "a log record": "logging.getLogger('any').debug('key %s', text)",
    "a log record's extra": "logging.getLogger('any').info('x', extra={'y': [text]})",
    "a log record's traceback": """
    try:
        raise ValueError(text)
    except ValueError:
        logging.getLogger('any').debug('failed', exc_info=True)""",
    "base64 in a log record": """
    import base64
    shown = base64.b64encode(f'<a>{text}</a>'.encode())
    logging.getLogger('any').debug('%s', shown)""",
    "standard output": "print(text)",
    "standard error": "import sys; print(text, file=sys.stderr)",
    "an error of ours": """
    from botocore_conn_provider.errors import IdpRequestError
    IdpRequestError(conn_id='c', cause=text)""",
    "the cause of an error of ours": """
    from botocore_conn_provider.errors import IdpRequestError
    try:
        raise IdpRequestError(conn_id='c', cause='x') from ValueError(text)
    except IdpRequestError:
        pass""",
    "a local of ours": fail_in_ours("local = get()"),
    "a local of ours, three levels deep": fail_in_ours("local = [{'a': (get(),)}]"),
    "a local of ours that is bytes": fail_in_ours("local = get().encode()"),
    "an argument of ours": fail_in_ours("fail(get())"),
    "an attribute of an object of ours": fail_in_ours(
        "local = Thing(); local.attribute = [get()]"
    ),
    "the repr of a local of ours": fail_in_ours("local = Talkative(get)"),
    "a local of a library below ours": fail_in_ours(
        "json.loads(json.dumps({'a': get()}), object_hook=fail)"
    ),
    "the hidden context of an error of ours": """
    from botocore_conn_provider.errors import IdpRequestError
    try:
        try:
            raise ValueError(text)
        except ValueError:
            raise IdpRequestError(conn_id='c', cause='x') from None
    except IdpRequestError:
        pass""",
    "a local in the frame of a hidden context": """
    import json
    from botocore_conn_provider.errors import IdpRequestError
    try:
        try:
            json.loads('[' + repr(text))
        except ValueError:
            raise IdpRequestError(conn_id='c', cause='x') from None
    except IdpRequestError:
        pass""",
    "an attribute of an error of ours": """
    from botocore_conn_provider.errors import IdpRequestError
    IdpRequestError(conn_id='c', cause='x').more = {'a': [text]}""",
    "a note of an error of ours": """
    from botocore_conn_provider.errors import IdpRequestError
    IdpRequestError(conn_id='c', cause='x').__notes__ = [text]""",
    "a text that is checked": "leaks.check_text(f'repr {text}')",
}


def run_inner_test(pytester: pytest.Pytester, body: str) -> pytest.RunResult:
    pytester.makeconftest(INNER_CONFTEST)
    pytester.makepyfile(
        f"import logging\ndef test_it(secrets, leaks):\n"
        f"    text = secrets.new('password')\n    {body}\n"
    )
    return pytester.runpytest_inprocess("-p", "no:cacheprovider")


@pytest.mark.parametrize("body", LEAKS.values(), ids=LEAKS.keys())
def test_leak_fails_the_test(pytester: pytest.Pytester, body: str) -> None:
    ended = run_inner_test(pytester, body)
    counts = ended.parseoutcomes()
    assert counts.get("errors", 0) + counts.get("failed", 0) == 1
    ended.stdout.fnmatch_lines(["*shows: password*"])


def test_hidden_secret_passes(pytester: pytest.Pytester) -> None:
    body = "from botocore_conn_provider.secret import Secret; print(Secret(text))"
    run_inner_test(pytester, body).assert_outcomes(passed=1)


@pytest.mark.parametrize("statement", ["pass", "local = Secret(get())"])
def test_frame_of_ours_without_a_plain_secret_passes(
    pytester: pytest.Pytester, statement: str
) -> None:
    """What the careless function holds is all that fails the tests above."""
    code = f"from botocore_conn_provider.secret import Secret; {statement}"
    run_inner_test(pytester, fail_in_ours(code)).assert_outcomes(passed=1)


def test_users_own_call_may_show_its_token_but_no_secret_key(
    leaks: Leaks, secrets: Secrets
) -> None:
    token, key = secrets.new_session_token(), "not yet a secret"
    with leaks.user_calls():
        logging.getLogger("botocore.auth").debug("signed with %s", token)
        leaks.check_all()
        logging.getLogger("botocore.parsers").debug("answer: %s", key)
    secrets.add(key, name="secret key")
    with pytest.raises(LeakError, match="secret key"):
        leaks.check_all()
    leaks._seen.clear()


def test_session_token_outside_the_users_own_call_is_a_leak(
    leaks: Leaks, secrets: Secrets
) -> None:
    logging.getLogger("botocore.auth").debug("%s", secrets.new_session_token())
    with pytest.raises(LeakError, match="session token"):
        leaks.check_all()
    leaks._seen.clear()


def test_users_call_does_not_cover_another_thread(
    leaks: Leaks, secrets: Secrets
) -> None:
    token = secrets.new_session_token()
    other = threading.Thread(
        target=logging.getLogger("botocore.auth").debug, args=("%s", token)
    )
    with leaks.user_calls():
        other.start()
        other.join()
    with pytest.raises(LeakError, match="session token"):
        leaks.check_all()
    leaks._seen.clear()


def test_pickle_with_a_secret_is_a_leak(leaks: Leaks, secrets: Secrets) -> None:
    with pytest.raises(LeakError, match="pickle of a dict"):
        leaks.check_pickle({"key": secrets.new("key")})


def test_base64_is_seen_at_every_offset(secrets: Secrets) -> None:
    text = secrets.new("assertion")
    for before in ("", "a", "ab", "abc"):
        shown = base64.b64encode(f"{before}{text}<".encode()).decode()
        assert secrets.find_in(shown) == ["assertion"]


def test_errors_of_ours_still_pickle_under_the_watch() -> None:
    error = ConnProviderError(conn_id="c", cause="a cause")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301


def test_environment_is_isolated(isolated: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if "AWS" in name}
    assert kept == {
        "AWS_CONFIG_FILE": str(isolated / ".aws" / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(isolated / ".aws" / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    assert botocore.session.Session().get_credentials() is None


def create_client(service: str, aws: Aws, secrets: Secrets, **changes: Any) -> Any:
    asked: dict[str, Any] = {
        "region_name": "eu-west-1",
        "endpoint_url": aws.url,
        "aws_access_key_id": secrets.new_access_key_id(),
        "aws_secret_access_key": secrets.new("secret key"),
        **changes,
    }
    # The stubs have an overload for each service, and none for a parameter.
    return boto3.client(service, **asked)  # type: ignore[call-overload]


def test_signed_call_is_recorded_whole(
    aws: Aws, secrets: Secrets, leaks: Leaks
) -> None:
    key_id, token = secrets.new_access_key_id(), secrets.new_session_token()
    client = create_client(
        "sts", aws, secrets, aws_access_key_id=key_id, aws_session_token=token
    )
    with leaks.user_calls():
        client.get_caller_identity()
    (request,) = aws.requests
    assert request._replace(headers={}, user_agent="") == request.__class__(
        method="POST",
        scheme="http",
        host=aws.url.removeprefix("http://"),
        path="/",
        service="sts",
        region="eu-west-1",
        access_key_id=key_id,
        security_token=token,
        action="GetCallerIdentity",
        parameters={},
        user_agent="",
        through_proxy=False,
        headers={},
    )
    assert request.user_agent.startswith("Boto3/")


def assume_role(client: Any) -> dict[str, Any]:
    """Assume the role without leaving botocore's debug records of the answer."""
    level = logging.getLogger("botocore").level
    logging.getLogger("botocore").setLevel(logging.INFO)
    try:
        issued: dict[str, Any] = client.assume_role(**ASSUME)["Credentials"]
        return issued
    finally:
        logging.getLogger("botocore").setLevel(level)


def test_role_is_assumed_and_its_credentials_work(
    aws: Aws, secrets: Secrets, leaks: Leaks
) -> None:
    issued = assume_role(create_client("sts", aws, secrets))
    client = create_client(
        "sts",
        aws,
        secrets,
        aws_access_key_id=issued["AccessKeyId"],
        aws_secret_access_key=issued["SecretAccessKey"],
        aws_session_token=issued["SessionToken"],
    )
    with leaks.user_calls():
        identity = client.get_caller_identity()
    assert identity["Arn"] == (
        "arn:aws:sts::123456789012:assumed-role/reader/a-session"
    )
    assert aws.sts_requests[0].parameters == {**ASSUME}
    assert secrets.find_in(issued["SecretAccessKey"]) == ["issued SecretAccessKey"]


def test_state_of_aws_is_empty_in_each_test(
    aws: Aws, secrets: Secrets, leaks: Leaks
) -> None:
    client = create_client("s3", aws, secrets)
    with leaks.user_calls():
        assert client.list_buckets()["Buckets"] == []
        client.create_bucket(
            Bucket="a-bucket",
            CreateBucketConfiguration={"LocationConstraint": "eu-west-1"},
        )
        aws.start_anew(secrets)
        assert client.list_buckets()["Buckets"] == []
    assert [request.method for request in aws.requests] == ["GET"]


def test_fault_happens_as_often_as_asked(aws: Aws, secrets: Secrets) -> None:
    client = create_client(
        "sts", aws, secrets, config=Config(retries={"total_max_attempts": 1})
    )
    aws.inject(Fault(status=403, body=build_error("AccessDenied")), times=2)
    for _ in range(2):
        with pytest.raises(ClientError, match="AccessDenied"):
            assume_role(client)
    assert assume_role(client)["AccessKeyId"]


def test_expired_answer_comes_expired(aws: Aws, secrets: Secrets) -> None:
    aws.inject(Fault(expires_in_seconds=-60))
    expires_at = assume_role(create_client("sts", aws, secrets))["Expiration"]
    assert expires_at < expires_at.now(expires_at.tzinfo)


def test_answer_waits_for_the_gate(aws: Aws, secrets: Secrets) -> None:
    gate, answers = threading.Event(), []
    aws.inject(Fault(until=gate, delay_seconds=0.01))
    client = create_client("sts", aws, secrets)
    caller = threading.Thread(target=lambda: answers.append(assume_role(client)))
    caller.start()
    while not aws.requests:
        caller.join(0.01)
    assert not answers
    gate.set()
    caller.join()
    assert len(answers) == 1


def test_https_needs_the_test_ca(aws: Aws, secrets: Secrets, leaks: Leaks) -> None:
    trusting = create_client(
        "sts", aws, secrets, endpoint_url=aws.https_url, verify=aws.ca_file
    )
    wary = create_client("sts", aws, secrets, endpoint_url=aws.https_url)
    with leaks.user_calls():
        trusting.get_caller_identity()
        with pytest.raises(SSLError):
            wary.get_caller_identity()
    assert [request.scheme for request in aws.requests] == ["https"]


def test_proxy_leads_awss_real_names_to_the_embedded_aws(
    aws: Aws,
    proxy: Proxy,
    secrets: Secrets,
    leaks: Leaks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The oldest botocore would go to the global endpoint.
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "regional")
    config = Config(proxies={"http": proxy.url, "https": proxy.url})
    real = create_client(
        "sts", aws, secrets, endpoint_url=None, verify=aws.ca_file, config=config
    )
    plain = create_client(
        "sts", aws, secrets, endpoint_url="http://sts.example", config=config
    )
    with leaks.user_calls():
        real.get_caller_identity()
        plain.get_caller_identity()
    assert [(request.method, request.target) for request in proxy.requests] == [
        ("CONNECT", "sts.eu-west-1.amazonaws.com:443"),
        ("POST", "http://sts.example/"),
    ]
    assert [(request.host, request.through_proxy) for request in aws.requests] == [
        ("sts.eu-west-1.amazonaws.com", False),
        ("sts.example", True),
    ]


def test_proxy_records_the_password_it_was_given(
    aws: Aws, proxy: Proxy, secrets: Secrets
) -> None:
    password = secrets.new("proxy password")
    url = proxy.url.replace("//", f"//someone:{password}@")
    client = create_client("sts", aws, secrets, config=Config(proxies={"http": url}))
    quiet = logging.getLogger("botocore")
    level = quiet.level
    quiet.setLevel(logging.INFO)
    client.get_caller_identity()
    quiet.setLevel(level)
    expected = base64.b64encode(f"someone:{password}".encode()).decode()
    assert proxy.requests[0].authorization == f"Basic {expected}"


def test_metadata_server_gives_the_instances_role(
    metadata_server: MetadataServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in metadata_server.environment().items():
        monkeypatch.setenv(name, value)
    logging.getLogger("botocore").setLevel(logging.INFO)
    credentials = botocore.session.Session().get_credentials()
    logging.getLogger("botocore").setLevel(logging.NOTSET)
    assert credentials is not None
    assert credentials.access_key == metadata_server.access_key_id
    assert credentials.token == metadata_server.session_token
    assert metadata_server.paths[0] == "/latest/api/token"


@pytest.mark.parametrize("forked", [False, True])
def test_child_sees_the_environment_asked_for(
    run_python: Children, forking_parent: ForkingParent, *, forked: bool
) -> None:
    code = """
        import os
        print(os.environ["AWS_EC2_METADATA_DISABLED"], os.environ["ASKED"])
        print("HOME" in os.environ)
        raise SystemExit(3)
    """
    parent = forking_parent if forked else None
    ended = run_python(code, env={"ASKED": "yes", "HOME": None}, parent=parent)
    assert ended == ("true yes\nFalse\n", "", 3)


@pytest.mark.parametrize(
    "end", ["raise ValueError", "raise SystemExit('no')", "abort()"]
)
def test_forked_child_ends_as_another_does(
    run_python: Children, forking_parent: ForkingParent, end: str
) -> None:
    code = f"import atexit, sys; from os import abort; atexit.register(print, 1)\n{end}"
    ended = run_python(code, parent=forking_parent)
    assert ended[::2] == run_python(code)[::2]
    assert ended.stderr.splitlines()[-1:] == run_python(code).stderr.splitlines()[-1:]


def test_forked_child_has_loaded_nothing_of_ours(
    run_python: Children, forking_parent: ForkingParent
) -> None:
    code = "import sys; print([each for each in sys.modules if 'conn_prov' in each])"
    assert run_python(code, parent=forking_parent).stdout == "[]\n"


def test_secret_in_a_childs_output_is_a_leak(
    run_python: Children, secrets: Secrets
) -> None:
    with pytest.raises(LeakError, match="standard error shows: key"):
        run_python("import sys; sys.stderr.write(sys.argv[1])", secrets.new("key"))
