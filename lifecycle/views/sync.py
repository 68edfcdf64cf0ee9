"""How well our copy of Feishu is kept."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from lifecycle import policies, queries
from lifecycle.policies import Capability
from lifecycle.services import polling
from lifecycle.services import sync as sync_service
from lifecycle.views.answers import acting_user, page, see_other


@require_safe
def sync(request: HttpRequest) -> HttpResponse:
    if not policies.can(request.user, Capability.SEE_SYNC):
        raise PermissionDenied
    health = sync_service.mirror_health()
    plans = polling.plans(at=timezone.now())
    context = {
        "health": [(kind, plans[kind.kind]) for kind in health],
        "is_running": any(kind.running for kind in health),
        "full_hour": settings.FULL_SYNC_HOUR,
        "may_start": policies.can(request.user, Capability.START_SYNC),
        "cases": [
            (shown, sync_service.KINDS[shown.case.kind].label)
            for shown in queries.open_sync_cases(request.user)
        ],
        "messages_on": settings.FEISHU_MESSAGES or bool(settings.LOG_CHECKPOINT_CHAT),
        "message_figures": queries.message_figures(at=timezone.now()),
        "may_see_probation": policies.can(request.user, Capability.SEE_REQUESTS),
        "unreadable": queries.unreadable_records() if any(k.unreadable for k in health) else [],
    }
    return page(request, "sync/status.html", "sync/_health.html", context)


@require_POST
def start_sync(request: HttpRequest) -> HttpResponse:
    if not policies.can(request.user, Capability.START_SYNC):
        raise PermissionDenied
    sync_service.request_sync(acting_user=acting_user(request))
    messages.success(request, _("The sync starts within a few seconds. This page follows it."))
    return see_other("sync")


@require_POST
def start_kind(request: HttpRequest, kind: str) -> HttpResponse:
    if not policies.can(request.user, Capability.START_SYNC):
        raise PermissionDenied
    polling.request_kind(kind, acting_user=acting_user(request), at=timezone.now())
    messages.success(request, _("The sync starts within a few seconds. This page follows it."))
    return see_other("sync")


@require_POST
def pause_kind(request: HttpRequest, kind: str) -> HttpResponse:
    """Pauses with `pause=1`, goes on otherwise."""
    if not policies.can(request.user, Capability.START_SYNC):
        raise PermissionDenied
    is_paused = request.POST.get("pause") == "1"
    by, at = acting_user(request), timezone.now()
    polling.pause(kind, is_paused=is_paused, acting_user=by, at=at)
    said = _("This part is not read by itself any more.") if is_paused else _("It goes on.")
    messages.success(request, said)
    return see_other("sync")
