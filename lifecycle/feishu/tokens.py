"""The tenant token: kept in this process's memory only, shared by its threads.

Feishu returns the same token while it has 30 minutes or more to live and a new one after
that, with both valid meanwhile; so each process may hold its own, and renewing 30 minutes
before the end always brings a fresh one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

RENEW_BEFORE_END_S = 1800


@dataclass(frozen=True, slots=True)
class FreshToken:
    """A token as Feishu just gave it, and its remaining life in seconds."""

    value: str = field(repr=False)
    expires_in_s: int


class TenantToken:
    """The current token, fetched when there is none or the present one is about to end."""

    def __init__(
        self, fetch: Callable[[], FreshToken], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._value: str | None = None
        self._renew_at = 0.0

    def __repr__(self) -> str:
        return "<TenantToken>"

    def get(self) -> str:
        """The token to send. One thread fetches, the others wait for it.

        Raises whatever `fetch` raises, and then keeps nothing.
        """
        with self._lock:
            asked_at = self._clock()
            if self._value is None or asked_at >= self._renew_at:
                self._value = None
                fresh = self._fetch()
                self._value = fresh.value
                self._renew_at = asked_at + _useful_life_s(fresh.expires_in_s)
            return self._value

    def drop(self, token: str) -> None:
        """Forget this very token; one that has replaced it meanwhile stays."""
        with self._lock:
            if self._value == token:
                self._value = None


def _useful_life_s(expires_in_s: int) -> float:
    if expires_in_s > RENEW_BEFORE_END_S:
        return expires_in_s - RENEW_BEFORE_END_S
    return expires_in_s / 2
