"""The region in AWS's files, which an engine no longer reads for itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from botocore_conn_provider.exchange.session_view import (
    CONFIG_FILE,
    CONFIG_VARIABLE,
    REGION_VARIABLE,
    SessionView,
)

if TYPE_CHECKING:
    from botocore_conn_provider.connection.environment import Snapshot
    from botocore_conn_provider.connection.settings import AwsSettings

AWS_FILES = (
    (CONFIG_VARIABLE, CONFIG_FILE),
    ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
)


def find_profile_region(settings: AwsSettings, snapshot: Snapshot) -> str | None:
    """Return the region of the files where nothing else names one, else None.

    It is read by botocore, so only where there is a file that may have it.
    """
    environ = snapshot.environ
    if settings.client.region_name or environ.get(REGION_VARIABLE):
        return None
    paths = (environ.get(variable) or file for variable, file in AWS_FILES)
    if not any(os.path.isfile(snapshot.locate(path)) for path in paths):  # noqa: PTH113 - pathlib is slow to load
        return None
    # Imported here: it takes longer than all the rest of a start from the store.
    from botocore.exceptions import BotoCoreError

    from botocore_conn_provider.exchange.base_session import create_base_session

    session = create_base_session(settings, SessionView(snapshot))
    try:
        region: str | None = session.get_config_variable("region")
    except BotoCoreError:  # a broken file, which the identity does not need
        return None
    return region
