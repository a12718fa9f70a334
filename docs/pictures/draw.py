"""Draw the pictures of `explain` and `doctor` from real runs against moto's AWS.

Run from the checkout, with the requirements of the tests: `python -m docs.pictures.draw`.
"""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from botocore_conn_provider.cli.connection_source import read_text
from botocore_conn_provider.cli.doctor.examination import examine
from botocore_conn_provider.cli.doctor.screen import Colours
from botocore_conn_provider.cli.explain.explain import describe, lay_out
from botocore_conn_provider.cli.explain.tree import build_tree, grow
from botocore_conn_provider.connection.environment import ConnectionName, Snapshot
from botocore_conn_provider.secret import Options
from tests.aws import Aws, Fault, build_error
from tests.certificates import Certificates

if TYPE_CHECKING:
    from botocore_conn_provider.cli.connection_source import Given

HERE = Path(__file__).parent
WIDTH = 110
REFUSAL = (
    "User: arn:aws:iam::123456789012:user/loader is not authorized to perform:"
    " sts:AssumeRole on resource: arn:aws:iam::210987654321:role/analyst"
)


def build_given(aws_url: str) -> Given:
    """Return a connection as people have them: keys, a role, an old field."""
    extra = {
        "role_arn": "arn:aws:iam::210987654321:role/analyst",
        "region_name": "eu-central-1",
        "external_id": "team-data",
        "service_config": {"sts": {"endpoint_url": aws_url}},
    }
    keys = {"login": "AKIAQEXAMPLEEXAMPLE7", "password": "not-a-real-key"}
    text = json.dumps({"conn_type": "aws", **keys, "extra": extra})
    environ = Options({"AWS_PROFILE": "private", "AWS_EC2_METADATA_DISABLED": "true"})
    snapshot = Snapshot(environ, str(HERE))
    given = read_text(text, ConnectionName("aws_prod", "--conn-id"), snapshot)
    return given._replace(place=given.name.variable)


def main() -> None:
    """Draw both."""
    with tempfile.TemporaryDirectory() as directory:
        certificates = Certificates(Path(directory))
        with Aws(certificates).serve() as aws:
            given = build_given(aws.url)
            draw_explain(given)
            aws.inject(Fault(403, build_error("AccessDenied", REFUSAL)))
            draw_doctor(given)


def draw_explain(given: Given) -> None:
    """Draw the tree."""
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    document = lay_out(describe(given), every_field=False)
    console.print(build_tree(f"Connection '{given.conn_id}'", grow(document)))
    console.save_svg(str(HERE / "explain.svg"), title="botocore-conn explain")


def draw_doctor(given: Given) -> None:
    """Draw the hops, up to a refusal by STS."""
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    examine(given, Colours(console), probe=None)
    console.save_svg(str(HERE / "doctor.svg"), title="botocore-conn doctor")


if __name__ == "__main__":
    main()
