"""Write what a rehearsal has shown: for people, for programs, for CI."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore_conn_provider.rehearsal.findings import (
        DeadUse,
        IssuedSet,
        Kept,
        RehearsalFindings,
    )

# What XML 1.0 can not say, not even escaped. Source: its specification, 2.2.
UNSAYABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
FORM = 1
NAME = "botocore-conn rehearse"
PAGE = "docs/rehearsal.md"
NOTHING = (
    "Nothing was rehearsed: no process of the job got credentials from an exchange. Keys"
    " that stand in a connection, or that botocore finds, do not end; and a Python"
    " without botocore-conn-provider, or another program, is not seen."
)
TOO_SHORT = (
    "Nothing was rehearsed: the job ended before a set of its credentials did. Let it run"
    " for longer, or the credentials live for less."
)
UNSEEN = (
    "Their own requests were not seen, so this report says nothing of them; what is seen"
    " is whether they ask again."
)
KEPT = (
    "Requests with these after their end are seen where they go through botocore; what"
    " does not is not seen."
)


def show_time(moment: float) -> str:
    """Return a time of day."""
    return time.strftime("%H:%M:%S", time.localtime(moment))


def show_set(one: IssuedSet) -> str:
    """Return a set as people know it: the end of its key id, and its time."""
    return f"the keys …{one.shown} of {one.conn_id} of {show_time(one.issued)}"


def describe_use(use: DeadUse) -> str:
    """Return one use of a dead set, in a sentence."""
    often = "" if use.times == 1 else f", {use.times} times"
    at = show_time(use.first_at)
    return f"{use.by} used {show_set(use.used)} at {at}: {use.call}{often}"


def describe_kept(kept: Kept) -> str:
    """Return one who did not ask again, in a sentence."""
    ends = show_time(kept.last.ends or 0.0)
    return f"{kept.by}: last had {show_set(kept.last)}, which ended at {ends}"


def write_text(findings: RehearsalFindings, seconds: float) -> str:
    """Return the report for people."""
    lines = list(_write_lines(findings))
    return "\n".join((f"{NAME}: credentials lived {seconds:g} s", *lines, ""))


def _write_lines(findings: RehearsalFindings) -> Iterator[str]:
    if not findings.has_rehearsed:
        yield f"  {_explain_nothing(findings)}"
    for title, texts, remark in _list_sections(findings):
        if texts:
            yield ""
            yield f"{title}{': ' if remark else ''}{remark}"
            yield from (f"  {text}" for text in texts)
    yield ""
    yield _judge(findings)


def _explain_nothing(findings: RehearsalFindings) -> str:
    """Return why there was nothing to see."""
    had_ends = any(each.ends is not None for each in findings.sets)
    return TOO_SHORT if had_ends else NOTHING


def _list_sections(findings: RehearsalFindings) -> Iterator[tuple[str, list[str], str]]:
    dead = []
    for use in findings.dead_uses:
        dead.append(describe_use(use))
        dead.extend(f"  taken out by {each}" for each in use.taken_by)
    yield "USED DEAD KEYS", dead, "with real credentials this fails after their end"
    yield "NOT ASKED AGAIN", [describe_kept(each) for each in findings.kept], KEPT
    yield "TOOK KEYS AND HAD LIVE ONES AT THE END", list(findings.readers), ""
    failures = [
        f"{each.conn_id}: {each.error}" + (f" ({each.times} times)" * (each.times > 1))
        for each in findings.failures
    ]
    yield "RENEWALS THAT FAILED", failures, ""
    yield "RENEWED", _list_renewals(findings), ""
    yield "SIGN BY THEMSELVES", list(findings.unseen), UNSEEN


def _list_renewals(findings: RehearsalFindings) -> list[str]:
    found: dict[tuple[str, str, int], list[str]] = {}
    for one in findings.sets:
        mark = (one.conn_id, one.program, one.pid)
        lasts = " (does not end)" if one.ends is None else ""
        found.setdefault(mark, []).append(f"{show_time(one.issued)}{lasts}")
    return [
        f"{conn_id} in {program or 'a program'} ({pid}): {', '.join(times)}"
        for (conn_id, program, pid), times in found.items()
    ]


def _judge(findings: RehearsalFindings) -> str:
    if not findings.has_rehearsed:
        return "RESULT: nothing was rehearsed."
    if not findings.is_clean:
        count = sum(each.times for each in findings.dead_uses)
        requests = "1 request" if count == 1 else f"{count} requests"
        return f"RESULT: {requests} used dead keys. What to change: {PAGE}"
    return "RESULT: no request that was seen used dead keys."


def write_json(findings: RehearsalFindings, seconds: float) -> str:
    """Return the report for programs."""
    content = {
        "form": FORM,
        "seconds": seconds,
        "rehearsed": findings.has_rehearsed,
        "clean": findings.has_rehearsed and findings.is_clean,
        **_to_plain(findings),
    }
    return json.dumps(content, indent=2) + "\n"


def _to_plain(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        return {name: _to_plain(each) for name, each in value._asdict().items()}
    if isinstance(value, tuple):
        return [_to_plain(each) for each in value]
    return value


def write_junit(findings: RehearsalFindings) -> str:
    """Return the report in the form of JUnit, one case for each who took keys."""
    suite = ET.Element("testsuite", name=NAME)
    cases = [*findings.readers, *(each.by for each in findings.kept)]
    failed: dict[str, list[str]] = {}
    for use in findings.dead_uses:
        for by in use.taken_by or (use.by,):
            failed.setdefault(by, []).append(describe_use(use))
    for by in sorted({*cases, *failed, "clients of botocore"}):
        name = _escape(by)
        case = ET.SubElement(suite, "testcase", classname="rehearsal", name=name)
        for text in map(_escape, failed.get(by, ())):
            ET.SubElement(case, "failure", message=text).text = text
        if not findings.has_rehearsed:
            ET.SubElement(case, "skipped", message=_explain_nothing(findings))
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(failed)))
    suite.set("skipped", "0" if findings.has_rehearsed else str(len(suite)))
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _escape(text: str) -> str:
    """Return it as XML can say it: names of files may hold any character."""
    return UNSAYABLE.sub(lambda found: ascii(found[0])[1:-1], text)
