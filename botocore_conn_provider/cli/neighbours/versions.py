"""Compare versions of packages, to say which of them cannot live together. Pure.

Source: the version specifiers of packaging.python.org (PEP 440). The package
`packaging` does the same and more; a bare install has none (docs/decisions.md). What is
not understood here is None, of which nothing is said.
"""

from __future__ import annotations

import re

from botocore_conn_provider.value import Value

VERSION = r"""(?aix) \s* v? (?:(?P<epoch>\d+)!)? (?P<release>\d+(?:\.\d+)*)
    (?:[-_.]?(?P<pre>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre_number>\d*))?
    (?:-(?P<post>\d+)|[-_.]?(?:post|rev|r)[-_.]?(?P<post_number>\d*))?
    (?:[-_.]?dev[-_.]?(?P<dev>\d*))?
    (?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))? \s*"""
SPECIFIER = r"\s*(?P<sign>~=|==|!=|<=|>=|<|>)\s*(?P<version>[^\s*]+?)(?P<any>\.\*)?\s*"
STAGES = {"a": 0, "alpha": 0, "b": 1, "beta": 1}  # all others are a candidate's
CANDIDATE, FINAL = 2, 3
LONGEST_NUMBER = 20  # more digits are no version, and slow to read
FOREVER = float("inf")


class Version(Value):
    """A version's parts; None for those that it lacks."""

    epoch: int
    release: tuple[int, ...]
    pre: tuple[int, int] | None = None
    post: int | None = None
    dev: int | None = None
    local: str | None = None

    @property
    def is_early(self) -> bool:
        """Whether it comes before the release that it is named after."""
        return self.pre is not None or self.dev is not None


def read_version(text: str) -> Version | None:
    """Return the parts of a version; None for what is none."""
    found = re.fullmatch(VERSION, text)
    if found is None or re.search(rf"\d{{{LONGEST_NUMBER}}}", text):
        return None
    part = found.groupdict()
    pre = part["pre"]
    stage = None if pre is None else STAGES.get(pre.lower(), CANDIDATE)
    post = part["post"] or part["post_number"]
    return Version(
        int(part["epoch"] or 0),
        tuple(map(int, part["release"].split("."))),
        None if stage is None else (stage, int(part["pre_number"] or 0)),
        None if post is None else int(post or 0),
        None if part["dev"] is None else int(part["dev"] or 0),
        part["local"],
    )


def order(version: Version) -> tuple[object, ...]:
    """Return what versions are ordered by; what is local is left out."""
    release = version.release
    while release[-1:] == (0,):
        release = release[:-1]
    pre = version.pre or (FINAL, 0)
    if version.pre is None and version.post is None and version.dev is not None:
        pre = (-1, 0)  # before its first alpha
    post = -1 if version.post is None else version.post
    dev = FOREVER if version.dev is None else version.dev
    return (version.epoch, release, pre, post, dev)


def is_allowed(version: str, specifiers: str) -> bool | None:
    """Return whether `specifiers` (`>=1.2,<2`) allow a version; None if not understood.

    A version that is installed may be one before a release, as pip's own check says.
    """
    seen = read_version(version)
    each = [part for part in specifiers.split(",") if part.strip()]
    judged = [None if seen is None else _judge(seen, part) for part in each]
    return None if None in judged else all(judged)


def _judge(seen: Version, specifier: str) -> bool | None:
    found = re.fullmatch(SPECIFIER, specifier)
    wanted = None if found is None else read_version(found["version"])
    if found is None or wanted is None:
        return None
    sign = found["sign"]
    if sign in ("==", "!="):
        is_same = _begins(seen, wanted.release, wanted.epoch)
        if not found["any"]:
            is_same = order(seen) == order(wanted)
            is_same = is_same and (not wanted.local or _is_same_local(seen, wanted))
        return is_same is (sign == "==")
    if found["any"]:
        return None
    return _compare(seen, wanted, sign)


def _compare(seen: Version, wanted: Version, sign: str) -> bool | None:
    mine, theirs = order(seen), order(wanted)
    if sign == ">=":
        return mine >= theirs
    if sign == "<=":
        return mine <= theirs
    if sign == "<":
        # What comes before an excluded version by name is excluded, too.
        post = seen.post if seen.pre is None else None
        named_after = order(Version(seen.epoch, seen.release, post=post))
        return mine < theirs and (not seen.is_early or named_after != theirs)
    if sign == ">":
        # Likewise what comes after it by name.
        named_after = order(seen._replace(post=None, dev=None))
        return mine > theirs and (seen.post is None or named_after != theirs)
    if len(wanted.release) == 1:
        return None  # `~=1` is not allowed
    return mine >= theirs and _begins(seen, wanted.release[:-1], wanted.epoch)


def _begins(seen: Version, release: tuple[int, ...], epoch: int) -> bool:
    padded = seen.release + (0,) * len(release)
    return seen.epoch == epoch and padded[: len(release)] == release


def _is_same_local(seen: Version, wanted: Version) -> bool:
    mine, theirs = (re.split(r"[-_.]", (v.local or "").lower()) for v in (seen, wanted))
    return mine == theirs
