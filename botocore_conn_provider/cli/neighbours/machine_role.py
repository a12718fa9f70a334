"""Whether the connection starts from the machine's role at the metadata service. Pure.

Told by what is before it in botocore's chain, without asking: a machine that has no role
cannot be told from one that has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.cli.neighbours.aws_login import follow_sources
from botocore_conn_provider.endpoint.variables import FULL_URI, RELATIVE_URI
from botocore_conn_provider.exchange.profile_flow import ASKING_FIELDS, KEY_FIELD

if TYPE_CHECKING:
    from botocore_conn_provider.connection.environment import Environ
    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.exchange.profile_flow import Profiles

SOURCE_FIELD, METADATA_SOURCE = "credential_source", "Ec2InstanceMetadata"
# Each of these comes before the metadata service.
BEFORE_IT = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CREDENTIAL_FILE",
    "BOTO_CONFIG",
    RELATIVE_URI,
    FULL_URI,
)
IN_PROFILE = (KEY_FIELD, "role_arn", *ASKING_FIELDS)
DEFAULT = "default"
DISABLED = "AWS_EC2_METADATA_DISABLED"


def is_asked(
    settings: AwsSettings,
    profiles: Profiles,
    begun: str,
    *,
    environ: Environ,
) -> bool:
    """Return whether the metadata service is the source of the connection's identity.

    Args:
        settings: The connection's.
        profiles: Of AWS's files.
        begun: The profile that the connection uses or starts from.
        environ: That of the snapshot, by which botocore's chain is made.
    """
    if environ.get(DISABLED, "").lower() == "true":
        return False
    by_profile = settings.profile_name is not None
    if not by_profile and not settings.starts_from_chain:
        return False
    if not by_profile and any(environ.get(name) for name in BEFORE_IT):
        return False
    if begun not in profiles and begun != DEFAULT:
        return False  # botocore asks nobody for a profile that is missing
    name = follow_sources(profiles, begun)
    profile = {} if name is None else profiles[name]
    if profile.get(SOURCE_FIELD) == METADATA_SOURCE and "role_arn" in profile:
        return True
    return not by_profile and not any(field in profile for field in IN_PROFILE)
