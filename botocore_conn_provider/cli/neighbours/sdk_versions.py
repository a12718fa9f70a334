"""AWS's packages that are installed in versions which cannot live together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.cli.neighbours.neighbour import VERSIONS, Neighbour
from botocore_conn_provider.cli.neighbours.versions import is_allowed
from botocore_conn_provider.redaction import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore_conn_provider.cli.installed_packages import Installed, Requirement

# Each pins the ones below it, most of them narrowly.
PACKAGES = ("s3fs", "aioboto3", "aiobotocore", "awscli", "boto3", "s3transfer")
REQUIRED = ("aiobotocore", "boto3", "s3transfer", "botocore")
NAMES = (*PACKAGES, "botocore")


def find_broken_pairs(installed: Mapping[str, Installed]) -> Iterator[Neighbour]:
    """Yield each package of AWS's that is here beside one which it refuses."""
    # To change one alone would break it for the next.
    together = " ".join(name for name in NAMES if name in installed)
    for package in (installed[name] for name in PACKAGES if name in installed):
        for requirement in package.requirements:
            other = installed.get(requirement.name)
            if other is None or not _is_refused(other, requirement):
                continue
            wanted = f"{other.name} {shorten(requirement.specifiers)}"
            yield Neighbour(
                VERSIONS,
                package.name,
                f"{package.shown} needs {wanted}, and {other.shown} is installed:"
                f" imports or calls of {package.name} may fail.",
                f"Have pip choose them together: pip install --upgrade {together}",
                package.version,
            )


def _is_refused(other: Installed, requirement: Requirement) -> bool:
    if other.name not in REQUIRED or other.version is None:
        return False
    return is_allowed(other.version, requirement.specifiers) is False
