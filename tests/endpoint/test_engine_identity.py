"""Whose credentials engines get, and that nobody else's are touched."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws import Fault, build_error
from tests.endpoint.programs import INSTALL, ROLE, World, join

if TYPE_CHECKING:
    from tests.aws import Aws
    from tests.leaks import Secrets
    from tests.ways import MetadataServer


class TestBaseIdentity:
    """The process's own AWS identity goes on being what the connection starts from."""

    def test_of_an_instance(
        self, world: World, metadata_server: MetadataServer
    ) -> None:
        code = "import boto3; start_engine(); use(boto3.Session())"
        connection = world.assume(with_keys=False)
        world.run(join(INSTALL, code), connection, metadata_server.environment())
        assert world.exchanges == [metadata_server.access_key_id]
        assert metadata_server.access_key_id not in world.signers

    def test_of_keys_in_the_environment(self, world: World, secrets: Secrets) -> None:
        key_id = secrets.new_access_key_id()
        env = {
            "AWS_ACCESS_KEY_ID": key_id,
            "AWS_SECRET_ACCESS_KEY": secrets.new("secret key of the machine"),
        }
        connection = world.assume(with_keys=False)
        world.run(join(INSTALL, "start_engine()"), connection, env)
        assert world.exchanges == [key_id]
        assert key_id not in world.signers

    def test_of_a_profile_that_a_variable_names(
        self, world: World, secrets: Secrets, isolated: Any
    ) -> None:
        key_id = secrets.new_access_key_id()
        (isolated / ".aws" / "credentials").write_text(
            f"[mine]\naws_access_key_id={key_id}\n"
            f"aws_secret_access_key={secrets.new('secret key of the profile')}\n"
        )
        code = "import boto3; start_engine(); use(boto3.Session())"
        connection = world.assume(with_keys=False)
        world.run(join(INSTALL, code), connection, {"AWS_PROFILE": "mine"})
        assert world.exchanges == [key_id]
        assert key_id not in world.signers

    def test_of_a_container(self, world: World) -> None:
        """The endpoint of the machine, and not ours, is asked."""
        code = """
            import threading, http.server
            asked = []
            class Agent(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    asked.append(self.headers["Authorization"])
                    body = json.dumps({
                        "AccessKeyId": "ASIACONTAINER0000001", "SecretAccessKey": "s",
                        "Token": "t", "Expiration": "2090-01-01T00:00:00Z",
                    }).encode()
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                def log_message(self, *_): pass
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Agent)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            url = f"http://127.0.0.1:{server.server_port}/agent"
            os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url
            os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "of-the-agent"
            import boto3, botocore_conn_provider
            botocore_conn_provider.install(engines=True)
            start_engine()
            use(boto3.Session())
            assert set(asked) == {"of-the-agent"}, asked
        """
        world.run(code, world.assume(with_keys=False))
        assert world.exchanges == ["ASIACONTAINER0000001"]

    def test_in_a_child_that_has_the_connection_too(
        self, world: World, metadata_server: MetadataServer
    ) -> None:
        """It inherits what was changed, and looks behind it."""
        code = """
            CHILD = '''
            import boto3, os, botocore_conn_provider
            botocore_conn_provider.install(engines=True)
            boto3.client("s3", endpoint_url=os.environ["TEST_AWS"],
                         region_name="eu-west-1").list_buckets()
            '''
            import textwrap
            subprocess.run([sys.executable, "-c", textwrap.dedent(CHILD)], check=True)
        """
        connection = world.assume(with_keys=False)
        world.run(join(INSTALL, code), connection, metadata_server.environment())
        assert world.exchanges == [metadata_server.access_key_id]


class TestSessions:
    """Sessions of this process that do not use the connection are as without engines."""

    @pytest.fixture
    def profile(self, secrets: Secrets, isolated: Any) -> str:
        key_id = secrets.new_access_key_id()
        (isolated / ".aws" / "credentials").write_text(
            f"[other]\naws_access_key_id={key_id}\n"
            f"aws_secret_access_key={secrets.new('secret key of the profile')}\n"
        )
        (isolated / ".aws" / "config").write_text(
            "[profile other]\nregion=us-west-2\n"
            "[profile agent]\nrole_arn=arn:aws:iam::123456789012:role/other\n"
            "credential_source=EcsContainer\nregion=eu-west-1\n"
        )
        return key_id

    def test_named_profile_signs_with_its_own_keys(
        self, world: World, profile: str
    ) -> None:
        code = """
            import boto3
            session = boto3.Session(profile_name="other")
            assert session.region_name == "us-west-2"
            use(session)
        """
        world.run(join(INSTALL, code), world.assume())
        assert world.signers == [profile]

    def test_session_that_is_older_finds_its_profile(
        self, world: World, profile: str
    ) -> None:
        code = """
            import boto3, botocore_conn_provider
            botocore_conn_provider.install()
            session = boto3.Session(profile_name="other")
            botocore_conn_provider.install(engines=True)
            use(session)
        """
        world.run(code, world.assume())
        assert world.signers == [profile]

    @pytest.mark.usefixtures("profile")
    def test_profile_of_a_container_never_takes_our_endpoint(
        self, world: World
    ) -> None:
        code = """
            import boto3
            try:
                use(boto3.Session(profile_name="agent"))
            except Exception as error:
                print(type(error).__name__)
        """
        ended = world.run(join(INSTALL, code), world.assume())
        assert ended.stdout.strip()
        assert world.signers == []
        assert world.exchanges == []

    def test_another_connection_is_itself(self, world: World, secrets: Secrets) -> None:
        key_id = secrets.new_access_key_id()
        other = json.dumps(
            {"conn_type": "aws", "login": key_id, "password": secrets.new("other")}
        )
        code = "use(botocore_conn_provider.session('other'))"
        env = {"AIRFLOW_CONN_OTHER": other}
        world.run(join(INSTALL, code), world.assume(), env)
        assert world.signers == [key_id]


class TestKinds:
    """Each kind of connection, as engines get it."""

    def test_keys_stand_in_variables(self, world: World) -> None:
        code = """
            assert "AWS_CONTAINER_CREDENTIALS_FULL_URI" not in os.environ
            start_engine()
        """
        world.run(join(INSTALL, code), world.connect())
        assert world.signers == [world.key_id]

    def test_keys_with_a_session_token_come_from_the_endpoint(
        self, world: World, secrets: Secrets
    ) -> None:
        code = """
            assert "AWS_ACCESS_KEY_ID" not in os.environ
            start_engine()
        """
        token = secrets.new("session token")
        connection = world.connect(aws_session_token=token)
        world.run(join(INSTALL, code), connection)
        assert world.signers == [world.key_id]

    def test_keys_of_a_profile_stand_in_variables(
        self, world: World, secrets: Secrets, isolated: Any
    ) -> None:
        key_id = secrets.new_access_key_id()
        (isolated / ".aws" / "credentials").write_text(
            f"[mine]\naws_access_key_id={key_id}\n"
            f"aws_secret_access_key={secrets.new('secret key of the profile')}\n"
        )
        connection = world.connect(with_keys=False, profile_name="mine")
        world.run(join(INSTALL, "start_engine()"), connection)
        assert world.signers == [key_id]

    def test_role_of_a_profile_comes_from_the_endpoint(
        self, world: World, secrets: Secrets, isolated: Any, aws: Aws
    ) -> None:
        key_id = secrets.new_access_key_id()
        (isolated / ".aws" / "config").write_text(
            f"[profile mine]\nrole_arn={ROLE}\nsource_profile=base\nregion=eu-west-1\n"
            f"[profile base]\naws_access_key_id={key_id}\n"
            f"aws_secret_access_key={secrets.new('secret key of the profile')}\n"
        )
        connection = world.connect(with_keys=False, profile_name="mine")
        env = {"AWS_ENDPOINT_URL_STS": aws.url}
        world.run(join(INSTALL, "start_engine()"), connection, env)
        assert world.exchanges == [key_id]
        assert len(world.signers) == 1
        assert key_id not in world.signers

    def test_profile_that_asks_a_person_is_refused(
        self, world: World, isolated: Any, metadata_server: MetadataServer
    ) -> None:
        (isolated / ".aws" / "config").write_text(
            f"[profile mine]\nrole_arn={ROLE}\nsource_profile=base\n"
            "mfa_serial=arn:aws:iam::123456789012:mfa/me\n"
            "[profile base]\naws_access_key_id=AKIAIOSFODNN7EXAMPLE\n"
            "aws_secret_access_key=x\n"
        )
        connection = world.connect(with_keys=False, profile_name="mine")
        ended = world.run(
            join(INSTALL, "start_engine()"),
            connection,
            metadata_server.environment(),
        )
        assert "MFA" in ended.stdout
        assert world.signers == []

    def test_connection_that_names_no_identity_leaves_engines_to_the_machine(
        self, world: World, metadata_server: MetadataServer
    ) -> None:
        code = """
            before = dict(os.environ)
            import botocore_conn_provider
            botocore_conn_provider.install(engines=True)
            assert dict(os.environ) == before
            start_engine()
        """
        connection = world.connect(with_keys=False, region_name="eu-west-1")
        world.run(code, connection, metadata_server.environment())
        assert world.signers == [metadata_server.access_key_id]

    def test_absent_default_connection_leaves_engines_to_the_machine(
        self, world: World, metadata_server: MetadataServer
    ) -> None:
        world.run(
            join(INSTALL, "start_engine()"),
            "",
            metadata_server.environment(),
        )
        assert world.signers == [metadata_server.access_key_id]

    def test_disabled_product_changes_nothing(self, world: World) -> None:
        code = """
            before = dict(os.environ)
            import botocore_conn_provider
            botocore_conn_provider.install(engines=True)
            assert dict(os.environ) == before
        """
        world.run(code, world.assume(), {"BOTOCORE_CONN_DISABLE": "1"})


class TestBrokenConnections:
    """No engine goes on as the machine because the connection is wrong."""

    @pytest.mark.parametrize(
        "connection",
        [
            "aws://?__extra__=%7Bbroken",
            "nonsense",
            '{"conn_type": "aws", "extra": {"role_arn": "arn:aws:iam::1:role/x", "assume_role_method": "magic"}}',
            '{"conn_type": "aws", "extra": {"profile_name": "missing"}}',
        ],
    )
    def test_engine_is_refused_with_our_sentence(
        self, world: World, metadata_server: MetadataServer, connection: str
    ) -> None:
        ended = world.run(
            join(INSTALL, "start_engine()"),
            connection,
            metadata_server.environment(),
        )
        assert "Connection 'aws_default'" in ended.stdout
        assert world.signers == []
        # And the program's log says why: not every engine shows it.
        assert "Connection 'aws_default'" in ended.stderr

    def test_engine_is_refused_for_a_connection_that_is_not_there(
        self, world: World, metadata_server: MetadataServer
    ) -> None:
        code = """
            import botocore_conn_provider
            botocore_conn_provider.install("elsewhere", engines=True)
            start_engine()
        """
        ended = world.run(code, world.assume(), metadata_server.environment())
        assert "elsewhere" in ended.stdout
        assert world.signers == []

    def test_engine_is_refused_where_sts_refuses(
        self, world: World, metadata_server: MetadataServer, aws: Aws
    ) -> None:
        aws.inject(Fault(403, build_error("AccessDenied")), times=20)
        ended = world.run(
            join(INSTALL, "start_engine()"),
            world.assume(),
            metadata_server.environment(),
        )
        assert "AccessDenied" in ended.stdout
        assert world.signers == []

    def test_engine_gets_an_error_where_no_endpoint_can_be_opened(
        self, world: World, metadata_server: MetadataServer
    ) -> None:
        code = """
            import botocore_conn_provider
            from botocore_conn_provider.endpoint import endpoint
            def fail(*_, **__): raise OSError(24, "Too many open files")
            endpoint.open_port = fail
            botocore_conn_provider.install(engines=True)
            start_engine()
        """
        ended = world.run(code, world.assume(), metadata_server.environment())
        assert "signed" not in ended.stdout
        assert "No endpoint could be opened" in ended.stderr
        assert world.signers == []
