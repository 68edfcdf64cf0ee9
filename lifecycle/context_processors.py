"""What the frame around every page shows."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from lifecycle import policies, queries
from lifecycle.policies import Capability
from lifecycle.views.guards import stop_seen
from lifecycle.views.themes import theme_of


def portal(request: HttpRequest) -> dict[str, Any]:
    """Read only when a page asks for it, so that a partial costs nothing more."""
    user = getattr(request, "user", None) or AnonymousUser()
    return {
        "allowed": {capability.value: policies.can(user, capability) for capability in Capability},
        "attention_count": SimpleLazyObject(lambda: queries.changes_needing_attention(user)),
        "inbox_count": SimpleLazyObject(
            lambda: queries.count_to_decide(user, today=timezone.localdate())
        ),
        "mirror": SimpleLazyObject(lambda: queries.mirror_state(at=timezone.now())),
        "lists": queries.LISTS.values(),
        "writes_stop": SimpleLazyObject(lambda: stop_seen(request)),
        "theme": theme_of(request),
        # The part of the portal an address belongs to, for the mark in the navigation.
        "nav": request.path.split("/")[1],
    }
