"""Tell what a program gave its session from what botocore's chain found there.

What the program said stays when a connection is bound to the session: credentials that
it assigned, providers that it put into the chain, a chain of its own. What botocore's
own chain found goes. botocore keeps no record of which is which, so the rules below go
by what only one of the two leaves behind; `docs/decisions.md` has them in words.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

from botocore import credentials as host
from botocore.credentials import CredentialProvider
from botocore.exceptions import BotoCoreError

from botocore_conn_provider.exchange.session_view import is_given
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    import botocore.session

COMPONENT = "credential_provider"
ASSUME_ROLE = "assume-role"


class Inserted(Value):
    """A chain that the program may have changed.

    `chain` is the whole in its order, None for one that is as botocore makes it. `own`
    are the providers that botocore had made for the session before, which the program
    may have set something on.
    """

    chain: tuple[Any, ...] | None = None
    own: tuple[Any, ...] | None = None

    @property
    def ahead(self) -> list[Any]:
        """The program's own providers, but for those behind all of botocore's.

        They come before the connection. One that stands last is what the program
        wants if there is nothing else, so it stays last.
        """
        chain = self.chain or ()
        last = max((n for n, each in enumerate(chain) if not is_given(each)), default=0)
        return [each for each in chain[:last] if is_given(each)]

    def arrange(self, providers: Sequence[Any]) -> list[Any]:
        """Return `providers` in the places of botocore's own of the same names.

        What the program took out of its chain stays out.
        """
        if self.chain is None:
            return list(providers)
        named = {each.METHOD: each for each in providers}
        arranged = [
            each if is_given(each) else named.get(each.METHOD) for each in self.chain
        ]
        return [each for each in arranged if each is not None]


def has_own_chain(session: botocore.session.Session) -> bool:
    """Return whether the program gave the session a resolver of its own."""
    built, factory = _find_component(session)
    if built is None:
        return factory is not None and is_given(factory)
    return is_given(built) or not _has_assume_role(built)


def read_inserted(session: botocore.session.Session) -> Inserted:
    """Return how the program changed botocore's chain; builds none."""
    built, _ = _find_component(session)
    if built is None:
        return Inserted()
    chain = tuple(built.providers)
    return Inserted(chain, own=chain)


def holds_given_credentials(session: botocore.session.Session) -> bool:
    """Return whether the credentials that a session without connection holds were given."""
    held = vars(session).get("_credentials")
    built, _ = _find_component(session)
    if held is None:
        return False
    if built is None or is_given(held):
        return True  # the chain was never asked, or the class is the program's
    method = getattr(held, "method", None)
    if method not in list_chain_methods() or _refreshes_by_own_means(held):
        return True
    return method == ASSUME_ROLE and not _names_role(session)


@functools.cache
def list_chain_methods() -> frozenset[str]:
    """Return the names of where botocore's own providers find credentials."""
    return frozenset(
        kind.METHOD
        for _, kind in inspect.getmembers(host, inspect.isclass)
        if issubclass(kind, CredentialProvider) and kind.METHOD
    )


def _refreshes_by_own_means(held: Any) -> bool:
    """Return whether a function or an object of the program's renews credentials."""
    refresh = getattr(held, "_refresh_using", None)
    if refresh is None:
        return False
    fetcher = getattr(refresh, "__self__", None)
    return is_given(refresh) or (fetcher is not None and is_given(fetcher))


def _names_role(session: botocore.session.Session) -> bool:
    """Return whether the session's profile assumes a role."""
    try:
        return "role_arn" in session.get_scoped_config()
    except BotoCoreError:
        return True


def _has_assume_role(resolver: Any) -> bool:
    """Return whether botocore made the chain: nobody else makes all that this needs."""
    return any(
        each.METHOD == ASSUME_ROLE and not is_given(each) for each in resolver.providers
    )


def _find_component(session: botocore.session.Session) -> tuple[Any, Any]:
    """Return the session's resolver, or what will make it when it is first asked for.

    Private, because to ask for the component would make it.
    """
    locator = vars(vars(session)["_components"])
    return locator["_components"].get(COMPONENT), locator["_deferred"].get(COMPONENT)
