from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import hcl2
import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "google_federation"
KEYS = {f"accounts.google.com:{name}" for name in ("aud", "oaud", "sub")}


def read(name: str) -> Any:
    """Parse one file; versions of the library differ in whether they keep quotes."""
    return unquote(hcl2.loads((EXAMPLE / name).read_text()))


def unquote(value: Any) -> Any:
    if isinstance(value, dict):
        return {unquote(k): unquote(v) for k, v in value.items()}
    if isinstance(value, list):
        return [unquote(each) for each in value]
    return value.strip('"') if isinstance(value, str) else value


def find_policy(name: str) -> list[dict[str, Any]]:
    policies = [
        block["aws_iam_policy_document"][name]
        for block in read("main.tf")["data"]
        if name in block["aws_iam_policy_document"]
    ]
    statements: list[dict[str, Any]] = policies[0]["statement"]
    return statements


def test_trust_names_google_and_all_three_conditions() -> None:
    (statement,) = find_policy("trust")
    assert statement["actions"] == ["sts:AssumeRoleWithWebIdentity"]
    assert statement["principals"][0]["identifiers"] == ["accounts.google.com"]
    conditions = statement["condition"]
    assert {each["variable"] for each in conditions} == KEYS
    assert {each["test"] for each in conditions} == {"StringEquals"}


def test_permissions_are_the_least() -> None:
    statements = find_policy("read_bucket")
    actions = [action for each in statements for action in each["actions"]]
    assert actions == ["s3:ListBucket", "s3:GetObject"]
    assert "*" not in [name for each in statements for name in each["resources"]]


def test_provider_version_is_pinned() -> None:
    (block,) = read("versions.tf")["terraform"]
    (providers,) = block["required_providers"]
    assert providers["aws"]["version"] == "~> 6.0"


def test_every_variable_is_described() -> None:
    for block in read("variables.tf")["variable"]:
        for name, variable in block.items():
            if name != "__is_block__":
                assert variable["description"], name


@pytest.mark.parametrize("language", ["json"])
def test_policy_of_the_readme_has_the_same_conditions(language: str) -> None:
    text = (EXAMPLE / "README.md").read_text()
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found is not None
    (statement,) = json.loads(found.group(1))["Statement"]
    assert set(statement["Condition"]["StringEquals"]) == KEYS
