"""Profiles of AWS's shared files that several tests start from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aws import Aws
    from tests.leaks import Secrets


def write_base(home: Path, secrets: Secrets) -> None:
    """Write a profile `base` with keys, and no other keys."""
    (home / ".aws" / "credentials").write_text(
        f"[base]\naws_access_key_id={secrets.new_access_key_id()}\n"
        f"aws_secret_access_key={secrets.new('secret key')}\n"
    )


def write_hop(home: Path, secrets: Secrets, aws: Aws, role_arn: str) -> None:
    """Write a profile `hop` that has a role, which `base` may assume."""
    write_base(home, secrets)
    (home / ".aws" / "config").write_text(
        f"[profile hop]\nrole_arn = {role_arn}\nsource_profile = base\n"
        f"endpoint_url = {aws.url}\n"
    )
