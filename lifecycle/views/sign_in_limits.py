"""How often a sign-in may fail before it has to wait.

A limit is a number of slots. Every attempt takes one before the password is looked at and
gives it back when it was right, so attempts made at the same moment cannot pass together:
`cache.add` lets only one of them have a slot. Slots free themselves after the window.
"""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

WINDOW_SECONDS = 15 * 60
PER_ACCOUNT_AND_ADDRESS = 5
PER_ADDRESS = 20
PER_ACCOUNT_CODES = 10


@dataclass(frozen=True, slots=True)
class Slots:
    """The slots one attempt has taken."""

    keys: tuple[str, ...]

    def give_back(self) -> None:
        cache.delete_many(self.keys)


def take_slots(request: HttpRequest, username: str) -> Slots | None:
    """A slot of each limit for one attempt; None when one of them is used up."""
    address = client_address(request)
    taken: list[str] = []
    for limit, *parts in (
        (PER_ADDRESS, address),
        (PER_ACCOUNT_AND_ADDRESS, address, _same_account(username)),
    ):
        slot = _take_slot("|".join(parts), limit)
        if slot is None:
            Slots(tuple(taken)).give_back()
            return None
        taken.append(slot)
    return Slots(tuple(taken))


def take_code_slots(request: HttpRequest, account: int) -> Slots | None:
    """The same for a code beside a password. Whoever comes so far knows the password, so the
    limit counts per account, whichever addresses the attempts come from."""
    slot = _take_slot(f"code|{account}", PER_ACCOUNT_CODES)
    if slot is None:
        return None
    more = take_slots(request, f"code|{account}")
    if more is None:
        Slots((slot,)).give_back()
        return None
    return Slots((slot, *more.keys))


def client_address(request: HttpRequest) -> str:
    """The address a request came from, as far as we can trust it: behind proxies of ours it
    stands that many places from the end of X-Forwarded-For."""
    proxies = settings.PROXY_COUNT
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
    if proxies and len(hops) >= proxies and hops[-proxies]:
        return hops[-proxies]
    return str(request.META.get("REMOTE_ADDR", ""))


def _take_slot(owner: str, limit: int) -> str | None:
    digest = hashlib.sha256(owner.encode()).hexdigest()
    for number in range(limit):
        key = f"sign-in:{digest}:{number}"
        if cache.add(key, 1, WINDOW_SECONDS):
            return key
    return None


def _same_account(username: str) -> str:
    return unicodedata.normalize("NFKC", username).casefold().strip()
