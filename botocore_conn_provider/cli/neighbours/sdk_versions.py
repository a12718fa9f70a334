"""AWS's packages that are installed in versions which cannot live together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.cli.neighbours.neighbour import VERSIONS, Neighbour
from botocore_conn_provider.cli.neighbours.versions import is_allowed
from botocore_conn_provider.redaction import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore_conn_provider.cli.installed_packages import Installed

# Each pins the ones below it, most of them narrowly.
PACKAGES = ("s3fs", "aioboto3", "aiobotocore", "awscli", "boto3", "s3transfer")
REQUIRED = ("aiobotocore", "boto3", "s3transfer", "botocore")
NAMES = (*PACKAGES, "botocore")


def find_broken_pairs(installed: Mapping[str, Installed]) -> Iterator[Neighbour]:
    """Yield each package of AWS's that is here in a version another one refuses."""
    for package in (installed[name] for name in PACKAGES if name in installed):
        for requirement in package.requirements:
            other = installed.get(requirement.name)
            if other is None or requirement.name not in REQUIRED:
                continue
            version = other.version
            if version and is_allowed(version, requirement.specifiers) is False:
                yield _tell(package, other, shorten(requirement.specifiers))


def _tell(package: Installed, other: Installed, specifiers: str) -> Neighbour:
    version = f" {package.version}" if package.version else ""
    return Neighbour(
        VERSIONS,
        package.name,
        f"{package.name}{version} needs {other.name} {specifiers}, and"
        f" {other.name} {other.version} is installed: imports or calls of"
        f" {package.name} may fail.",
        f"Have pip choose both: pip install --upgrade {package.name} {other.name}",
        package.version,
    )
