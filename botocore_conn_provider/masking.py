"""Hide in a text of others what may be secret: the patterns and counts behind `redaction`.

Hidden are what follows a name that says secret, the credentials of an Authorization
header, the user and the query of a URL, and every run of 16 or more letters, digits,
`+` and `/` that does not read like words. Whether it does is counted, not guessed: see
`_reads_like_words`. Why so, and how often it is wrong, is in docs/decisions.md.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from botocore_conn_provider.secret import HIDDEN, KeyId

if TYPE_CHECKING:
    from collections.abc import Iterable

SHORTEST_KNOWN = 4  # hiding a shorter value would garble the text
LARGEST_TEXT = 4096  # the masks read no more of a foreign text

# Patterns are texts: `re` compiles them at their first use and keeps them, so the
# start of a process that shows nothing foreign does not pay for them.
# A name that says secret, and its value: `name=value`, `"name": "value"`. Names that
# only speak about a secret (a token's file, an address) end otherwise.
NAMED_VALUE = (
    r"(?i)(?P<name>(?:secret|passw(?:or)?d|passphrase|pwd|token|assertion"
    r"|signature|samlresponse|authorization|cookie|api_?key|private_?key|access_?key)"
    r"(?:[_-]?(?:key|value|data|hash|code))?s?[\"']?\s*(?P<sign>[:=])\s*)"
    r"(?P<value>\"[^\"]*\"?|'[^']*'?|[^\s,;&\"'<>]+)"
)
# After a colon a plain word that goes on is a sentence: "ExpiredToken: The security …"
SENTENCE = r"[A-Za-z][a-z]*\s+[A-Za-z]"
AUTHORIZATION = r"(?i)\b(?P<scheme>basic|bearer|negotiate|ntlm|digest)\s+(?P<value>[^\s,;\"'<>]{4,})"
PLAIN = r"[a-z]+|[A-Z][a-z]+|[A-Z]+"

URL = (
    r"(?i:https?|socks[45]h?|ldaps?|ftp)://"
    r"(?P<user>[^\s/?#@\"'<>]*@|[^\s/?#@:\"'<>]+:(?!\d+[/?#])[^\s?#@\"'<>]*@)?"
    r"(?P<host>[^\s/?#\"'<>]*)(?P<path>[^\s?#\"'<>]*)(?P<query>[?#][^\s\"'<>]*)?"
)
ARN = r"arn:aws[a-z-]*:[\w-]*:[\w-]*:\d*:[\w+=,.@/:*-]+"
KEY_ID = r"(?<![A-Za-z0-9+/])(?:AKIA|ASIA)[A-Z0-9]{12,}"
# Tokens that say what they are: JWTs, Google's and GitHub's.
KNOWN_FORMS = (
    r"eyJ[\w-]{12,}(?:\.[\w-]+)*|(?:GOCSPX-|ya29\.|gh[opsu]_|github_pat_)[\w.-]{8,}"
)
# An OAuth client's id is public; it is the audience of many tokens.
CLIENT_ID = r"\d+-[0-9a-z]{32}\.apps\.googleusercontent\.com"
HOST = r"(?<![\w.+/-])(?:[a-z0-9-]+\.)+[a-z]{2,}(?=[:/])"
RUN = r"[A-Za-z0-9+/=_.~%-]{16,}"
TOKEN = rf"(?P<url>{URL})|(?P<arn>{ARN})|(?P<public>{CLIENT_ID})|{HOST}|{RUN}"

# An AWS secret key has 40 characters of these; tokens and assertions many more.
CORE = r"(?:[A-Za-z0-9+/]|%[0-9A-Fa-f]{2}){16,}"
CORE_IN_ARN = r"(?:[A-Za-z0-9+/]|%[0-9A-Fa-f]{2}){40,}"
WINDOW = 24
LEAST_SCORE = 8
# These look like chance and are none: the ids of AWS's resources (vpce-…), long
# numbers, and the name of Kerberos.
RESOURCE_ID = r"-[0-9a-f]{17}(?![A-Za-z0-9+/])"
HARMLESS = r"[0-9]{6,}|krb5"

# The 200 pairs of letters that are most frequent in the names of botocore's models
# and in Python's standard library: nine of ten pairs in words, three of ten in chance.
PAIRS = (
    "abcdgilmnprstuy baeilou caehiklortu daeiorsu eacdefglmnprstvwx faefiloru"
    " geinrs haeio iabcdefglmnoprstvz ke ladeilostuy maeiops nacdefginostuv"
    " obcdlmnoprstuvw paeiloprstu qu racdegimnorstuy sacehilopstuy tacehiloprstuy"
    " ubeilmnprst vaei wair xt yp ze"
)


def mask(text: str, known: Iterable[object] = ()) -> str:
    """Return `text` with all that may be secret hidden; see the module for the rule."""
    for value in sorted({str(one) for one in known}, key=len, reverse=True):
        if len(value) >= SHORTEST_KNOWN:
            text = text.replace(value, HIDDEN)
    if len(text) > LARGEST_TEXT:  # cut between words: half a key would not be known
        text = text[:LARGEST_TEXT].rsplit(None, 1)[0]
    text = re.sub(KNOWN_FORMS, HIDDEN, text)
    text = re.sub(NAMED_VALUE, _mask_pair, text)
    text = re.sub(KEY_ID, lambda found: repr(KeyId(found.group())), text)
    text = re.sub(AUTHORIZATION, _mask_authorization, text)
    return re.sub(TOKEN, _mask_token, text)


def _mask_pair(found: re.Match[str]) -> str:
    goes_on = found.string[found.start("value") : found.end() + 2]
    if found["sign"] == ":" and re.match(SENTENCE, goes_on):
        return found.group()
    quote = found["value"][0] if found["value"][0] in "\"'" else ""
    return f"{found['name']}{quote}{HIDDEN}{quote}"


def _mask_authorization(found: re.Match[str]) -> str:
    if re.fullmatch(PLAIN, found["value"].rstrip(".:")):
        return found.group()
    return f"{found['scheme']} {HIDDEN}"


def _mask_token(found: re.Match[str]) -> str:
    text = found.group()
    if found["public"]:
        return text
    if found["url"]:
        return _mask_url(found)
    if found["arn"]:
        return _mask_run(text, CORE_IN_ARN)
    return _mask_run(text, CORE)


def _mask_url(found: re.Match[str]) -> str:
    user = f"{HIDDEN}@" if found["user"] else ""
    scheme = found.group().partition("://")[0]
    host, path = (_mask_run(found[part], CORE) for part in ("host", "path"))
    path = HIDDEN if host == HIDDEN else path  # a key that begins in the host
    query = f"{found['query'][0]}{HIDDEN}" if found["query"] else ""
    return f"{scheme}://{user}{host}{path}{query}"


def _mask_run(run: str, core: str) -> str:
    """Hide `run` as a whole if any part of it is not words."""
    text = re.sub(RESOURCE_ID, "-", run)
    readable = all(map(_reads_like_words, re.findall(core, text)))
    return run if readable else HIDDEN


def _reads_like_words(run: str) -> bool:
    """Return whether no stretch of `run` looks like chance.

    Each pair of neighbours counts for words or against them, as often as it is met
    in words and in random keys.
    """
    text = re.sub(HARMLESS, "/", run)
    starts = range(max(1, len(text) - WINDOW + 1))
    return all(_is_likely(text[start : start + WINDOW]) for start in starts)


def _is_likely(text: str) -> bool:
    score = sum(map(_weigh, text, text[1:]))
    return score >= min(LEAST_SCORE, (len(text) - 1) / 2)


def _weigh(left: str, right: str) -> int:
    """Return how much two neighbours speak for words, which is about log(words/chance)."""
    if not (left.isalpha() and right.isalpha()):
        return _weigh_sign(left, right)
    if left.islower() and right.isupper():
        return -1  # a new word of a name like AssumeRole
    is_common = (left + right).lower() in _list_pairs()
    if left.isupper() and right.isupper():
        return -1 if is_common else -4
    return 2 if is_common else -2


def _weigh_sign(left: str, right: str) -> int:
    if left.isdigit() and right.isdigit():
        return 0
    if "/" in (left, right) and not {"+", "%"} & {left, right}:
        return 1
    return -4


@cache
def _list_pairs() -> frozenset[str]:
    return frozenset(
        group[0] + second for group in PAIRS.split() for second in group[1:]
    )
