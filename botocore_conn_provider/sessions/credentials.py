"""Hand a keeper's credentials to botocore.

A subclass of `RefreshableCredentials` because hosts and tools test for it. It
overrides public members only and calls no private one; `_expiry_time` is kept true
because tools read it. Nothing is fetched until first use, and reading the expiry is
a use: None there means "never expires" to them.

The steady state costs a clock reading and two comparisons. botocore makes a
datetime with the local time zone for each request.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from botocore.credentials import (
    Credentials,
    ReadOnlyCredentials,
    RefreshableCredentials,
)

from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable

    from typing_extensions import Self

    from botocore_conn_provider.exchange.flow import TemporaryCredentials
    from botocore_conn_provider.renewal.deferred_keeper import DeferredKeeper
    from botocore_conn_provider.renewal.keeper import Keeper
    from botocore_conn_provider.renewal.schedule import Patience

Recipe = tuple["Callable[..., Any]", tuple[Any, ...]]


class UrlRules(Value):
    """What a connection wants of presigned URLs that its credentials do not outlast.

    `are_errors`: such a URL is not made.
    """

    conn_id: str = ""
    are_errors: bool = False


WARNED_OF = UrlRules()
# What is left of the patience of a caller who has waited before he signs.
patience_left: ContextVar[Patience | None] = ContextVar("patience_left", default=None)

# The oldest botocore that we support has no account_id there.
FROZEN_FIELDS = len(ReadOnlyCredentials._fields)


class CopiedWhole:
    """Credentials whose copies are the same as they are, without asking anything.

    A pickle holds the recipe instead, because it may cross to another process. Deep
    copies share what renews the credentials: they are the same there.
    """

    def __copy__(self) -> Self:
        copied = type(self).__new__(type(self))
        vars(copied).update(vars(self))
        return copied

    def __deepcopy__(self, memo: object) -> Self:
        return self.__copy__()


class KeptCredentials(CopiedWhole, RefreshableCredentials):
    """Credentials that a keeper renews.

    Args:
        keeper: Of the connection.
        method: The provider's METHOD.
        recipe: A callable and its arguments that make these credentials again from
            the connection's name. It is what a pickle holds.
        urls: Of URLs that are signed with them.
    """

    def __init__(
        self,
        keeper: Keeper | DeferredKeeper,
        *,
        method: str,
        recipe: Recipe,
        urls: UrlRules = WARNED_OF,
    ) -> None:
        # The base class's constructor is not called: it takes keys and a lock of its
        # own, and neither exists here (botocore's deferred class does the same).
        self.method = method
        self._keeper = keeper
        self._recipe = recipe
        self.urls = urls
        # One tuple, so that a reader never pairs a set with another's frozen form.
        self._latest: tuple[TemporaryCredentials, ReadOnlyCredentials] | None = None

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return an immutable set to sign with; may block as `Keeper.current` does."""
        kept = self._keeper.current(patience_left.get())
        latest = self._latest
        if latest is not None and latest[0] is kept:
            return latest[1]
        frozen = freeze(kept)
        self._latest = (kept, frozen)
        self._keeper = self._keeper.settled  # found by now: the short way from here on
        return frozen

    @property
    def keeper(self) -> Keeper | DeferredKeeper:
        """What renews them."""
        return self._keeper

    # botocore's have setters, for its own renewal. Ours cannot be set, since only the
    # keeper knows the keys: hence mypy's `misc` and `override`.
    @property  # type: ignore[misc]
    def access_key(self) -> str:  # type: ignore[override]
        """The access key id of the current set."""
        return str(self._keeper.current().access_key_id)

    @property  # type: ignore[misc]
    def secret_key(self) -> str:  # type: ignore[override]
        """The secret key of the current set, which may be another than before."""
        return self._keeper.current().secret_access_key.reveal()

    @property  # type: ignore[misc]
    def token(self) -> str | None:  # type: ignore[override]
        """The session token of the current set; None for keys that do not end."""
        return self._keeper.current().session_token.reveal() or None

    @property  # type: ignore[misc]
    def account_id(self) -> str | None:  # type: ignore[override]
        """The account of the current set."""
        return self._keeper.current().account_id

    @property
    def _expiry_time(self) -> datetime.datetime:
        return self._keeper.current().expires_at

    def refresh_needed(self, refresh_in: float | None = None) -> bool:
        """Return whether fewer than `refresh_in` seconds are left; fetches nothing.

        Without it: whether the next use would begin or join a renewal. Before the
        first use: yes.
        """
        return self._keeper.is_renewal_due(refresh_in)

    def __reduce__(self) -> Recipe:
        return self._recipe

    def __repr__(self) -> str:
        return f"KeptCredentials(method={self.method!r})"


class ConnectionCredentials(CopiedWhole, Credentials):
    """Static keys of a connection, which a pickle does not hold."""

    def __init__(self, keys: tuple[str, str, str | None], *, recipe: Recipe) -> None:
        super().__init__(*keys, method="conn-static")
        self._recipe = recipe

    def __reduce__(self) -> Recipe:
        return self._recipe


def freeze(kept: TemporaryCredentials) -> ReadOnlyCredentials:
    """Return the set in botocore's form, which holds bare texts."""
    values = (
        str(kept.access_key_id),
        kept.secret_access_key.reveal(),
        kept.session_token.reveal() or None,
        kept.account_id,
    )
    return ReadOnlyCredentials(*values[:FROZEN_FIELDS])
