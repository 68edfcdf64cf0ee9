"""The parts of an entry's text."""

from __future__ import annotations

import json
from typing import Any


def data_in(body: str) -> dict[str, Any] | None:
    """The data of a body, None for a text that is no body of ours."""
    try:
        data = json.loads(body)["data"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return data if isinstance(data, dict) else None
