"""What a connection's text means, case by case.

Each case in `tests/cases/reading` gives a connection (`text`, `document`, `extra`,
`query`, or `saml`, the object of a SAML role) and what it means (`settings` that
differ from the defaults, `notices`, `record`) or what is wrong (`problems`: the
field and words of each).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from botocore_conn_provider.connection.environment import ConnectionName
from botocore_conn_provider.connection.extra import KNOWN_FIELDS
from botocore_conn_provider.connection.record import Connection
from botocore_conn_provider.errors import InvalidConnectionError
from botocore_conn_provider.secret import Options, Secret

Case = dict[str, Any]

FOLDER = Path(__file__).parent.parent / "cases" / "reading"
CASES: dict[str, Case] = {
    f"{path.stem}: {name}": case
    for path in sorted(FOLDER.glob("*.json"))
    for name, case in json.loads(path.read_text(encoding="utf-8")).items()
}
GOOD = [name for name, case in CASES.items() if "settings" in case]
BAD = [name for name, case in CASES.items() if "problems" in case]
SAML_ROLE = {
    "role_arn": "arn:aws:iam::123456789012:role/r",
    "assume_role_method": "assume_role_with_saml",
}


def write_text(case: Case) -> str:
    if "text" in case:
        return str(case["text"])
    if "query" in case:
        return f"aws://?{urlencode(case['query'])}"
    if "saml" in case:
        extra = SAML_ROLE | case.get("outer", {})
        return json.dumps({"extra": extra | {"assume_role_with_saml": case["saml"]}})
    return json.dumps(case.get("document", {"extra": case.get("extra")}))


def read(case: Case, conn_id: str | None = None) -> Connection:
    name = ConnectionName(conn_id or case.get("conn_id", "aws_default"))
    return Connection.parse(
        write_text(case),
        name.conn_id,
        environ=case.get("environ"),
        variable=name.variable,
    )


def refuse(case: Case, conn_id: str | None = None) -> InvalidConnectionError:
    with pytest.raises(InvalidConnectionError) as caught:
        read(case, conn_id)
    return caught.value


def show(value: Any) -> Any:
    """Show settings as JSON would, without what has its default."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Options):
        return {name: show(each) for name, each in value.items()}
    defaults = getattr(value, "_field_defaults", None)
    if defaults is None:
        return list(value) if isinstance(value, tuple) else value
    shown = {
        name: show(each)
        for name, each in value._asdict().items()
        if name not in defaults or each != defaults[name]
    }
    kind = type(value).__name__
    return {"kind": kind, **shown} if kind.startswith("AssumeRole") else shown


def expect_settings(case: Case) -> dict[str, Any]:
    if "saml" not in case:
        return dict(case["settings"])
    role = {
        "kind": "AssumeRoleWithSaml",
        "role_arn": SAML_ROLE["role_arn"],
        "sign_in": case["settings"],
    }
    return {"role": role | case.get("role", {})}


@pytest.mark.parametrize("name", GOOD)
def test_connection_means_what_its_case_says(name: str) -> None:
    case = CASES[name]
    settings = read(case).settings
    shown = show(settings._replace(notices=()))
    assert shown == {"conn_id": settings.conn_id, **expect_settings(case)}


@pytest.mark.parametrize("name", GOOD)
def test_each_notice_is_given_once(name: str) -> None:
    wanted = CASES[name].get("notices", [])
    notices = read(CASES[name]).settings.notices
    assert len(notices) == len(wanted)
    assert [sum(words in each for each in notices) for words in wanted] == [
        1 for _ in wanted
    ]


@pytest.mark.parametrize("name", [name for name in GOOD if "record" in CASES[name]])
def test_record_is_kept(name: str) -> None:
    connection = read(CASES[name])
    wanted = CASES[name]["record"]
    assert {each: getattr(connection, each) for each in wanted} == wanted


@pytest.mark.parametrize("name", BAD)
def test_every_problem_is_named_with_its_field(name: str) -> None:
    wanted = CASES[name]["problems"]
    problems = refuse(CASES[name]).problems
    assert sorted(problem.field for problem in problems) == sorted(
        field for field, _ in wanted
    )
    for field, words in wanted:
        assert any(words in str(p) for p in problems if p.field == field), words


@pytest.mark.parametrize("conn_id", ["aws_default", "x" * 5000, "\n\ud800'{}" * 99])
@pytest.mark.parametrize("name", BAD)
def test_first_problem_stands_in_front(name: str, conn_id: str) -> None:
    error = refuse(CASES[name], conn_id)
    first = error.problems[0]
    front = str(error)[:200]
    assert front.startswith(f"Connection '{conn_id[:1].strip() or '?'}")
    assert f"'{first.field}' {first.seen}"[:110] in front
    assert len(str(error)) < 1500
    assert str(error).isprintable()


def test_a_thousand_unknown_fields_are_one_problem() -> None:
    error = refuse({"extra": {f"unknown {n}": n for n in range(1000)}})
    assert [str(problem) for problem in error.problems] == [
        "'extra' has 1000 unknown fields. Check that it is a connection."
    ]


def test_a_thousand_problems_are_all_there_and_fit_a_log() -> None:
    services = {f"service{n}": {"endpoint_url": "x"} for n in range(1000)}
    error = refuse({"extra": {"service_config": services}})
    assert len(error.problems) == 1000
    assert len(str(error)) < 1500
    assert " more. See docs/troubleshooting.md#" in str(error)


def test_every_field_that_is_null_is_absent() -> None:
    case = {"extra": dict.fromkeys(KNOWN_FIELDS)}
    assert read(case).settings == read({"text": "aws://"}).settings
