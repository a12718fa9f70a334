"""RDS and Redshift: with which password each new connection signs in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest

from tests.signers.conftest import ONE_REQUEST_SECONDS
from tests.signers.libraries import OTHER, SESSION
from tests.signers.postgres import Postgres
from tests.signers.signatures import check_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.certificates import Certificates
    from tests.signers.conftest import Programs
    from tests.signers.service import Service

RDS = """
import os, rds_sqlalchemy, sqlalchemy
url = "postgresql+psycopg://app@localhost:{port}/orders?sslmode=verify-full&sslrootcert={ca}"
engine = rds_sqlalchemy.make_engine(url, s)
def call():
    with engine.connect() as connection:
        assert connection.execute(sqlalchemy.text("select 1")).scalar()
    engine.dispose()
"""
REDSHIFT = """
import redshift
where = {{"host": "localhost", "port": {port}, "database": "orders"}}
call = lambda: redshift.connect("cluster", "app", s, **where).close()
"""
# As its documentation has it, with its cache.
IAM = """
import botocore_conn_provider as b, redshift_connector
def call(**options):
    redshift_connector.connect(
        iam=True, cluster_identifier="cluster", db_user="app", database="orders",
        host="localhost", port=PORT, region="eu-west-1", **options,
    ).close()
"""
AS_ONE_AND_AS_THE_OTHER = """
b.install(); call(OPTIONS)
b.uninstall(); b.install("other"); call(OPTIONS)
"""


@pytest.fixture
def postgres(certificates: Certificates) -> Iterator[Postgres]:
    with Postgres(certificates).serve() as running:
        yield running


@pytest.fixture
def redshift(programs: Programs, postgres: Postgres, certificates: Certificates) -> str:
    programs.environ["SSL_CERT_FILE"] = certificates.ca_file
    return REDSHIFT.format(port=postgres.port)


@pytest.fixture
def rds(postgres: Postgres, certificates: Certificates) -> str:
    return RDS.format(port=postgres.port, ca=certificates.ca_file)


@pytest.fixture
def cluster(service: Service, postgres: Postgres) -> None:
    """Make a cluster that is where `postgres` is."""
    client = boto3.client(
        "redshift",
        "eu-west-1",
        endpoint_url=service.aws_url,
        aws_access_key_id="AKIAOTHER",
        aws_secret_access_key="other",
    )
    client.create_cluster(
        ClusterIdentifier="cluster",
        NodeType="ra3.large",
        MasterUsername="root",
        MasterUserPassword="Password1",
        Port=postgres.port,
    )


def test_each_connection_to_rds_has_a_token_of_the_current_set(
    programs: Programs, rds: str, postgres: Postgres
) -> None:
    programs.run(SESSION + rds + "look(call, s)", ends_in=ONE_REQUEST_SECONDS)

    assert all(login.is_hidden and login.user == "app" for login in postgres.logins)
    signed = [
        check_url(f"http://{login.password}", programs.aws.issued_keys)
        for login in postgres.logins
    ]
    # The first, too, where it would else have ended before its 15 minutes.
    assert {each.key_id for each in signed} <= set(programs.issued)
    assert signed[-1].key_id == programs.issued[-1]
    assert all(each.is_right and each.service == "rds-db" for each in signed)
    assert len(programs.issued) == 2


@pytest.mark.usefixtures("cluster")
def test_each_connection_to_redshift_asks_for_a_password_with_the_current_set(
    programs: Programs, redshift: str, postgres: Postgres
) -> None:
    programs.run(SESSION + redshift + "look(call, s)", ends_in=ONE_REQUEST_SECONDS)

    first, second = programs.issued
    assert programs.service.key_ids == [first, second]
    passwords = [login.password for login in postgres.logins]
    assert len(set(passwords)) == 2


@pytest.mark.usefixtures("cluster")
def test_databases_of_another_connection(
    programs: Programs, rds: str, redshift: str, postgres: Postgres
) -> None:
    for code in (rds, redshift):
        programs.run(OTHER + code + "call()")

    assert set(programs.roles) == {"arn:aws:iam::123456789012:role/other"}
    token = check_url(f"http://{postgres.logins[0].password}", programs.aws.issued_keys)
    assert token.is_right
    assert [token.key_id, *programs.service.key_ids] == programs.issued


def test_no_database_is_reached_while_the_connection_is_wrong(
    programs: Programs, rds: str, redshift: str, postgres: Postgres
) -> None:
    programs.break_connection()
    programs.environ |= programs.machine.environment_keys
    for code in (rds, redshift):
        assert "Connection 'aws_default'" in programs.fail(SESSION + code + "call()")
    assert postgres.logins == []
    assert programs.service.requests == []


def test_no_database_is_reached_while_sts_refuses(
    programs: Programs, rds: str, redshift: str, postgres: Postgres
) -> None:
    programs.refuse()
    programs.environ |= programs.machine.environment_keys
    for code in (rds, redshift):
        assert "AccessDenied" in programs.fail(SESSION + code + "call()")
    assert postgres.logins == []
    assert programs.service.requests == []


@pytest.mark.usefixtures("cluster", "redshift")
@pytest.mark.parametrize(
    ("options", "shared"), [("", 1), ("iam_disable_cache=True", 2)]
)
def test_redshifts_iam_hands_the_password_of_one_identity_to_the_next(
    programs: Programs, postgres: Postgres, options: str, shared: int
) -> None:
    code = IAM.replace("PORT", str(postgres.port)) + AS_ONE_AND_AS_THE_OTHER
    programs.run(code.replace("OPTIONS", options))

    assert len(postgres.logins) == 2
    passwords = {login.password for login in postgres.logins}
    assert len(passwords) == shared, "redshift_connector has changed: docs/signers.md"
