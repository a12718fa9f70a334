"""By how much the first exchange of a node is put off, so that a fleet does not ask at once.

It is the same for all processes of a user on a node that use the connection with the
same store, and differs from node to node: so the workers of a node still make one
exchange, and the nodes are spread.
"""

from __future__ import annotations

import contextlib
import hashlib
import socket
from pathlib import Path

# Which machine this is, and which start of it: containers of one image have the same
# machine id, and machines of one image too.
IDS = ("/proc/sys/kernel/random/boot_id", "/etc/machine-id")
DOMAIN = "botocore-conn-provider start spread 1"
BYTES = 7


def find_start_delay(spread_seconds: float, *, conn_id: str, store: Path) -> float:
    """Return this node's part of the spread, in seconds.

    Args:
        spread_seconds: The longest.
        conn_id: The connections of a node are spread, too.
        store: The store's directory.
    """
    return spread_seconds * place_node([*_describe_node(), str(store), conn_id])


def place_node(names: list[str]) -> float:
    """Return a number from 0 to 1 that is the same for the same names."""
    digest = hashlib.sha256("\0".join([DOMAIN, *names]).encode(errors="replace"))
    return int.from_bytes(digest.digest()[:BYTES], "big") / (1 << 8 * BYTES)


def _describe_node() -> list[str]:
    names = [socket.gethostname()]
    for path in IDS:
        with contextlib.suppress(OSError, ValueError):
            names.append(Path(path).read_text(encoding="utf-8").strip())
    return names
