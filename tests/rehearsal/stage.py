"""A job that is rehearsed as people rehearse it: by the command, in its own processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.child import DEADLINE_SECONDS, Ended

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.aws import Aws
    from tests.leaks import Leaks, Secrets

ROLE = "arn:aws:iam::123456789012:role/reader"
# What each job begins with: ways to outlive credentials, and to use those kept.
BEGINNING = """
import os, sys, time
import boto3
AWS = os.environ["TEST_AWS"]
OPTIONS = dict(endpoint_url=AWS, region_name="eu-west-1")
def outlive(kept):
    "Return when credentials that were issued before have ended."
    time.sleep(3.5)
def name_keys(frozen):
    return dict(aws_access_key_id=frozen.access_key,
                aws_secret_access_key=frozen.secret_key,
                aws_session_token=frozen.token)
def list_with(keys):
    client = boto3.client("s3", **OPTIONS, **keys)
    try:
        client.list_buckets()
    except Exception as error:
        print(error.response["Error"]["Code"])
session = boto3.Session()
"""


class Rehearsed(NamedTuple):
    """How a rehearsed job ended, and what was reported."""

    stdout: str
    stderr: str
    returncode: int
    report: dict[str, Any]

    @property
    def users(self) -> list[str]:
        """Who used dead keys."""
        return [each["by"] for each in self.report["dead_uses"]]

    @property
    def takers(self) -> set[str]:
        """Who took out the keys that were used dead."""
        return {by for each in self.report["dead_uses"] for by in each["taken_by"]}


class Stage:
    """Rehearses jobs, with a connection that assumes a role."""

    def __init__(self, aws: Aws, secrets: Secrets, leaks: Leaks, place: Path) -> None:
        self.aws = aws
        self.place = place
        self._leaks = leaks
        self._keys = {
            "login": secrets.new_access_key_id(),
            "password": secrets.new("secret key of the connection"),
        }
        self.environment = {**os.environ, "TEST_AWS": aws.url, "TMPDIR": str(place)}
        self.connect(role_arn=ROLE)

    def connect(self, conn_id: str = "aws_default", **extra: Any) -> None:
        """Have that connection in the environment."""
        given = {
            "region_name": "eu-west-1",
            "service_config": {"sts": {"endpoint_url": self.aws.url}},
            **extra,
        }
        self.environment[f"AIRFLOW_CONN_{conn_id.upper()}"] = json.dumps(
            {"conn_type": "aws", **self._keys, "extra": given}
        )

    def rehearse(
        self,
        code: str,
        *options: str,
        every: str = "2s",
        env: Mapping[str, str] | None = None,
        reports: bool = True,
    ) -> Rehearsed:
        """Rehearse a job in Python to its end."""
        given = ("--every", every, *options)
        job = self.write(code)
        return self.run(sys.executable, job, options=given, env=env, reports=reports)

    def write(self, code: str) -> str:
        """Write a job in Python, and return its name."""
        (self.place / "job.py").write_text(BEGINNING + textwrap.dedent(code))
        return "job.py"

    def run_alone(self, code: str) -> Ended:
        """Run a job in Python to its end, without the command."""
        ended = subprocess.run(
            [sys.executable, "-c", BEGINNING.partition("session =")[0] + code],
            env=self.environment,
            cwd=self.place,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        self._leaks.check_text(ended.stdout, place="standard output")
        self._leaks.check_text(ended.stderr, place="standard error")
        return Ended(ended.stdout, ended.stderr, ended.returncode)

    def run_plainly(self, *words: str) -> str:
        """Run Python without a rehearsal; return what it printed, keys maybe."""
        return subprocess.run(
            [sys.executable, *words],
            env=self.environment,
            cwd=self.place,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=True,
        ).stdout

    def list_store(self) -> dict[str, bytes]:
        """Return what is in the machine's store, but for who asked when."""
        return {
            each.name: each.read_bytes()
            for each in (self.place / "store").rglob("*")
            if each.is_file() and not each.name.startswith("asks")
        }

    def run(
        self,
        *program: str,
        options: tuple[str, ...] = ("--every", "2s"),
        env: Mapping[str, str] | None = None,
        reports: bool = True,
    ) -> Rehearsed:
        """Rehearse a program to its end; `reports` asks for the report, too."""
        report = self.place / "report.json"
        report.unlink(missing_ok=True)
        ours = [sys.executable, "-m", "botocore_conn_provider", "rehearse"]
        asked = ("--json", str(report)) if reports else ()
        ended = subprocess.run(
            [*ours, *options, *asked, "--", *program],
            env={**self.environment, **(env or {})},
            cwd=self.place,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        self._leaks.check_text(ended.stdout, place="standard output")
        self._leaks.check_text(ended.stderr, place="standard error")
        text = report.read_text() if report.exists() else "{}"
        self._leaks.check_text(text, place="the report")
        return Rehearsed(ended.stdout, ended.stderr, ended.returncode, json.loads(text))

    @property
    def notes(self) -> list[Path]:
        """What is left of the directories of notes."""
        return list(self.place.glob("botocore-conn-rehearsal-*"))

    @property
    def exchanges(self) -> int:
        """How often STS was asked for credentials."""
        return sum(each.action == "AssumeRole" for each in self.aws.requests)
