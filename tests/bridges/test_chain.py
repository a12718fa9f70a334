"""What a bridge lends of credentials that botocore itself keeps."""

from __future__ import annotations

import datetime
import sys
from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider.bridges.lending import Lender

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import datetime, json
ends_at = datetime.datetime.now(datetime.timezone.utc)
ends_at += datetime.timedelta(seconds={life})
print(json.dumps(dict(
    Version=1,
    AccessKeyId="AKIAPROGRAM",
    SecretAccessKey="x",
    SessionToken="y",
    Expiration=ends_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
)))
"""


@pytest.mark.parametrize("life", [20, 120, 3600])
@pytest.mark.parametrize("disabled", ["", "1"])
def test_told_end_is_not_later_than_that_of_credentials_of_botocores_chain(
    life: int, disabled: str, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = isolated / "program.py"
    program.write_text(PROGRAM.format(life=life))
    (isolated / ".aws" / "config").write_text(
        f"[profile chain]\ncredential_process = {sys.executable} {program}\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "chain")
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", '{"conn_type": "aws"}')
    monkeypatch.setenv("BOTOCORE_CONN_DISABLE", disabled)
    began = datetime.datetime.now(datetime.timezone.utc)
    lent = Lender(None).lend()
    assert lent.access_key_id == "AKIAPROGRAM"
    assert lent.ends_at is not None
    latest = datetime.datetime.now(datetime.timezone.utc)
    assert began < lent.ends_at < latest + datetime.timedelta(seconds=life)
