"""The main job in one program: `make demo`. No AWS account, no AWS network.

Every step is plain boto3. Only `install()` and `session()` are ours.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import boto3
from embedded_aws import EmbeddedAws
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table

import botocore_conn_provider

if TYPE_CHECKING:
    from boto3.session import Session

ACCOUNT = "123456789012"
# Wide enough for an ARN on one line, wherever the output goes.
console = Console(width=100, highlight=False)


def prepare_environment(url: str) -> None:
    """Set what an operator would set, and point boto3 at the embedded AWS."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "BOTO"))]:
        del os.environ[name]
    os.environ.update(
        AWS_ENDPOINT_URL=url,
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_DEFAULT_REGION="us-east-1",
        NO_PROXY="127.0.0.1",
    )


def create_buckets(*names: str) -> None:
    """Create what the role is going to see, as an administrator."""
    admin = boto3.session.Session("AKIAADMINADMINADMIN0", "admin-secret")
    for name in names:
        admin.client("s3").create_bucket(Bucket=name)


def create_user(name: str) -> dict[str, str]:
    """Create a user; return its keys as login and password of a connection."""
    iam = boto3.session.Session("AKIAADMINADMINADMIN0", "admin-secret").client("iam")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"login": key["AccessKeyId"], "password": key["SecretAccessKey"]}


def build_connection(keys: dict[str, str], role: str, region: str) -> str:
    """Write a connection in Airflow's JSON form."""
    extra = {"role_arn": f"arn:aws:iam::{ACCOUNT}:role/{role}", "region_name": region}
    return json.dumps({"conn_type": "aws", **keys, "extra": extra})


def title(number: int, text: str) -> None:
    """Begin a step."""
    console.print()
    console.rule(f"[bold cyan]{number}[/]  {text}", align="left", style="dim")


def code(text: str) -> None:
    """Show the code that is about to run."""
    console.print(Panel(Syntax(text, "python", theme="ansi_dark"), border_style="dim"))


def show_identity(session: Session | None = None) -> None:
    """Ask AWS who calls, and print the ARN."""
    client = session.client("sts") if session else boto3.client("sts")
    arn = client.get_caller_identity()["Arn"]
    console.print(f"   caller identity   [bold green]{arn}[/]")


def show_buckets(aws: EmbeddedAws) -> None:
    """List the buckets, and show who signed for it."""
    table = Table("bucket", "created", box=None, padding=(0, 3))
    for bucket in boto3.client("s3").list_buckets()["Buckets"]:
        table.add_row(bucket["Name"], f"{bucket['CreationDate']:%Y-%m-%d %H:%M}")
    console.print(table)
    last = aws.sent[-1]
    console.print(
        f"   signed by         …{last.access_key_id[-4:]}"
        f" for {last.service} in {last.region}"
    )


def show_before() -> None:
    """Use whatever keys the machine has, as boto3 does by itself."""
    title(1, "Before: boto3 takes the keys that lie about on this machine")
    code("boto3.client('sts').get_caller_identity()")
    show_identity()


def show_after(aws: EmbeddedAws) -> None:
    """Use the connection's role."""
    title(2, "After: one line, and the same code has the connection's role")
    code(
        "botocore_conn_provider.install()\n\n"
        "boto3.client('sts').get_caller_identity()\n"
        "boto3.client('s3').list_buckets()"
    )
    botocore_conn_provider.install()
    show_identity()
    show_buckets(aws)


def show_refusal(aws: EmbeddedAws, working: str) -> None:
    """Break the connection: an error, and not a single request."""
    title(3, "A broken connection is refused; the machine's own keys are not touched")
    broken = working.replace("role_arn", "rolearn").replace('"login"', '"logn"')
    os.environ["AIRFLOW_CONN_AWS_DEFAULT"] = broken
    code("boto3.session.Session().client('s3').list_buckets()")
    before = len(aws.sent)
    try:
        boto3.session.Session().client("s3").list_buckets()
    except botocore_conn_provider.InvalidConnectionError as error:
        told = escape(str(error))
        console.print(Panel(told, title=type(error).__name__, border_style="red"))
    sent = len(aws.sent) - before
    console.print(f"   requests that reached AWS meanwhile   [bold green]{sent}[/]")
    os.environ["AIRFLOW_CONN_AWS_DEFAULT"] = working
    if sent:
        raise SystemExit("A broken connection sent something. That must not be.")


def show_second_connection() -> None:
    """Use a second connection beside the installed one."""
    title(4, "Another connection beside it, for this session only")
    code("botocore_conn_provider.session('other').client('sts').get_caller_identity()")
    show_identity(botocore_conn_provider.session("other"))


def main() -> None:
    """Run all steps against an AWS of our own."""
    with EmbeddedAws().serve() as aws:
        prepare_environment(aws.url)
        create_buckets("crawl-results", "monthly-reports")
        machine, pipeline = create_user("this-machine"), create_user("pipeline")
        working = build_connection(pipeline, "reporting", "eu-central-1")
        os.environ.update(
            AWS_ACCESS_KEY_ID=machine["login"],
            AWS_SECRET_ACCESS_KEY=machine["password"],
            AIRFLOW_CONN_AWS_DEFAULT=working,
            AIRFLOW_CONN_OTHER=build_connection(pipeline, "archive", "us-west-2"),
        )
        console.print(f"\nAn AWS of moto's at {aws.url}; no account, no AWS network.")
        show_before()
        show_after(aws)
        show_refusal(aws, working)
        show_second_connection()
        console.print(
            f"\n[bold]Done.[/] {len(aws.sent)} requests, all of them to loopback.\n"
        )


if __name__ == "__main__":
    main()
