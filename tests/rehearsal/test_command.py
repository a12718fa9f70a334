"""`rehearse`: what dies is found and named, what renews is clean, the job is its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.rehearsal.conftest import Stage

KEEPS = """
    frozen = session.get_credentials().get_frozen_credentials()
    outlive(frozen)
    list_with(name_keys(frozen))
"""


def test_code_that_froze_keys_is_found_by_name(stage: Stage) -> None:
    ended = stage.rehearse(KEEPS)
    assert ended.returncode == 1, ended.stderr
    assert ended.stdout == "ExpiredToken\n"
    (user,) = ended.users
    assert user.startswith("job.py:")
    assert "(list_with)" in user
    (taker,) = ended.takers
    assert taker.startswith("job.py:")
    assert "(<module>)" in taker
    assert f"taken out by {taker}" in ended.stderr
