"""Packages known to copy the keys once, and to go on with the copy: a table.

A package is told only where all is installed that takes part. To add one is to add an
entry, with the version in which it was seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.cli.neighbours.neighbour import FROZEN_KEYS, Neighbour
from botocore_conn_provider.cli.neighbours.versions import is_allowed
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from botocore_conn_provider.cli.installed_packages import Installed
    from botocore_conn_provider.connection.settings import AwsSettings


class Freezer(Value):
    """A package that copies keys, and what has to be installed beside it for that.

    `text` goes on after its name and version. `versions` are those that do it.
    `by_another` tells that somebody else signs, so that it matters for keys which never
    end, too.
    """

    name: str
    beside: tuple[str, ...]
    text: str
    fix: str
    versions: str = ""
    by_another: bool = False


FREEZERS = (
    Freezer(  # seen in 1.9.1: utils.py, _StaticCredentialsResolver
        "langchain-aws",
        ("aws-sdk-bedrock-runtime",),
        "copies the keys once into its client for bidirectional streaming"
        " (ChatBedrockNovaSonic), which ends with them. Its other classes are not"
        " concerned.",
        "Make a new ChatBedrockNovaSonic for each conversation, and end it within the"
        " hour.",
    ),
    Freezer(  # seen in 3.17.1: s3/_read_deltalake.py, _utils.boto3_to_primitives
        "awswrangler",
        ("deltalake",),
        "copies the keys of the moment into the storage_options of"
        " wr.s3.read_deltalake and to_deltalake: a call that lasts longer than they do"
        " fails.",
        "For long jobs use deltalake itself, under install(engines=True) or"
        " `botocore-conn exec`.",
    ),
    Freezer(  # seen in 3.17.1: distributed/ray/_executor.py; others up to 2 froze keys
        "awswrangler",
        ("ray",),
        "hands its tasks on Ray no session (up to version 2 it sent the keys of the"
        " moment): a worker signs with the identity that boto3 finds there.",
        "Give the workers the connection: its variable in env_vars of the runtime_env,"
        " and `botocore-conn activate` in their Python.",
        by_another=True,
    ),
    Freezer(  # seen in 0.12.1: auth/boto3.py
        "obstore",
        (),
        "has a Boto3CredentialProvider (obstore.auth.boto3) that says of any keys that"
        " they last 30 minutes, also of those that end before.",
        "Use botocore_conn_provider.bridges.obstore() in its place, or no provider under"
        " install(engines=True).",
    ),
    Freezer(  # seen in 9.39.0: hooks/duckdb.py, which 9.37.0 lacks
        "apache-airflow-providers-amazon",
        ("apache-airflow-providers-duckdb", "duckdb"),
        "has an AwsDuckDBHook that takes region and endpoint of the connection, and"
        " neither its keys nor its role; with credential_strategy='config' it copies the"
        " keys of the moment into DuckDB.",
        "Use botocore_conn_provider.bridges.duckdb(database) on a plain DuckDB"
        " connection.",
        ">=9.38.0",
        by_another=True,
    ),
)
FSSPEC = "s3fs"
NAMES = sorted(
    {FSSPEC, *(each.name for each in FREEZERS)}.union(
        *(each.beside for each in FREEZERS)
    )
)


def find_freezers(
    installed: Mapping[str, Installed],
    settings: AwsSettings,
    *,
    fsspec_places: Sequence[str],
) -> Iterator[Neighbour]:
    """Yield what copies keys here, if a copy can be one too many.

    Args:
        installed: The packages.
        settings: The connection's.
        fsspec_places: The variables and files that give fsspec keys for S3.
    """
    for freezer in FREEZERS:
        is_here = all(name in installed for name in (freezer.name, *freezer.beside))
        if is_here and (freezer.by_another or may_end(settings)):
            found = installed[freezer.name]
            if is_allowed(found.version or "0", freezer.versions) is not False:
                yield _tell(found, freezer.text, freezer.fix)
    if FSSPEC in installed and fsspec_places:
        yield _tell(
            installed[FSSPEC],
            f"is given keys by {', '.join(fsspec_places)}: it signs with these, and not"
            " with the connection, and nobody renews them.",
            "Remove key, secret and token there, and from storage_options in the code.",
        )


def may_end(settings: AwsSettings) -> bool:
    """Return whether the connection's keys may end, as lasting keys of a user do not."""
    keys = settings.keys
    return settings.role is not None or keys is None or keys.session_token is not None


def _tell(found: Installed, text: str, fix: str) -> Neighbour:
    return Neighbour(
        FROZEN_KEYS, found.name, f"{found.shown} {text}", fix, found.version
    )
