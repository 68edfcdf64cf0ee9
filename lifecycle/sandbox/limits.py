"""Published rate limits per endpoint: sliding windows, any of which can trip."""

import threading
import time
from collections import deque
from math import ceil

from .calls import Endpoint


class Limits:
    def __init__(self, scale: float) -> None:
        self.scale = scale
        self._calls: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def take(self, endpoint: Endpoint) -> tuple[int, int] | None:
        """None when the call may pass; otherwise the limit that tripped and the seconds until it lets one through."""
        return self._take(endpoint.key, endpoint.limits)

    def take_named(self, name: str, allowed: int, seconds: float) -> tuple[int, int] | None:
        """The same for a limit that is not an endpoint's as a whole."""
        return self._take(name, ((allowed, seconds),))

    def _take(self, key: str, limits: tuple[tuple[int, float], ...]) -> tuple[int, int] | None:
        with self._lock:
            now = time.monotonic()
            calls = self._calls.setdefault(key, deque())
            longest = max((seconds for _, seconds in limits), default=0.0)
            while calls and calls[0] <= now - longest:
                calls.popleft()
            for allowed, seconds in limits:
                limit = max(1, int(allowed * self.scale))
                if len(calls) >= limit and calls[-limit] > now - seconds:
                    return limit, max(1, ceil(calls[-limit] + seconds - now))
            calls.append(now)
            return None

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()
