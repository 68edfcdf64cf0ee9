"""How often something happened in this minute: a flood of it must not become a flood of entries."""

from __future__ import annotations

import time

from django.core.cache import cache


def number_this_minute(name: str) -> int:
    """The how-manieth this one is, this one counted; 1 when a full cache has forgotten."""
    key = f"{name}:{int(time.time() // 60)}"
    cache.add(key, 0, 120)
    try:
        return int(cache.incr(key))
    except ValueError:  # thrown out of a full cache meanwhile
        return 1
