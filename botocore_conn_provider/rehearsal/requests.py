"""Judge each request that botocore or aiobotocore is about to send.

A request that is signed with a dead set is answered as AWS would answer, without the
network, and noted. It does not matter whose client sends it, or how it got the keys.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from botocore_conn_provider.rehearsal.answers import answer, answer_aio
from botocore_conn_provider.rehearsal.code_places import find_spot, name_spot
from botocore_conn_provider.sessions.client_creation import is_aio
from botocore_conn_provider.sessions.rejection import find_signer

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest
    from botocore.model import OperationModel
    from botocore.session import Session

    from botocore_conn_provider.rehearsal.code_places import Spot
    from botocore_conn_provider.rehearsal.notes import Notes
    from botocore_conn_provider.rehearsal.sets import Sets

MODEL_ID, SEND_ID = "botocore-conn-rehearsal-model", "botocore-conn-rehearsal"
# Where a query names the key: version 4, 4A and S3's version 2.
IN_QUERY = ("X-Amz-Credential", "AWSAccessKeyId")
# A line of code that goes on with dead keys is noted no more after so many requests.
MOST_NOTES = 100
S3 = "s3"


class Judge:
    """Looks at the requests of the clients of a process.

    Thread safety: the tables are dictionaries whose single steps are atomic.
    """

    def __init__(self, sets: Sets, notes: Notes) -> None:
        self._sets = sets
        self._notes = notes
        self._protocols: dict[str, str] = {}
        self._noted: dict[tuple[str, Spot | None], int] = {}

    def watch(self, session: Session) -> None:
        """Watch the clients that the session makes from now on."""
        give = answer_aio if is_aio(session) else answer

        def judge(request: AWSPreparedRequest, event_name: str = "", **_: Any) -> Any:
            protocol = self._find_dead(request, event_name)
            return None if protocol is None else give(request, protocol)

        note: Any = self._note_protocol  # the stubs know of no named arguments
        session.register("before-call", note, unique_id=MODEL_ID)
        # First, so that others that answer in place of the network come after.
        events = session.get_component("event_emitter")
        events.register_first("before-send", judge, unique_id=SEND_ID)

    def _note_protocol(self, model: OperationModel, **_: Any) -> None:
        service = model.service_model
        name = service.service_id.hyphenize()
        if name not in self._protocols:
            self._protocols[name] = S3 if name == S3 else service.metadata["protocol"]

    def _find_dead(self, request: AWSPreparedRequest, event_name: str) -> str | None:
        """Return the protocol to refuse the request in; None for one that may go."""
        signer = find_signer(request) or find_query_signer(request.url)
        known = None if signer is None else self._sets.find(signer)
        if known is None or not self._sets.is_dead(known):
            return None
        _, service, operation = f"{event_name}..".split(".", 3)[:3]
        self._note(known.name, f"{service} {operation}")
        return self._protocols.get(service, "")

    def _note(self, name: str, call: str) -> None:
        spot = find_spot(sys._getframe(1))  # noqa: SLF001 - documented, for such uses
        times = self._noted[name, spot] = self._noted.get((name, spot), 0) + 1
        if times > MOST_NOTES:
            return
        place = None if spot is None else name_spot(spot)._asdict()
        self._notes.write("used", set=name, call=call, place=place)


def find_query_signer(url: str) -> str | None:
    """Return the id of the key that signed a URL; None without one."""
    if not any(each in url for each in IN_QUERY):
        return None
    query = parse_qs(urlsplit(url).query)
    found = next((query[each][0] for each in IN_QUERY if each in query), "")
    return found.partition("/")[0] or None
