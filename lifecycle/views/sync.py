"""How well our copy of Feishu is kept."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from lifecycle import policies, queries
from lifecycle.policies import Capability
from lifecycle.services import sync as sync_service
from lifecycle.views.answers import acting_user, page


@require_safe
def sync(request: HttpRequest) -> HttpResponse:
    if not policies.can(request.user, Capability.SEE_SYNC):
        raise PermissionDenied
    health = sync_service.mirror_health()
    context = {
        "health": health,
        "is_running": any(kind.running for kind in health),
        "may_start": policies.can(request.user, Capability.START_SYNC),
        "cases": queries.open_sync_cases(request.user),
        "unreadable": queries.unreadable_records() if any(k.unreadable for k in health) else [],
    }
    return page(request, "sync/status.html", "sync/_health.html", context)


@require_POST
def start_sync(request: HttpRequest) -> HttpResponse:
    if not policies.can(request.user, Capability.START_SYNC):
        raise PermissionDenied
    sync_service.request_sync(acting_user=acting_user(request))
    messages.success(request, _("The sync starts within a few seconds. This page follows it."))
    return HttpResponseRedirect(reverse("sync"), status=303)
