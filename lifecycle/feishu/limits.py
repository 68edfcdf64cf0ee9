"""Keeping below the rates Feishu publishes, instead of being thrown back by them.

The maths (GCRA) is pure and counts in whole milliseconds, so that any store can keep the
one number it needs per limit, the "theoretical arrival time". `ProcessLimiter` keeps it
for the threads of one process; a store shared by all processes uses the same functions.

Why a sliding window is never over: with an interval T and a burst b, n + b departures take
at least n * T. With T >= W / (0.95 * N) and b <= max(1, 0.05 * N), N + 1 departures take
(N + 1 - b) * T, which is longer than W.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from lifecycle.feishu.endpoints import Endpoint, Window
from lifecycle.feishu.errors import InvalidValue, LimiterBusy

__all__ = ["Limiter", "LimiterBusy", "Pacing", "ProcessLimiter", "next_slot", "pacing"]

STEADY_SHARE = 0.95
BACKGROUND_SHARE = 0.6


class Limiter(Protocol):
    """Lets calls leave no faster than Feishu publishes."""

    def acquire(self, endpoint: Endpoint, *, background: bool, give_up_after_s: float) -> None:
        """Block until one call may leave.

        A background call also keeps to its share of each window, so that what people do
        finds room. Raises LimiterBusy, having taken nothing, when it would have to wait
        longer than `give_up_after_s` seconds.
        """

    def pause(self, endpoint: Endpoint, seconds: float) -> None:
        """Let no call to this endpoint leave for so many seconds."""


@dataclass(frozen=True, slots=True)
class Pacing:
    """One departure per `interval_ms`, and at most `burst` at once after a rest."""

    interval_ms: int
    burst: int


def pacing(window: Window, *, scale: float = 1.0, share: float = 1.0) -> Pacing:
    """How to pace calls so that no sliding window holds more than `calls * scale * share`.

    `scale` fits the published figure to a tenant's plan, `share` is the part one kind of
    caller may use. At least one call per window is always left. Raises InvalidValue when
    either is not above 0.
    """
    if not (scale > 0 and share > 0):
        raise InvalidValue("scale and share have to be above 0.")
    calls = max(1, math.floor(window.calls * scale * share))
    interval_ms = math.ceil(window.seconds * 1000 / (calls * STEADY_SHARE))
    burst = max(1, math.floor(calls * (1 - STEADY_SHARE)))
    return Pacing(interval_ms=interval_ms, burst=burst)


def next_slot(tat_ms: int, now_ms: int, pacing: Pacing) -> tuple[int, int]:
    """The arrival time to store if a call takes the next slot, and the ms until that slot.

    `tat_ms` is what was stored last, 0 at the start. A caller that waits and asks again
    stores nothing until the wait is 0.
    """
    base_ms = max(tat_ms, now_ms)
    wait_ms = max(0, base_ms - (pacing.burst - 1) * pacing.interval_ms - now_ms)
    return base_ms + pacing.interval_ms, wait_ms


class ProcessLimiter:
    """A limiter for the threads of one process.

    A slot is taken only at the moment the call may leave, so a thread that wakes late
    never makes two calls bunch up.
    """

    def __init__(
        self,
        *,
        scale: float = 1.0,
        background_share: float = BACKGROUND_SHARE,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._scale = scale
        self._background_share = background_share
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._tats: dict[tuple[str, Window, bool], int] = {}
        self._paused_until: dict[str, float] = {}

    def acquire(self, endpoint: Endpoint, *, background: bool, give_up_after_s: float) -> None:
        """See Limiter.acquire."""
        deadline = self._clock() + give_up_after_s
        while (wait_s := self._take_or_wait(endpoint, background=background)) > 0:
            if self._clock() + wait_s > deadline:
                raise LimiterBusy(endpoint, wait_s)
            self._sleep(wait_s)

    def pause(self, endpoint: Endpoint, seconds: float) -> None:
        """See Limiter.pause. A longer pause already running stays."""
        with self._lock:
            until = self._clock() + seconds
            self._paused_until[endpoint.name] = max(
                until, self._paused_until.get(endpoint.name, until)
            )

    def _take_or_wait(self, endpoint: Endpoint, *, background: bool) -> float:
        """Take a slot and return 0, or take none and return the seconds to wait."""
        with self._lock:
            now = self._clock()
            paused_s = self._paused_until.get(endpoint.name, now) - now
            if paused_s > 0:
                return paused_s
            now_ms = int(now * 1000)
            slots = {
                key: next_slot(self._tats.get(key, 0), now_ms, pace)
                for key, pace in self._pacings(endpoint, background=background).items()
            }
            wait_ms = max((wait for _, wait in slots.values()), default=0)
            if wait_ms == 0:
                self._tats.update({key: tat for key, (tat, _) in slots.items()})
            return wait_ms / 1000

    def _pacings(
        self, endpoint: Endpoint, *, background: bool
    ) -> dict[tuple[str, Window, bool], Pacing]:
        shares = {False: 1.0, True: self._background_share} if background else {False: 1.0}
        return {
            (endpoint.name, window, only_background): pacing(window, scale=self._scale, share=share)
            for window in endpoint.windows
            for only_background, share in shares.items()
        }
