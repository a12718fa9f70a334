"""Which of AWS's partitions a connection is of, and where its console is.

Credentials of one partition are nothing in another, so where the role and the region
speak of two, nothing is sent to either.

Sources: AWS General Reference, endpoints of the Management Console and of AWS Sign-In;
the same of the European Sovereign Cloud, which has no global sign-in; botocore's
partitions, for the regions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import UnknownRegionError

from botocore_conn_provider.errors import InvalidConnectionError, Problem
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from botocore_conn_provider.cli.process_credentials import ReadConnection
    from botocore_conn_provider.exchange.unfitted_session import UnfittedSession


class Hosts(Value):
    """The hosts of a partition. `region` is the one to take where none is named."""

    sign_in: str
    console: str
    region: str | None = None


HOSTS = {
    "aws": Hosts("signin.aws.amazon.com", "console.aws.amazon.com"),
    "aws-cn": Hosts("signin.amazonaws.cn", "console.amazonaws.cn"),
    "aws-eusc": Hosts(
        "{region}.signin.amazonaws-eusc.eu",
        "console.amazonaws-eusc.eu",
        "eusc-de-east-1",
    ),
    "aws-us-gov": Hosts("signin.amazonaws-us-gov.com", "console.amazonaws-us-gov.com"),
}
# Names of whole partitions, which STS takes for a region and the console does not.
NO_REGION = "-global"


class Console(Value):
    """Where a browser is signed in, and in which region it begins."""

    hosts: Hosts
    region: str | None

    @property
    def federation_url(self) -> str:
        """The address that gives sign-in tokens, and takes them."""
        return f"https://{self.hosts.sign_in.format(region=self.region)}/federation"

    def find_page(self, service: str | None) -> str:
        """Return the address of a service's first page, or of the console's."""
        query = f"?region={self.region}" if self.region else ""
        return f"https://{self.hosts.console}/{service or 'console'}/home{query}"


def find_console(connection: ReadConnection, base: UnfittedSession) -> Console:
    """Return the console of the role's partition, else of the region's.

    Raises:
        InvalidConnectionError: They speak of two, of none, or of one without a console
            that can be reached so.
    """
    role = connection.settings.role
    of_role = None if role is None else role.role_arn.split(":")[1]
    region = base.get_config_variable("region")
    of_region = _find_partition(base, region)
    problem = _find_problem(of_role, of_region)
    if problem is not None:
        raise InvalidConnectionError(
            conn_id=connection.settings.conn_id,
            problems=[problem],
            variable=connection.variable,
        )
    hosts = HOSTS[str(of_role or of_region)]
    is_real = of_region is not None and not region.endswith(NO_REGION)
    return Console(hosts, region if is_real else hosts.region)


def _find_problem(of_role: str | None, of_region: str | None) -> Problem | None:
    """Return what is wrong with the partitions that role and region speak of."""
    partition = of_role or of_region
    if partition is None:
        seen = "does not tell in which partition of AWS the console is"
        return Problem("region_name", seen, "Set it to a region of AWS.")
    if of_role and of_region and of_role != of_region:
        seen = f"is a region of {of_region}, and the role is of {of_role}"
        return Problem("region_name", seen, f"Set it to a region of {of_role}.")
    if partition not in HOSTS:
        field = "role_arn" if of_role else "region_name"
        seen = f"is of the partition {partition}, whose console is not known here"
        return Problem(field, seen, f"Known are {', '.join(HOSTS)}.")
    return None


def _find_partition(base: UnfittedSession, region: str | None) -> str | None:
    """Return the region's partition; None without one, or if botocore knows none."""
    if region is None:
        return None
    try:
        return str(base.get_partition_for_region(region))
    except UnknownRegionError:
        return None
