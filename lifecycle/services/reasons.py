"""Why somebody changes what others rely on: a role, a setting, a hold, a held-back sync."""

from __future__ import annotations

from lifecycle.errors.problems import ReasonMissing

MOST = 2000


def given(reason: str) -> str:
    """The reason as the log keeps it. Raises ReasonMissing when it says nothing."""
    said = reason.strip()[:MOST]
    if not said:
        raise ReasonMissing
    return said
