"""Have a presigned URL live as long as it was asked for, or say when it ends.

A URL ends with the credentials that signed it. So these are renewed first where new ones
would last longer by enough to matter. If the URL still ends early, that is one WARNING,
or an error if the connection wants one. Nothing else here fails: while there are valid
credentials the URL is signed with them, and without any the signing raises what it
always did.

Source: AWS's documentation of presigned URLs ("… expires when the credentials expire").
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.errors import ConnProviderError, PresignedUrlError
from botocore_conn_provider.sessions.credentials import KeptCredentials, UrlRules

if TYPE_CHECKING:
    from botocore_conn_provider.renewal.deferred_keeper import DeferredKeeper
    from botocore_conn_provider.renewal.keeper import Keeper
    from botocore_conn_provider.renewal.schedule import Held, Patience

logger = logging.getLogger(__name__)

# A URL that ends early by no more than this part of its time is as good as asked for.
TOLERATED_PART = 1 / 12
# Credentials younger than this part of their lifetime, and than this, are not renewed
# for a URL: the default of both is an hour, and each URL would cost an exchange.
YOUNG_PART, YOUNG_SECONDS = 1 / 12, 60.0
# What botocore's signers take where the time is None.
SIGNERS_SECONDS = 3600.0
# S3 signs URLs of its directory buckets with a session of its own, of five minutes,
# unless the client switches that off; the oldest botocore cannot.
DIRECTORY_BUCKET = ("--x-s3", "--xa-s3")
DISABLES_SESSION = "s3_disable_express_session_auth"
LONGEST_SHOWN_SECONDS = 1e12

# Each of these was said once; the value is who said it.
_said: dict[object, object] = {}


def prepare(client: Any, presigner: str, *, asked: Any, bucket: str) -> Patience | None:
    """Renew the client's credentials for a URL, where that makes it live longer.

    Return what is left of the caller's patience, if he has waited: signing may have to
    wait, too.

    Args:
        client: Whose method was called.
        presigner: The method.
        asked: For how many seconds, as the caller wrote it.
        bucket: Of S3; empty if there is none.

    Raises:
        PresignedUrlError: It would end early, and the connection makes that an error.
    """
    url = _find_url(client, presigner, asked=asked, bucket=bucket)
    if url is None or url.is_awaited:
        return None
    patience: Patience | None = None
    with contextlib.suppress(ConnProviderError):  # signing raises it, if it signs
        if url.find_held() is None:
            url.credentials.get_frozen_credentials()
        held = url.find_held()
        if held is not None and url.is_short(held):
            age = find_least_age(held)
            patience = url.keeper.wait_ahead(url.enough_seconds, least_age_seconds=age)
    url.check_end()
    return patience


async def prepare_async(
    client: Any, presigner: str, *, asked: Any, bucket: str
) -> Patience | None:
    """Do the same for aiobotocore's client, without blocking its loop.

    Raises:
        PresignedUrlError: It would end early, and the connection makes that an error.
    """
    url = _find_url(client, presigner, asked=asked, bucket=bucket)
    if url is None or not url.is_awaited:
        return None
    patience: Patience | None = None
    with contextlib.suppress(ConnProviderError):  # signing raises it, if it signs
        if url.find_held() is None:
            await url.credentials.get_frozen_credentials()
        held = url.find_held()
        if held is not None and url.is_short(held):
            age = find_least_age(held)
            patience = await url.credentials.wait_ahead(
                url.enough_seconds, least_age_seconds=age
            )
    url.check_end()
    return patience


def find_least_age(held: Held) -> float:
    """Return the age from which on credentials are renewed for a URL."""
    return max(YOUNG_SECONDS, held.issued.lifetime_seconds * YOUNG_PART)


def _find_url(
    client: Any, presigner: str, *, asked: Any, bucket: str
) -> WantedUrl | None:
    """Return the URL that is wanted; None if its end is no matter of ours."""
    # Private, because botocore has no public way to who signs a client's requests. A
    # botocore without it signs as ever.
    ask = getattr(client, "_get_credentials", None)
    credentials = None if ask is None else ask()
    if not isinstance(getattr(credentials, "urls", None), UrlRules):
        return None
    if bucket.endswith(DIRECTORY_BUCKET) and not getattr(
        client.meta.config, DISABLES_SESSION, False
    ):
        return None
    seconds = _read_seconds(asked)
    return WantedUrl(presigner, seconds, credentials) if seconds > 0 else None


def _read_seconds(asked: Any) -> float:
    """Return for how long the URL is asked; 0 if that is no time: botocore judges it."""
    try:
        return SIGNERS_SECONDS if asked is None else float(asked)
    except OverflowError:  # an integer that no float holds
        return float("inf")
    except (TypeError, ValueError):
        return 0.0


class WantedUrl:
    """A URL that is about to be signed with a connection's credentials.

    Args:
        presigner: The method that was called.
        seconds: For how long it is asked.
        credentials: `KeptCredentials`, of either host's kind.
    """

    def __init__(self, presigner: str, seconds: float, credentials: Any) -> None:
        self.credentials = credentials
        # By the credentials: a program's wrapper may have made a plain function of an
        # async presigner, which must not block the loop.
        self.is_awaited = not isinstance(credentials, KeptCredentials)
        self.enough_seconds = seconds * (1 - TOLERATED_PART)
        self._presigner = presigner
        self._seconds = seconds
        self._rules: UrlRules = credentials.urls

    @property
    def keeper(self) -> Keeper | DeferredKeeper:
        """What renews the credentials; the first exchange finds it."""
        keeper: Keeper | DeferredKeeper = self.credentials.keeper.settled
        return keeper

    def find_held(self) -> Held | None:
        """Return the credentials in memory; None without any."""
        return self.keeper.find_held()

    def is_short(self, held: Held) -> bool:
        """Return whether the URL would end early with these credentials."""
        return self.keeper.count_valid(held) < self.enough_seconds

    def check_end(self) -> None:
        """Say it, once, if the URL will end early all the same.

        Raises:
            PresignedUrlError: The connection makes that an error.
        """
        held = self.find_held()
        if held is None or not self.is_short(held):
            return
        left = self.keeper.count_valid(held)
        lifetime = held.issued.lifetime_seconds
        is_young = lifetime - left <= find_least_age(held)
        as_long = max(self.enough_seconds, self._seconds - YOUNG_SECONDS)
        if is_young and lifetime >= as_long:
            return  # new ones would last as long, and are had as these grow older
        lasts_never = is_young or lifetime < self.enough_seconds
        # An outage is a state of its credentials: the next one is said again.
        outage = None if lasts_never else held.credentials.expires_at
        said_of = (self._rules.conn_id, outage)
        if self._rules.are_errors:
            raise self._describe(held, left, lasts_never=lasts_never)
        if said_of not in _said:
            error = self._describe(held, left, lasts_never=lasts_never)
            _warn_once(said_of, str(error))

    def _describe(
        self, held: Held, left: float, *, lasts_never: bool
    ) -> PresignedUrlError:
        ends = held.credentials.expires_at.isoformat(timespec="seconds")
        new = f"even new ones last {held.issued.lifetime_seconds:.0f} s"
        why = new if lasts_never else "no new ones could be had now"
        longer = "have the credentials last longer (a role's DurationSeconds)"
        fix = f"Ask for less, or {longer}." if lasts_never else SEE_LOG
        setting = " The setting 'presigned_urls' makes this an error."
        return PresignedUrlError(
            conn_id=self._rules.conn_id,
            cause=(
                f"{self._presigner} was asked for {_show_seconds(self._seconds)} s"
                f" (ExpiresIn), but the URL ends with its credentials, in"
                f" {max(0.0, left):.0f} s, at {ends}; {why}."
            ),
            hint=fix + (setting if self._rules.are_errors else ""),
        )


SEE_LOG = "The log says why the renewal failed; it will be tried again."


def _show_seconds(seconds: float) -> str:
    return f"{seconds:.0f}" if seconds < LONGEST_SHOWN_SECONDS else f"{seconds:g}"


def _warn_once(key: object, text: str) -> None:
    """Log a WARNING, if this process has not said it yet."""
    me = object()
    if _said.setdefault(key, me) is me:
        # A filter or handler of the program's that fails must not stop its URL.
        with contextlib.suppress(Exception):
            logger.warning("%s", text)
